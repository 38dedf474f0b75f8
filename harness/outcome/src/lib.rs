//! The words for what happened.
//!
//! Two witnesses tell what happened, the wire and the device, and people read both side by side: so both use these
//! words. The firmware links this crate too, hence `no_std`.
//!
//! This crate does not know TLS libraries, boards, sockets or files.
#![no_std]

extern crate alloc;

mod alert;
mod ending;
mod failure;
mod stage;

pub use alert::AlertDescription;
pub use ending::{Conformity, Course, Demand, Ending, Met};
pub use failure::FailureClass;
pub use stage::Stage;
