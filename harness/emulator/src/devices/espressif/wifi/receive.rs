//! The receive ring: descriptors in memory, which the driver fills with buffers and the MAC with frames.
//!
//! A descriptor has three words: size, length and owner; the buffer's address; the next descriptor's address. A buffer
//! takes a header (on the ESP32-C3 48 octets, `wifi_pkt_rx_ctrl_t` of ESP-IDF), the frame, and its frame check sequence.

use serde::{Deserialize, Serialize};

use super::airtime::{self, FCS_BYTES};
use crate::machine::chip::RadioFrame;
use crate::machine::memory::Memory;

const OWNER: u32 = 1 << 31;
const HAS_DATA: u32 = 1 << 30;
const SIZE_MASK: u32 = 0xfff;
const HEADER_BYTES: usize = 48;
/// In the header's first word: addressed to the station interface, to the access point interface.
const FOR_STATION: u32 = 1 << 28;
const FOR_ACCESS_POINT: u32 = 1 << 29;
/// What the receiver hears when nobody speaks.
const NOISE_FLOOR_DBM: i8 = -96;

/// Where the MAC stands in the ring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ring {
    /// The descriptor that is filled next; none, if the ring was at its end.
    pub next: u32,
    /// The descriptor that was filled last.
    pub last: u32,
}

/// A frame as it is to be written down.
pub(super) struct Received<'a> {
    /// As it was on the air.
    pub frame: &'a RadioFrame,
    /// Decrypted.
    pub bytes: &'a [u8],
    /// The interface that it is for; none, if it is for a group.
    pub interface: Option<u32>,
    pub timestamp_us: u64,
}

impl Ring {
    /// A ring of its own for a receiver that is off, or that has none; one that is on keeps its place.
    pub fn set_base(&mut self, base: u32, is_on: bool) {
        if !is_on || self.next == 0 && self.last == 0 {
            *self = Self { next: base, last: 0 };
        }
    }

    /// Looks again at a ring that was at its end.
    pub fn reload(&mut self, base: u32) {
        if self.next == 0 && self.last == 0 {
            self.next = base;
        }
    }

    /// Writes header, frame and check sequence into the next descriptor; `false` if there is none.
    pub fn take(&mut self, memory: &mut Memory, content: &[u8]) -> bool {
        if self.next == 0 && self.last != 0 {
            // The driver has hung more descriptors behind the last one since.
            self.next = memory.read_word(self.last.wrapping_add(8)).unwrap_or(0);
        }
        let at = self.next;
        let words = [0, 4, 8].map(|offset| memory.read_word(at.wrapping_add(offset)).unwrap_or(0));
        let [control, buffer, next] = words;
        let length = content.len();
        let is_free = at != 0 && control & OWNER != 0 && control & HAS_DATA == 0 && buffer != 0;
        if !is_free || length > (control & SIZE_MASK) as usize {
            return false;
        }
        let control = control & (SIZE_MASK | OWNER) | (length as u32) << 12 | HAS_DATA;
        if memory.write_slice(buffer, content).is_err() || memory.write_word(at, control).is_err() {
            return false;
        }
        self.last = at;
        self.next = next;
        true
    }
}

impl Received<'_> {
    /// As it lies in a buffer.
    pub fn content(&self) -> Vec<u8> {
        let mut content = header(self);
        content.extend(self.bytes);
        // The driver does not look at the check sequence; what came is whole.
        content.extend([0; FCS_BYTES]);
        content
    }
}

fn header(received: &Received<'_>) -> Vec<u8> {
    let Received { frame, bytes, interface, timestamp_us } = received;
    let interfaces = match interface {
        Some(0) | None => FOR_STATION,
        Some(_) => FOR_ACCESS_POINT,
    };
    let rate = airtime::code_of_rate(frame.rate_500_kbps);
    let mut header = [0; HEADER_BYTES];
    let word = u32::from(frame.signal_dbm as u8) | rate << 8 | interfaces;
    header[..4].copy_from_slice(&word.to_le_bytes());
    header[10] = frame.channel;
    header[12..16].copy_from_slice(&(*timestamp_us as u32).to_le_bytes());
    header[20] = NOISE_FLOOR_DBM as u8;
    let signal_length = (bytes.len() + FCS_BYTES) as u32 & 0xfff;
    header[44..48].copy_from_slice(&signal_length.to_le_bytes());
    header.to_vec()
}
