//! Bytes to and from what they mean: SLIP and slipmux frames, TLS records and hellos, alerts, MQTT packets.
//!
//! Each protocol has a *view* (what came, however odd) and a *repr* (what we understand of it) as two types. The crate
//! is `no_std`, because the firmware under test frames its serial line and speaks MQTT with the same code as the
//! bench; what only a capture is read with lies behind the default feature `dissect`.
//!
//! This crate does not know sockets, time, keys or who is the device.
#![no_std]

extern crate alloc;

#[cfg(feature = "dissect")]
pub mod at;
pub mod mqtt;
pub mod slip;
pub mod slipmux;
#[cfg(feature = "dissect")]
pub mod tls;
