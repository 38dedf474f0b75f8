//! BearSSL 0.6 as the client's TLS stack, with the ways of the ESP8266 core for Arduino.
//!
//! The library is compiled by `build.rs` from its author's sources as they are, and left to behave as it does. What the
//! core's `WiFiClientSecure` does with it decides outcomes as much: which judge is appointed, which buffers, which
//! suites, what is not said. That is done here the same way (`configuration.rs`, `session.rs`, `probe.rs`, and
//! `c/session.c`, which hides BearSSL's structures). [`client::port`] is what an image provides.
//!
//! Where BearSSL's sources are not at hand, a build for the host leaves this crate empty; see `build.rs`.
//!
//! This crate does not know chips.
#![no_std]
#![cfg_attr(not(bearssl), allow(unused))]

extern crate alloc;

#[cfg(bearssl)]
mod configuration;
#[cfg(bearssl)]
mod ffi;
#[cfg(bearssl)]
mod names;
#[cfg(bearssl)]
mod probe;
#[cfg(bearssl)]
mod session;

#[cfg(bearssl)]
pub use session::{BearSsl, BearSslSession};
