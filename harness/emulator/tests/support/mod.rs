//! What espflash gives several test files: the real mask ROM, and a flash as a tool writes it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use emulator::esp32c3::Rom;
use espflash::flasher::{DeviceInfo, FlashData, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::{Chip, XtalFrequency};

const IMAGE: &[u8] = include_bytes!("../../../../firmware-under-test/images/esp32c3_mbedtls.elf");

/// The mask ROM of the silicon.
pub fn real_rom() -> Rom {
    let device = DeviceInfo {
        chip: Chip::Esp32c3,
        // espflash's file for "v3.0" is the ROM of v0.3.
        revision: Some((3, 0)),
        crystal_frequency: XtalFrequency::_40Mhz,
        flash_size: FlashSize::_4Mb,
        features: Vec::new(),
        mac_address: None,
    };
    Rom::Elf(Arc::from(device.rom().expect("espflash ships a ROM for this chip")))
}

/// What a flashing tool writes: bootloader, partition table, application.
pub fn flash_content() -> Vec<u8> {
    let mut settings = FlashSettings::default();
    settings.size = Some(FlashSize::_4Mb);
    let data = FlashData::new(settings, 0, None, Chip::Esp32c3, XtalFrequency::_40Mhz);
    let image = IdfBootloaderFormat::new(IMAGE, &data, None, None, None, None).expect("espflash takes the image");
    let mut content = Vec::new();
    for segment in image.flash_segments() {
        let end = segment.addr as usize + segment.data.len();
        content.resize(content.len().max(end), 0xff);
        content[segment.addr as usize..end].copy_from_slice(&segment.data);
    }
    content
}
