//! Lists of parts and folders of other people: no file outside of the list's folder is named.
#![no_main]

use std::path::{Component, Path};

use firmware_image::build;
use firmware_image::espressif::ESP32C3;

libfuzzer_sys::fuzz_target!(|input: (&str, Vec<String>)| {
    let (text, names) = input;
    let lists =
        [build::flasher_args(text.as_bytes(), &ESP32C3), build::web_manifest(text.as_bytes(), &ESP32C3), build::flash_args(text)];
    for list in lists {
        match list {
            Ok(files) => assert!(files.parts.iter().all(|(_, path)| {
                Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
            })),
            Err(why) => assert!(!why.to_string().contains(char::is_control)),
        }
    }
    let _ = build::folder(&names, &ESP32C3);
});
