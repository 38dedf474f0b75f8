//! The rack: real boards, described in a map, one holder each, made well again when they fall ill.
//!
//! The bench drives a board of the rack as it drives an emulated chip; what is here is what boards need and chips do
//! not: a file that says where they are, a lock, limits, a recovery ladder, a queue that they share.

pub mod bay;
pub mod boards;
pub mod choose;
pub mod crew;
pub mod doctor;
pub mod emulated;
mod health;
pub mod ladder;
pub mod lock;
pub mod map;
pub mod options;
pub mod own_network;
pub mod program;
pub mod quarantine;
pub mod queue;
pub mod scan;
pub mod sickness;
pub mod silicon;
pub mod switch;
pub mod usb;
