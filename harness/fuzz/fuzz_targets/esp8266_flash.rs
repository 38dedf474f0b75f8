//! An ESP8266 that boots whatever lies in its flash.
#![no_main]

#[allow(dead_code)]
#[path = "../bodies/esp8266.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    body::flash(bytes);
});
