//! A debugger's way into a chip: JTAG pins, a transport module, a debug module.
//!
//! [`Tap`] is the state machine at the pins (IEEE 1149.1, clause 6); [`Transport`] has the registers behind it by which a
//! debugger reads and writes words (RISC-V External Debug Support 0.13.2, chapter 6); [`DebugModule`] is what those
//! words are: halt, resume, step, registers, program buffer, memory, reset (chapter 3). What of the chip they act upon
//! is a [`Target`].
//!
//! Bits in, bits out: it knows no sockets, no debugger and no time.

mod abstract_command;
mod module;
mod system_bus;
mod tap;
mod target;
#[cfg(test)]
mod tests;
mod transport;

pub use module::DebugModule;
pub use tap::{Edge, Tap};
pub use target::{HaltCause, Target, Unavailable};
pub use transport::Transport;
