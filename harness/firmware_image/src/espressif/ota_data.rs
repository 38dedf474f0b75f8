//! otadata: two sectors, of which the one with the higher sequence number says which OTA slot is booted.
//!
//! (ESP-IDF, `components/bootloader_support/include/esp_flash_partitions.h`, `esp_ota_select_entry_t`;
//! `src/bootloader_common.c`.)

use super::word;

const SECTOR_BYTES: usize = 0x1000;
const SEQUENCE: usize = 0;
const STATE: usize = 24;
const CRC: usize = 28;
/// `ESP_OTA_IMG_INVALID` and `ESP_OTA_IMG_ABORTED`: the application was tried, and given up.
const GIVEN_UP: [u32; 2] = [3, 4];

/// What otadata says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtaData {
    /// The sequence number that counts; none if both sectors are erased or damaged.
    sequence: Option<u32>,
}

impl OtaData {
    /// Reads the partition's content.
    pub fn parse(bytes: &[u8]) -> Self {
        let sectors = [bytes, bytes.get(SECTOR_BYTES..).unwrap_or_default()];
        Self { sequence: sectors.into_iter().filter_map(sequence).max() }
    }

    /// Whether bytes that came alone are otadata.
    pub fn looks_like(bytes: &[u8]) -> bool {
        bytes.len() == 2 * SECTOR_BYTES && Self::parse(bytes).sequence.is_some()
    }

    /// The slot that is booted, from 0, of `slots`.
    pub fn active(&self, slots: u8) -> Option<u8> {
        let sequence = self.sequence.filter(|_| slots > 0)?;
        Some(((sequence - 1) % u32::from(slots)) as u8)
    }
}

/// The sequence number of a sector that is whole and not given up.
fn sequence(sector: &[u8]) -> Option<u32> {
    let entry = sector.get(..32)?;
    let (sequence, state) = (word(entry, SEQUENCE), word(entry, STATE));
    let is_whole = word(entry, CRC) == crc32(&entry[..4]);
    // A sequence that is 0 names no slot: the bootloader counts from 1.
    (is_whole && !matches!(sequence, 0 | u32::MAX) && !GIVEN_UP.contains(&state)).then_some(sequence)
}

/// The ROM's `crc32_le(UINT32_MAX, …)`: CRC-32 (ISO-HDLC) that begins with 0 instead of all ones.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let register = bytes.iter().fold(0, |register: u32, byte| {
        (0..8).fold(register ^ u32::from(*byte), |r, _| if r & 1 == 0 { r >> 1 } else { r >> 1 ^ 0xedb8_8320 })
    });
    !register
}
