//! An image of somebody who means harm, or who has mixed up two files, in parts with offsets.
#![no_main]

#[path = "../bodies/firmware_image.rs"]
mod firmware_image_body;

libfuzzer_sys::fuzz_target!(|input: (&str, Vec<(u32, Vec<u8>)>)| {
    firmware_image_body::parts(input.0, input.1);
});
