//! A chip as a function of time.
//!
//! Four groups, of which each may know those before it:
//!
//! - `machine`: what belongs to no chip and no instruction set. [`memory`] is what loads and stores reach without asking
//!   anyone; [`debug`] is the way in for a debugger at a chip's JTAG pins, [`gdb`] one without pins.
//! - `cores`: [`riscv`] is a hart (RV32IMC with machine and user mode), which asks a [`riscv::Bus`]; [`lx106`] is the Xtensa
//!   core of the ESP8266.
//! - `devices`: peripherals, by maker.
//! - `chips`: [`esp32c3`] and [`esp8266`] each put a core, memory and devices together, and
//!   answer the core's bus.
//!
//! This crate does not know TLS, networks, files, sockets, threads or wall time.

mod chips;
mod cores;
mod devices;
mod machine;

pub use chips::{MODELS, esp32c3, esp8266, model_of};
pub use cores::{lx106, riscv};
pub use machine::chip::{
    Debuggee, EmulatedChip, JtagAccess, JtagPins, KeptStateError, Model, NextInstruction, Pause, RadioFrame, Reset,
    Rom, Settings, Tier,
};
pub use machine::{access, backtrace, debug, event, gdb, image, memory, snapshot, symbols};
