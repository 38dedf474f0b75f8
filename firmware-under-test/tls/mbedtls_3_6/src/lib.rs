//! Mbed TLS 3.6 as the client's TLS stack.
//!
//! The library is compiled by `build.rs` from its authors' sources with their default configuration and the few
//! differences of `c/mbedtls_3_6_config.h`, and is left to behave as it does: what it sends, accepts and says is what the
//! bench is here to see. What does not depend on the version is the crate `mbedtls`'s.
//!
//! This crate does not know chips.
#![no_std]

extern crate alloc;

mod abilities;

pub use abilities::V3_6;

/// Mbed TLS 3.6, ready for sessions.
pub type MbedTls = mbedtls::MbedTls<V3_6>;
