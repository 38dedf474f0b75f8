//! What an access point sends: its queue, attempts and retries, beacons, and what it keeps for those that doze.

use clock::{Duration, Instant};

use super::station::{Payload, Stage};
use super::{Bss, Outbox, TIME_UNIT};
use crate::frame::element::id;
use crate::frame::{
    Capabilities, Ethernet, FrameControl, Header, Kind, LlcSnap, beacon_body, management_frame, push_element,
};
use crate::misbehaviour::Misbehaviour;
use crate::security::ccmp::{self, CcmpHeader};
use crate::{Happening, MacAddress, Rate, Security};

/// Attempts to send one frame (dot11ShortRetryLimit).
const ATTEMPTS_MAX: u8 = 7;
/// From this attempt on a frame goes at the slowest rate.
const SLOW_FROM_ATTEMPT: u8 = 3;
/// Frames that wait; more are dropped.
const QUEUED_MAX: usize = 256;
/// Frames kept for groups while somebody dozes.
const KEPT_FOR_GROUPS_MAX: usize = 64;

/// A frame that waits to be sent.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) frame: Vec<u8>,
    pub(crate) rate: Rate,
    pub(crate) not_before: Instant,
    attempts: u8,
}

/// A frame that was sent and is not acknowledged yet.
#[derive(Debug)]
pub(crate) struct InFlight {
    queued: Queued,
    pub(crate) acknowledged_by: Instant,
}

impl Bss {
    /// When the first frame of the queue may go; nothing goes before the last one is acknowledged.
    pub(crate) fn wants_to_send_at(&self) -> Option<Instant> {
        if self.in_flight.is_some() || !self.is_on() {
            return None;
        }
        self.queue.front().map(|queued| queued.not_before)
    }

    /// Slots of back-off before the next frame: chance says, as the standard wants it (§10.23.2.2).
    pub(crate) fn backoff_slots(&mut self) -> u32 {
        const CONTENTION_WINDOW: u64 = 15;
        self.chance.below(CONTENTION_WINDOW + 1) as u32
    }

    /// Takes the first frame of the queue to send it at `at`. A frame to one station is waited for.
    pub(crate) fn start(&mut self, at: Instant) -> Option<(Vec<u8>, Rate)> {
        /// SIFS, a slot, and the receiver's own delay.
        const PATIENCE: Duration = Duration::from_micros(10 + 20 + 20);
        let mut queued = self.queue.pop_front()?;
        queued.attempts += 1;
        if queued.attempts > 1 {
            let control = FrameControl(u16::from_le_bytes([queued.frame[0], queued.frame[1]])).retried();
            queued.frame[..2].copy_from_slice(&control.0.to_le_bytes());
        }
        if queued.attempts >= SLOW_FROM_ATTEMPT {
            queued.rate = Rate::SLOWEST;
        }
        stamp(&mut queued.frame, at);
        let (frame, rate) = (queued.frame.clone(), queued.rate);
        let is_for_one = MacAddress::from_slice(&frame[4..]).is_some_and(|receiver| !receiver.is_group());
        if is_for_one {
            const ACKNOWLEDGEMENT_OCTETS: usize = 10;
            // A station may choose a slower mandatory rate than the fastest.
            let slowest = if rate.is_dsss() { Rate::SLOWEST } else { Rate::MBPS_6 };
            let acknowledgement = slowest.airtime(ACKNOWLEDGEMENT_OCTETS);
            let acknowledged_by = at + rate.airtime(frame.len()) + acknowledgement + PATIENCE;
            self.in_flight = Some(InFlight { queued, acknowledged_by });
        }
        Some((frame, rate))
    }

    /// An acknowledgement came.
    pub(super) fn acknowledged(&mut self, now: Instant) {
        if let Some(InFlight { queued, .. }) = self.in_flight.take() {
            self.account.acknowledged(now, &queued.frame);
        }
    }

    pub(super) fn not_acknowledged(&mut self, now: Instant, outbox: &mut Outbox) {
        let Some(InFlight { mut queued, .. }) = self.in_flight.take() else { return };
        if queued.attempts < ATTEMPTS_MAX {
            queued.not_before = now;
            self.queue.push_front(queued);
            return;
        }
        let receiver = MacAddress::from_slice(&queued.frame[4..]).unwrap_or_default();
        self.note(now, outbox, receiver, Happening::NotAcknowledged);
    }

    pub(super) fn enqueue(&mut self, frame: Vec<u8>, rate: Rate, not_before: Instant) -> bool {
        let has_room = self.queue.len() < QUEUED_MAX;
        if has_room {
            // What is late lets others pass.
            let at = self.queue.iter().position(|queued| queued.not_before > not_before).unwrap_or(self.queue.len());
            self.queue.insert(at, Queued { frame, rate, not_before, attempts: 0 });
        }
        has_room
    }

    pub(super) fn management(&mut self, now: Instant, kind: Kind, to: MacAddress, body: Vec<u8>) {
        let sequence = self.next_sequence();
        let frame = management_frame(kind, to, self.bssid, sequence, &body);
        self.enqueue(frame, Rate::SLOWEST, now);
    }

    fn next_sequence(&mut self) -> u16 {
        self.sequence = (self.sequence + 1) & 0xfff;
        self.sequence
    }

    /// An Ethernet frame for a station, or for all of them. One for nobody here is dropped.
    pub(crate) fn send_ethernet(&mut self, now: Instant, ethernet: &Ethernet<'_>, outbox: &mut Outbox) {
        let payload = Payload { to: ethernet.destination, from: ethernet.source, body: ethernet.content.to_body() };
        if !self.is_on() || self.stations.values().all(|station| station.stage != Stage::Joined) {
            return;
        }
        if payload.to.is_group() {
            if !self.somebody_dozes() {
                self.send_payload(now, &payload, false, outbox);
            } else if self.kept_for_groups.len() < KEPT_FOR_GROUPS_MAX {
                self.kept_for_groups.push_back(payload);
            }
            return;
        }
        let is_dropped = self.faults.has(&Misbehaviour::NothingKept {});
        let Some(station) = self.stations.get_mut(&payload.to).filter(|station| station.stage == Stage::Joined) else {
            return;
        };
        if !station.dozes {
            return self.send_payload(now, &payload, false, outbox);
        }
        let what = match is_dropped {
            true => Happening::Enacted { fault: Misbehaviour::NothingKept {} },
            false if station.keep(payload.clone()) => Happening::Kept,
            false => Happening::Dropped,
        };
        self.note(now, outbox, payload.to, what);
    }

    /// Encrypts a payload, if there is a key, and queues it.
    pub(super) fn send_payload(&mut self, now: Instant, payload: &Payload, more_data: bool, outbox: &mut Outbox) {
        let is_group = payload.to.is_group();
        let key = if is_group {
            self.master.is_some().then(|| {
                self.group.sent += 1;
                (self.group.key, CcmpHeader { packet_number: self.group.sent, key_id: self.group.id })
            })
        } else {
            self.stations.get_mut(&payload.to).and_then(|station| station.key.as_mut()).map(|key| {
                key.sent += 1;
                (key.temporal, CcmpHeader { packet_number: key.sent, key_id: 0 })
            })
        };
        let mut control = FrameControl::of(Kind::Data { qos: false }).from_ds();
        if key.is_some() {
            control = control.protected();
        }
        if more_data {
            control = control.with_more_data();
        }
        let mut frame = control.0.to_le_bytes().to_vec();
        frame.extend([0, 0]);
        frame.extend(payload.to.0);
        frame.extend(self.bssid.0);
        frame.extend(payload.from.0);
        frame.extend((self.next_sequence() << 4).to_le_bytes());
        let body = match (key, Header::parse(&frame)) {
            (Some((key, ccmp)), Some(header)) => ccmp::seal(&key, &header, ccmp, &payload.body),
            _ => payload.body.clone(),
        };
        frame.extend(body);
        let rate = if is_group { Rate::SLOWEST } else { Rate::MBPS_24 };
        if !self.enqueue(frame, rate, now) {
            self.note(now, outbox, payload.to, Happening::Dropped);
        }
    }

    /// Sends the oldest frame that is kept for a station, which has asked for one.
    pub(super) fn send_one_kept(&mut self, now: Instant, station: MacAddress, outbox: &mut Outbox) {
        let Some(known) = self.stations.get_mut(&station) else { return };
        if let Some(payload) = known.kept.pop_front() {
            let more = !known.kept.is_empty();
            self.send_payload(now, &payload, more, outbox);
        }
    }

    /// Sends everything that is kept for a station, which is awake.
    pub(super) fn send_all_kept(&mut self, now: Instant, station: MacAddress, outbox: &mut Outbox) {
        while self.stations.get(&station).is_some_and(|known| !known.kept.is_empty()) {
            self.send_one_kept(now, station, outbox);
        }
        if !self.somebody_dozes() {
            self.send_kept_for_groups(now, outbox);
        }
    }

    fn send_kept_for_groups(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(payload) = self.kept_for_groups.pop_front() {
            let more = !self.kept_for_groups.is_empty();
            self.send_payload(now, &payload, more, outbox);
        }
    }

    /// Queues the beacon that is due, in front of everything, and what may follow it.
    pub(super) fn beacon(&mut self, now: Instant, outbox: &mut Outbox) {
        let interval = TIME_UNIT * u32::from(self.description.beacon_interval_tu);
        while self.next_beacon <= now {
            self.next_beacon += interval;
        }
        // A count of 1 says that the switch is before the next beacon (§9.4.2.18).
        if let Some((channel, _)) = self.switching.take_if(|(_, beacons)| *beacons == 0) {
            self.channel = channel;
        }
        let is_dtim = self.dtim_count == 0;
        let ssid = if self.description.hidden { String::new() } else { self.description.ssid.clone() };
        let mut body = self.announcement(ssid.as_bytes());
        push_element(&mut body, id::TIM, &self.traffic_indication());
        if let Some((channel, beacons)) = self.switching {
            push_element(&mut body, id::CHANNEL_SWITCH, &[1, channel, beacons]);
        }
        let sequence = self.next_sequence();
        let frame = management_frame(Kind::Beacon, MacAddress::BROADCAST, self.bssid, sequence, &body);
        self.queue.push_front(Queued { frame, rate: Rate::SLOWEST, not_before: now, attempts: 0 });
        if is_dtim {
            // Behind the beacon, before everything else: who dozes is awake now.
            let waiting = self.queue.split_off(1);
            self.send_kept_for_groups(now, outbox);
            self.queue.extend(waiting);
        }
        self.dtim_count = if is_dtim { self.description.dtim_period - 1 } else { self.dtim_count - 1 };
        self.switching = self.switching.map(|(channel, beacons)| (channel, beacons.saturating_sub(1)));
    }

    /// Beacons and probe responses begin alike.
    pub(super) fn announcement(&self, ssid: &[u8]) -> Vec<u8> {
        let capabilities = self.capabilities();
        let Self { channel, description, rsn, .. } = self;
        beacon_body(0, description.beacon_interval_tu, capabilities, ssid, *channel, rsn.as_deref())
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        Capabilities::of_access_point(self.description.security() != Security::Open)
    }

    /// What a TIM element holds (§9.4.2.5): identifiers 1 to 16 fit three octets of bitmap.
    fn traffic_indication(&self) -> Vec<u8> {
        let mut bitmap = [0u8; 3];
        if !self.faults.has(&Misbehaviour::NoTrafficIndication {}) {
            for station in self.stations.values().filter(|station| !station.kept.is_empty()) {
                bitmap[usize::from(station.aid / 8).min(2)] |= 1 << (station.aid % 8);
            }
        }
        let groups = u8::from(self.dtim_count == 0 && !self.kept_for_groups.is_empty());
        let length = bitmap.iter().rposition(|octet| *octet != 0).map_or(1, |last| last + 1);
        let mut content = vec![self.dtim_count, self.description.dtim_period, groups];
        content.extend(&bitmap[..length]);
        content
    }
}

impl Payload {
    /// A key frame, as a payload.
    pub(super) fn of_key_frame(to: MacAddress, from: MacAddress, frame: &[u8]) -> Self {
        let content = LlcSnap { ether_type: crate::frame::EtherType::EAPOL, payload: frame };
        Self { to, from, body: content.to_body() }
    }
}

/// Beacons and probe responses say what the time is when they are sent: microseconds since the access point's start.
fn stamp(frame: &mut [u8], at: Instant) {
    let is_stamped =
        Header::parse(frame).is_some_and(|header| matches!(header.control.kind(), Kind::Beacon | Kind::ProbeResponse));
    if is_stamped && let Some(timestamp) = frame.get_mut(24..32) {
        timestamp.copy_from_slice(&at.as_micros().to_le_bytes());
    }
}
