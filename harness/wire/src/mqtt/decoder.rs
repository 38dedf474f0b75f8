//! Cuts a byte stream into packets.

use alloc::vec::Vec;
use core::fmt;

use super::view::lengths;
use super::{View, Violation};

/// Why a stream cannot be cut into packets any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The peer broke a rule that leaves the next packet's start unknown.
    Violation(Violation),
    /// A packet is announced that is longer than this decoder accepts.
    TooLong {
        /// Its length, header included.
        packet_bytes: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::TooLong { packet_bytes } => write!(f, "a packet of {packet_bytes} bytes is longer than accepted"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Takes bytes as they arrive and gives whole packets.
///
/// What it holds is bounded by `packet_bytes_max` and the longest slice given to [`Decoder::extend`], as long as
/// [`Decoder::next_packet`] is called until it gives `None`.
#[derive(Clone, Debug)]
pub struct Decoder {
    packet_bytes_max: usize,
    buffer: Vec<u8>,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder for packets of up to `packet_bytes_max` bytes, header included.
    pub const fn new(packet_bytes_max: usize) -> Self {
        Self { packet_bytes_max, buffer: Vec::new(), failed: None }
    }

    /// Takes bytes of the stream. After an error they are ignored.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole packet, if it has arrived.
    ///
    /// # Errors
    /// Once the stream cannot be cut any further, the reason, again and again: the connection must be closed.
    pub fn next_packet(&mut self) -> Option<Result<View<Vec<u8>>, DecodeError>> {
        if let Some(failed) = self.failed {
            return Some(Err(failed));
        }
        let packet_bytes = match lengths(&self.buffer) {
            Ok(None) => return None,
            Ok(Some(lengths)) => lengths.header + lengths.body,
            Err(violation) => return Some(Err(self.fail(DecodeError::Violation(violation)))),
        };
        if packet_bytes > self.packet_bytes_max {
            return Some(Err(self.fail(DecodeError::TooLong { packet_bytes })));
        }
        if self.buffer.len() < packet_bytes {
            return None;
        }
        let rest = self.buffer.split_off(packet_bytes);
        let packet = core::mem::replace(&mut self.buffer, rest);
        Some(View::new(packet).map_err(|violation| self.fail(DecodeError::Violation(violation))))
    }

    /// What has arrived of a packet that is not whole yet.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    fn fail(&mut self, error: DecodeError) -> DecodeError {
        self.buffer = Vec::new();
        self.failed = Some(error);
        error
    }
}
