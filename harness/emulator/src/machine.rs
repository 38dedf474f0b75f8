//! What belongs to no chip and to no instruction set: memory, registers as data, what a device is, names of functions,
//! and a debugger's ways in.

pub(crate) mod access;
pub(crate) mod backtrace;
pub mod debug;
pub(crate) mod device;
pub(crate) mod event;
pub(crate) mod flash;
pub mod gdb;
pub mod memory;
pub(crate) mod random;
pub(crate) mod registers;
pub(crate) mod symbols;
pub(crate) mod time;
