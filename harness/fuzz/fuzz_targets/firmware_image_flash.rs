//! An image of somebody who means harm, or who has mixed up two files: it is recognised, and taken or refused in words that
//! can be shown, and needs no more memory than a flash.
#![no_main]

use firmware_image::espressif::ESP32C3;
use firmware_image::{FLASH_BYTES_MAX, FlashImage, Part, PrintableName, recognise};

libfuzzer_sys::fuzz_target!(|input: (&str, Vec<(u32, Vec<u8>)>)| {
    let (name, parts) = input;
    for (_, bytes) in &parts {
        assert!(!recognise(bytes).to_string().contains(char::is_control));
    }
    if let [(_, bytes)] = parts.as_slice() {
        shown(FlashImage::merged(name, bytes.clone(), &ESP32C3));
    }
    let parts = parts.into_iter().map(|(at, bytes)| Part { at, bytes, name: PrintableName::new(name) });
    shown(FlashImage::new(parts.collect(), &ESP32C3));
});

fn shown(result: Result<FlashImage, firmware_image::Refused>) {
    match result {
        Ok(image) => assert!(image.content.len() <= FLASH_BYTES_MAX as usize && !image.to_string().contains(char::is_control)),
        Err(why) => assert!(!why.to_string().contains(char::is_control)),
    }
}
