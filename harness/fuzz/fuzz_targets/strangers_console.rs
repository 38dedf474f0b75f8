//! What a device says at the prompt at which a driver types. Seeds: `seeds/strangers/console`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::console(bytes);
});
