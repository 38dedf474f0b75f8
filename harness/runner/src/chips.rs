//! Chips by name on the command line.
//!
//! What a name means stands in the crate `chip`; here is which of them is meant where nobody says.

use chip::Chip;
use clap::Args;

use crate::image_source;

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
        self.chip_of(&[])
    }

    /// The chip that is meant with an image of these files, which may say by itself what it is for.
    pub fn chip_of(self, image: &[String]) -> &'static Chip {
        self.board.or_else(|| image_source::chip_of(image)).unwrap_or(chip::DEFAULT)
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
