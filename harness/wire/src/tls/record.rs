//! The record layer (RFC 9846 §5.1, RFC 5246 §6.2.1).

use alloc::vec::Vec;
use core::fmt;

use super::{ContentType, Malformed, ProtocolVersion};

/// One record as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// What it says it carries.
    pub content_type: ContentType,
    /// The version in its header, which hardly anybody heeds.
    pub version: ProtocolVersion,
    /// What it carries, encrypted or not.
    pub fragment: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// Length of a record's header.
    pub const HEADER_BYTES: usize = 5;
    /// The longest fragment of plain text (RFC 9846 §5.1).
    pub const PLAINTEXT_BYTES_MAX: usize = 1 << 14;
    /// The longest fragment of cipher text (RFC 5246 §6.2.3; TLS 1.3 allows less).
    pub const CIPHERTEXT_BYTES_MAX: usize = (1 << 14) + 2048;

    /// The record at the start of `bytes`, and how long it is; `None` while it is incomplete. A fragment may be longer
    /// than TLS allows: to say so is the reader's business.
    ///
    /// # Errors
    /// If `bytes` cannot be the start of a record.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, NotARecord> {
        let might_be_record = match bytes {
            [] => return Ok(None),
            [content_type, 3, minor, ..] => (20..=24).contains(content_type) && *minor <= 4,
            [content_type, 3] | [content_type] => (20..=24).contains(content_type),
            _ => false,
        };
        if !might_be_record {
            return Err(NotARecord);
        }
        let Some((header, rest)) = bytes.split_first_chunk::<{ RecordView::HEADER_BYTES }>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let Some(fragment) = rest.get(..length) else { return Ok(None) };
        let version = ProtocolVersion(u16::from_be_bytes([header[1], header[2]]));
        let view = Self { content_type: ContentType(header[0]), version, fragment };
        Ok(Some((view, Self::HEADER_BYTES + length)))
    }
}

/// The bytes are no TLS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARecord;

impl fmt::Display for NotARecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a TLS record")
    }
}

impl core::error::Error for NotARecord {}

/// One record, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it says it carries.
    pub content_type: ContentType,
    /// The version in its header.
    pub version: ProtocolVersion,
    /// What it carries.
    pub fragment: Vec<u8>,
}

impl Record {
    /// Appends the record's bytes to `out`. A fragment longer than a record's length field can say is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fragment = &self.fragment[..self.fragment.len().min(usize::from(u16::MAX))];
        out.push(self.content_type.0);
        out.extend_from_slice(&self.version.0.to_be_bytes());
        out.extend_from_slice(&(fragment.len() as u16).to_be_bytes());
        out.extend_from_slice(fragment);
    }
}

impl From<RecordView<'_>> for Record {
    fn from(view: RecordView<'_>) -> Self {
        Self { content_type: view.content_type, version: view.version, fragment: view.fragment.to_vec() }
    }
}

/// Cuts one direction of a connection into records. Holds at most one record and the longest slice given to it.
#[derive(Clone, Debug, Default)]
pub struct RecordDecoder {
    buffer: Vec<u8>,
    failed: bool,
}

impl RecordDecoder {
    /// A decoder at the start of a stream.
    pub const fn new() -> Self {
        Self { buffer: Vec::new(), failed: false }
    }

    /// Takes bytes of the stream. Once the stream has turned out to be no TLS, they are ignored.
    pub fn extend(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next record, if it is complete.
    ///
    /// # Errors
    /// Once, when the stream turns out to be no TLS; [`Self::pending`] then still has the offending bytes.
    pub fn next_record(&mut self) -> Option<Result<Record, NotARecord>> {
        if self.failed {
            return None;
        }
        match RecordView::parse(&self.buffer) {
            Ok(None) => None,
            Ok(Some((view, length))) => {
                let record = Record::from(view);
                self.buffer.drain(..length);
                Some(Ok(record))
            }
            Err(not_a_record) => {
                self.failed = true;
                Some(Err(not_a_record))
            }
        }
    }

    /// What has arrived of a record that is not complete yet.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }
}

/// An alert in plain text (RFC 9846 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// 1: warning, 2: fatal. TLS 1.3 goes by the description alone.
    pub level: u8,
    /// Which alert; `outcome::AlertDescription` has the names.
    pub description: u8,
}

impl Alert {
    /// The level of a mere warning.
    pub const WARNING: u8 = 1;
    /// The level that ends the connection.
    pub const FATAL: u8 = 2;

    /// The alert in a record's fragment.
    ///
    /// # Errors
    /// If the fragment has not two bytes: it is encrypted, or broken.
    pub const fn parse(fragment: &[u8]) -> Result<Self, Malformed> {
        match *fragment {
            [level, description] => Ok(Self { level, description }),
            [] | [_] => Err(Malformed::Truncated),
            _ => Err(Malformed::TrailingBytes),
        }
    }

    /// The alert as a record of its own.
    pub fn record(self, version: ProtocolVersion) -> Record {
        Record { content_type: ContentType::ALERT, version, fragment: [self.level, self.description].into() }
    }
}
