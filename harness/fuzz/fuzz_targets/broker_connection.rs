//! A device that means harm, at a broker. Seeds: `seeds/broker_connection`.
#![no_main]

#[path = "../bodies/broker.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    body::connection(bytes);
});
