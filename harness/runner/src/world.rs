//! The world at the end of the serial line: the scenario's network with its broker behind it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use board::lateness::Late;
use broker::{Broker, Happening};
use clock::Instant;
use network::{
    Action, Answer, Close, ConnectionId, Dns, LanConfig, Lease, Listener, ModemConfig, Name, NoService, Resolution,
    SegmentConfig, Service, Sntp, Trigger,
};
use scenario::network::{Network, Resolver};
use scenario::{Scenario, lan};

/// The router's hardware address: a locally administered one (IEEE 802, 8.4).
const ROUTER_MAC: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0x00, 0x01];
/// For how long a device is lent its address, in seconds: longer than any run.
const LEASE_S: u32 = 86_400;

/// Who stands behind the LAN's ports: the scripted broker, or a real one.
pub trait Counterpart: Service {
    /// The secrets of every handshake so far, as NSS key log text, as far as it tells them.
    fn key_log(&self) -> String;

    /// What it had to say about the device, in order.
    fn findings(&self) -> Vec<(Instant, String)>;

    /// What it has seen of the device, in order, if it tells.
    fn happenings(&self) -> &[broker::Event] {
        &[]
    }

    /// Whether it did anything wrong, because it was told to.
    fn has_misbehaved(&self) -> bool {
        false
    }

    /// How far virtual time may run from `now`, if the device is silent until `deadline`.
    fn pace(&self, _now: Instant, deadline: Instant) -> Instant {
        deadline
    }

    /// By how much this machine was late, if that may have decided what the device did: of a counterpart in wall time.
    fn late(&self) -> Option<Late> {
        None
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
        self.events.iter().filter_map(|event| Some((event.at, broker_finding(&event.happening)?))).collect()
    }

    fn happenings(&self) -> &[broker::Event] {
        &self.events
    }

    fn has_misbehaved(&self) -> bool {
        self.events.iter().any(|event| matches!(event.happening, Happening::Misbehaves(_)))
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

/// What of the broker's broker_finding belongs in a transcript: what the wire does not tell.
pub fn broker_finding(happening: &Happening) -> Option<String> {
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

    fn watch(&mut self, id: ConnectionId, moments: &[Trigger]) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.watch(moments);
        }
    }

    fn received(&mut self, now: Instant, id: ConnectionId, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.received(now, bytes);
        }
        self.collect(id);
    }

    fn peer_closed(&mut self, now: Instant, id: ConnectionId, how: Close) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.peer_closed(now, how);
        }
        self.collect(id);
    }

    fn poll(&mut self, now: Instant, id: ConnectionId) -> Option<Action> {
        let action = self.connections.get_mut(&id)?.poll(now);
        self.collect(id);
        action
    }

    fn poll_at(&self, _now: Instant) -> Option<Instant> {
        self.connections.values().map(broker::Connection::poll_at).fold(None, Instant::earliest)
    }
}

/// The LAN that `scenario` describes.
pub fn lan_config(scenario: &Scenario) -> LanConfig {
    let network = &scenario.network;
    // An address that is dialled is the broker's, whichever it is.
    let dialled = scenario.device.dials.parse().ok();
    let portal = (network.resolver == Resolver::Portal).then_some(lan::PORTAL);
    LanConfig {
        addresses: [lan::BROKER_IPV4.into(), lan::BROKER_IPV6.into()]
            .into_iter()
            .chain(dialled)
            .chain(portal)
            .collect(),
        mtu_bytes: usize::from(network.mtu_bytes),
        listeners: vec![Listener { address: None, port: scenario.device.port, state: network.port }],
        dns: Some(dns(network)),
        sntp: Some(Sntp {
            answer: network.sntp_answer(),
            after: network.sntp_after(),
            ..Sntp::new(vec![lan::SNTP_IPV4.into()], scenario.date())
        }),
        faults: network.faults(scenario.device.port),
        ..LanConfig::default()
    }
}

/// Resolvers that firmware has compiled in: Google's and Cloudflare's.
pub const PUBLIC_RESOLVERS: [[u8; 4]; 4] = [[8, 8, 8, 8], [8, 8, 4, 4], [1, 1, 1, 1], [1, 0, 0, 1]];

/// The LAN that `scenario` describes for a firmware that asks for names of its own choosing: those that nobody knows are all
/// the time server's.
pub fn lan_config_for_strangers(scenario: &Scenario) -> LanConfig {
    let mut config = lan_config(scenario);
    // Some ask a resolver of their own choosing.
    config.dns.iter_mut().for_each(|dns| dns.addresses.extend(PUBLIC_RESOLVERS.map(IpAddr::from)));
    if let Some(dns) = config.dns.as_mut().filter(|_| scenario.network.resolver == Resolver::default()) {
        dns.otherwise = Answer::new(Resolution::Addresses(vec![lan::SNTP_IPV4.into()]));
    }
    config
}

/// The resolver: it knows the broker, the time server and what the scenario adds, and treats all questions alike.
fn dns(network: &Network) -> Dns {
    let known = [
        (lan::BROKER_NAME.to_owned(), vec![lan::BROKER_IPV4.into()]),
        (lan::SNTP_NAME.to_owned(), vec![lan::SNTP_IPV4.into()]),
    ];
    let hosts = network.hosts.iter().map(|(name, addresses)| (name.clone(), addresses.clone()));
    let names = known
        .into_iter()
        .chain(hosts)
        .map(|(name, addresses): (String, Vec<IpAddr>)| Name { name, answers: network.answers(&addresses) });
    let server = Dns::new(vec![lan::DNS_IPV4.into()]);
    let otherwise = match network.resolver {
        Resolver::Portal => Answer::new(Resolution::Addresses(vec![lan::PORTAL])),
        _ => server.otherwise.clone(),
    };
    Dns { names: names.collect(), otherwise, ..server }
}

/// The Ethernet at a network interface of a device: a router before the LAN, which lends the device its address.
pub fn segment_config() -> SegmentConfig {
    SegmentConfig {
        router_mac: ROUTER_MAC,
        addresses: vec![
            lan::GATEWAY_IPV4.into(),
            lan::DNS_IPV4.into(),
            lan::SNTP_IPV4.into(),
            lan::BROKER_IPV4.into(),
            lan::GATEWAY_IPV6.into(),
            lan::BROKER_IPV6.into(),
        ],
        lease: Lease {
            address: lan::DEVICE_IPV4,
            prefix_bits: lan::IPV4_PREFIX_BITS,
            router: lan::GATEWAY_IPV4,
            name_servers: vec![lan::DNS_IPV4],
            seconds: LEASE_S,
            mtu_bytes: None,
        },
        faults: Vec::new(),
    }
}

/// The modem that `scenario` gives its device, if any.
pub fn modem_config(scenario: &Scenario) -> Option<ModemConfig> {
    if !scenario.device.has_modem() {
        return None;
    }
    Some(ModemConfig {
        mtu_bytes: usize::from(scenario.network.mtu_bytes),
        behaviour: scenario.modem.clone(),
        ..ModemConfig::new(lan::MODEM_IPV4, lan::IPV4_PREFIX_BITS, lan::GATEWAY_IPV4, lan::DNS_IPV4)
    })
}
