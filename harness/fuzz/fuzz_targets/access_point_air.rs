//! An access point, with stations that mean harm. Seeds: `seeds/access_point_air`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/access_point.rs"]
mod access_point_body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    access_point_body::air(bytes);
});
