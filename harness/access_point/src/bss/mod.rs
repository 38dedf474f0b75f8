//! One access point: its stations, its keys, its queue.

mod account;
mod fault;
mod handshake;
mod keys;
mod receive;
mod station;
mod transmit;

use std::collections::{BTreeMap, VecDeque};

use clock::{Duration, Instant};

use self::account::Account;
use self::fault::Faults;
use self::handshake::GroupKey;
use self::station::{Payload, Stage, Station};
use self::transmit::{InFlight, Queued};
use crate::chance::Chance;
use crate::frame::{Kind, Rsn, reason_frame};
use crate::misbehaviour::Misbehaviour;
use crate::security::key::MasterKey;
use crate::{Description, Event, Happening, MacAddress, Security};

/// A time unit (IEEE Std 802.11-2020 §3.1).
const TIME_UNIT: Duration = Duration::from_micros(1_024);
/// Stations that one access point remembers; more are refused with status 17.
const STATIONS_MAX: usize = 16;

/// What comes of what happens: Ethernet frames, and events.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) ethernet: VecDeque<Vec<u8>>,
    pub(crate) events: Vec<Event>,
}

/// Events kept until they are taken.
const EVENTS_MAX: usize = 4_096;
/// Ethernet frames kept until they are taken.
const ETHERNET_MAX: usize = 1_024;

impl Outbox {
    pub(crate) fn note(&mut self, at: Instant, access_point: Option<usize>, station: MacAddress, what: Happening) {
        if self.events.len() < EVENTS_MAX {
            self.events.push(Event { at, access_point, station, what });
        }
    }

    fn deliver(&mut self, frame: Vec<u8>) {
        if self.ethernet.len() < ETHERNET_MAX {
            self.ethernet.push_back(frame);
        }
    }
}

/// An access point.
#[derive(Debug)]
pub(crate) struct Bss {
    number: usize,
    description: Description,
    bssid: MacAddress,
    pub(crate) channel: u8,
    master: Option<MasterKey>,
    rsn: Option<Vec<u8>>,
    faults: Faults,
    chance: Chance,
    /// Without power nothing is heard and nothing is said; when it comes back.
    off_until: Option<Instant>,
    beacons_stopped: bool,
    next_beacon: Instant,
    /// Beacons until the next one with a DTIM.
    dtim_count: u8,
    /// A channel switch that is announced: where to, and after how many beacons.
    switching: Option<(u8, u8)>,
    sequence: u16,
    stations: BTreeMap<MacAddress, Station>,
    group: GroupKey,
    next_rekey: Option<Instant>,
    /// Frames for groups, kept until the next DTIM because somebody dozes.
    kept_for_groups: VecDeque<Payload>,
    queue: VecDeque<Queued>,
    in_flight: Option<InFlight>,
    account: Account,
}

impl Bss {
    /// An access point that gets its power at [`Instant::ZERO`]. `description` is one that was checked.
    pub(crate) fn new(description: Description, number: usize, seed: u64) -> Self {
        let mut chance = Chance::new(seed, 2 * number as u64 + 1);
        let security = description.security();
        let master = match (&description.passphrase, security) {
            (Some(passphrase), Security::Wpa2) => {
                Some(MasterKey::from_passphrase(passphrase, description.ssid.as_bytes()))
            }
            _ => None,
        };
        let rsn = match security {
            Security::Open => None,
            Security::Wpa2 => Some(Rsn::wpa2_psk().to_element()),
            Security::Tkip => Some(Rsn::tkip_psk().to_element()),
            Security::Wpa3 => Some(Rsn::wpa3_sae().to_element()),
        };
        let own = MacAddress([0x02, 0x53, 0x48, 0x44, 0x00, (number + 1) as u8]);
        // Access points that got their power at once do not beacon at once.
        let interval = TIME_UNIT * u32::from(description.beacon_interval_tu);
        let micros = u64::try_from(interval.as_micros()).unwrap_or(1);
        let next_beacon = Instant::ZERO + Duration::from_micros(1 + chance.below(micros));
        let next_rekey = description.group_rekey_s.map(|s| Instant::ZERO + Duration::from_secs(u64::from(s.max(1))));
        Self {
            number,
            bssid: description.bssid.unwrap_or(own),
            channel: description.channel,
            master,
            rsn,
            faults: Faults::new(&description.faults),
            group: GroupKey { key: chance.bytes(), id: 1, sent: 0 },
            chance,
            off_until: None,
            beacons_stopped: false,
            next_beacon,
            dtim_count: 0,
            switching: None,
            sequence: 0,
            stations: BTreeMap::new(),
            next_rekey,
            kept_for_groups: VecDeque::new(),
            queue: VecDeque::new(),
            in_flight: None,
            account: Account::default(),
            description,
        }
    }

    pub(crate) const fn bssid(&self) -> MacAddress {
        self.bssid
    }

    pub(crate) const fn signal_dbm(&self) -> i8 {
        self.description.signal_dbm
    }

    pub(crate) const fn description(&self) -> &Description {
        &self.description
    }

    /// Whether it has power.
    pub(crate) const fn is_on(&self) -> bool {
        self.off_until.is_none()
    }

    /// Whether chance loses a frame: one from a station, or one to it.
    pub(crate) fn loses(&mut self, from_station: bool) -> bool {
        let (from, to) = self.faults.loss_per_mille();
        let per_mille = if from_station { from } else { to };
        per_mille > 0 && self.chance.below(1_000) < u64::from(per_mille)
    }

    /// When something happens here of itself.
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        if let Some(back_at) = self.off_until {
            return (back_at != Instant::FAR_FUTURE).then_some(back_at);
        }
        let handshakes = self.stations.values().filter_map(|station| station.handshake.as_ref()?.due).min();
        let beacon = (!self.beacons_stopped).then_some(self.next_beacon);
        let acknowledgement = self.in_flight.as_ref().map(|frame| frame.acknowledged_by);
        let faults = self.faults.next_due(self.stations.values());
        [handshakes, beacon, acknowledgement, faults, self.next_rekey].into_iter().flatten().min()
    }

    /// Lets everything happen that is due by `now`.
    pub(crate) fn poll(&mut self, now: Instant, outbox: &mut Outbox) {
        if let Some(back_at) = self.off_until {
            if now < back_at {
                return;
            }
            self.off_until = None;
            self.next_beacon = now + TIME_UNIT;
        }
        for fault in self.faults.take_due(now, self.stations.values()) {
            self.note(now, outbox, MacAddress::default(), Happening::Enacted { fault: fault.clone() });
            self.enact(now, &fault, outbox);
        }
        if self.in_flight.as_ref().is_some_and(|frame| frame.acknowledged_by <= now) {
            self.not_acknowledged(now, outbox);
        }
        if self.next_rekey.is_some_and(|at| at <= now) {
            self.renew_group_key(now);
        }
        self.say_due_messages(now, outbox);
        if self.is_on() && !self.beacons_stopped && self.next_beacon <= now {
            self.beacon(now, outbox);
        }
    }

    fn enact(&mut self, now: Instant, fault: &Misbehaviour, outbox: &mut Outbox) {
        match fault {
            Misbehaviour::Deauthentication { reason, .. } => {
                for station in self.addresses() {
                    self.send_away(now, station, *reason, outbox);
                }
            }
            Misbehaviour::Disassociation { reason, .. } => {
                for station in self.addresses() {
                    self.management(now, Kind::Disassociation, station, reason_frame(*reason));
                    self.note(now, outbox, station, Happening::SentAway { reason: *reason });
                    if let Some(known) = self.stations.get_mut(&station) {
                        *known = Station { last_sequence: known.last_sequence, ..Station::new(known.aid) };
                    }
                }
            }
            Misbehaviour::BeaconsStop { .. } => self.beacons_stopped = true,
            Misbehaviour::PowerCut { for_ms, .. } => {
                let back_at = for_ms.map_or(Instant::FAR_FUTURE, |ms| now + Duration::from_millis(u64::from(ms)));
                self.off_until = Some(back_at);
                self.stations.clear();
                self.queue.clear();
                self.kept_for_groups.clear();
                self.in_flight = None;
            }
            Misbehaviour::ChannelSwitch { channel, announced: true, .. } => {
                /// Beacons that say it before it is done.
                const BEACONS: u8 = 3;
                self.switching = Some((*channel, BEACONS));
            }
            Misbehaviour::ChannelSwitch { channel, announced: false, .. } => self.channel = *channel,
            _ => {}
        }
    }

    /// Ends a station's authentication and forgets it.
    fn send_away(&mut self, now: Instant, station: MacAddress, reason: u16, outbox: &mut Outbox) {
        self.management(now, Kind::Deauthentication, station, reason_frame(reason));
        self.stations.remove(&station);
        self.note(now, outbox, station, Happening::SentAway { reason });
    }

    fn addresses(&self) -> Vec<MacAddress> {
        self.stations.keys().copied().collect()
    }

    fn note(&self, now: Instant, outbox: &mut Outbox, station: MacAddress, what: Happening) {
        outbox.note(now, Some(self.number), station, what);
    }

    /// The lowest identifier that nobody has.
    fn free_aid(&self) -> Option<u16> {
        (1..=STATIONS_MAX as u16).find(|aid| self.stations.values().all(|station| station.aid != *aid))
    }

    fn somebody_dozes(&self) -> bool {
        self.stations.values().any(|station| station.dozes && station.stage == Stage::Joined)
    }

    fn has_joined(&self, address: MacAddress) -> bool {
        self.stations.get(&address).is_some_and(|station| station.stage == Stage::Joined)
    }
}
