//! Mbed TLS 2.28 as the client's TLS stack: TLS 1.0 to 1.2, RSA key exchange, DHE, CBC, 3DES and RC4 if a plan lists them.
//!
//! The library is compiled by `build.rs` from its authors' sources with their default configuration, the few differences of
//! `c/mbedtls_2_28_config.h` and two changes that give a plan what only a compiler can choose, and is left to behave as it
//! does. What does not depend on the version is the crate `mbedtls`'s.
//!
//! This crate does not know chips.
#![no_std]

extern crate alloc;

mod abilities;
mod client_hello;

pub use abilities::V2_28;

/// Mbed TLS 2.28, ready for sessions.
pub type MbedTls = mbedtls::MbedTls<V2_28>;
