//! Capture files from anybody. Seeds: `seeds/capture_read`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::capture_read(bytes);
});
