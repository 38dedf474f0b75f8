//! The header of a frame, read from its bytes (IEEE Std 802.11-2020 §9.2.3).

use super::{FrameControl, Kind};
use crate::MacAddress;

/// Octets of the header of a management frame, and of a data frame with three addresses.
pub const MANAGEMENT_HEADER_BYTES: usize = 24;

/// A frame, as far as its header says what it is. Short control frames have neither second nor third address.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// What it is.
    pub control: FrameControl,
    /// Duration, or the association identifier of a PS-Poll.
    pub duration_or_id: u16,
    /// The receiver.
    pub receiver: MacAddress,
    /// The transmitter; nobody, where the frame does not say.
    pub transmitter: MacAddress,
    /// The third address: BSSID, source or destination, as the frame's way may be.
    pub third: MacAddress,
    /// Sequence number and fragment number, as they stand in the field.
    pub sequence_control: u16,
    /// The header's own bytes.
    pub bytes: &'a [u8],
    /// What is behind the header.
    pub body: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a frame without its FCS; `None` if it is shorter than its kind has to be, or of a protocol version that is not 0
    /// (§9.2.4.1.2).
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let control = FrameControl(word(frame, 0)?);
        if control.0 & 3 != 0 {
            return None;
        }
        let duration_or_id = word(frame, 2)?;
        let receiver = MacAddress::from_slice(frame.get(4..)?)?;
        let nobody = MacAddress::default();
        if control.is_control() {
            let transmitter = frame.get(10..).and_then(MacAddress::from_slice).unwrap_or(nobody);
            let length = if control.kind() == Kind::Acknowledgement { 10 } else { 16.min(frame.len()) };
            let (bytes, body) = frame.split_at_checked(length)?;
            return Some(Self {
                control,
                duration_or_id,
                receiver,
                transmitter,
                third: nobody,
                sequence_control: 0,
                bytes,
                body,
            });
        }
        let qos = control.is_data() && control.0 & 0x80 != 0;
        let four_addresses = control.is_to_ds() && control.is_from_ds();
        let length = MANAGEMENT_HEADER_BYTES + if four_addresses { 6 } else { 0 } + if qos { 2 } else { 0 };
        let (bytes, body) = frame.split_at_checked(length)?;
        Some(Self {
            control,
            duration_or_id,
            receiver,
            transmitter: MacAddress::from_slice(&bytes[10..])?,
            third: MacAddress::from_slice(&bytes[16..])?,
            sequence_control: word(bytes, 22)?,
            bytes,
            body,
        })
    }

    /// The traffic identifier of a QoS frame; 0 of any other.
    pub fn traffic_identifier(&self) -> u8 {
        let is_qos = self.control.is_data() && self.control.0 & 0x80 != 0;
        if is_qos { self.bytes.get(self.bytes.len().wrapping_sub(2)).map_or(0, |low| low & 0xf) } else { 0 }
    }

    /// Where a data frame wants to go in the end, and where it came from.
    pub fn ends(&self) -> (MacAddress, MacAddress) {
        match (self.control.is_to_ds(), self.control.is_from_ds()) {
            (true, _) => (self.third, self.transmitter),
            (false, true) => (self.receiver, self.third),
            (false, false) => (self.receiver, self.transmitter),
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([pair[0], pair[1]]))
}
