//! Abstract commands: registers by number, and the program buffer (RISC-V External Debug Support 0.13.2, section 3.7).

use serde::{Deserialize, Serialize};

use super::target::Target;

/// How many data words there are.
const DATA_COUNT: u32 = 2;
/// How many words of program there are.
const PROGRAM_WORDS: u32 = 16;

const COMMAND_POST_INCREMENT: u32 = 1 << 19;
const COMMAND_EXECUTE: u32 = 1 << 18;
const COMMAND_TRANSFER: u32 = 1 << 17;
const COMMAND_WRITE: u32 = 1 << 16;
/// `aarsize` for 32 bits.
const SIZE_WORD: u32 = 2;

/// What went wrong: `abstractcs.cmderr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
enum CommandError {
    #[default]
    None = 0,
    NotSupported = 2,
    Exception = 3,
    NotHalted = 4,
}

/// The words of commands, and what became of the last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct AbstractCommands {
    error: CommandError,
    data: [u32; DATA_COUNT as usize],
    program: [u32; PROGRAM_WORDS as usize],
    command: u32,
    automatic: u32,
}

impl AbstractCommands {
    /// `abstractcs`.
    pub(super) fn status(&self) -> u32 {
        PROGRAM_WORDS << 24 | (self.error as u32) << 8 | DATA_COUNT
    }

    /// A write to `abstractcs`: ones clear the error's bits.
    pub(super) fn clear_error(&mut self, value: u32) {
        // Debuggers write all ones; partial clearing would leave another error's number.
        if value >> 8 & 7 & self.error as u32 == self.error as u32 {
            self.error = CommandError::None;
        }
    }

    /// `abstractauto`.
    pub(super) fn automatic(&self) -> u32 {
        self.automatic
    }

    /// A write to `abstractauto`: bits of words that do not exist stay 0.
    pub(super) fn set_automatic(&mut self, value: u32) {
        self.automatic = value & (0xffff << 16 | ((1 << DATA_COUNT) - 1));
    }

    /// Reads `data0` and so on.
    pub(super) fn read_data(&mut self, index: u32, target: &mut dyn Target) -> u32 {
        let value = self.data.get(index as usize).copied().unwrap_or(0);
        self.repeat(index, target);
        value
    }

    /// Writes `data0` and so on.
    pub(super) fn write_data(&mut self, index: u32, value: u32, target: &mut dyn Target) {
        if let Some(word) = self.data.get_mut(index as usize) {
            *word = value;
        }
        self.repeat(index, target);
    }

    /// Reads `progbuf0` and so on.
    pub(super) fn read_program(&mut self, index: u32, target: &mut dyn Target) -> u32 {
        let value = self.program.get(index as usize).copied().unwrap_or(0);
        self.repeat(16 + index, target);
        value
    }

    /// Writes `progbuf0` and so on.
    pub(super) fn write_program(&mut self, index: u32, value: u32, target: &mut dyn Target) {
        if let Some(word) = self.program.get_mut(index as usize) {
            *word = value;
        }
        self.repeat(16 + index, target);
    }

    /// A write to `command`.
    pub(super) fn execute(&mut self, command: u32, target: &mut dyn Target) {
        if self.error != CommandError::None {
            return;
        }
        self.command = command;
        self.error = self.run(command, target).err().unwrap_or_default();
    }

    /// Words of which `abstractauto` says so repeat the last command when they are accessed.
    fn repeat(&mut self, bit: u32, target: &mut dyn Target) {
        if self.automatic >> bit & 1 != 0 {
            self.execute(self.command, target);
        }
    }

    fn run(&mut self, command: u32, target: &mut dyn Target) -> Result<(), CommandError> {
        const ACCESS_REGISTER: u32 = 0;
        if command >> 24 != ACCESS_REGISTER || command & COMMAND_POST_INCREMENT != 0 {
            return Err(CommandError::NotSupported);
        }
        if !target.is_halted() {
            return Err(CommandError::NotHalted);
        }
        if command & COMMAND_TRANSFER != 0 {
            if command >> 20 & 7 != SIZE_WORD {
                return Err(CommandError::NotSupported);
            }
            let number = command as u16;
            let exists = if command & COMMAND_WRITE != 0 {
                target.write_register(number, self.data[0]).map_err(|_| CommandError::Exception)?
            } else {
                let value = target.read_register(number).map_err(|_| CommandError::Exception)?;
                value.inspect(|value| self.data[0] = *value).is_some()
            };
            if !exists {
                return Err(CommandError::NotSupported);
            }
        }
        if command & COMMAND_EXECUTE != 0 {
            target.execute(&self.program).map_err(|_| CommandError::Exception)?;
        }
        Ok(())
    }
}
