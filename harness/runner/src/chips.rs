//! Chips by name on the command line.
//!
//! What a name means stands in the crate `chip`; here is who may leave it out.

use blame::Error;
use chip::{Chip, WITH_FIRMWARE};
use clap::Args;

/// `--board`, for commands that need to know the chip.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct BoardOption {
    /// The kind of board, by its chip [default: the only one that there is firmware for]
    #[arg(long, value_name = "CHIP", value_parser = chip::find)]
    pub board: Option<&'static Chip>,
}

impl BoardOption {
    /// The chip that is meant.
    ///
    /// # Errors
    ///
    /// If none is named and there is firmware for several.
    pub fn chip(self) -> blame::Result<&'static Chip> {
        named_or_only(self.board, WITH_FIRMWARE)
    }
}

fn named_or_only(named: Option<&'static Chip>, chips: &[&'static Chip]) -> blame::Result<&'static Chip> {
    match (named, chips) {
        (Some(chip), _) => Ok(chip),
        (None, [only]) => Ok(only),
        (None, several) => {
            let options: Vec<String> = several.iter().map(|chip| format!("`--board {chip}`")).collect();
            Err(Error::usage(format!("there are several kinds of boards: say {}", options.join(" or "))))
        }
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
        assert_eq!(why.message, "there are several kinds of boards: say `--board esp32c3` or `--board rv32tiny`");
    }
}
