//! Images of the ESP8266: what is written to its flash from 0 on.
//!
//! The format names no chip and no partition table; what the ROM loads looks after itself. The size of the flash stands in the
//! header, where whoever writes the image puts it (esptool documentation, "Firmware Image Format"): an image that is passed
//! on mostly says 512 KiB, whatever it is for.

use crate::error::{PrintableName, Refused};
use crate::espressif::{Chip, is_esp8266};
use crate::kind::{Kind, recognise};
use crate::layout::{Boots, FLASH_BYTES_MAX, FlashImage};

/// What most modules have.
const FLASH_BYTES: u32 = 4 << 20;
/// Sizes by the upper half of the header's fourth byte.
const SIZES: [(u8, u32); 7] = [
    (0x1, 256 << 10),
    (0x0, 512 << 10),
    (0x2, 1 << 20),
    (0x3, 2 << 20),
    (0x4, 4 << 20),
    (0x8, 8 << 20),
    (0x9, 16 << 20),
];

impl FlashImage {
    /// Takes an image for an ESP8266, for a flash of 4 MiB or more if it needs more, and writes its size into the header as
    /// esptool does. What the ROM thinks of its segments it says itself.
    ///
    /// # Errors
    ///
    /// If it is something else, is for another chip, or is larger than any flash.
    pub fn esp8266(mut content: Vec<u8>) -> Result<Self, Refused> {
        if !is_esp8266(&content) {
            return Err(match recognise(&content) {
                Kind::MergedFlash { chip } | Kind::Application { chip } | Kind::RomLoadable { chip } => {
                    Refused::OtherChip { part: PrintableName::new("it"), made_for: chip, here: Chip::ESP8266 }
                }
                kind => Refused::NotAnImage(kind),
            });
        }
        let end = content.len() as u64;
        if end > u64::from(FLASH_BYTES_MAX) {
            let part = PrintableName::new("it");
            return Err(Refused::TooLarge { part, end, flash_bytes_max: FLASH_BYTES_MAX });
        }
        let flash_bytes = (content.len() as u32).next_power_of_two().max(FLASH_BYTES);
        let code = SIZES.iter().find(|(_, bytes)| *bytes == flash_bytes).map_or(0x4, |(code, _)| *code);
        if let Some(field) = content.get_mut(3) {
            *field = *field & 0x0f | code << 4;
        }
        Ok(Self { content, flash_bytes, boots: Boots::Directly })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Magic, one segment, mode, size and frequency, entry, address of the first segment.
    const HEADER: [u8; 16] = [0xe9, 1, 2, 0x00, 0x5c, 0x10, 0x10, 0x40, 0, 0, 0x10, 0x40, 0, 0, 0, 0];

    #[test]
    fn the_header_says_the_size_of_the_flash() {
        let image = FlashImage::esp8266(HEADER.to_vec()).expect("it is one");
        assert_eq!((image.flash_bytes, image.content[3]), (4 << 20, 0x40));
        assert_eq!(image.content[4..], HEADER[4..]);
        let mut long = HEADER.to_vec();
        long.resize(5 << 20, 0xff);
        long[3] = 0x0f;
        let image = FlashImage::esp8266(long).expect("it is one");
        assert_eq!((image.flash_bytes, image.content[3]), (8 << 20, 0x8f));
    }

    #[test]
    fn what_is_something_else_is_named() {
        let why = |bytes: &[u8]| FlashImage::esp8266(bytes.to_vec()).expect_err("it is none").to_string();
        let mut other = [0; 0x40];
        (other[0], other[12]) = (0xe9, 5);
        assert!(why(&other).starts_with("it is for the ESP32-C3"), "{}", why(&other));
        assert!(why(b"PK\x03\x04").contains("a ZIP archive"));
        assert!(why(&[]).contains("empty"));
    }
}
