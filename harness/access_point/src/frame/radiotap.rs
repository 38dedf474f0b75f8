//! Radiotap: what a receiver says of a frame, in front of it in a capture (radiotap.org; link type 127).

use crate::Rate;

/// What a capture says of a frame beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Radiotap {
    /// The microsecond at which its first bit was on the air, of the receiver's clock.
    pub tsft_us: u64,
    /// At which rate it came.
    pub rate: Rate,
    /// The channel's number, 1 to 14.
    pub channel: u8,
    /// How strong it was.
    pub signal_dbm: i8,
}

/// Octets of the header that [`Radiotap::to_bytes`] makes.
pub const RADIOTAP_BYTES: usize = 23;

const TSFT: u32 = 1 << 0;
const FLAGS: u32 = 1 << 1;
const RATE: u32 = 1 << 2;
const CHANNEL: u32 = 1 << 3;
const SIGNAL: u32 = 1 << 5;
const CHANNEL_CCK: u16 = 0x20;
const CHANNEL_OFDM: u16 = 0x40;
const CHANNEL_2_GHZ: u16 = 0x80;

impl Radiotap {
    /// The header; the frame without FCS goes behind it.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut header = vec![0, 0];
        header.extend((RADIOTAP_BYTES as u16).to_le_bytes());
        header.extend((TSFT | FLAGS | RATE | CHANNEL | SIGNAL).to_le_bytes());
        header.extend(self.tsft_us.to_le_bytes());
        // No FCS behind the frame.
        header.push(0);
        header.push(self.rate.as_500_kbps());
        header.extend(frequency_mhz(self.channel).to_le_bytes());
        let modulation = if self.rate.is_dsss() { CHANNEL_CCK } else { CHANNEL_OFDM };
        header.extend((CHANNEL_2_GHZ | modulation).to_le_bytes());
        header.push(self.signal_dbm as u8);
        header
    }
}

/// A captured frame behind a radiotap header of whatever program.
#[derive(Clone, Copy, Debug)]
pub struct RadiotapView<'a> {
    /// The frame.
    pub frame: &'a [u8],
}

impl<'a> RadiotapView<'a> {
    /// Leaves the header out, of whatever length it says it is.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [0, _, low, high, ..] = bytes else { return None };
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        Some(Self { frame: bytes.get(length.max(8)..)? })
    }
}

/// The middle of a channel of the 2.4 GHz band (IEEE Std 802.11-2020 §15.4.4.3).
fn frequency_mhz(channel: u8) -> u16 {
    match channel {
        14 => 2_484,
        channel => 2_407 + 5 * u16::from(channel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_as_long_as_it_says() {
        let header = Radiotap { tsft_us: 7, rate: Rate::SLOWEST, channel: 6, signal_dbm: -50 }.to_bytes();
        assert_eq!(header.len(), RADIOTAP_BYTES);
        assert_eq!(header[18..20], 2_437u16.to_le_bytes());
        let mut captured = header;
        captured.extend([1, 2, 3]);
        assert_eq!(RadiotapView::parse(&captured).map(|view| view.frame), Some(&[1, 2, 3][..]));
    }
}
