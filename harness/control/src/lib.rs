//! The conversation between the bench and the firmware under test.
//!
//! The bench sends one [`Order`]: everything that a scenario may vary. The firmware answers with [`Report`]s: what it
//! reached, what failed, in its library's own words. Both travel as JSON in slipmux configuration frames, so that a
//! person with a terminal can read them, a firmware of last year understands a bench of today (unknown keys are
//! ignored, missing ones have defaults), and a device in another language can join.
//!
//! This crate does not know how a frame reaches the other side, TLS libraries, or scenarios.
#![no_std]

extern crate alloc;

mod order;
mod report;

pub use order::{
    Act, Blob, Clock, ConnectStyle, EarlyOrder, Link, Modem, ModemReader, Mqtt, Network, Order, Plan, Tls, Trust,
    Verify, Wifi, Will,
};
pub use report::{Failure, Report};

/// The version of this conversation. A firmware that says another number is not spoken to.
pub const PROTOCOL: u32 = 1;

/// The largest order or report, in bytes of JSON: three PEM files of an RSA-4096 chain and room to spare.
pub const FRAME_MAX_BYTES: usize = 24 * 1024;
