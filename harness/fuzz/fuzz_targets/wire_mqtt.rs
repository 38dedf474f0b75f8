//! MQTT packets, in whatever pieces they arrive. Seeds: `seeds/wire_mqtt`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parsers::wire_mqtt(bytes);
});
