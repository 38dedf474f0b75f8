//! Reads the presentation language of TLS (RFC 9846 §3) without trusting a single length in it.

use core::fmt;

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A length says more than there is.
    Truncated,
    /// Bytes are left over after the last field.
    TrailingBytes,
    /// A value that the field cannot have, such as a list of two-byte numbers with an odd length.
    BadValue,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "truncated",
            Self::TrailingBytes => "bytes left over",
            Self::BadValue => "impossible value",
        })
    }
}

impl core::error::Error for Malformed {}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, bytes: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(*self.array()?))
    }

    pub fn u24(&mut self) -> Result<usize, Malformed> {
        let [high, middle, low] = *self.array()?;
        Ok(u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(*self.array()?))
    }

    /// A vector with one byte of length.
    pub fn vector8(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    /// A vector with two bytes of length.
    pub fn vector16(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A vector with three bytes of length.
    pub fn vector24(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u24()?;
        self.take(length)
    }

    pub const fn finish(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::TrailingBytes) }
    }
}

/// The two-byte numbers of a vector.
pub(super) fn numbers(bytes: &[u8]) -> Result<impl Iterator<Item = u16> + '_, Malformed> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if rest.is_empty() { Ok(pairs.iter().map(|pair| u16::from_be_bytes(*pair))) } else { Err(Malformed::BadValue) }
}
