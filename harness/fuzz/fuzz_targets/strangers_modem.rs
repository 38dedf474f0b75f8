//! A device at its modem. Seeds: `seeds/strangers/modem`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::modem(bytes);
});
