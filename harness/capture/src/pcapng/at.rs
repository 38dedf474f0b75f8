//! How the conversation between device and modem stands in a capture file: as frames of an interface of its own.
//!
//! The interface is called `at` and has link type 147, `LINKTYPE_USER0`, since no registered type has AT commands in it
//! (tcpdump.org/linktypes.html). A frame is one line without its end, or one piece of data; the byte before it says
//! which, and whose: `D` and `d` for the device's lines and data, `M` and `m` for the modem's. Wireshark shows such frames
//! as text beside the packets that they become.

use pcap_parser::Linktype;

use crate::tap::{Speaker, Spoken};
use clock::Instant;

/// The interface's name.
pub(super) const INTERFACE: &str = "at";
/// `LINKTYPE_USER0`.
pub(super) const LINKTYPE: Linktype = Linktype(147);

/// What was said, as a frame.
pub(super) fn frame(spoken: &Spoken) -> Vec<u8> {
    let kind = match (spoken.by, spoken.is_data) {
        (Speaker::Device, false) => b'D',
        (Speaker::Device, true) => b'd',
        (Speaker::Modem, false) => b'M',
        (Speaker::Modem, true) => b'm',
    };
    let mut frame = vec![kind];
    frame.extend(&spoken.bytes);
    frame
}

/// What a frame says, if it is one of ours.
pub(super) fn spoken(at: Instant, frame: &[u8]) -> Option<Spoken> {
    let (kind, bytes) = frame.split_first()?;
    let (by, is_data) = match kind {
        b'D' => (Speaker::Device, false),
        b'd' => (Speaker::Device, true),
        b'M' => (Speaker::Modem, false),
        b'm' => (Speaker::Modem, true),
        _ => return None,
    };
    Some(Spoken { at, by, is_data, bytes: bytes.to_vec() })
}
