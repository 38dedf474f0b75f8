//! Mbed TLS 3.6 as the client's TLS stack.
//!
//! The library is compiled by `build.rs` from its authors' sources with their default configuration and the few
//! differences of `c/config.h`, and is left to behave as it does: what it sends, accepts and says is what the bench is
//! here to see. `c/session.c` hides its structures, [`MbedTls`] and [`MbedTlsSession`] are the client's traits on top
//! of that, and [`Port`] is what an image provides.
//!
//! This crate does not know chips.
#![no_std]

extern crate alloc;

mod configuration;
mod ffi;
mod names;
mod port;
mod session;

pub use port::{Port, install};
pub use session::{MbedTls, MbedTlsSession};
