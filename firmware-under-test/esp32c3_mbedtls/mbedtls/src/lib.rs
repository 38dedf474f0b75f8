//! Mbed TLS 3.6 as the client's TLS stack.
//!
//! The library is compiled by `build.rs` from its authors' sources with their default configuration and the few
//! differences of `c/config.h`, and is left to behave as it does: what it sends, accepts and says is what the bench is
//! here to see. `c/session.c` hides its structures, [`MbedTls`] and [`MbedTlsSession`] are the client's traits on top
//! of that, and [`client::port`] is what an image provides.
//!
//! What both versions of Mbed TLS on this bench share is compiled into the crate `mbedtls2` too, file by file: all but
//! `abilities.rs`, `c/differences.c` and `c/config.h`. Two crates, because two C libraries of one name cannot be linked at once.
//!
//! This crate does not know chips.
#![no_std]

extern crate alloc;

mod abilities;
mod class;
mod configuration;
mod ffi;
mod kept;
mod names;
mod port;
mod session;

pub use session::{MbedTls, MbedTlsSession};
