//! What the device sends: command lines, and the data of AT+CIPSEND between them.

use std::collections::VecDeque;

/// The longest command line, in bytes (SIMCom's manual, "AT Command Syntax": 559 characters; a little more here).
const LINE_BYTES_MAX: usize = 1_024;
/// What a device may send ahead while the modem is busy, in bytes. More is lost, as in any UART without flow control.
const HELD_BYTES_MAX: usize = 8 * 1_024;
const CR: u8 = b'\r';
const LF: u8 = b'\n';
const BACKSPACE: u8 = 0x08;
/// Ends data whose length was not given; means nothing between commands (esp-protocols' example sends one after every
/// AT+CIPSEND).
const CTRL_Z: u8 = 0x1a;
/// Takes AT+CIPSEND back (SIMCom's manual, AT+CIPSEND).
const ESCAPE: u8 = 0x1b;

/// Something complete that the device has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A command line, without its CR.
    Line(String),
    /// The data that was asked for.
    Data { link: u8, bytes: Vec<u8> },
    /// The data that was asked for will not come.
    Aborted,
}

/// The bytes of the device, not yet understood.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    held: VecDeque<u8>,
    line: Vec<u8>,
    /// The link and the length of the data that comes next.
    expected: Option<(u8, usize)>,
    data: Vec<u8>,
}

impl Input {
    /// Keeps bytes until they are read.
    pub(super) fn hold(&mut self, bytes: &[u8]) {
        let room = HELD_BYTES_MAX.saturating_sub(self.held.len());
        self.held.extend(bytes.iter().take(room));
    }

    /// The next `bytes` are data for `link`.
    pub(super) fn expect(&mut self, link: u8, bytes: usize) {
        self.expected = Some((link, bytes));
        self.data.clear();
    }

    /// The next complete thing that was said, if there is one.
    pub(super) fn next(&mut self) -> Option<Said> {
        while let Some(byte) = self.held.pop_front() {
            let said = if self.expected.is_some() { self.datum(byte) } else { self.letter(byte) };
            if said.is_some() {
                return said;
            }
        }
        None
    }

    fn datum(&mut self, byte: u8) -> Option<Said> {
        let (link, bytes) = self.expected?;
        // Amid data of a known length, ESC and Ctrl-Z are data like any other byte.
        if self.data.is_empty() && byte == ESCAPE {
            self.expected = None;
            return Some(Said::Aborted);
        }
        self.data.push(byte);
        if self.data.len() < bytes {
            return None;
        }
        self.expected = None;
        Some(Said::Data { link, bytes: std::mem::take(&mut self.data) })
    }

    fn letter(&mut self, byte: u8) -> Option<Said> {
        match byte {
            LF | CTRL_Z | ESCAPE => {}
            BACKSPACE => {
                self.line.pop();
            }
            CR => {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                return (!line.is_empty()).then_some(Said::Line(line));
            }
            _ if self.line.len() < LINE_BYTES_MAX => self.line.push(byte),
            _ => {}
        }
        None
    }
}
