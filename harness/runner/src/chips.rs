//! Chips by name on the command line.
//!
//! What a name means stands in the crate `chip`; here is which of them is meant where nobody says.

use chip::Chip;
use clap::Args;

/// `--board`, for commands that need to know the chip.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct BoardOption {
    /// The kind of board, by its chip [default: esp32c3]
    #[arg(long, value_name = "CHIP", value_parser = chip::find)]
    pub board: Option<&'static Chip>,
}

impl BoardOption {
    /// The chip that is meant.
    pub fn chip(self) -> &'static Chip {
        self.board.unwrap_or(chip::DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        _board: BoardOption,
    }

    #[test]
    fn the_help_names_the_chip_that_is_meant() {
        let help = Line::command().render_help().to_string();
        assert!(help.contains(&format!("[default: {}]", BoardOption::default().chip())), "{help}");
    }
}
