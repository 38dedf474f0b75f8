//! What lies in the flash, read as the ROM and the second-stage bootloader read it: bootloader, partition table,
//! application.
//!
//! The bootloader itself is not run: it must be there and whole, and its work is done here. Chosen is the factory
//! application, else the first OTA slot; what `otadata` says is not looked at. (ESP-IDF's programming guide: "App Image
//! Format", "Partition Tables"; `components/bootloader_support/src/esp_image_format.c`.)

use core::fmt;

use sha2::{Digest, Sha256};

use crate::machine::image::Segment;
use crate::machine::memory::Memory;

use super::loading::{has_memory, is_flash};
use crate::devices::espressif::cache;
use crate::machine::flash::{Flash, PAGE_BYTES};

/// Where the ROM looks for the bootloader.
const BOOTLOADER: u32 = 0;
/// Where the bootloader looks for the partition table, and how long that is.
const PARTITION_TABLE: u32 = 0x8000;
const PARTITION_TABLE_BYTES: u32 = 0xc00;

const HEADER_BYTES: u32 = 24;
const MAGIC: u8 = 0xe9;
const CHIP_ID: u16 = 5;
const SEGMENTS_MAX: u8 = 16;
/// What the checksum of the segments' bytes begins with.
const CHECKSUM_SEED: u8 = 0xef;
const DIGEST_BYTES: u32 = 32;

/// An application, ready to be entered.
#[derive(Debug)]
pub(super) struct Application {
    pub entry: u32,
    /// What goes to RAM.
    pub segments: Vec<Segment>,
    /// Entries of the MMU table, and the flash pages that they show.
    pub pages: Vec<(u32, u32)>,
}

/// Why nothing can be booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unbootable {
    /// No image begins there: this is the first word. An erased flash has all ones.
    NoImage { what: &'static str, at: u32, word: u32 },
    /// An image for another chip.
    OtherChip { what: &'static str, chip_id: u16 },
    /// An image that contradicts itself.
    Damaged { what: &'static str, why: &'static str },
    /// There is no partition table.
    NoPartitionTable,
    /// The partition table names no application.
    NoApplication,
    /// A segment for an address where there is no memory.
    NoMemoryThere { address: u32 },
}

impl fmt::Display for Unbootable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoImage { what, at, word } => write!(f, "no {what} at {at:#x}: invalid header {word:#010x}"),
            Self::OtherChip { what, chip_id } => write!(f, "the {what} is for another chip (identifier {chip_id})"),
            Self::Damaged { what, why } => write!(f, "the {what} is damaged: {why}"),
            Self::NoPartitionTable => write!(f, "no partition table at {PARTITION_TABLE:#x}"),
            Self::NoApplication => f.write_str("the partition table names no application"),
            Self::NoMemoryThere { address } => write!(f, "a segment is for {address:#010x}, where there is no memory"),
        }
    }
}

/// The application that the bootloader would start.
pub(super) fn application(flash: &Flash, memory: &Memory) -> Result<Application, Unbootable> {
    let reader = Reader { flash, memory };
    // The bootloader's own segments go to RAM that is free again when it hands over.
    reader.image("bootloader", BOOTLOADER, PARTITION_TABLE)?;
    let (at, length_bytes) = reader.application_partition()?;
    let (entry, parts) = reader.image("application", at, length_bytes)?;
    let (mut segments, mut pages) = (Vec::new(), Vec::new());
    for Part { address, at, length_bytes } in parts {
        // Padding.
        if address == 0 {
            continue;
        }
        if !has_memory(address, length_bytes) {
            return Err(Unbootable::NoMemoryThere { address });
        }
        if is_flash(address) {
            pages.extend(shown(address, at, length_bytes)?);
        } else {
            segments.push(Segment { address, bytes: reader.bytes(at, length_bytes) });
        }
    }
    Ok(Application { entry, segments, pages })
}

/// The entries of the MMU table that show a segment, and its pages.
fn shown(address: u32, at: u32, length_bytes: u32) -> Result<impl Iterator<Item = (u32, u32)>, Unbootable> {
    if address % PAGE_BYTES != at % PAGE_BYTES {
        return Err(Unbootable::Damaged { what: "application", why: "a segment is not where pages can show it" });
    }
    let offset = address & (cache::ENTRIES * PAGE_BYTES - 1);
    let pages = (offset % PAGE_BYTES + length_bytes).div_ceil(PAGE_BYTES);
    Ok((0..pages).map(move |n| (offset / PAGE_BYTES + n, at / PAGE_BYTES + n)))
}

/// A segment as it lies in the flash.
struct Part {
    address: u32,
    at: u32,
    length_bytes: u32,
}

struct Reader<'a> {
    flash: &'a Flash,
    memory: &'a Memory,
}

impl Reader<'_> {
    fn array<const N: usize>(&self, at: u32) -> [u8; N] {
        let mut bytes = [0; N];
        self.flash.read(self.memory, at, &mut bytes);
        bytes
    }

    fn word(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    /// `length_bytes` has been held against the flash or a partition.
    fn bytes(&self, at: u32, length_bytes: u32) -> Vec<u8> {
        let mut bytes = vec![0; length_bytes as usize];
        self.flash.read(self.memory, at, &mut bytes);
        bytes
    }

    /// Where the application's partition lies, and how long it is.
    fn application_partition(&self) -> Result<(u32, u32), Unbootable> {
        const ENTRY_BYTES: u32 = 32;
        const ENTRY_MAGIC: [u8; 2] = [0xaa, 0x50];
        const TYPE_APPLICATION: u8 = 0;
        const FACTORY: u8 = 0;
        const OTA_0: u8 = 0x10;
        let mut applications = Vec::new();
        let ends = (PARTITION_TABLE..PARTITION_TABLE + PARTITION_TABLE_BYTES).step_by(ENTRY_BYTES as usize);
        for (n, at) in ends.enumerate() {
            let [magic0, magic1, kind, subtype] = self.array(at);
            if [magic0, magic1] != ENTRY_MAGIC {
                if n == 0 {
                    return Err(Unbootable::NoPartitionTable);
                }
                break;
            }
            let (offset, length_bytes) = (self.word(at + 4), self.word(at + 8));
            let inside = offset.checked_add(length_bytes).is_some_and(|end| end <= self.flash.size_bytes());
            if kind == TYPE_APPLICATION && inside && matches!(subtype, FACTORY | OTA_0) {
                applications.push((subtype, offset, length_bytes));
            }
        }
        let chosen = applications.into_iter().min_by_key(|(subtype, ..)| *subtype);
        chosen.map(|(_, offset, length_bytes)| (offset, length_bytes)).ok_or(Unbootable::NoApplication)
    }

    /// Reads and checks the image at `at`, which is no longer than `room_bytes`: its entry point and its segments.
    fn image(&self, what: &'static str, at: u32, room_bytes: u32) -> Result<(u32, Vec<Part>), Unbootable> {
        let damaged = |why| Unbootable::Damaged { what, why };
        let header: [u8; HEADER_BYTES as usize] = self.array(at);
        let [magic, count, _, _, rest @ ..] = header;
        if magic != MAGIC {
            return Err(Unbootable::NoImage { what, at, word: self.word(at) });
        }
        let chip_id = u16::from_le_bytes([rest[8], rest[9]]);
        if chip_id != CHIP_ID {
            return Err(Unbootable::OtherChip { what, chip_id });
        }
        if count > SEGMENTS_MAX {
            return Err(damaged("too many segments"));
        }
        let entry = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]);
        let mut parts = Vec::new();
        let mut checksum = CHECKSUM_SEED;
        let mut offset = HEADER_BYTES;
        for _ in 0..count {
            let (address, length_bytes) = (self.word(at + offset), self.word(at + offset + 4));
            offset += 8;
            let end = offset.checked_add(length_bytes).filter(|end| *end < room_bytes);
            let end = end.ok_or(damaged("a segment reaches past its partition"))?;
            let part = Part { address, at: at + offset, length_bytes };
            checksum = self.bytes(part.at, length_bytes).into_iter().fold(checksum, |sum, byte| sum ^ byte);
            parts.push(part);
            offset = end;
        }
        // The checksum is the last byte of a row of sixteen.
        let length_bytes = (offset + 1).next_multiple_of(16);
        if self.array(at + length_bytes - 1) != [checksum] {
            return Err(damaged("its checksum is wrong"));
        }
        let digest_follows = rest[19] == 1;
        if digest_follows {
            let digest = Sha256::digest(self.bytes(at, length_bytes));
            if digest.as_slice() != self.array::<{ DIGEST_BYTES as usize }>(at + length_bytes) {
                return Err(damaged("its SHA-256 is wrong"));
            }
        }
        Ok((entry, parts))
    }
}
