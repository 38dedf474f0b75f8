//! Whatever comes down a serial line. Seeds: `seeds/wire_slipmux`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::wire_slipmux(bytes);
});
