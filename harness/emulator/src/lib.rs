//! A chip as a function of time.
//!
//! [`memory`] is what loads and stores reach without asking anyone; [`riscv`] is the hart (RV32IMC with machine and
//! user mode); [`esp32c3`] is the chip round the two, answering the hart's [`riscv::Bus`]. [`debug`] is the way in for a debugger at the chip's JTAG
//! pins, [`gdb`] one without pins.
//!
//! This crate does not know TLS, networks, files, sockets, threads or wall time.

pub mod debug;
pub mod esp32c3;
pub mod gdb;
pub mod memory;
pub mod riscv;
