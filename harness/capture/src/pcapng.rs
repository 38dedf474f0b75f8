//! pcapng files (draft-ietf-opsawg-pcapng), and legacy pcap files too where they are read.
//!
//! What we write: one section without the name of a machine or an operating system, one interface of link type `RAW`
//! (IP packets as they are) in nanoseconds, the TLS secrets, then the packets. The interface's time offset is the
//! calendar time of power-on and each packet's time counts from there, so a file tells both calendars. If the device has
//! a modem, what the two say to each other stands between the packets, on an interface of its own (see `at.rs`).

mod at;
mod link;
mod read;
mod write;

pub use read::{BLOCK_BYTES_MAX, Origin, ReadError, Recording, read, read_from};
pub(crate) use write::write;

#[cfg(test)]
mod tests;
