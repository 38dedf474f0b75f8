//! What every image for the ESP32-C3 shares: the chip as the client wants it, a heap that counts and that a plan can make
//! smaller, the serial lines, panic messages, and the few functions of the C library that C code asks for.
//!
//! This crate does not know TLS libraries, plans, or the bench.
#![no_std]

extern crate alloc;

mod c_library;
pub mod chip;
pub mod heap;
pub mod image;
pub mod line;
pub mod modem_line;
mod panic;
mod ring;
