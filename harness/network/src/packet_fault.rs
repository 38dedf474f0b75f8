//! Faults of packets: each is a filter between the serial line and the TCP stack, and a packet passes them in a row.

use clock::Instant;

use crate::packet::Headers;
use crate::rng::Rng;
use crate::{Direction, Fault, Scope};

/// A packet and when it arrives.
pub(crate) type Due = (Instant, Vec<u8>);

/// One fault and what it remembers.
#[derive(Debug)]
pub(crate) struct PacketFault {
    pub(crate) scope: Scope,
    fault: Fault,
    rng: Rng,
    /// Packets seen so far that the fault could apply to.
    seen: u64,
    /// When the latest packet leaves: none may overtake it.
    latest_from_device: Instant,
    latest_to_device: Instant,
    /// Whether what waits for its packet or its moment has acted, and whether that was told.
    acted: Acted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acted {
    NotYet,
    Now,
    Told,
}

impl PacketFault {
    /// The filter for `fault`, whose chance comes from the stream `stream` of `seed`.
    pub(crate) fn new(scope: Scope, fault: Fault, seed: u64, stream: u64) -> Self {
        let rng = Rng::new(seed, stream);
        Self {
            scope,
            fault,
            rng,
            seen: 0,
            latest_from_device: Instant::ZERO,
            latest_to_device: Instant::ZERO,
            acted: Acted::NotYet,
        }
    }

    fn act(&mut self) {
        if self.acted == Acted::NotYet {
            self.acted = Acted::Now;
        }
    }

    /// The fault, if it waits for its packet or its moment, and that was now.
    pub(crate) fn take_acted(&mut self) -> Option<Fault> {
        if self.acted != Acted::Now {
            return None;
        }
        self.acted = Acted::Told;
        Some(self.fault.clone())
    }

    /// Lets a packet that would arrive at `due` through; what comes out, pushed to `out`, may be later, changed,
    /// doubled or nothing.
    pub(crate) fn apply(&mut self, way: Direction, (due, mut packet): Due, out: &mut Vec<Due>) {
        match self.fault {
            Fault::Lose { direction, per_mille } if direction == way => {
                if !self.rng.hits(per_mille) {
                    out.push((due, packet));
                }
            }
            Fault::LoseNth { direction, nth } if direction == way => {
                self.seen += 1;
                if self.seen == nth {
                    self.act();
                } else {
                    out.push((due, packet));
                }
            }
            Fault::LoseLongerThan { direction, bytes } if direction == way => {
                if packet.len() <= bytes {
                    out.push((due, packet));
                }
            }
            Fault::Outage { from, until } => {
                if due < from || until.is_some_and(|until| due >= until) {
                    out.push((due, packet));
                } else {
                    self.act();
                }
            }
            Fault::Delay { direction, by, jitter } if direction == way => {
                let latest = match way {
                    Direction::FromDevice => &mut self.latest_from_device,
                    Direction::ToDevice => &mut self.latest_to_device,
                };
                let due = (due + by + self.rng.up_to(jitter)).max(*latest);
                *latest = due;
                out.push((due, packet));
            }
            Fault::Duplicate { direction, per_mille } if direction == way => {
                if self.rng.hits(per_mille) {
                    out.push((due, packet.clone()));
                }
                out.push((due, packet));
            }
            Fault::Reorder { direction, per_mille, by } if direction == way => {
                let held_back = if self.rng.hits(per_mille) { due + by } else { due };
                out.push((held_back, packet));
            }
            Fault::FlipBit { direction, per_mille } if direction == way => {
                if self.rng.hits(per_mille) {
                    flip_bit(&mut packet, &mut self.rng);
                }
                out.push((due, packet));
            }
            _ => out.push((due, packet)),
        }
    }
}

/// Behind the IP header, whose length field the framing of the serial line relies on.
fn flip_bit(packet: &mut [u8], rng: &mut Rng) {
    let header_bytes = Headers::parse(packet).map_or(20, |headers| headers.transport_at);
    let bits = (packet.len().saturating_sub(header_bytes) * 8) as u64;
    if bits > 0 {
        let bit = rng.below(bits) as usize;
        packet[header_bytes + bit / 8] ^= 1 << (bit % 8);
    }
}
