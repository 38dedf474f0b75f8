//! One frame of a station, at an open access point and at a secured one, and the parsers that read it.
#![no_main]

#[path = "../bodies/access_point.rs"]
mod access_point_body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    access_point_body::frame(bytes);
});
