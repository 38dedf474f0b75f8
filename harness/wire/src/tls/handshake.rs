//! Handshake messages, which may share records or stretch over several (RFC 9846 §5.1).

use alloc::vec::Vec;
use core::fmt;

use super::HandshakeType;

/// One whole handshake message, its contents not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which message.
    pub kind: HandshakeType,
    /// What comes after type and length.
    pub body: Vec<u8>,
}

/// A message is announced that is longer than the decoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Which message.
    pub kind: HandshakeType,
    /// How long it says it is, in bytes, without its header.
    pub body_bytes: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} of {} bytes is longer than accepted", self.kind, self.body_bytes)
    }
}

impl core::error::Error for TooLong {}

/// Joins record fragments into handshake messages, within bounded memory.
#[derive(Clone, Debug)]
pub struct HandshakeDecoder {
    body_bytes_max: usize,
    buffer: Vec<u8>,
    failed: bool,
}

impl HandshakeDecoder {
    const HEADER_BYTES: usize = 4;

    /// A decoder for messages of up to `body_bytes_max` bytes.
    pub const fn new(body_bytes_max: usize) -> Self {
        Self { body_bytes_max, buffer: Vec::new(), failed: false }
    }

    /// Takes the fragment of a handshake record.
    pub fn extend(&mut self, fragment: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(fragment);
        }
    }

    /// The next whole message.
    ///
    /// # Errors
    /// Once, when a message is announced that is too long; after that the stream is given up.
    pub fn next_message(&mut self) -> Option<Result<Message, TooLong>> {
        let [kind, high, middle, low] = *self.buffer.first_chunk::<{ Self::HEADER_BYTES }>()?;
        let (kind, body_bytes) = (HandshakeType(kind), u32::from_be_bytes([0, high, middle, low]) as usize);
        if body_bytes > self.body_bytes_max {
            self.failed = true;
            self.buffer = Vec::new();
            return Some(Err(TooLong { kind, body_bytes }));
        }
        let end = Self::HEADER_BYTES + body_bytes;
        let body = self.buffer.get(Self::HEADER_BYTES..end)?.to_vec();
        self.buffer.drain(..end);
        Some(Ok(Message { kind, body }))
    }

    /// What has arrived of a message that is not complete yet.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }
}
