//! Runs an image for some virtual seconds, and writes down what it does.
//!
//! The first time there is no network: the name that the firmware looks for is learnt, and the next time there is one of that
//! name. So with the ports that it dials. Nothing that it says leaves this process.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use access_point::{Description, Happening};
use blame::Error;
use board::{Board as _, Emulated, PortId};
use capture::transcript::{Conversation, Said, Who};
use capture::{Tap, Transcript};
use clock::{Duration, Instant};
use network::{Answer, Dns, Lan, LanConfig, Listener, Resolution, Sntp};
use scenario::{Scenario, lan};

use super::passphrase::{self, Place};
use super::{Init, secrets};
use crate::bench;
use crate::released::Firmware;
use crate::wifi::Wifi;
use crate::world::{BrokerService, Counterpart as _};

/// What is learnt of a firmware in one run is there in the next; more runs than this teach nothing.
const ROUNDS_MAX: usize = 5;
/// Whoever has the right passphrase has joined within so many seconds from power-on.
const JOINS_WITHIN_S: u32 = 8;
/// How many lines of each console are kept, and of how many characters.
const LINES_MAX: usize = 200;
const LINE_CHARS_MAX: usize = 160;
/// How many names of networks and hosts are kept.
const NAMES_MAX: usize = 32;
/// How far the chip runs before the world is looked at, if nothing is due.
const SLICE: Duration = Duration::from_millis(100);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Networks that the firmware looks for by name.
    pub(super) networks: BTreeSet<String>,
    /// The name of the network that its owner has given, if one was.
    pub(super) given: Option<String>,
    /// Where its passphrase lies in the image, if it was found there.
    pub(super) passphrase: Option<Place>,
    /// Whether it joined one.
    pub(super) has_joined: bool,
    /// Whether it has sent anything on the air.
    pub(super) uses_radio: bool,
    /// Why it did not get into a network that was there, as an access point has seen it.
    pub(super) not_let_in: Option<NotLetIn>,
    /// Questions to name and time servers, and the answers.
    pub(super) lookups: BTreeSet<String>,
    /// Names that were asked for, in order.
    pub(super) names: Vec<String>,
    /// Whether it asked for the time by SNTP.
    pub(super) asks_time: bool,
    /// Connections, by the address that was dialled.
    pub(super) dialled: BTreeMap<SocketAddr, Dialled>,
    /// Lines of each console.
    pub(super) consoles: BTreeMap<PortId, Vec<(Instant, String)>>,
    /// What happened to the chip, with `true` for a crash.
    pub(super) incidents: BTreeSet<(bool, String)>,
    /// The end of what a console says without ending a line: a prompt, it may be.
    pub(super) prompts: BTreeMap<PortId, String>,
}

/// Why a firmware did not get into a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NotLetIn {
    /// It has heard of the network, and never asked: it wants another security than there is.
    Declined,
    /// It has asked, and was refused: by an open network if it wants a protected one, or the other way round.
    Refused,
    /// It has another passphrase.
    WrongPassphrase,
}

/// What was said on a connection, first of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialled {
    /// The name in its ClientHello.
    pub(super) server_name: Option<String>,
    /// Versions, suites and fingerprints of its ClientHello, a line each.
    pub(super) hello: Vec<String>,
    /// The versions that it offers, as a description has them.
    pub(super) versions: Vec<String>,
    /// MQTT in the clear.
    pub(super) is_plain_mqtt: bool,
    /// The client identifier of its CONNECT.
    pub(super) client_id: Option<String>,
    /// What the device said to the bench's certificate: an alert, or nothing.
    pub(super) verdict: Option<String>,
    /// Its handshake was completed: it did not mind a certificate of somebody it cannot know.
    pub(super) accepts_anybody: bool,
}

/// What the next run is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct World {
    networks: Vec<Description>,
    ports: BTreeSet<SocketAddr>,
}

/// Runs `firmware` as often as something new is learnt.
///
/// # Errors
///
/// If the chip cannot be run.
pub(super) fn look(firmware: &Firmware, arguments: &Init) -> blame::Result<Seen> {
    let mut world = World { networks: arguments.wifi.clone(), ..World::default() };
    let mut networks = BTreeSet::new();
    let (mut has_searched, mut found) = (false, None);
    for round in 1.. {
        let mut seen = once(firmware, arguments, &world, arguments.virtual_s)?;
        networks.append(&mut seen.networks);
        let mut next = world.clone();
        if next.networks.is_empty() {
            next.networks = networks.iter().filter_map(|ssid| open_network(ssid)).collect();
        }
        next.ports.extend(seen.dialled.keys().take(NAMES_MAX));
        // There was an open network of the name, and it did not join.
        let wants_passphrase = !seen.has_joined && !world.networks.is_empty() && arguments.wifi.is_empty();
        if wants_passphrase
            && !std::mem::replace(&mut has_searched, true)
            && let Some((network, place)) = with_passphrase(firmware, arguments, &networks)?
        {
            next.networks = vec![network];
            found = Some(place);
        }
        if next == world || round >= ROUNDS_MAX {
            seen.networks = networks;
            seen.passphrase = found;
            seen.given = arguments.wifi.first().map(|one| terminal::clean::line(&one.ssid).into_owned());
            return Ok(seen);
        }
        world = next;
    }
    unreachable!("it ends with the last round")
}

/// One of these networks that it joins with a passphrase that lies near the name in the image, and where that lies.
fn with_passphrase(
    firmware: &Firmware,
    arguments: &Init,
    networks: &BTreeSet<String>,
) -> blame::Result<Option<(Description, Place)>> {
    for ssid in networks {
        let places = passphrase::candidates(&firmware.bytes, ssid);
        if !places.is_empty() {
            terminal::errln!(
                "it does not join {ssid:?} as an open network: trying {} texts of the image",
                places.len()
            );
        }
        for place in places {
            let Some(text) = passphrase::read(&firmware.bytes, place) else { continue };
            let network = Description::wpa2(ssid, text);
            if network.check().is_err() {
                continue;
            }
            let world = World { networks: vec![network.clone()], ..World::default() };
            if once(firmware, arguments, &world, JOINS_WITHIN_S)?.has_joined {
                return Ok(Some((network, place)));
            }
        }
    }
    Ok(None)
}

/// An open network of this name.
fn open_network(ssid: &str) -> Option<Description> {
    crate::wifi::options::parse(&format!("ssid={ssid}")).ok()
}

/// One run of `virtual_s` seconds, at most.
fn once(firmware: &Firmware, arguments: &Init, world: &World, virtual_s: u32) -> blame::Result<Seen> {
    let scenario = healthy()?;
    let minted = bench::mint(&scenario, arguments.seed).map_err(Error::bench)?;
    let broker =
        broker::Broker::new(&scenario.broker, &minted, arguments.seed, scenario.date()).map_err(Error::bench)?;
    let mut wifi = Wifi::new(world.networks.clone(), &[], arguments.seed).map_err(Error::usage)?;
    let mut lan = Lan::new(config(&scenario, world), arguments.seed, BrokerService::new(broker));
    let mut tap = Tap::new(scenario.date());
    let mut board = Emulated::of(firmware.chip, arguments.seed).map_err(Error::bench)?;
    board.flash(&firmware.image()).map_err(Error::author)?;
    board.reset().map_err(Error::bench)?;
    let mut seen = Seen::default();
    let mut heard_text: BTreeMap<PortId, Vec<u8>> = BTreeMap::new();
    let secrets: Vec<String> = world.networks.iter().filter_map(|network| network.passphrase.clone()).collect();
    let limit = Instant::from_millis(u64::from(virtual_s.min(arguments.virtual_s)) * 1_000);
    let mut now = Instant::ZERO;
    while now < limit {
        let due = Instant::earliest(wifi.wants_to_act_at(now), lan.poll_at(now));
        let deadline = due.map_or(now + SLICE, |at| at.min(now + SLICE)).min(limit);
        let heard = board.listen(deadline).map_err(Error::bench)?;
        now = heard.at;
        for (port, bytes) in heard.ports {
            seen.hear(now, port, heard_text.entry(port).or_default(), &bytes, &secrets);
        }
        let crash = |incident: &board::Incident| incident.gravity == board::Gravity::Crash;
        let told = heard.incidents.iter().filter(|incident| incident.gravity > board::Gravity::Unmodelled);
        seen.incidents.extend(told.map(|incident| (crash(incident), incident.what.clone())).take(NAMES_MAX));
        seen.uses_radio |= !heard.air.is_empty();
        heard.air.into_iter().for_each(|frame| wifi.hear(now, frame));
        wifi.act(now, &mut lan);
        while let Some(frame) = wifi.say() {
            board.send_air(frame).map_err(Error::bench)?;
        }
        for event in wifi.take_events() {
            seen.air(&event.what);
        }
        for event in lan.take_events() {
            seen.lan(&event.what);
        }
        lan.take_tap().iter().for_each(|tapped| tap.packet(tapped.at, &tapped.packet));
    }
    for event in wifi.summary() {
        seen.air(&event.what);
    }
    for (port, text) in heard_text {
        let text = secrets::without(&line(&text), &secrets);
        if !text.is_empty() {
            seen.prompts.insert(port, text);
        }
    }
    lan.service().key_log().lines().for_each(|line| tap.key_log_line(line));
    seen.wire(&capture::read(&tap.to_pcapng(), "").map_err(Error::bench)?);
    Ok(seen)
}

/// A scenario in which nothing is wrong, for its broker and its date.
fn healthy() -> blame::Result<Scenario> {
    let text = "title = 'A look'\nspecification = { demands = 'connect', rule = 'RFC 9846 §2', quote = 'q' }\n";
    Scenario::parse("product/look", "look.toml", text).map_err(Error::bench)
}

/// The resolver that a lease names, and those that firmware has compiled in.
fn resolvers() -> impl Iterator<Item = IpAddr> {
    let public = crate::world::PUBLIC_RESOLVERS.into_iter().map(IpAddr::from);
    std::iter::once(lan::DNS_IPV4.into()).chain(public)
}

/// A LAN in which every name is the broker's, at every port that was dialled.
fn config(scenario: &Scenario, world: &World) -> LanConfig {
    let everybody = Answer::new(Resolution::Addresses(vec![lan::BROKER_IPV4.into()]));
    LanConfig {
        addresses: [IpAddr::from(lan::BROKER_IPV4), lan::GATEWAY_IPV4.into()]
            .into_iter()
            .chain(world.ports.iter().map(SocketAddr::ip))
            .collect(),
        listeners: world.ports.iter().map(|at| Listener::service(at.port())).collect(),
        dns: Some(Dns { otherwise: everybody, ..Dns::new(resolvers().collect()) }),
        sntp: Some(Sntp::new(vec![lan::SNTP_IPV4.into(), lan::BROKER_IPV4.into()], scenario.date())),
        ..LanConfig::default()
    }
}

impl Seen {
    fn hear(&mut self, now: Instant, port: PortId, begun: &mut Vec<u8>, bytes: &[u8], secrets: &[String]) {
        for byte in bytes {
            if *byte != b'\n' {
                if begun.len() < 4 * LINE_CHARS_MAX {
                    begun.push(*byte);
                }
                continue;
            }
            let text = secrets::without(&line(&std::mem::take(begun)), secrets);
            let lines = self.consoles.entry(port).or_default();
            if lines.len() < LINES_MAX && !text.is_empty() {
                lines.push((now, text));
            }
        }
    }

    fn lan(&mut self, what: &network::Happening) {
        match what {
            network::Happening::AskedTime { .. } => self.asks_time = true,
            network::Happening::Asked { name, .. } => {
                let name = terminal::clean::line(name.trim_end_matches('.')).into_owned();
                if self.names.len() < NAMES_MAX && !self.names.contains(&name) {
                    self.names.push(name);
                }
            }
            _ => {}
        }
    }

    fn air(&mut self, what: &Happening) {
        match what {
            Happening::LooksFor { ssid } if self.networks.len() < NAMES_MAX => {
                self.networks.insert(terminal::clean::line(&String::from_utf8_lossy(ssid)).into_owned());
            }
            Happening::Joined => self.has_joined = true,
            Happening::WrongPassphrase => self.not_let_in(NotLetIn::WrongPassphrase),
            Happening::AuthenticationRefused { .. } | Happening::AssociationRefused { .. } => {
                self.not_let_in(NotLetIn::Refused);
            }
            Happening::Declined { .. } => self.not_let_in(NotLetIn::Declined),
            _ => {}
        }
    }

    /// What says most of it is kept.
    fn not_let_in(&mut self, why: NotLetIn) {
        self.not_let_in = self.not_let_in.max(Some(why));
    }

    fn wire(&mut self, transcript: &Transcript) {
        let is_answer = |line: &&capture::transcript::Line| line.said == capture::transcript::Said::Answer;
        let answers: Vec<&str> =
            transcript.lookups.iter().filter(is_answer).map(|line| line.details.as_str()).collect();
        // A question that was answered stands in its answer.
        let is_told = |line: &&capture::transcript::Line| {
            is_answer(line) || !answers.iter().any(|answer| answer.starts_with(line.details.as_str()))
        };
        let lookups = transcript.lookups.iter().filter(is_told);
        self.lookups = lookups.map(|line| line.details.clone()).take(NAMES_MAX).collect();
        for conversation in &transcript.conversations {
            let known = self.dialled.entry(conversation.server).or_default();
            if known.hello.is_empty() && known.client_id.is_none() {
                *known = Dialled::of(conversation);
            }
        }
    }
}

impl Dialled {
    fn of(conversation: &Conversation) -> Self {
        let facts = &conversation.facts;
        let by_device = || conversation.lines.iter().filter(|line| line.who == Who::Client);
        let is_connect = |line: &&capture::transcript::Line| line.said.to_string() == "CONNECT";
        let connect = by_device().find(is_connect);
        let hello = by_device().find(|line| line.said.to_string() == "ClientHello");
        let verdict = by_device().find(|line| matches!(line.said, Said::Alert { .. }));
        Self {
            server_name: facts.server_name.clone(),
            versions: facts.offered_versions.iter().rev().filter_map(|version| name(version.0)).collect(),
            hello: hello.map(|line| line.details.lines().map(str::to_owned).collect()).unwrap_or_default(),
            is_plain_mqtt: connect.is_some() && facts.offer.is_none(),
            client_id: connect.and_then(|line| {
                let (_, rest) = line.details.split_once("client \"")?;
                Some(rest.split_once('"')?.0.to_owned())
            }),
            verdict: verdict.filter(|_| !facts.is_handshake_complete).map(|line| line.details.clone()),
            accepts_anybody: facts.is_handshake_complete,
        }
    }
}

/// A version as a scenario writes it.
fn name(version: u16) -> Option<String> {
    let minor = version.checked_sub(0x0301).filter(|minor| *minor <= 3)?;
    Some(format!("1.{minor}"))
}

/// A line fit to be shown and kept.
fn line(bytes: &[u8]) -> String {
    let text = terminal::clean::plain(String::from_utf8_lossy(bytes).trim_end()).into_owned();
    terminal::clean::line(&text).chars().take(LINE_CHARS_MAX).collect()
}
