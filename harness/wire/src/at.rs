//! The conversation between a device and its modem (3GPP TS 27.007), line by line, as a capture file keeps it.
//!
//! No registered link type has AT commands in it (tcpdump.org/linktypes.html), so a frame of ours, of `LINKTYPE_USER0`, is
//! one line without its end, or one piece of data; the byte before it says which, and whose: `D` and `d` for the
//! device's lines and data, `M` and `m` for the modem's.

use alloc::vec::Vec;

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The device.
    Device,
    /// The modem.
    Modem,
}

/// One line of the conversation, or the data that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// By whom.
    pub by: Speaker,
    /// Whether this is data of a connection rather than a line.
    pub is_data: bool,
    /// The line without its CR and LF, or the data.
    pub bytes: Vec<u8>,
}

impl Spoken {
    /// As a frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let kind = match (self.by, self.is_data) {
            (Speaker::Device, false) => b'D',
            (Speaker::Device, true) => b'd',
            (Speaker::Modem, false) => b'M',
            (Speaker::Modem, true) => b'm',
        };
        let mut frame = Vec::from([kind]);
        frame.extend(&self.bytes);
        frame
    }

    /// What a frame says, if it is one of ours.
    pub fn of_frame(frame: &[u8]) -> Option<Self> {
        let (kind, bytes) = frame.split_first()?;
        let (by, is_data) = match kind {
            b'D' => (Speaker::Device, false),
            b'd' => (Speaker::Device, true),
            b'M' => (Speaker::Modem, false),
            b'm' => (Speaker::Modem, true),
            _ => return None,
        };
        Some(Self { by, is_data, bytes: bytes.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_whose_it_is() {
        let line = Spoken { by: Speaker::Device, is_data: false, bytes: b"AT+CSQ".to_vec() };
        assert_eq!(line.to_frame(), b"DAT+CSQ");
        let data = Spoken { by: Speaker::Modem, is_data: true, bytes: Vec::from([0x17, 3, 3]) };
        assert_eq!(data.to_frame(), b"m\x17\x03\x03");
        for spoken in [line, data] {
            assert_eq!(Spoken::of_frame(&spoken.to_frame()), Some(spoken));
        }
        assert_eq!(Spoken::of_frame(b""), None);
        assert_eq!(Spoken::of_frame(b"xAT"), None);
    }
}
