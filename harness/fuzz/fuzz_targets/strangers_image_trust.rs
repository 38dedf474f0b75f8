//! What an image trusts, looked for and swapped. Seeds: `seeds/strangers/image_trust`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::image_trust(bytes);
});
