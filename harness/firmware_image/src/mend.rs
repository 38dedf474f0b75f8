//! Mends what an image says of its own bytes, after somebody has changed some of them.
//!
//! An application ends with a checksum of its segments and, most often, a SHA-256 of all before it (`Application`): without
//! them a bootloader passes over it. A signature cannot be mended by anybody but its owner.

use core::fmt;
use core::ops::Range;

use crate::error::PrintableName;
use crate::espressif::{Application, PARTITION_TABLE, Partition, PartitionTable, Target};

/// `nvs` of data partitions: every entry has a CRC of its own (ESP-IDF, "Non-volatile Storage Library").
const SUBTYPE_NVS: u8 = 2;
const TYPE_DATA: u8 = 1;

/// Where changed bytes lie, and what was mended there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mended {
    /// In an application: its checksum, and its SHA-256 if it has one.
    Application {
        /// The partition's name; empty for an image that the ROM loads by itself.
        label: PrintableName,
        /// Whether it has a SHA-256.
        has_digest: bool,
    },
    /// In a partition that has no checksum over its content.
    Data {
        /// Its name.
        label: PrintableName,
    },
    /// In no partition.
    Elsewhere,
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application { label, has_digest } => {
                let digest = if *has_digest { " and SHA-256" } else { "" };
                if label.is_empty() {
                    return write!(f, "the image that the ROM loads (checksum{digest} mended)");
                }
                write!(f, "the partition {label} (checksum{digest} mended)")
            }
            Self::Data { label } => write!(f, "the partition {label}"),
            Self::Elsewhere => f.write_str("no partition"),
        }
    }
}

/// Why changed bytes cannot be made good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmendable {
    /// Each entry of this partition has a checksum of its own.
    KeyValueStore(PrintableName),
    /// This partition holds an application that is not whole.
    Application(PrintableName),
}

impl fmt::Display for Unmendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyValueStore(label) => {
                write!(f, "it lies in the partition {label}, each entry of which has a checksum of its own")
            }
            Self::Application(label) => write!(f, "it lies in the partition {label}, whose application is not whole"),
        }
    }
}

impl core::error::Error for Unmendable {}

/// Mends the checksum and the digest of the application in a flash in which the bytes `changed` were changed; says where they
/// lie.
///
/// # Errors
///
/// If they lie where nothing can be mended.
pub fn mend(content: &mut [u8], changed: &Range<usize>, target: &Target) -> Result<Mended, Unmendable> {
    let table = content.get(PARTITION_TABLE as usize..).and_then(|table| PartitionTable::parse(table).ok());
    let Some(table) = table else { return application(content, PrintableName::new(""), target) };
    let holds =
        |partition: &&Partition| partition.at as usize <= changed.start && (changed.start as u64) < partition.end();
    let Some(partition) = table.partitions.iter().find(holds) else { return Ok(Mended::Elsewhere) };
    let label = partition.label.clone();
    match (partition.kind, partition.subtype) {
        (TYPE_DATA, SUBTYPE_NVS) => Err(Unmendable::KeyValueStore(label)),
        (TYPE_DATA, _) => Ok(Mended::Data { label }),
        _ => {
            let end = partition.end().min(content.len() as u64) as usize;
            application(content.get_mut(partition.at as usize..end).unwrap_or_default(), label, target)
        }
    }
}

fn application(bytes: &mut [u8], label: PrintableName, target: &Target) -> Result<Mended, Unmendable> {
    match Application::mend(bytes, target) {
        Ok(has_digest) => Ok(Mended::Application { label, has_digest }),
        Err(_) => Err(Unmendable::Application(label)),
    }
}

#[cfg(test)]
mod tests;
