//! Espressif's chips, as images name them.

use core::fmt;

use super::{IMAGE_MAGIC, is_esp8266};

/// A chip, by the identifier in an image's header (ESP-IDF, `esp_app_format.h`, `esp_chip_id_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chip(pub u16);

/// Identifier, name, and what `idf.py set-target` calls it.
const NAMES: &[(u16, &str, &str)] = &[
    (0x0000, "ESP32", "esp32"),
    (0x0002, "ESP32-S2", "esp32s2"),
    (0x0005, "ESP32-C3", "esp32c3"),
    (0x0009, "ESP32-S3", "esp32s3"),
    (0x000c, "ESP32-C2", "esp32c2"),
    (0x000d, "ESP32-C6", "esp32c6"),
    (0x0010, "ESP32-H2", "esp32h2"),
    (0x0012, "ESP32-P4", "esp32p4"),
    (0x0014, "ESP32-C61", "esp32c61"),
    (0x0017, "ESP32-C5", "esp32c5"),
    (0x0019, "ESP32-H21", "esp32h21"),
    (0x001c, "ESP32-H4", "esp32h4"),
    (0x0020, "ESP32-S31", "esp32s31"),
    // Its images have no such field: this number stands in no file.
    (0xfffe, "ESP8266", "esp8266"),
];

impl Chip {
    /// The chip whose images carry no identifier.
    pub const ESP8266: Self = Self(0xfffe);

    /// The chip that an image is for, by its header.
    pub fn of_image(bytes: &[u8]) -> Self {
        if is_esp8266(bytes) {
            return Self::ESP8266;
        }
        debug_assert!(bytes.first() == Some(&IMAGE_MAGIC));
        Self(super::half(bytes, 12))
    }

    /// What `idf.py set-target` and esptool's `--chip` call it.
    pub fn target(self) -> &'static str {
        NAMES.iter().find(|(id, ..)| *id == self.0).map_or("?", |(_, _, target)| target)
    }

    /// The chip that a manifest or a tool calls `name`, however it is spelt: `ESP32-C3`, `esp32c3`.
    pub fn by_name(name: &str) -> Option<Self> {
        let plain =
            |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let wanted = plain(name);
        NAMES.iter().find(|(_, _, target)| *target == wanted).map(|(id, ..)| Self(*id))
    }
}

impl fmt::Display for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(id, ..)| *id == self.0) {
            Some((_, name, _)) => f.write_str(name),
            None => write!(f, "chip with the identifier {:#06x}", self.0),
        }
    }
}

/// A chip's version: the number before the dot times a hundred, plus the one behind it, as images have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u16);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.0 / 100, self.0 % 100)
    }
}

/// What an image is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The chip.
    pub chip: Chip,
    /// Its version.
    pub revision: Revision,
    /// Where its ROM looks for the bootloader.
    pub bootloader_at: u32,
    /// Addresses at which the flash shows: `(first, length)`.
    pub flash_windows: [(u32, u32); 2],
}

/// An ESP32-C3 of version 0.4, which is sold today.
pub const ESP32C3: Target = Target {
    chip: Chip(5),
    revision: Revision(4),
    bootloader_at: 0,
    flash_windows: [(0x3c00_0000, 0x80_0000), (0x4200_0000, 0x80_0000)],
};

impl Target {
    /// Whether the flash shows at `address`.
    pub fn is_flash(&self, address: u32) -> bool {
        self.flash_windows.iter().any(|(first, length)| address.wrapping_sub(*first) < *length)
    }
}
