//! `cargo xtask virtual-board`: an emulated board in wall time, for the hardware arm.

use blame::{Error, Result};
use board::virtual_board::Settings;

use crate::cli::VirtualBoard;

/// Runs the command.
///
/// # Errors
///
/// If the chip is not emulated, a name is taken, or a pseudo-terminal cannot be had.
pub fn run(arguments: &VirtualBoard) -> Result<()> {
    let chip = arguments.board.chip();
    let model = emulator::model_of(chip).ok_or_else(|| Error::usage(format!("the chip {chip} is not emulated")))?;
    let settings = Settings {
        model,
        seed: arguments.seed,
        serial: arguments.serial.clone(),
        modem: arguments.modem.clone(),
        control: arguments.control.clone(),
        jtag: arguments.jtag.clone(),
    };
    rack::emulated::run(settings, arguments.until_input_ends)
}
