//! A station of an open network, by octets: it looks for a network, joins it, says something and hears the answer. Frames for
//! it are acknowledged, as its hardware would.

use clock::{Duration, Instant};
use emulator::RadioFrame;

pub const OWN: [u8; 6] = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];
/// 1 Mbit/s, with a long preamble: 192 microseconds and eight for each octet, of which four are the check sequence.
const RATE_500_KBPS: u8 = 2;

/// How long a frame is on the air at 1 Mbit/s.
fn airtime(octets: usize) -> Duration {
    Duration::from_micros(192 + 8 * (octets as u64 + 4))
}

pub struct Client {
    pub channel: u8,
    sequence: u16,
    /// Frames of the access point, whole, with when they began.
    pub heard: Vec<(Instant, Vec<u8>)>,
    /// How many of its own were acknowledged.
    pub acknowledged: usize,
}

impl Client {
    pub fn new() -> Self {
        Self { channel: 6, sequence: 0, heard: Vec::new(), acknowledged: 0 }
    }

    /// A frame of the chip: what the client says of itself to it.
    pub fn hear(&mut self, frame: &RadioFrame) -> Option<RadioFrame> {
        let bytes = &frame.bytes;
        if bytes[0] == 0xd4 {
            self.acknowledged += usize::from(bytes[4..10] == OWN);
            return None;
        }
        self.heard.push((frame.at, bytes.clone()));
        let at = frame.at + airtime(bytes.len()) + Duration::from_micros(10);
        let is_for_us = bytes[4..10] == OWN;
        is_for_us.then(|| self.on_air(at, [&[0xd4, 0, 0, 0][..], &bytes[10..16]].concat()))
    }

    pub fn on_air(&self, at: Instant, bytes: Vec<u8>) -> RadioFrame {
        RadioFrame { at, channel: self.channel, rate_500_kbps: RATE_500_KBPS, signal_dbm: -40, bytes }
    }

    /// A header and what follows.
    pub fn frame(&mut self, control: [u8; 2], to: [u8; 6], body: &[u8]) -> Vec<u8> {
        self.sequence += 16;
        let sequence = self.sequence.to_le_bytes();
        [&control[..], &[0, 0], &to, &OWN, &to, &sequence, body].concat()
    }

    /// The body of the last frame of this kind for this station.
    pub fn last(&self, kind: u8) -> Option<&[u8]> {
        let mut frames = self.heard.iter().rev();
        let (_, frame) = frames.find(|(_, frame)| frame[0] == kind && frame[4..10] == OWN)?;
        Some(&frame[24..])
    }
}
