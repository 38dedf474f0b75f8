//! What passed the serial line, in order.

use clock::Instant;

use crate::Direction;

/// One IP packet as the device's end of the line saw it: the device's packets before any fault, ours after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// When it passed.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// The whole packet, from the IP header on.
    pub packet: Vec<u8>,
}

/// Keeps packets until somebody takes them, but no more than it was allowed to.
#[derive(Debug)]
pub(crate) struct Tap {
    kept: Vec<Tapped>,
    kept_bytes: usize,
    bytes_max: usize,
    lost: u64,
}

impl Tap {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { kept: Vec::new(), kept_bytes: 0, bytes_max, lost: 0 }
    }

    pub(crate) fn record(&mut self, at: Instant, direction: Direction, packet: &[u8]) {
        if self.kept_bytes.saturating_add(packet.len()) > self.bytes_max {
            self.lost += 1;
            return;
        }
        self.kept_bytes += packet.len();
        self.kept.push(Tapped { at, direction, packet: packet.to_vec() });
    }

    pub(crate) fn take(&mut self) -> Vec<Tapped> {
        self.kept_bytes = 0;
        std::mem::take(&mut self.kept)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}
