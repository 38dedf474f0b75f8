//! The partition table: what lies where in the flash.
//!
//! (ESP-IDF's programming guide, "Partition Tables"; `components/partition_table/gen_esp32part.py`.) Entries of 32 bytes,
//! an MD5 of them, and erased bytes to the end.

use core::fmt;

use md5::{Digest as _, Md5};

use super::{PARTITION_TABLE_BYTES, text, word};
use crate::error::PrintableName;

const ENTRY_BYTES: usize = 32;
pub(crate) const ENTRY_MAGIC: [u8; 2] = [0xaa, 0x50];
const MD5_MAGIC: [u8; 2] = [0xeb, 0xeb];
const TYPE_APPLICATION: u8 = 0;
const TYPE_DATA: u8 = 1;
const FACTORY: u8 = 0;
const OTA_0: u8 = 0x10;
const OTA_15: u8 = 0x1f;
const OTA_DATA: u8 = 0;

/// An entry of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// 0 for applications, 1 for data; the rest is the team's own.
    pub kind: u8,
    /// What kind of application or data.
    pub subtype: u8,
    /// Where it begins in the flash.
    pub at: u32,
    /// How long it is.
    pub length_bytes: u32,
    /// Its name.
    pub label: PrintableName,
}

impl Partition {
    /// The OTA slot that it is, from 0.
    pub fn ota_slot(&self) -> Option<u8> {
        let is_slot = self.kind == TYPE_APPLICATION && (OTA_0..=OTA_15).contains(&self.subtype);
        is_slot.then(|| self.subtype - OTA_0)
    }

    /// It holds the factory application.
    pub fn is_factory(&self) -> bool {
        self.kind == TYPE_APPLICATION && self.subtype == FACTORY
    }

    /// It says which slot is booted.
    pub fn is_ota_data(&self) -> bool {
        self.kind == TYPE_DATA && self.subtype == OTA_DATA
    }

    /// Where it ends.
    pub fn end(&self) -> u64 {
        u64::from(self.at) + u64::from(self.length_bytes)
    }
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableDamage {
    /// No entry begins there.
    Missing,
    /// Behind the entries comes neither another one nor erased bytes.
    Entry {
        /// Which, counted from 0.
        number: usize,
        /// Its first two bytes.
        magic: [u8; 2],
    },
    /// The MD5 of the entries is wrong.
    Md5,
    /// The table is longer than it can be.
    TooLong,
}

impl fmt::Display for TableDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => {
                f.write_str("there is none (ESP-IDF: partition_table/partition-table.bin, PlatformIO: partitions.bin)")
            }
            Self::Entry { number, magic: [a, b] } => {
                write!(f, "entry {number} begins with {a:02X} {b:02X} instead of AA 50")
            }
            Self::Md5 => f.write_str("its MD5 is wrong"),
            Self::TooLong => write!(f, "it does not end within {PARTITION_TABLE_BYTES:#x} bytes"),
        }
    }
}

/// A partition table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionTable {
    /// Its entries, in its order.
    pub partitions: Vec<Partition>,
}

impl PartitionTable {
    /// Reads the table at the beginning of `bytes`. A table without an MD5 is taken, as the bootloader takes it.
    ///
    /// # Errors
    /// If the bootloader would not go by it.
    pub fn parse(bytes: &[u8]) -> Result<Self, TableDamage> {
        let bytes = &bytes[..bytes.len().min(PARTITION_TABLE_BYTES)];
        let mut partitions = Vec::new();
        for (number, entry) in bytes.chunks(ENTRY_BYTES).enumerate() {
            let magic = [entry[0], entry.get(1).copied().unwrap_or(0xff)];
            match magic {
                ENTRY_MAGIC if entry.len() == ENTRY_BYTES => partitions.push(partition(entry)),
                _ if number == 0 => return Err(TableDamage::Missing),
                MD5_MAGIC if entry.len() == ENTRY_BYTES => {
                    let md5 = Md5::digest(&bytes[..number * ENTRY_BYTES]);
                    let is_right = entry[16..] == md5[..];
                    return if is_right { Ok(Self { partitions }) } else { Err(TableDamage::Md5) };
                }
                [0xff, 0xff] => return Ok(Self { partitions }),
                _ => return Err(TableDamage::Entry { number, magic }),
            }
        }
        if bytes.is_empty() {
            return Err(TableDamage::Missing);
        }
        // A file may end with its last entry.
        if bytes.len() < PARTITION_TABLE_BYTES { Ok(Self { partitions }) } else { Err(TableDamage::TooLong) }
    }

    /// The partitions that may be booted, in the order in which the bootloader tries them: the slot that otadata names
    /// (`active`) and those after it, else the factory application, then the slots from the first.
    ///
    /// (ESP-IDF, `bootloader_utility.c`: `bootloader_utility_get_selected_boot_partition`, `..._load_boot_image`.)
    pub fn boot_order(&self, active: Option<u8>) -> Vec<&Partition> {
        let factory = self.partitions.iter().find(|partition| partition.is_factory());
        let mut slots: Vec<&Partition> = self.partitions.iter().filter(|p| p.ota_slot().is_some()).collect();
        slots.sort_by_key(|slot| slot.ota_slot());
        let Some(active) = active.map(usize::from).filter(|active| *active < slots.len()) else {
            return factory.into_iter().chain(slots).collect();
        };
        // From the chosen one down to the factory application, then up.
        let (before, from) = slots.split_at(active);
        let (chosen, after) = from.split_at(1);
        chosen.iter().chain(before.iter().rev()).copied().chain(factory).chain(after.iter().copied()).collect()
    }

    /// How many OTA slots there are.
    pub fn ota_slots(&self) -> u8 {
        self.partitions.iter().filter(|partition| partition.ota_slot().is_some()).count() as u8
    }
}

fn partition(entry: &[u8]) -> Partition {
    Partition {
        kind: entry[2],
        subtype: entry[3],
        at: word(entry, 4),
        length_bytes: word(entry, 8),
        label: PrintableName::new(&text(&entry[12..28])),
    }
}
