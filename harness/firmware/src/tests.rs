//! The released images, as they lie in the repository.

use std::path::Path;

use espflash::flasher::{FlashData, FlashSettings};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::{Chip, XtalFrequency};

use super::*;

/// Of ESP-IDF's bootloader.
fn of_esp_idf() -> Vec<Image> {
    let mut images = Image::all(root()).expect("there are images");
    images.retain(|image| image.chip() == &chip::ESP32C3);
    assert!(!images.is_empty());
    images
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this package lies two folders below the root")
}

#[test]
fn every_released_image_is_what_its_sources_say() {
    let images = Image::all(root()).expect("there are images");
    assert!(!images.is_empty());
    for image in images {
        if let Err(complaints) = check(&image) {
            panic!("{complaints}");
        }
    }
}

/// ESP-IDF's application descriptor lies at the start of the first segment in flash (esp_app_desc.h).
#[test]
fn every_esp_image_carries_the_application_descriptor() {
    const MAGIC: [u8; 4] = 0xabcd_5432_u32.to_le_bytes();
    for image in of_esp_idf() {
        let elf = read(&image.elf()).expect("an ELF file");
        let name = [image.name.as_bytes(), b"\0"].concat();
        let at = elf.windows(4).position(|window| window == MAGIC).expect("the magic word");
        // Magic word, secure version, two reserved words, version (32 bytes), then the name.
        assert_eq!(elf[at + 48..].get(..name.len()), Some(name.as_slice()));
    }
}

/// The flasher that everybody uses makes a flash image of it: segments, descriptor, checksum and size are in order.
#[test]
fn every_esp_image_can_be_flashed() {
    const FLASH_BYTES: usize = 4 * 1024 * 1024;
    for image in of_esp_idf() {
        let elf = read(&image.elf()).expect("an ELF file");
        let board = FlashData::new(FlashSettings::default(), 0, None, Chip::Esp32c3, XtalFrequency::_40Mhz);
        let flashed = IdfBootloaderFormat::new(&elf, &board, None, None, None, None).expect("espflash accepts it");
        let bytes: usize = flashed.flash_segments().map(|segment| segment.data.len()).sum();
        assert!((100_000..FLASH_BYTES).contains(&bytes), "{bytes}");
    }
}
