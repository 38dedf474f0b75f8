//! Mends what an image says of its own bytes, after somebody has changed some of them.
//!
//! An application ends with a checksum of its segments and, most often, a SHA-256 of all before it (`Application`): without
//! them a bootloader passes over it. A value in NVS has a checksum too. A signature cannot be mended by anybody but its owner.

use core::fmt;
use core::ops::Range;

use crate::error::PrintableName;
use crate::espressif::{Application, PARTITION_TABLE, Partition, PartitionTable, Target, nvs};

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
    /// In a value of NVS: its checksums.
    KeyValue {
        /// The partition's name.
        label: PrintableName,
        /// The value's key.
        key: PrintableName,
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
            Self::KeyValue { label, key } => {
                write!(f, "the value {key} of the partition {label} (its checksums mended)")
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
    /// In this partition of keys and values it is in no value that is there: it was deleted, or is cut in pieces.
    NoValue(PrintableName),
    /// This partition holds an application that is not whole.
    Application(PrintableName),
}

impl fmt::Display for Unmendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValue(label) => write!(f, "it lies in the partition {label}, in no value that is there"),
            Self::Application(label) => write!(f, "it lies in the partition {label}, whose application is not whole"),
        }
    }
}

impl core::error::Error for Unmendable {}

/// The name of the partition in which the byte `at` lies; `None` if there is none.
pub fn partition_at(content: &[u8], at: usize) -> Option<PrintableName> {
    let table = table(content)?;
    holding(&table, at).map(|partition| partition.label.clone())
}

/// The values of NVS that lie in several pieces, each with the name of its partition and its key.
pub fn values_in_pieces(content: &[u8]) -> Vec<(PrintableName, PrintableName, Vec<u8>)> {
    let partitions = table(content).map(|table| table.partitions).unwrap_or_default();
    let of_values = partitions.into_iter().filter(|one| (one.kind, one.subtype) == (TYPE_DATA, SUBTYPE_NVS));
    of_values
        .flat_map(|partition| {
            let values = nvs::in_pieces(content.get(place(&partition, content)).unwrap_or_default());
            values.into_iter().map(move |(key, value)| (partition.label.clone(), key, value))
        })
        .collect()
}

fn table(content: &[u8]) -> Option<PartitionTable> {
    content.get(PARTITION_TABLE as usize..).and_then(|table| PartitionTable::parse(table).ok())
}

/// Where a partition's content lies, as far as it is there.
fn place(partition: &Partition, content: &[u8]) -> Range<usize> {
    partition.at as usize..partition.end().min(content.len() as u64) as usize
}

fn holding(table: &PartitionTable, at: usize) -> Option<&Partition> {
    table.partitions.iter().find(|one| one.at as usize <= at && (at as u64) < one.end())
}

/// Mends the checksum and the digest of the application in a flash in which the bytes `changed` were changed; says where they
/// lie.
///
/// # Errors
///
/// If they lie where nothing can be mended.
pub fn mend(content: &mut [u8], changed: &Range<usize>, target: &Target) -> Result<Mended, Unmendable> {
    let Some(table) = table(content) else { return application(content, PrintableName::new(""), target) };
    let Some(partition) = holding(&table, changed.start) else { return Ok(Mended::Elsewhere) };
    let (label, from) = (partition.label.clone(), partition.at as usize);
    let bytes = content.get_mut(place(partition, content)).unwrap_or_default();
    match (partition.kind, partition.subtype) {
        (TYPE_DATA, SUBTYPE_NVS) => match nvs::mend(bytes, &(changed.start - from..changed.end - from)) {
            Some(key) => Ok(Mended::KeyValue { label, key }),
            None => Err(Unmendable::NoValue(label)),
        },
        (TYPE_DATA, _) => Ok(Mended::Data { label }),
        _ => application(bytes, label, target),
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
