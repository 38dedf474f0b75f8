//! Chips by name: on the command line, and in files.
//!
//! What a name means stands in the crate `chip`; here is who may leave it out.

use chip::{CHIPS, Chip};
use clap::Args;
use serde::{Deserialize, Deserializer, Serializer, de};

/// `--board`, for commands that need to know the chip.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct BoardOption {
    /// The kind of board, by its chip [default: the only one, while there is one]
    #[arg(long, value_name = "CHIP", value_parser = chip::find)]
    pub board: Option<&'static Chip>,
}

impl BoardOption {
    /// The chip that is meant.
    ///
    /// # Errors
    ///
    /// If none is named and there are several.
    pub fn chip(self) -> Result<&'static Chip, String> {
        named_or_only(self.board, CHIPS)
    }
}

fn named_or_only(named: Option<&'static Chip>, chips: &[&'static Chip]) -> Result<&'static Chip, String> {
    match (named, chips) {
        (Some(chip), _) => Ok(chip),
        (None, [only]) => Ok(only),
        (None, several) => {
            let options: Vec<String> = several.iter().map(|chip| format!("`--board {chip}`")).collect();
            Err(format!("there are several kinds of boards: say {}", options.join(" or ")))
        }
    }
}

/// The chip of files that were written before there was a second one.
pub fn first() -> &'static Chip {
    CHIPS.first().copied().unwrap_or(&chip::ESP32C3)
}

/// A chip's name in a file, for `#[serde(with)]`.
pub mod by_name {
    use super::*;

    /// Reads a name.
    ///
    /// # Errors
    ///
    /// If there is no such chip; the words name those that there are.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Chip, D::Error> {
        let name = String::deserialize(deserializer)?;
        chip::find(&name).map_err(de::Error::custom)
    }

    /// Writes a name.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(chip: &Chip, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(chip.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static OTHER: Chip = Chip { name: "rv32tiny", ..chip::ESP32C3 };

    #[test]
    fn the_board_may_be_left_out_while_there_is_one_kind() {
        assert_eq!(named_or_only(None, &[&OTHER]), Ok(&OTHER));
        assert_eq!(named_or_only(Some(&OTHER), &[&chip::ESP32C3, &OTHER]), Ok(&OTHER));
        let why = named_or_only(None, &[&chip::ESP32C3, &OTHER]).expect_err("which one?");
        assert_eq!(why, "there are several kinds of boards: say `--board esp32c3` or `--board rv32tiny`");
    }
}
