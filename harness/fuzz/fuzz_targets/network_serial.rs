//! Whatever a board says on a line that damages it. Seeds: `seeds/network_serial`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::network_serial(bytes);
});
