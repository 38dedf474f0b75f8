//! What the modem has said and nobody has understood yet.

use alloc::string::String;
use alloc::vec::Vec;

/// What is kept, in bytes: an answer with the most data, and notices round it. More is lost, as in any UART's buffer.
const BYTES_MAX: usize = 4 * 1024;

/// Something that the modem says without having been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// `+CIPRXGET: 1,link`.
    Data,
    /// `+IPCLOSE: link,reason`.
    Closed,
    /// `+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY`, or the first words after a reset.
    NetworkLost,
}

/// What a line says without having been asked for, if it is one of that kind.
pub(super) fn notice(line: &str) -> Option<Notice> {
    if line.starts_with("+CIPRXGET: 1,") {
        Some(Notice::Data)
    } else if line.starts_with("+IPCLOSE: ") {
        Some(Notice::Closed)
    } else if line.starts_with("+CIPEVENT: NETWORK CLOSED") || line.starts_with("*ATREADY") || line == "PB DONE" {
        Some(Notice::NetworkLost)
    } else {
        None
    }
}

/// Bytes of the modem, in order.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// Keeps what has arrived.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let room = BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Takes the next line that is complete and not empty.
    pub(super) fn line(&mut self) -> Option<String> {
        loop {
            let end = self.bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
            let line: Vec<u8> = self.bytes.drain(..=end).take(end).collect();
            if !line.is_empty() {
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
        }
    }

    /// Whether the prompt for data comes next.
    pub(super) fn has_prompt(&self) -> bool {
        self.bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n')) == Some(&b'>')
    }

    /// Takes the prompt for data, if it comes next.
    pub(super) fn prompt(&mut self) -> bool {
        let is_there = self.has_prompt();
        if let (true, Some(at)) = (is_there, self.bytes.iter().position(|byte| *byte == b'>')) {
            self.bytes.drain(..=at);
        }
        is_there
    }

    /// Takes data that follows a line, once all of it is there. Of the line's end, the LF is still to come.
    pub(super) fn data(&mut self, into: &mut [u8]) -> bool {
        let Some(after) = self.bytes.strip_prefix(b"\n") else { return false };
        let Some(data) = after.get(..into.len()) else { return false };
        into.copy_from_slice(data);
        self.bytes.drain(..=into.len());
        true
    }

    /// Takes all that is there.
    pub(super) fn all(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
