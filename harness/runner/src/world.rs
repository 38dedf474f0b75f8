//! The world at the end of the serial line: the scenario's network with its broker behind it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use broker::{Broker, Happening};
use clock::{Duration, Instant};
use network::{
    Action, Answer, Behaviour, Blow, Close, ConnectionId, Direction, Dns, Fault, LanConfig, Listener, LostBytes,
    ModemConfig, Name, NoService, Resolution, Scope, ScopedFault, SerialFault, Service, Sntp, SntpAnswer, Stall,
    Trigger,
};
use scenario::network::{self as grammar, CutHow, Network, Port, Resolver, Side};
use scenario::{Scenario, lan};

/// Where the overtaken packet waits.
const REORDER_BY: Duration = Duration::from_millis(20);

/// Who stands behind the LAN's ports: the scripted broker, or a real one.
pub trait Counterpart: Service {
    /// The secrets of every handshake so far, as NSS key log text, as far as it tells them.
    fn key_log(&self) -> String;

    /// What it had to say about the device, in order.
    fn findings(&self) -> Vec<(Instant, String)>;

    /// How far virtual time may run from `now`, if the device is silent until `deadline`.
    fn pace(&self, _now: Instant, deadline: Instant) -> Instant {
        deadline
    }

    /// Virtual time has come to `now`: waits, if the counterpart lives in another time and has not come that far.
    fn keep_step(&mut self, _now: Instant) {}
}

/// For a device that does not use this LAN: nobody is behind its ports.
impl Counterpart for NoService {
    fn key_log(&self) -> String {
        String::new()
    }

    fn findings(&self) -> Vec<(Instant, String)> {
        Vec::new()
    }
}

impl Counterpart for BrokerService {
    fn key_log(&self) -> String {
        self.broker.key_log()
    }

    fn findings(&self) -> Vec<(Instant, String)> {
        self.events.iter().filter_map(|event| Some((event.at, testimony(&event.happening)?))).collect()
    }
}

/// The broker as the service behind the LAN's ports.
pub struct BrokerService {
    broker: Broker,
    connections: BTreeMap<ConnectionId, broker::Connection>,
    events: Vec<broker::Event>,
}

impl BrokerService {
    /// Puts `broker` behind the ports.
    pub fn new(broker: Broker) -> Self {
        Self { broker, connections: BTreeMap::new(), events: Vec::new() }
    }

    fn collect(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            self.events.extend(connection.take_events());
        }
    }
}

/// What of the broker's testimony belongs in a transcript: what the wire does not tell.
pub fn testimony(happening: &Happening) -> Option<String> {
    match happening {
        Happening::Violation { rule, what } => Some(format!("the device broke {rule}: {what}")),
        Happening::TlsFailed { alert: None, why } => Some(format!("gave up on TLS: {why}")),
        Happening::LoginRefused { why, .. } => Some(format!("refused the login: {why}")),
        Happening::WillPublished { topic } => Some(format!("published the device's will to {topic}")),
        Happening::NotTls => Some("what arrived is no TLS".into()),
        Happening::EventsLost => Some("more happened than was noted".into()),
        _ => None,
    }
}

impl Service for BrokerService {
    fn connected(&mut self, now: Instant, id: ConnectionId, _local: SocketAddr, peer: SocketAddr) {
        let connection = self.broker.accept(now, peer);
        self.connections.insert(id, connection);
    }

    fn received(&mut self, now: Instant, id: ConnectionId, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.received(now, bytes);
        }
        self.collect(id);
    }

    fn peer_closed(&mut self, now: Instant, id: ConnectionId, how: Close) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.peer_closed(
                now,
                match how {
                    Close::Fin => broker::DeviceEnd::Fin,
                    Close::Reset => broker::DeviceEnd::Reset,
                },
            );
        }
        self.collect(id);
    }

    fn poll(&mut self, now: Instant, id: ConnectionId) -> Option<Action> {
        let action = self.connections.get_mut(&id)?.poll(now);
        self.collect(id);
        Some(match action? {
            broker::Action::Send(bytes) => Action::Send(bytes),
            broker::Action::Fin => Action::Fin,
            broker::Action::Reset => Action::Reset,
        })
    }

    fn poll_at(&self, _now: Instant) -> Option<Instant> {
        self.connections.values().map(broker::Connection::poll_at).fold(None, Instant::earliest)
    }
}

/// The LAN that `scenario` describes.
pub fn lan_config(scenario: &Scenario) -> LanConfig {
    let network = &scenario.network;
    LanConfig {
        addresses: vec![lan::BROKER_IPV4.into(), lan::BROKER_IPV6.into()],
        mtu_bytes: usize::from(network.mtu_bytes),
        listeners: vec![Listener {
            address: None,
            port: scenario.device.port,
            behaviour: match network.port {
                Port::Open => Behaviour::Service,
                Port::Closed => Behaviour::Refused,
                Port::Dropped => Behaviour::Dropped,
            },
        }],
        dns: Some(dns(network)),
        sntp: Some(Sntp {
            answer: match network.sntp {
                grammar::Sntp::Answers if network.sntp_offset_s == 0 => SntpAnswer::Truth,
                grammar::Sntp::Answers => SntpAnswer::Wrong { by_seconds: network.sntp_offset_s },
                grammar::Sntp::Unsynchronised => SntpAnswer::Unsynchronised,
                grammar::Sntp::KissOfDeath => SntpAnswer::KissOfDeath(*b"RATE"),
                grammar::Sntp::Silent => SntpAnswer::Silence,
            },
            ..Sntp::new(vec![lan::SNTP_IPV4.into()], scenario.date())
        }),
        faults: faults(network, scenario.device.port),
        ..LanConfig::default()
    }
}

/// The resolver: it knows the broker, the time server and what the scenario adds, and treats all questions alike.
fn dns(network: &Network) -> Dns {
    let known = [
        (lan::BROKER_NAME.to_owned(), vec![lan::BROKER_IPV4.into()]),
        (lan::SNTP_NAME.to_owned(), vec![lan::SNTP_IPV4.into()]),
    ];
    let hosts = network.hosts.iter().map(|(name, addresses)| (name.clone(), addresses.clone()));
    let names = known.into_iter().chain(hosts).map(|(name, addresses)| Name {
        name,
        answers: vec![Answer::new(match network.resolver {
            Resolver::Answers => Resolution::Addresses(addresses),
            Resolver::Nxdomain => Resolution::NxDomain,
            Resolver::Servfail => Resolution::ServFail,
            Resolver::Silent => Resolution::Silence,
        })],
    });
    Dns { names: names.collect(), ..Dns::new(vec![lan::DNS_IPV4.into()]) }
}

/// The modem that `scenario` gives its device, if any.
pub fn modem_config(scenario: &Scenario) -> Option<ModemConfig> {
    use scenario::modem::{OnClose, OnData, OnOpen, OnSend};
    if scenario.device.link != scenario::device::Link::Modem {
        return None;
    }
    let modem = &scenario.modem;
    Some(ModemConfig {
        mtu_bytes: usize::from(scenario.network.mtu_bytes),
        echoes: modem.echoes,
        on_open: match modem.on_open {
            OnOpen::Connects => network::OnOpen::Connects,
            OnOpen::Error => network::OnOpen::Error,
            OnOpen::Silence => network::OnOpen::Silence,
        },
        on_send: match modem.on_send {
            OnSend::Takes => network::OnSend::Takes,
            OnSend::TakesAtMost(bytes) => network::OnSend::TakesAtMost(bytes),
            OnSend::NoPrompt => network::OnSend::NoPrompt,
        },
        send_bytes_max: modem.send_bytes_max,
        read_bytes_max: modem.read_bytes_max,
        on_data: match modem.on_data {
            OnData::Tells => network::OnData::Tells,
            OnData::Silence => network::OnData::Silence,
            OnData::TellsTwice => network::OnData::TellsTwice,
        },
        on_close: match modem.on_close {
            OnClose::Tells => network::OnClose::Tells,
            OnClose::BeforeAnAnswer => network::OnClose::BeforeAnAnswer,
        },
        stall: modem.stall.map(|stall| Stall { after_bytes: stall.after_bytes, lasts: millis(stall.ms) }),
        network_closes_after_bytes: modem.network_closes_after_bytes,
        resets_after_bytes: modem.resets_after_bytes,
        links_taken_after_reset: modem.links_taken_after_reset,
        loses: modem.loses.map(|lost| LostBytes { at_byte: lost.at_byte, count: lost.count }),
        ..ModemConfig::new(lan::MODEM_IPV4, lan::IPV4_PREFIX_BITS, lan::GATEWAY_IPV4, lan::DNS_IPV4)
    })
}

/// What becomes of bytes on the serial line.
pub fn serial_faults(network: &Network) -> Vec<SerialFault> {
    let fault = |damage: grammar::SerialDamage| SerialFault::FlipRate {
        direction: direction(damage.from),
        per_million: 1_000_000 / damage.one_in_bytes.max(1),
    };
    network.serial_damage.into_iter().map(fault).collect()
}

fn faults(network: &Network, port: u16) -> Vec<ScopedFault> {
    let mut packets: Vec<Fault> = Vec::new();
    for lost in &network.lose {
        packets.push(Fault::LoseNth { direction: direction(lost.from), nth: lost.packet.into() });
    }
    for direction in [Direction::FromDevice, Direction::ToDevice] {
        if network.loss_percent > 0 {
            packets.push(Fault::Lose { direction, per_mille: u16::from(network.loss_percent) * 10 });
        }
        if network.duplicate_percent > 0 {
            packets.push(Fault::Duplicate { direction, per_mille: u16::from(network.duplicate_percent) * 10 });
        }
        if network.reorder_percent > 0 {
            let per_mille = u16::from(network.reorder_percent) * 10;
            packets.push(Fault::Reorder { direction, per_mille, by: REORDER_BY });
        }
        if network.delay_ms > 0 || network.jitter_ms > 0 {
            let (by, jitter) = (millis(network.delay_ms), millis(network.jitter_ms));
            packets.push(Fault::Delay { direction, by, jitter });
        }
    }
    if let Some(at_ms) = network.forgets_at_ms {
        packets.push(Fault::Outage { from: Instant::from_millis(at_ms.into()), until: None });
    }
    let mut streams: Vec<Fault> = Vec::new();
    if let Some(bytes_max) = network.segment_bytes {
        streams.push(Fault::Segment { bytes_max: bytes_max.into() });
    }
    if let Some(bytes) = network.drip_bytes_per_s {
        // One byte at a time: what people mean by a slow drip is many small segments, not one a second.
        let every = Duration::from_nanos(1_000_000_000 / u64::from(bytes));
        streams.push(Fault::Drip { bytes: 1, every });
    }
    if let Some(ms) = network.hold_ms {
        streams.push(Fault::Stall { after_bytes: 0, pause: millis(ms) });
    }
    if let Some(cut) = network.cut {
        streams.push(Fault::Break {
            when: Trigger::Passed { direction: direction(cut.from), bytes: cut.after_bytes },
            how: match cut.how {
                CutHow::Reset => Blow::Reset,
                CutHow::Fin => Blow::Fin,
                CutHow::BlackHole => Blow::Vanish,
            },
        });
    }
    let to_broker = Scope::port(port);
    packets
        .into_iter()
        .map(ScopedFault::from)
        .chain(streams.into_iter().map(|fault| fault.within(to_broker.clone())))
        .collect()
}

const fn direction(sender: Side) -> Direction {
    match sender {
        Side::Device => Direction::FromDevice,
        Side::Broker => Direction::ToDevice,
    }
}

const fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms as u64)
}
