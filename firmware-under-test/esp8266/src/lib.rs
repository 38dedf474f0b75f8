//! What every image for the ESP8266 shares: the chip as the client wants it, a heap that counts and that a plan can make
//! smaller, the serial line, exceptions, panic messages, and the few functions of the C library that C code asks for.
//!
//! Registers and special registers are used as Espressif's technical reference (version 1.7) and the Xtensa manual
//! describe them; of the ROM only what makes the flash visible.
//!
//! This crate does not know TLS libraries, plans, or the bench.
#![no_std]

extern crate alloc;

#[path = "../../esp32c3/src/c_library.rs"]
mod c_library;
pub mod chip;
mod core_registers;
mod exception;
pub mod heap;
pub mod image;
pub mod line;
mod panic;
mod registers;
#[path = "../../esp32c3/src/ring.rs"]
mod ring;
