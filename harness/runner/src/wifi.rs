//! The air round a chip with a radio, and the Ethernet behind it: between the frames of a board and the LAN.

use access_point::{Air, Description, OnAir, Rate};
use clock::Instant;
use emulator::RadioFrame;
use network::{Lan, Segment, SegmentConfig, Service};
use scenario::lan;

use crate::world;

pub mod fault;
pub mod options;

use fault::Fault;

/// The router's hardware address: one that nobody was given (IEEE Std 802-2014 §8.4).
const ROUTER_MAC: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0x01, 0x01];
/// How strong a station is at an access point. Nothing depends on it.
const STATION_SIGNAL_DBM: i8 = -50;

/// Access points, and the Ethernet that they are on.
pub struct Wifi {
    air: Air,
    segment: Segment,
}

impl Wifi {
    /// Access points as described, at all of which and behind which `faults` go wrong; all chance comes from `seed`.
    ///
    /// # Errors
    ///
    /// If a description cannot be.
    pub fn new(
        mut descriptions: Vec<Description>,
        faults: &[Fault],
        seed: u64,
    ) -> Result<Self, access_point::DescriptionError> {
        let mut segment = SegmentConfig { router_mac: ROUTER_MAC, ..world::segment_config() };
        // Nobody is behind this one.
        segment.addresses.retain(|address| *address != lan::BROKER_IPV6);
        for fault in faults {
            match fault {
                Fault::Air(fault) => descriptions.iter_mut().for_each(|one| one.faults.push(fault.clone())),
                Fault::Address(fault) => segment.faults.push(fault.clone()),
            }
        }
        Ok(Self { air: Air::new(descriptions, seed)?, segment: Segment::new(segment) })
    }

    /// A frame that the device has sent.
    pub fn hear(&mut self, now: Instant, frame: RadioFrame) {
        let RadioFrame { at, channel, rate_500_kbps, bytes, .. } = frame;
        let rate = Rate::from_500_kbps(rate_500_kbps).unwrap_or(Rate::SLOWEST);
        self.air.receive(now, OnAir { at, channel, rate, signal_dbm: STATION_SIGNAL_DBM, frame: bytes });
    }

    /// Lets access points, Ethernet and LAN act on each other until nobody has anything left to do at this instant.
    pub fn act<S: Service>(&mut self, now: Instant, lan: &mut Lan<S>) {
        loop {
            let mut is_settled = true;
            self.air.poll(now);
            while let Some(frame) = self.air.take_ethernet() {
                if let Some(packet) = self.segment.receive(now, &frame) {
                    lan.receive(now, &packet);
                }
            }
            lan.poll(now);
            while let Some(packet) = lan.transmit() {
                self.segment.send_ip(now, &packet);
            }
            while let Some(frame) = self.segment.transmit(now) {
                self.air.send_ethernet(now, &frame);
                is_settled = false;
            }
            if is_settled {
                return;
            }
        }
    }

    /// The next frame that the device hears.
    pub fn say(&mut self) -> Option<RadioFrame> {
        let OnAir { at, channel, rate, signal_dbm, frame } = self.air.transmit()?;
        Some(RadioFrame { at, channel, rate_500_kbps: rate.as_500_kbps(), signal_dbm, bytes: frame })
    }

    /// When to come back, if the device says nothing before.
    pub fn wants_to_act_at(&self, now: Instant) -> Option<Instant> {
        Instant::earliest(self.air.poll_at(now), self.segment.poll_at())
    }

    /// What has happened on the air since this was last asked.
    pub fn take_events(&mut self) -> Vec<access_point::Event> {
        self.air.take_events()
    }

    /// What was on the air since this was last asked, with radiotap, for a capture.
    pub fn take_overheard(&mut self) -> Vec<access_point::Overheard> {
        self.air.take_overheard()
    }
}
