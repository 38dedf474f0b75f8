//! Mbed TLS 2.28 as the client's TLS stack: TLS 1.0 to 1.2, RSA key exchange, DHE, CBC, 3DES and RC4 if a plan lists them.
//!
//! The library is compiled by `build.rs` from its authors' sources with their default configuration, the few
//! differences of `c/mbedtls2_config.h` and two changes that give a plan what only a compiler can choose, and is left to behave
//! as it does. What does not depend on the version is the crate `mbedtls`'s, and is compiled here from the same files:
//! two crates, because two C libraries of one name cannot be linked at once.
//!
//! This crate does not know chips.
#![no_std]

extern crate alloc;

mod abilities;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/class.rs"]
mod class;
mod client_hello;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/configuration.rs"]
mod configuration;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/ffi.rs"]
mod ffi;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/kept.rs"]
mod kept;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/names.rs"]
mod names;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/port.rs"]
mod port;
#[path = "../../../esp32c3_mbedtls/mbedtls/src/session.rs"]
mod session;

pub use session::{MbedTls, MbedTlsSession};
