//! What the client's TLS stacks over Mbed TLS share, whichever its version and the chip.
//!
//! `c/session.c` hides the library's structures, the same for both versions; [`MbedTls`] and [`MbedTlsSession`] are the
//! client's traits on top of that, and [`client::port`] is what an image provides. What a version does its own way is a
//! [`Version`] here, and `c/differences.c` in the version's crate, which compiles all of the C.
//!
//! This crate does not know chips, nor how the library is compiled.
#![no_std]

extern crate alloc;

mod class;
mod configuration;
pub mod conformance;
mod ffi;
mod kept;
mod names;
mod port;
mod session;
mod version;

pub use session::{MbedTls, MbedTlsSession};
pub use version::Version;
