//! Scenarios of somebody who means harm, or who cannot type. Seeds: `seeds/scenario_parse`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::scenario_parse(bytes);
});
