//! TLS records and the handshake messages in them. Seeds: `seeds/wire_tls`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::wire_tls(bytes);
});
