//! The short forms of the `[network]` table, and the faults that they stand for.

use clock::{Duration, Instant};
use network::{Cut, Direction, Fault, Scope, ScopedFault, SerialFault};

use super::Network;

/// How long an overtaken packet waits (`reorder_percent`).
const REORDER_BY: Duration = Duration::from_millis(20);

impl Network {
    /// Everything that goes wrong with packets and streams, short forms first. Those of streams concern the broker's
    /// `port` alone.
    pub fn faults(&self, port: u16) -> Vec<ScopedFault> {
        let packets = self.packet_faults().into_iter().map(ScopedFault::from);
        let streams = self.stream_faults().into_iter().map(|fault| fault.within(Scope::port(port)));
        packets.chain(streams).chain(self.faults.iter().cloned()).collect()
    }

    /// Everything that becomes of bytes on the serial line.
    pub fn serial_faults(&self) -> Vec<SerialFault> {
        let damage = self.serial_damage.map(|damage| SerialFault::FlipRate {
            direction: damage.from,
            per_million: 1_000_000 / damage.one_in_bytes.max(1),
        });
        damage.into_iter().chain(self.serial_faults.iter().cloned()).collect()
    }

    /// The cuts among the faults.
    pub fn cuts(&self) -> impl Iterator<Item = Cut> {
        let listed = self.faults.iter().filter_map(|one| match one.fault {
            Fault::Cut(cut) => Some(cut),
            _ => None,
        });
        self.cut.into_iter().chain(listed)
    }

    fn packet_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for lost in &self.lost_packets {
            faults.push(Fault::LoseNth { direction: lost.from, nth: lost.packet.into() });
        }
        for direction in [Direction::FromDevice, Direction::ToDevice] {
            if self.loss_percent > 0 {
                faults.push(Fault::Lose { direction, per_mille: per_mille(self.loss_percent) });
            }
            if self.duplicate_percent > 0 {
                faults.push(Fault::Duplicate { direction, per_mille: per_mille(self.duplicate_percent) });
            }
            if self.reorder_percent > 0 {
                faults.push(Fault::Reorder { direction, per_mille: per_mille(self.reorder_percent), by: REORDER_BY });
            }
            if self.delay_ms > 0 || self.jitter_ms > 0 {
                faults.push(Fault::Delay { direction, by: millis(self.delay_ms), jitter: millis(self.jitter_ms) });
            }
        }
        if let Some(at_ms) = self.forgets_at_ms {
            faults.push(Fault::Outage { from: Instant::from_millis(at_ms.into()), until: None });
        }
        faults
    }

    fn stream_faults(&self) -> Vec<Fault> {
        let segment = self.segment_bytes.map(|bytes_max| Fault::Segment { bytes_max: bytes_max.into() });
        // One byte at a time: what people mean by a slow drip is many small segments, not one a second.
        let drip = self.drip_bytes_per_s.map(|bytes| Fault::Drip {
            bytes: 1,
            every: Duration::from_nanos(1_000_000_000 / u64::from(bytes.max(1))),
        });
        let hold = self.hold_ms.map(|ms| Fault::Stall { after_bytes: 0, pause: millis(ms) });
        [segment, drip, hold, self.cut.map(Fault::Cut)].into_iter().flatten().collect()
    }
}

const fn per_mille(percent: u8) -> u16 {
    percent as u16 * 10
}

const fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms as u64)
}
