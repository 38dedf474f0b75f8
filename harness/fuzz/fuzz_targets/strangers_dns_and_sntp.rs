//! Questions to the name server and the time server. Seeds: `seeds/strangers/dns_and_sntp`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::dns_and_sntp(bytes);
});
