//! SLIP, the framing of RFC 1055: a frame ends at [`END`], and an `END` inside a frame is escaped.

use alloc::vec::Vec;

/// Ends a frame, and by custom opens one too, so that line noise before it is a frame of its own.
pub const END: u8 = 0xc0;
/// Announces an escaped byte.
pub const ESC: u8 = 0xdb;
/// After [`ESC`]: stands for [`END`].
pub const ESC_END: u8 = 0xdc;
/// After [`ESC`]: stands for [`ESC`].
pub const ESC_ESC: u8 = 0xdd;

/// Appends one byte of a frame's content, escaped where needed.
pub fn escape(byte: u8, out: &mut Vec<u8>) {
    match byte {
        END => out.extend_from_slice(&[ESC, ESC_END]),
        ESC => out.extend_from_slice(&[ESC, ESC_ESC]),
        plain => out.push(plain),
    }
}

/// Appends a whole frame: `END`, the escaped content, `END`.
pub fn encode(content: &[u8], out: &mut Vec<u8>) {
    out.reserve(content.len() + 2);
    out.push(END);
    for &byte in content {
        escape(byte, out);
    }
    out.push(END);
}

/// What a byte of the line means inside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// One byte of content.
    Content(u8),
    /// The frame is complete.
    End,
    /// The first half of an escape: nothing yet.
    Half,
    /// `ESC` followed by this byte, which RFC 1055 does not define.
    BadEscape(u8),
    /// `ESC END`: the sender gave the frame up half-way.
    Abort,
}

/// Undoes the escaping, byte by byte.
#[derive(Clone, Debug, Default)]
pub struct Unescape {
    escaped: bool,
}

impl Unescape {
    /// At the start of a frame.
    pub const fn new() -> Self {
        Self { escaped: false }
    }

    /// What `byte` means, given what came before it.
    pub fn push(&mut self, byte: u8) -> Meaning {
        match (core::mem::take(&mut self.escaped), byte) {
            (false, END) => Meaning::End,
            (false, ESC) => {
                self.escaped = true;
                Meaning::Half
            }
            (false, content) => Meaning::Content(content),
            (true, ESC_END) => Meaning::Content(END),
            (true, ESC_ESC) => Meaning::Content(ESC),
            (true, END) => Meaning::Abort,
            (true, other) => Meaning::BadEscape(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_rfc_1055_says() {
        let mut line = Vec::new();
        encode(&[1, 0xc0, 2, 0xdb, 3], &mut line);
        assert_eq!(line, [0xc0, 1, 0xdb, 0xdc, 2, 0xdb, 0xdd, 3, 0xc0]);
    }

    #[test]
    fn an_escape_that_rfc_1055_does_not_know_is_told() {
        let mut unescape = Unescape::default();
        assert_eq!(unescape.push(0xdb), Meaning::Half);
        assert_eq!(unescape.push(0x41), Meaning::BadEscape(0x41));
        assert_eq!(unescape.push(0x41), Meaning::Content(0x41));
    }
}
