//! What a debug module acts upon: one hart with memory and registers round it.

use crate::machine::access::Width;

/// There is nothing at this address, or not of this number, or it raised an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// Why a hart is in debug mode: `dcsr.cause` (RISC-V External Debug Support 0.13.2, section 4.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum HaltCause {
    /// It executed `ebreak`.
    EnvironmentBreak = 1,
    /// A trigger fired.
    Trigger = 2,
    /// The debugger asked for it.
    Request = 3,
    /// It was told to execute one instruction.
    Step = 4,
    /// It came out of reset, and the debugger had asked for it.
    Reset = 5,
}

/// One hart with memory and registers round it.
pub trait Target {
    /// Whether the hart is in debug mode.
    fn is_halted(&self) -> bool;

    /// Enters debug mode, if it is not in it.
    fn halt(&mut self);

    /// Leaves debug mode, if it is in it; comes back after one instruction if `dcsr.step` says so.
    fn resume(&mut self);

    /// Resets everything but the debug module. The hart then stands at its reset vector, in debug mode if `halt`.
    fn reset(&mut self, halt: bool);

    /// Whether the hart has been reset since [`Self::acknowledge_reset`].
    fn has_reset(&self) -> bool;

    /// The debugger knows of the reset.
    fn acknowledge_reset(&mut self);

    /// Resets from elsewhere end in debug mode too.
    fn halt_on_reset(&mut self, halt: bool);

    /// Reads a register in debug mode: CSRs by their numbers, general registers from 0x1000. `Ok(None)` if no register
    /// can have this number.
    ///
    /// # Errors
    ///
    /// If the hart does not have it.
    fn read_register(&mut self, number: u16) -> Result<Option<u32>, Unavailable>;

    /// Writes a register in debug mode, as [`Self::read_register`] reads it; `Ok(false)` if none can have this number.
    ///
    /// # Errors
    ///
    /// If the hart does not have it.
    fn write_register(&mut self, number: u16, value: u32) -> Result<bool, Unavailable>;

    /// Executes instructions in debug mode, up to the first `ebreak`.
    ///
    /// # Errors
    ///
    /// If one of them raises an exception, or none is an `ebreak`.
    fn execute(&mut self, program: &[u32]) -> Result<(), Unavailable>;

    /// Reads past the hart. The address is aligned.
    ///
    /// # Errors
    ///
    /// If nobody answers.
    fn read_bus(&mut self, address: u32, width: Width) -> Result<u32, Unavailable>;

    /// Writes past the hart. The address is aligned.
    ///
    /// # Errors
    ///
    /// If nobody answers.
    fn write_bus(&mut self, address: u32, width: Width, value: u32) -> Result<(), Unavailable>;
}
