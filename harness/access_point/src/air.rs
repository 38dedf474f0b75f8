//! A place with access points in it: channels, airtime, acknowledgements and loss.

use std::collections::{BTreeMap, VecDeque};

use clock::{Duration, Instant};

use crate::bss::{Bss, Outbox};
use crate::frame::element::id;
use crate::frame::{Elements, Ethernet, FrameControl, Header, Kind, Radiotap};
use crate::{Description, DescriptionError, Event, Happening, MacAddress, Rate};

/// Between a frame and its acknowledgement (IEEE Std 802.11-2020 §18.4).
const SIFS: Duration = Duration::from_micros(10);
/// A slot of 802.11g, and how long the air has to be free before a frame that nobody waits for.
const SLOT: Duration = Duration::from_micros(9);
const DIFS: Duration = Duration::from_micros(28);
/// The longest frame that is taken, without FCS (§9.2.4.7.1).
const FRAME_BYTES_MAX: usize = 2_346;
/// Frames of stations that are on the air at a time, and frames for them that nobody has taken yet.
const ON_THE_AIR_MAX: usize = 256;
/// Networks that stations looked for in vain, each told once.
const LOOKED_FOR_MAX: usize = 64;
/// Bytes of frames that are kept for the capture until they are taken.
const OVERHEARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A frame on the air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAir {
    /// When its preamble begins.
    pub at: Instant,
    /// On which channel, 1 to 13.
    pub channel: u8,
    /// At which rate.
    pub rate: Rate,
    /// How strong it is at its receiver.
    pub signal_dbm: i8,
    /// The frame without FCS.
    pub frame: Vec<u8>,
}

impl OnAir {
    /// When its last bit is over.
    pub fn ends_at(&self) -> Instant {
        self.at + self.rate.airtime(self.frame.len())
    }
}

/// A frame as somebody beside the stations hears it, for a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// When its preamble began.
    pub at: Instant,
    /// Radiotap's header and the frame without FCS.
    pub bytes: Vec<u8>,
}

/// Access points, and the air between them and their stations.
#[derive(Debug)]
pub struct Air {
    now: Instant,
    access_points: Vec<Bss>,
    /// Until when each channel is busy.
    busy_until: BTreeMap<u8, Instant>,
    /// Frames of stations, by the end of each.
    arriving: BTreeMap<(Instant, u64), OnAir>,
    /// Frames of access points that are to begin at their instant, with the number of who sends them.
    departing: BTreeMap<(Instant, u64), (usize, OnAir)>,
    arrivals: u64,
    ready: VecDeque<OnAir>,
    outbox: Outbox,
    overheard: Vec<Overheard>,
    overheard_bytes: usize,
    looked_for: Vec<Vec<u8>>,
}

impl Air {
    /// Access points that get their power at [`Instant::ZERO`]; all chance comes from `seed`.
    ///
    /// # Errors
    /// If a description cannot be.
    pub fn new(descriptions: Vec<Description>, seed: u64) -> Result<Self, DescriptionError> {
        let access_points = descriptions.into_iter().enumerate().map(|(number, description)| {
            description.check()?;
            Ok(Bss::new(description, number, seed))
        });
        Ok(Self {
            now: Instant::ZERO,
            access_points: access_points.collect::<Result<_, _>>()?,
            busy_until: BTreeMap::new(),
            arriving: BTreeMap::new(),
            departing: BTreeMap::new(),
            arrivals: 0,
            ready: VecDeque::new(),
            outbox: Outbox::default(),
            overheard: Vec::new(),
            overheard_bytes: 0,
            looked_for: Vec::new(),
        })
    }

    /// A station sends a frame, which begins at `frame.at`: now or a little later. What is no frame is dropped.
    pub fn receive(&mut self, now: Instant, frame: OnAir) {
        self.advance(now);
        let is_frame = frame.frame.len() <= FRAME_BYTES_MAX && Header::parse(&frame.frame).is_some();
        if !is_frame || self.arriving.len() >= ON_THE_AIR_MAX {
            return;
        }
        let begins_at = frame.at.clamp(self.now, self.now + Duration::from_secs(1));
        let frame = OnAir { at: begins_at, ..frame };
        self.occupy(&frame);
        self.overhear(&frame);
        self.arrivals += 1;
        self.arriving.insert((frame.ends_at(), self.arrivals), frame);
        self.step(self.now);
    }

    /// Lets everything happen that is due by `now`.
    pub fn poll(&mut self, now: Instant) {
        self.advance(now);
        self.step(self.now);
    }

    /// When to call [`Air::poll`] next, if no frame comes before; at once, while frames are ready.
    pub fn poll_at(&self, now: Instant) -> Option<Instant> {
        if self.ready.is_empty() { self.next_deadline() } else { Some(now) }
    }

    /// The next frame that stations hear. It has begun.
    pub fn transmit(&mut self) -> Option<OnAir> {
        self.ready.pop_front()
    }

    /// The Ethernet behind the access points has a frame for a station, or for all.
    pub fn send_ethernet(&mut self, now: Instant, frame: &[u8]) {
        self.advance(now);
        if let Some(ethernet) = Ethernet::parse(frame) {
            for access_point in &mut self.access_points {
                access_point.send_ethernet(self.now, &ethernet, &mut self.outbox);
            }
        }
        self.step(self.now);
    }

    /// The next frame that a station has for the Ethernet behind the access points.
    pub fn take_ethernet(&mut self) -> Option<Vec<u8>> {
        self.outbox.ethernet.pop_front()
    }

    /// What has happened since this was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.outbox.events)
    }

    /// What is told at the end: who heard of an access point and did not want it, and what chance has lost. It can be asked
    /// again, and then tells it again.
    pub fn summary(&self) -> Vec<Event> {
        self.access_points.iter().flat_map(|access_point| access_point.summary(self.now)).collect()
    }

    /// What was on the air since this was last asked, for a capture with link type 127. A sniffer hears what chance loses.
    pub fn take_overheard(&mut self) -> Vec<Overheard> {
        self.overheard_bytes = 0;
        let mut overheard = std::mem::take(&mut self.overheard);
        overheard.sort_by_key(|frame| frame.at);
        overheard
    }

    /// Network names and passphrases, for whoever wants to decrypt a capture.
    pub fn descriptions(&self) -> impl Iterator<Item = &Description> {
        self.access_points.iter().map(Bss::description)
    }

    fn advance(&mut self, now: Instant) {
        while let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= now) {
            self.step(deadline);
        }
        self.now = self.now.max(now);
    }

    /// Always later than what was settled last.
    fn next_deadline(&self) -> Option<Instant> {
        let arrival = self.arriving.keys().next().map(|(at, _)| *at);
        let departure = self.departing.keys().next().map(|(at, _)| *at);
        let timers = self.access_points.iter().filter_map(Bss::poll_at).min();
        // A sender that waits for the channel is looked at when a frame ends; one that waits for its time, then.
        let senders = self.access_points.iter().enumerate().filter(|(number, _)| !self.is_departing(*number));
        let senders = senders.filter_map(|(_, access_point)| access_point.wants_to_send_at()).min();
        let next = [arrival, departure, timers, senders].into_iter().flatten().min()?;
        Some(next.max(self.now + Duration::from_nanos(1)))
    }

    /// Everything that happens at one instant.
    fn step(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let now = self.now;
        while let Some(entry) = self.arriving.first_entry().filter(|entry| entry.key().0 <= now) {
            let frame = entry.remove();
            self.arrive(&frame);
        }
        for access_point in &mut self.access_points {
            access_point.poll(now, &mut self.outbox);
        }
        self.plan_departures();
        while let Some(entry) = self.departing.first_entry().filter(|entry| entry.key().0 <= now) {
            let (number, frame) = entry.remove();
            self.depart(number, frame);
        }
    }

    /// A station's frame is over: who is meant acknowledges and hears it.
    fn arrive(&mut self, on_air: &OnAir) {
        let Some(header) = Header::parse(&on_air.frame) else { return };
        if header.control.kind() == Kind::ProbeRequest {
            self.note_looked_for(header.transmitter, header.body);
        }
        for number in 0..self.access_points.len() {
            let access_point = &mut self.access_points[number];
            let is_own = header.receiver == access_point.bssid();
            let is_meant = is_own || header.receiver.is_group();
            let is_heard = access_point.is_on() && access_point.channel == on_air.channel;
            if !is_meant || !is_heard {
                continue;
            }
            let is_lost = access_point.loses(true);
            if is_own {
                access_point.count_arrival(&header, on_air.rate, is_lost);
            }
            if is_lost {
                continue;
            }
            let is_acknowledgement = header.control.kind() == Kind::Acknowledgement;
            if is_own && !is_acknowledgement {
                let rate = on_air.rate.of_acknowledgement();
                let at = self.now + SIFS;
                let signal_dbm = access_point.signal_dbm();
                let channel = on_air.channel;
                let frame = acknowledgement(header.transmitter);
                self.schedule(number, OnAir { at, channel, rate, signal_dbm, frame });
            }
            self.access_points[number].hear(self.now, &on_air.frame, &mut self.outbox);
        }
    }

    /// A network that a station asks for by its name, and that is not here: who drives the bench may want to know.
    fn note_looked_for(&mut self, station: MacAddress, body: &[u8]) {
        let ssid = Elements(body).first(id::SSID).unwrap_or_default();
        let is_here = self.descriptions().any(|description| description.ssid.as_bytes() == ssid);
        let is_known = ssid.is_empty() || is_here || self.looked_for.iter().any(|known| known == ssid);
        if !is_known && ssid.len() <= 32 && self.looked_for.len() < LOOKED_FOR_MAX {
            self.looked_for.push(ssid.to_vec());
            self.outbox.note(self.now, None, station, Happening::LooksFor { ssid: ssid.to_vec() });
        }
    }

    /// Gives each access point that has something to send its turn, as soon as its channel has been free for long enough.
    fn plan_departures(&mut self) {
        for number in 0..self.access_points.len() {
            let access_point = &mut self.access_points[number];
            let is_due = access_point.wants_to_send_at().is_some_and(|at| at <= self.now);
            if !is_due || self.departing.values().any(|(sender, _)| *sender == number) {
                continue;
            }
            let channel = access_point.channel;
            let free_at = self.busy_until.get(&channel).copied().unwrap_or(Instant::ZERO).max(self.now);
            let at = free_at + DIFS + SLOT * access_point.backoff_slots();
            let signal_dbm = access_point.signal_dbm();
            if let Some((frame, rate)) = access_point.start(at) {
                self.schedule(number, OnAir { at, channel, rate, signal_dbm, frame });
            }
        }
    }

    fn is_departing(&self, number: usize) -> bool {
        self.departing.values().any(|(sender, _)| *sender == number)
    }

    fn schedule(&mut self, number: usize, frame: OnAir) {
        self.occupy(&frame);
        self.arrivals += 1;
        self.departing.insert((frame.at, self.arrivals), (number, frame));
    }

    fn depart(&mut self, number: usize, frame: OnAir) {
        if !self.access_points[number].is_on() {
            return;
        }
        self.overhear(&frame);
        let is_lost = self.access_points[number].loses(false);
        if is_lost {
            self.access_points[number].count_lost(&frame.frame);
        }
        if !is_lost && self.ready.len() < ON_THE_AIR_MAX {
            self.ready.push_back(frame);
        }
    }

    fn occupy(&mut self, frame: &OnAir) {
        let until = self.busy_until.entry(frame.channel).or_default();
        *until = (*until).max(frame.ends_at());
    }

    fn overhear(&mut self, frame: &OnAir) {
        let OnAir { at, channel, rate, signal_dbm, .. } = *frame;
        let mut bytes = Radiotap { tsft_us: at.as_micros(), rate, channel, signal_dbm }.to_bytes();
        bytes.extend(&frame.frame);
        if self.overheard_bytes + bytes.len() <= OVERHEARD_BYTES_MAX {
            self.overheard_bytes += bytes.len();
            self.overheard.push(Overheard { at, bytes });
        }
    }
}

/// The frame that says that another one came whole.
fn acknowledgement(to: MacAddress) -> Vec<u8> {
    let mut frame = FrameControl::of(Kind::Acknowledgement).0.to_le_bytes().to_vec();
    frame.extend([0, 0]);
    frame.extend(to.0);
    frame
}
