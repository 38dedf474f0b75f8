//! Images of the ESP8266: what is written to its flash from 0 on.
//!
//! The format names no chip and no partition table; what the ROM loads looks after itself. The size of the flash stands in the
//! header, where whoever writes the image puts it (esptool documentation, "Firmware Image Format"): an image that is passed
//! on mostly says 512 KiB, whatever it is for.

use crate::error::{PrintableName, Refused};
use crate::espressif::{Chip, IMAGE_MAGIC, is_esp8266};
use crate::kind::{Kind, recognise};
use crate::layout::{Boots, FLASH_BYTES_MAX, FlashImage, Part, lay_out};

/// What most modules have.
const FLASH_BYTES: u32 = 4 << 20;
/// Sizes by the upper half of the header's fourth byte, for images that are one.
const SIZES: [(u8, u32); 7] = [
    (0x1, 256 << 10),
    (0x0, 512 << 10),
    (0x2, 1 << 20),
    (0x3, 2 << 20),
    (0x4, 4 << 20),
    (0x8, 8 << 20),
    (0x9, 16 << 20),
];

/// Where the first of two halves begins: a boot loader is in front of it.
const FIRST_HALF: usize = 0x1000;
/// The second begins in the first megabyte, or in the second.
const SECOND_HALF_OF_512_KIB: usize = 0x8_1000;
const SECOND_HALF_OF_1_MIB: usize = 0x10_1000;
/// Maps by the same four bits, for a flash with two halves, one of which runs while the other is written: how large the flash
/// is, and where the second half is (ESP8266 Non-OS SDK, "Flash Map"; `--flash_size 2MB-c1` of esptool is map 5).
const MAPS: [(u8, u32, usize); 7] = [
    (0x2, 1 << 20, SECOND_HALF_OF_512_KIB),
    (0x3, 2 << 20, SECOND_HALF_OF_512_KIB),
    (0x4, 4 << 20, SECOND_HALF_OF_512_KIB),
    (0x5, 2 << 20, SECOND_HALF_OF_1_MIB),
    (0x6, 4 << 20, SECOND_HALF_OF_1_MIB),
    (0x8, 8 << 20, SECOND_HALF_OF_1_MIB),
    (0x9, 16 << 20, SECOND_HALF_OF_1_MIB),
];

/// Whether one of two halves begins at `at`: an image of the format's second version.
fn is_half(content: &[u8], at: usize) -> bool {
    content.get(at..at + 2) == Some(&[0xea, 4])
}

/// The four bits for the header, and how large the flash is.
fn map_of(content: &[u8]) -> (u8, u32) {
    let length_bytes = content.len() as u32;
    if is_half(content, FIRST_HALF) {
        // Where data lie behind the halves hangs on the map: one that can be is kept.
        let declared = content.get(3).map_or(0, |field| field >> 4);
        let second = if is_half(content, SECOND_HALF_OF_1_MIB) { SECOND_HALF_OF_1_MIB } else { SECOND_HALF_OF_512_KIB };
        let fits = MAPS.iter().filter(|(_, bytes, _)| *bytes >= length_bytes);
        let usual = fits.clone().find(|(_, bytes, at)| *bytes >= FLASH_BYTES && *at == second);
        let map = fits.clone().find(|(code, ..)| *code == declared).or(usual).or_else(|| fits.clone().next_back());
        if let Some((code, flash_bytes, _)) = map {
            return (*code, *flash_bytes);
        }
    }
    let flash_bytes = length_bytes.next_power_of_two().max(FLASH_BYTES);
    (SIZES.iter().find(|(_, bytes)| *bytes == flash_bytes).map_or(0x4, |(code, _)| *code), flash_bytes)
}

impl FlashImage {
    /// Takes the parts of an image for an ESP8266, of which one begins at 0: a boot loader, and halves for updates.
    ///
    /// # Errors
    ///
    /// As [`FlashImage::esp8266`]; and if parts overlap.
    pub fn esp8266_parts(mut parts: Vec<Part>) -> Result<Self, Refused> {
        parts.sort_by_key(|part| part.at);
        Self::esp8266(lay_out(&parts)?)
    }

    /// Takes an image for an ESP8266, for a flash of 4 MiB or more if it needs more, and writes its size into the header as
    /// esptool does; an image in two halves is for the flash that its header says. What the ROM thinks of its segments it says
    /// itself.
    ///
    /// # Errors
    ///
    /// If it is something else, is for another chip, is larger than any flash, or has no boot loader in front of its half.
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
        if content.first() != Some(&IMAGE_MAGIC) {
            return Err(Refused::NoBootLoader);
        }
        let (code, flash_bytes) = map_of(&content);
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

    /// A boot loader, and halves where they are said to be.
    fn halves(header_size: u8, at: &[usize]) -> Vec<u8> {
        let mut content = HEADER.to_vec();
        content[3] = header_size;
        content.resize(SECOND_HALF_OF_1_MIB + 0x1000, 0xff);
        for at in at {
            content[*at..*at + 4].copy_from_slice(&[0xea, 4, 0, 1]);
        }
        content
    }

    #[test]
    fn an_image_in_halves_is_for_the_map_that_its_header_says() {
        for (said, second, map, flash_bytes) in [
            (0x50, SECOND_HALF_OF_1_MIB, 0x50, 2 << 20),
            (0x30, SECOND_HALF_OF_512_KIB, 0x30, 2 << 20),
            // Not said.
            (0x00, SECOND_HALF_OF_1_MIB, 0x60, 4 << 20),
            (0x00, SECOND_HALF_OF_512_KIB, 0x40, 4 << 20),
            // Too small for what is there.
            (0x20, SECOND_HALF_OF_512_KIB, 0x40, 4 << 20),
        ] {
            let image = FlashImage::esp8266(halves(said, &[FIRST_HALF, second])).expect("it is one");
            assert_eq!((image.content[3], image.flash_bytes), (map, flash_bytes), "{said:#x}");
        }
    }

    #[test]
    fn parts_are_laid_out_and_a_half_alone_is_none() {
        let part = |at, bytes: &[u8]| Part { at, bytes: bytes.to_vec(), name: PrintableName::new("x.bin") };
        let half = [0xea, 4, 0, 1, 0, 0, 0, 0];
        let image = FlashImage::esp8266_parts(vec![part(0x1000, &half), part(0, &HEADER)]).expect("it is one");
        assert_eq!((image.content[3], &image.content[0x1000..]), (0x40, &half[..]));
        let alone = FlashImage::esp8266(half.to_vec()).expect_err("nobody loads it");
        assert!(alone.to_string().contains("0x1000=user1.bin"), "{alone}");
        let overlap = FlashImage::esp8266_parts(vec![part(0, &HEADER), part(8, &half)]).expect_err("they overlap");
        assert!(matches!(overlap, Refused::Overlap { .. }), "{overlap}");
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
