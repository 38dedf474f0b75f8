//! An ESP8266's radio, with strangers on the air.
#![no_main]

#[allow(dead_code)]
#[path = "../bodies/esp8266.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    body::air(bytes);
});
