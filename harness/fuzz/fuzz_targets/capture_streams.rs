//! Devices and brokers that mean harm, below a capture that is whole. Seeds: `seeds/capture_streams`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::capture_streams(bytes);
});
