//! The air round a chip with a radio, and the Ethernet behind it: between the frames of a board and the LAN.

use access_point::{Air, Description, OnAir, Rate};
use board::RadioFrame;
use clock::Instant;
use judge::OnTheAir;
use network::{Lan, Segment, SegmentConfig, Service};
use scenario::{Scenario, lan};

use crate::world;

pub mod account;
pub mod fault;
pub mod options;

use fault::Fault;

/// The router's hardware address: one that nobody was given (IEEE Std 802-2014 §8.4).
const ROUTER_MAC: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0x01, 0x01];
/// How strong a station is at an access point. Nothing depends on it.
const STATION_SIGNAL_DBM: i8 = -50;
/// The MTU of an Ethernet, in bytes, which nobody need be told (RFC 894).
const MTU_BYTES: u16 = 1_500;

/// Access points, and the Ethernet that they are on.
pub struct Wifi {
    air: Air,
    segment: Segment,
    /// What has happened, for whoever judges a run.
    events: Vec<OnTheAir>,
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
        Ok(Self { air: Air::new(descriptions, seed)?, segment: Segment::new(segment), events: Vec::new() })
    }

    /// The air that `scenario` describes; all chance comes from `seed`.
    ///
    /// # Errors
    ///
    /// If an access point cannot be.
    pub fn of(scenario: &Scenario, seed: u64) -> Result<Self, access_point::DescriptionError> {
        let wifi = &scenario.wifi;
        let mut segment = SegmentConfig { router_mac: ROUTER_MAC, ..world::segment_config() };
        segment.faults.clone_from(&wifi.address_faults);
        segment.lease.seconds = wifi.lease_s.unwrap_or(segment.lease.seconds);
        if scenario.network.mtu_bytes < MTU_BYTES {
            segment.lease.mtu_bytes = Some(scenario.network.mtu_bytes);
        }
        Ok(Self { air: Air::new(wifi.access_points(), seed)?, segment: Segment::new(segment), events: Vec::new() })
    }

    /// A frame that the device has sent.
    pub fn hear(&mut self, now: Instant, frame: RadioFrame) {
        let RadioFrame { at, channel, rate_500_kbps, bytes, .. } = frame;
        let rate = Rate::from_500_kbps(rate_500_kbps).unwrap_or(Rate::SLOWEST);
        self.air.receive(now, OnAir { at, channel, rate, signal_dbm: STATION_SIGNAL_DBM, frame: bytes });
    }

    /// The IP packets that the device has for the LAN by `now`.
    pub fn take_packets(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.air.poll(now);
        let frames = std::iter::from_fn(|| self.air.take_ethernet());
        frames.filter_map(|frame| self.segment.receive(now, &frame)).collect()
    }

    /// An IP packet that the LAN has for the device.
    pub fn send_ip(&mut self, now: Instant, packet: &[u8]) {
        self.segment.send_ip(now, packet);
    }

    /// Hands what the Ethernet has for the device to the access points; `false` if there was nothing.
    pub fn settle(&mut self, now: Instant) -> bool {
        let mut has_moved = false;
        while let Some(frame) = self.segment.transmit(now) {
            self.air.send_ethernet(now, &frame);
            has_moved = true;
        }
        has_moved
    }

    /// Lets access points, Ethernet and LAN act on each other until nobody has anything left to do at this instant.
    pub fn act<S: Service>(&mut self, now: Instant, lan: &mut Lan<S>) {
        loop {
            for packet in self.take_packets(now) {
                lan.receive(now, &packet);
            }
            lan.poll(now);
            while let Some(packet) = lan.transmit() {
                self.send_ip(now, &packet);
            }
            if !self.settle(now) {
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

    /// What is told at the end of what has happened on the air.
    pub fn summary(&self) -> Vec<access_point::Event> {
        self.air.summary()
    }

    /// What has happened on the air and with addresses until the end, for whoever judges a run.
    pub fn take_account(&mut self) -> Vec<OnTheAir> {
        self.note_events();
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.air.summary().iter().map(account::of_air));
        events.sort_by_key(|one| one.at);
        events
    }

    /// Puts what has happened since into the account. A device that asks for ever must not fill the memory.
    pub fn note_events(&mut self) {
        let on_air = self.air.take_events().into_iter().map(|event| account::of_air(&event));
        let of_addresses = self.segment.take_events().into_iter().map(|(at, event)| account::of_address(at, &event));
        let mut new: Vec<OnTheAir> = on_air.chain(of_addresses).collect();
        new.sort_by_key(|one| one.at);
        let room = account::EVENTS_MAX.saturating_sub(self.events.len());
        self.events.extend(new.into_iter().take(room));
    }

    /// What has happened on the air and with addresses so far, as far as it was noted.
    pub fn noted(&self) -> &[OnTheAir] {
        &self.events
    }

    /// What was on the air since this was last asked, with radiotap, for a capture.
    pub fn take_overheard(&mut self) -> Vec<access_point::Overheard> {
        self.air.take_overheard()
    }
}
