//! What a device of the chip is: registers that answer, interrupt lines, and a next moment of interest.
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

/// A device of the chip.
pub(crate) trait Device {
    /// Reads the word at `offset`.
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read;
    /// Writes the word at `offset`. The device's other configuration is in `registers`.
    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write;
    /// Lets everything happen that happens by itself until `now`.
    fn advance(&mut self, _registers: &mut RegisterFile, _now: Ticks) {}
    /// The interrupt sources that are asserted at `now`, as a set of source numbers.
    fn sources(&mut self, _registers: &RegisterFile, _now: Ticks) -> u64 {
        0
    }
    /// When the device's sources or outputs may next change of themselves.
    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        NEVER
    }
}

/// Numbers of the interrupt sources: the order of the INTERRUPT_CORE0 map registers.
pub(crate) mod source {
    pub const GPIO: u32 = 16;
    pub const UART0: u32 = 21;
    pub const UART1: u32 = 22;
    pub const USB_DEVICE: u32 = 26;
    pub const RTC_CORE: u32 = 27;
    pub const TG0_T0: u32 = 32;
    pub const TG1_T0: u32 = 34;
    pub const SYSTIMER_TARGET0: u32 = 37;
    pub const RSA: u32 = 47;
    pub const FROM_CPU0: u32 = 50;
}
