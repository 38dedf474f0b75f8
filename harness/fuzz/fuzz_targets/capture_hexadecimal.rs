//! Bytes that somebody pasted, in whatever form. Seeds: `seeds/capture_hexadecimal`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::capture_hexadecimal(bytes);
});
