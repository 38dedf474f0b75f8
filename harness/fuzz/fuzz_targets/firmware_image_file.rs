//! One file of somebody who means harm: a flash, an application, a partition table, otadata, a list, the names in a folder.
//! Seeds: `seeds/firmware_image`.
#![no_main]

#[path = "../bodies/firmware_image.rs"]
mod firmware_image_body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    firmware_image_body::file("x.bin", bytes);
});
