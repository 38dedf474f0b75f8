//! What Espressif's chips keep in their flash: images, partition table, otadata.

mod application;
mod chip;
pub(crate) mod nvs;
mod ota_data;
mod partition_table;

pub use application::{Application, Damage, Description, Header, Segment, is_esp8266};
pub use chip::{Chip, ESP32C3, Revision, Target};
pub use ota_data::OtaData;
pub use partition_table::{Partition, PartitionTable, TableDamage};

pub(crate) use partition_table::ENTRY_MAGIC;

/// The first byte of an image.
pub const IMAGE_MAGIC: u8 = 0xe9;
/// Where the partition table lies, unless a team has moved it (`CONFIG_PARTITION_TABLE_OFFSET`).
pub const PARTITION_TABLE: u32 = 0x8000;
/// How long the partition table is, its erased end included.
pub const PARTITION_TABLE_BYTES: usize = 0xc00;

/// The word at `at`; zero if it is not there.
fn word(bytes: &[u8], at: usize) -> u32 {
    let field = at.checked_add(4).and_then(|end| bytes.get(at..end));
    field.map_or(0, |field| u32::from_le_bytes([field[0], field[1], field[2], field[3]]))
}

/// The half word at `at`; zero if it is not there.
fn half(bytes: &[u8], at: usize) -> u16 {
    let field = at.checked_add(2).and_then(|end| bytes.get(at..end));
    field.map_or(0, |field| u16::from_le_bytes([field[0], field[1]]))
}

/// Text that ends with a zero, or with its field.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}
