//! Chips by their names in files: `#[serde(with = "chip::by_name")]`.

use serde::{Deserialize as _, Deserializer, Serializer, de};

use crate::{CHIPS, Chip, ESP32C3, find};

/// The chip of files that were written before there was a second one: for `#[serde(default)]`.
pub fn first() -> &'static Chip {
    CHIPS.first().copied().unwrap_or(&ESP32C3)
}

/// Reads a name.
///
/// # Errors
///
/// If there is no such chip; the words name those that there are.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Chip, D::Error> {
    let name = String::deserialize(deserializer)?;
    find(&name).map_err(de::Error::custom)
}

/// Writes a name.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(chip: &Chip, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(chip.name)
}
