//! What is recorded while a run lasts.

use clock::{Instant, UnixTime};
use wire::at::Spoken;

/// Records the IP packets that pass a point of the network, and the secrets to read them with.
///
/// It is a plain value: it reads no clock and writes no file. What it holds is bounded; packets beyond the bound are
/// counted, not kept.
#[derive(Clone, Debug)]
pub struct Tap {
    pub(crate) power_on: UnixTime,
    pub(crate) comment: String,
    pub(crate) key_log: String,
    pub(crate) packets: Vec<Packet>,
    pub(crate) spoken: Vec<(Instant, Spoken)>,
    pub(crate) frames: Vec<Packet>,
    pub(crate) dropped: usize,
    bytes_max: usize,
    bytes: usize,
}

/// One IP packet with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it passed.
    pub at: Instant,
    /// From the first byte of the IP header on.
    pub bytes: Vec<u8>,
}

impl Tap {
    /// How many bytes of packets a tap keeps unless told otherwise.
    pub const BYTES_MAX: usize = 64 * 1024 * 1024;

    /// A tap for a run whose device is powered at `power_on`.
    pub fn new(power_on: UnixTime) -> Self {
        Self::with_bytes_max(power_on, Self::BYTES_MAX)
    }

    /// A tap that keeps at most `bytes_max` bytes of packets.
    pub const fn with_bytes_max(power_on: UnixTime, bytes_max: usize) -> Self {
        Self {
            power_on,
            comment: String::new(),
            key_log: String::new(),
            packets: Vec::new(),
            spoken: Vec::new(),
            frames: Vec::new(),
            dropped: 0,
            bytes_max,
            bytes: 0,
        }
    }

    /// Says in the file what this is a capture of: scenario, seed, image.
    pub fn set_comment(&mut self, comment: impl Into<String>) {
        self.comment = comment.into();
    }

    /// Records a packet, given from the first byte of its IP header on.
    pub fn packet(&mut self, at: Instant, packet: &[u8]) {
        if self.bytes.saturating_add(packet.len()) > self.bytes_max {
            self.dropped += 1;
            return;
        }
        self.bytes += packet.len();
        self.packets.push(Packet { at, bytes: packet.to_vec() });
    }

    /// Records what device or modem said on the serial line between them: a line without its end, or the data that
    /// belongs to one.
    pub fn spoken(&mut self, at: Instant, spoken: Spoken) {
        if self.bytes.saturating_add(spoken.bytes.len()) > self.bytes_max {
            self.dropped += 1;
            return;
        }
        self.bytes += spoken.bytes.len();
        self.spoken.push((at, spoken));
    }

    /// Records a frame of 802.11 with its radiotap header (radiotap.org).
    pub fn frame(&mut self, at: Instant, frame: &[u8]) {
        if self.bytes.saturating_add(frame.len()) > self.bytes_max {
            self.dropped += 1;
            return;
        }
        self.bytes += frame.len();
        self.frames.push(Packet { at, bytes: frame.to_vec() });
    }

    /// Records one line of an NSS key log (draft-ietf-tls-keylogfile), without its line feed. A line that is already
    /// there is not repeated: broker and device may both tell the same secret.
    pub fn key_log_line(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() && !self.key_log.lines().any(|known| known == line) {
            self.key_log.push_str(line);
            self.key_log.push('\n');
        }
    }

    /// The packets recorded so far, in the order in which they passed.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// The NSS key log so far.
    pub fn key_log(&self) -> &str {
        &self.key_log
    }

    /// The capture as a pcapng file. The same recording gives the same bytes.
    pub fn to_pcapng(&self) -> Vec<u8> {
        crate::pcapng::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::at::Speaker;

    fn spoken(bytes: &[u8]) -> Spoken {
        Spoken { by: Speaker::Device, is_data: false, bytes: bytes.to_vec() }
    }

    /// Packets, words and frames share one bound.
    #[test]
    fn what_is_beyond_the_bound_is_counted_and_not_kept() {
        let mut tap = Tap::with_bytes_max(UnixTime::from_seconds(0), 9);
        tap.packet(Instant::ZERO, &[1]);
        tap.spoken(Instant::ZERO, spoken(b"AT"));
        tap.frame(Instant::ZERO, &[1, 2, 3]);
        tap.packet(Instant::ZERO, &[4, 5, 6]);
        assert_eq!((tap.packets.len(), tap.spoken.len(), tap.frames.len(), tap.dropped), (2, 1, 1, 0));
        tap.packet(Instant::ZERO, &[7]);
        tap.spoken(Instant::ZERO, spoken(b"A"));
        tap.frame(Instant::ZERO, &[8]);
        assert_eq!((tap.packets.len(), tap.spoken.len(), tap.frames.len(), tap.dropped), (2, 1, 1, 3));
        assert_eq!(Tap::new(UnixTime::from_seconds(0)).bytes_max, 67_108_864);
    }

    #[test]
    fn what_fits_to_the_byte_is_kept() {
        for record in [
            (|tap| tap.packet(Instant::ZERO, b"AT")) as fn(&mut Tap),
            |tap| tap.spoken(Instant::ZERO, spoken(b"AT")),
            |tap| tap.frame(Instant::ZERO, b"AT"),
        ] {
            let mut tap = Tap::with_bytes_max(UnixTime::from_seconds(0), 2);
            record(&mut tap);
            assert_eq!((tap.packets.len() + tap.spoken.len() + tap.frames.len(), tap.dropped), (1, 0));
        }
    }
}
