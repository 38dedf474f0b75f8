//! What is asked of `firmware_image`, whatever is handed to it: no panic, no more memory than a flash, no path outside of a
//! list's folder, and words that can be shown on a terminal.
//!
//! Run by libFuzzer (`fuzz_targets/firmware_image_*.rs`) and, over the seeds beside it, by `cargo test -p firmware_image`.

use std::path::{Component, Path};

use firmware_image::build::{self, Files};
use firmware_image::espressif::{Application, ESP32C3, OtaData, PartitionTable};
use firmware_image::{FLASH_BYTES_MAX, FlashImage, Part, PrintableName, Refused, recognise};

/// One file, taken for everything that it could be. Whether it is an image that boots.
pub fn file(name: &str, bytes: &[u8]) -> bool {
    assert!(can_be_shown(&recognise(bytes)));
    if let Ok(table) = PartitionTable::parse(bytes) {
        for active in [None, Some(0), Some(u8::MAX), OtaData::parse(bytes).active(table.ota_slots())] {
            assert!(table.boot_order(active).len() <= table.partitions.len());
        }
    }
    assert!(OtaData::parse(bytes).active(16).is_none_or(|slot| slot < 16));
    if let Ok(application) = Application::parse(bytes, &ESP32C3) {
        assert!(application.length_bytes <= bytes.len());
        assert!(application.segments.iter().all(|one| one.at as usize + one.length_bytes as usize <= bytes.len()));
    }
    list(&build::flasher_args(bytes, &ESP32C3));
    list(&build::web_manifest(bytes, &ESP32C3));
    let text = String::from_utf8_lossy(bytes);
    list(&build::flash_args(&text));
    folder(&text.lines().map(str::to_owned).collect::<Vec<_>>());
    image(FlashImage::esp8266(bytes.to_vec()));
    image(FlashImage::merged(name, bytes.to_vec(), &ESP32C3))
}

/// Files with their offsets. Whether they are an image that boots.
pub fn parts(name: &str, parts: Vec<(u32, Vec<u8>)>) -> bool {
    let parts = parts.into_iter().map(|(at, bytes)| Part { at, bytes, name: PrintableName::new(name) });
    let parts: Vec<Part> = parts.collect();
    image(FlashImage::esp8266_parts(parts.clone()));
    image(FlashImage::new(parts, &ESP32C3))
}

/// The names of the files in a folder.
pub fn folder(names: &[String]) {
    match build::folder(names, &ESP32C3) {
        Ok(build::Folder::Files(files)) => list(&Ok(files)),
        Ok(build::Folder::List(_)) => {}
        Err(why) => assert!(can_be_shown(&why)),
    }
}

fn list(read: &Result<Files, Refused>) {
    match read {
        Ok(files) => assert!(files.parts.iter().all(|(_, path)| {
            Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        })),
        Err(why) => assert!(can_be_shown(why)),
    }
}

fn image(laid_out: Result<FlashImage, Refused>) -> bool {
    match &laid_out {
        Ok(image) => {
            assert!(image.content.len() <= FLASH_BYTES_MAX as usize && image.flash_bytes <= FLASH_BYTES_MAX);
            assert!(can_be_shown(image));
        }
        Err(why) => assert!(can_be_shown(why)),
    }
    laid_out.is_ok()
}

fn can_be_shown(what: &dyn std::fmt::Display) -> bool {
    !what.to_string().contains(char::is_control)
}
