//! What a device of a chip is: registers that answer, interrupt lines, and a next moment of interest.
//!
//! Time is an argument. A device keeps no clock and is not ticked: it settles what has happened by `now` when it is
//! touched, and says when it wants to be asked again.

use super::registers::RegisterFile;
use super::time::{NEVER, Ticks};

/// The answer to a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The register's value, worked out.
    Value(u32),
    /// A word of a counter that stays the same for minutes: whoever reads it again and again reads the time, and waits for
    /// nothing here.
    Time(u32),
    /// The register is plain configuration: what was last written.
    Stored,
    /// The model does not know what the register does. It reads what was last written, and that is reported.
    Unmodelled,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The device has acted on it.
    Done,
    /// Plain configuration: to be kept as written.
    Stored,
    /// The model does not know what the register does. It is kept as written, and that is reported.
    Unmodelled,
}

/// A device of a chip.
pub(crate) trait Device {
    /// Reads the word at `offset`.
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read;
    /// Writes the word at `offset`. The device's other configuration is in `registers`.
    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write;
    /// Lets everything happen that happens by itself until `now`.
    fn advance(&mut self, _registers: &mut RegisterFile, _now: Ticks) {}
    /// Which of the device's interrupts are asserted at `now`: its first in bit 0. Where they lead, the chip knows.
    fn interrupts(&mut self, _registers: &RegisterFile, _now: Ticks) -> u64 {
        0
    }
    /// When the device's interrupts or outputs may next change of themselves.
    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        NEVER
    }
}
