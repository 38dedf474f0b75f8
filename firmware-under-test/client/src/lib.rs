//! The client that every image shares: it takes one order from the bench, becomes the device that the order's plan
//! describes, and tells what happens to it.
//!
//! An image brings two things: a [`Platform`] (a clock, serial lines, randomness, a heap that counts) and a
//! [`tls::Stack`], to which it gives a [`port`] if it is written in C. With the feature `radio` the platform may have a
//! [`radio::Radio`], and IP travels through the air. Everything else is here: slipmux on the serial line, IP over it, DNS, SNTP, TCP, MQTT 3.1.1 and the
//! plan itself. The code waits where a small device would wait, in [`Platform::sleep`]; nothing else blocks, so that a
//! test can put a whole network behind that one function and let time jump.
//!
//! This crate does not know chips, TLS libraries, or scenarios.
#![no_std]

extern crate alloc;

#[cfg(feature = "radio")]
mod air;
mod attempt;
pub mod blobs;
mod device;
mod dns;
mod fault;
mod modem;
mod packets;
mod platform;
pub mod port;
pub mod radio;
mod serve;
mod session;
mod sntp;
mod stream;
pub mod tls;

pub use fault::Fault;
pub use platform::{HeapLimits, HeapRecord, Platform};
pub use serve::{Identity, serve};
