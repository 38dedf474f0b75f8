//! A debugger at the JTAG pins. Seeds: `seeds/strangers/remote_bitbang`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::remote_bitbang(bytes);
});
