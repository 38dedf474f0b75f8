//! What belongs to no chip and to no instruction set: memory, registers as data, what a device is, names of functions,
//! and a debugger's ways in.

pub mod access;
pub mod backtrace;
pub mod chip;
pub mod debug;
pub(crate) mod device;
pub mod event;
pub(crate) mod flash;
pub mod gdb;
pub mod image;
pub(crate) mod map;
pub mod memory;
pub(crate) mod polls;
pub(crate) mod random;
pub(crate) mod registers;
pub(crate) mod rtt;
pub mod snapshot;
pub(crate) mod stops;
pub mod symbols;
pub(crate) mod time;
