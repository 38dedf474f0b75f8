//! Faults of packets, worn round the wire one over the other.

use clock::Instant;

use crate::dice::Dice;
use crate::packet::Headers;
use crate::{Direction, Fault, Scope};

/// Streams of chance below this number belong to something else.
const FIRST_STREAM: u64 = 16;

/// A packet and when it arrives.
pub(crate) type Due = (Instant, Vec<u8>);

/// One fault and what it remembers.
#[derive(Debug)]
pub(crate) struct Garment {
    pub(crate) scope: Scope,
    fault: Fault,
    dice: Dice,
    /// Packets seen so far that the fault could apply to.
    seen: u64,
    /// When the latest packet leaves: none may overtake it.
    latest_from_device: Instant,
    latest_to_device: Instant,
}

impl Garment {
    /// The garment for the `index`-th fault of the LAN.
    pub(crate) fn new(scope: Scope, fault: Fault, seed: u64, index: usize) -> Self {
        let dice = Dice::new(seed, FIRST_STREAM + index as u64);
        Self { scope, fault, dice, seen: 0, latest_from_device: Instant::ZERO, latest_to_device: Instant::ZERO }
    }

    /// Lets a packet that would arrive at `due` through; what comes out, pushed to `out`, may be later, changed,
    /// doubled or nothing.
    pub(crate) fn pass(&mut self, way: Direction, (due, mut packet): Due, out: &mut Vec<Due>) {
        match self.fault {
            Fault::Lose { direction, per_mille } if direction == way => {
                if !self.dice.hits(per_mille) {
                    out.push((due, packet));
                }
            }
            Fault::LoseNth { direction, nth } if direction == way => {
                self.seen += 1;
                if self.seen != nth {
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
                }
            }
            Fault::Delay { direction, by, jitter } if direction == way => {
                let latest = match way {
                    Direction::FromDevice => &mut self.latest_from_device,
                    Direction::ToDevice => &mut self.latest_to_device,
                };
                let due = (due + by + self.dice.up_to(jitter)).max(*latest);
                *latest = due;
                out.push((due, packet));
            }
            Fault::Duplicate { direction, per_mille } if direction == way => {
                if self.dice.hits(per_mille) {
                    out.push((due, packet.clone()));
                }
                out.push((due, packet));
            }
            Fault::Reorder { direction, per_mille, by } if direction == way => {
                let held_back = if self.dice.hits(per_mille) { due + by } else { due };
                out.push((held_back, packet));
            }
            Fault::FlipBit { direction, per_mille } if direction == way => {
                if self.dice.hits(per_mille) {
                    flip_bit(&mut packet, &mut self.dice);
                }
                out.push((due, packet));
            }
            _ => out.push((due, packet)),
        }
    }
}

/// Behind the IP header, whose length field the framing of the serial line relies on.
fn flip_bit(packet: &mut [u8], dice: &mut Dice) {
    let header_bytes = Headers::parse(packet).map_or(20, |headers| headers.transport_at);
    let bits = (packet.len().saturating_sub(header_bytes) * 8) as u64;
    if bits > 0 {
        let bit = dice.below(bits) as usize;
        packet[header_bytes + bit / 8] ^= 1 << (bit % 8);
    }
}
