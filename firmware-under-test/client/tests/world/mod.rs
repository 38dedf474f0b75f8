//! A chip that exists only as a function: its serial line ends in a LAN, and when it sleeps, time jumps.

use std::collections::VecDeque;
use std::net::SocketAddr;

use client::tls::{Agreed, Failure, Session, Stack, Wire};
use client::{HeapLimits, HeapRecord, Identity, Platform};
use clock::Instant;
use control::{Mqtt, Network, Order, Plan, Report};
use network::{Action, Close, ConnectionId, Lan, LanConfig, Modem, ModemConfig, Service};
use wire::mqtt::{ConnAck, ConnectCode, Decoder, Delivery, Packet, Publish, QoS, SubAck};
use wire::slipmux::{self, Frame};

/// No plan of these tests lasts so long.
const LIMIT: Instant = Instant::from_millis(600_000);

/// The chip and everything around it.
pub struct World {
    now_us: u64,
    to_device: VecDeque<u8>,
    from_device: slipmux::Decoder,
    lan: Lan<Broker>,
    /// At the end of the second serial line.
    modem: Option<Modem>,
    /// What it has said, piece by piece, as a UART delivers it.
    from_modem: VecDeque<Vec<u8>>,
    /// What the firmware remarked.
    pub remarks: Vec<String>,
    chance: u64,
    /// What the bench says at the first hello, and after each refusal.
    orders: VecDeque<Vec<u8>>,
    pub reports: Vec<Report>,
    pub calendar: Option<i64>,
    pub cap_bytes: Option<u32>,
}

impl World {
    pub fn new(config: LanConfig, broker: Broker, orders: impl Into<VecDeque<Vec<u8>>>) -> Self {
        Self {
            now_us: 0,
            to_device: VecDeque::new(),
            from_device: slipmux::Decoder::new(65_536),
            lan: Lan::new(config, 0x5eed, broker),
            modem: None,
            from_modem: VecDeque::new(),
            remarks: Vec::new(),
            chance: 1,
            orders: orders.into(),
            reports: Vec::new(),
            calendar: None,
            cap_bytes: None,
        }
    }

    pub fn broker(&self) -> &Broker {
        self.lan.service()
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.now_us)
    }

    fn settle(&mut self) {
        let now = self.now();
        loop {
            if let Some(modem) = &mut self.modem {
                modem.poll(now);
                while let Some(packet) = modem.transmit_packet() {
                    self.lan.receive(now, &packet);
                }
            }
            self.lan.poll(now);
            let mut is_settled = true;
            while let Some(packet) = self.lan.transmit() {
                match self.modem.as_mut().filter(|modem| modem.is_addressed_by(&packet)) {
                    Some(modem) => {
                        modem.receive_packet(now, &packet);
                        is_settled = false;
                    }
                    None => {
                        let mut line = Vec::new();
                        slipmux::encode_ip(&packet, &mut line);
                        self.to_device.extend(line);
                    }
                }
            }
            if is_settled {
                break;
            }
        }
        let said = self.modem.as_mut().map(|modem| modem.take_output(now)).unwrap_or_default();
        if !said.is_empty() {
            self.from_modem.push_back(said);
        }
    }

    fn hear(&mut self, frame: Frame) {
        match frame {
            Frame::Ip(packet) => self.lan.receive(self.now(), &packet),
            Frame::Configuration(json) => {
                let report = Report::from_json(&json).expect("the client writes reports that it can read");
                let is_asking = matches!(report, Report::Hello { .. } | Report::Refused { .. });
                if let Some(order) = is_asking.then(|| self.orders.pop_front()).flatten() {
                    let mut line = Vec::new();
                    slipmux::encode_configuration(&order, &mut line);
                    self.to_device.extend(line);
                }
                self.reports.push(report);
            }
            Frame::Diagnostic(text) if self.modem.is_some() => {
                self.remarks.push(String::from_utf8_lossy(&text).into_owned());
            }
            Frame::Diagnostic(text) => panic!("{}", String::from_utf8_lossy(&text)),
        }
    }
}

impl Platform for World {
    fn now_us(&mut self) -> u64 {
        self.now_us
    }

    fn line_read(&mut self, into: &mut [u8]) -> usize {
        self.settle();
        let count = into.len().min(self.to_device.len());
        for (place, byte) in into.iter_mut().zip(self.to_device.drain(..count)) {
            *place = byte;
        }
        count
    }

    fn line_write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match self.from_device.push(byte) {
                Some(Ok(frame)) => self.hear(frame),
                Some(Err(error)) => panic!("the client broke the framing: {error}"),
                None => {}
            }
        }
    }

    fn sleep(&mut self, until_us: u64) {
        self.settle();
        if !self.to_device.is_empty() || !self.from_modem.is_empty() {
            return;
        }
        let now = self.now();
        let until = Instant::earliest(Some(Instant::from_micros(until_us)), self.lan.poll_at(now));
        let until = Instant::earliest(until, self.modem.as_mut().and_then(|modem| modem.poll_at(now)));
        // A network that is due now has been settled: the clock has to move on.
        self.now_us = until.map_or(until_us, Instant::as_micros).clamp(self.now_us + 1, until_us.max(self.now_us + 1));
        assert!(self.now() < LIMIT, "the plan does not end: {:?}", self.reports);
    }

    fn modem_start(&mut self) {}

    fn modem_read(&mut self, into: &mut [u8]) -> usize {
        // A piece ends where the line fell silent: what is said next is not read together with it.
        let Some(piece) = self.from_modem.front_mut() else {
            self.settle();
            return 0;
        };
        let count = into.len().min(piece.len());
        for (place, byte) in into.iter_mut().zip(piece.drain(..count)) {
            *place = byte;
        }
        if piece.is_empty() {
            self.from_modem.pop_front();
        }
        count
    }

    fn modem_write(&mut self, bytes: &[u8]) {
        let now = self.now();
        if let Some(modem) = &mut self.modem {
            modem.received(now, bytes);
        }
        self.settle();
    }

    fn random(&mut self, into: &mut [u8]) {
        for byte in into {
            self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.chance >> 56) as u8;
        }
    }

    fn set_calendar(&mut self, unix_s: i64) {
        self.calendar = Some(unix_s);
    }

    fn heap_watch(&mut self, limits: HeapLimits) {
        self.cap_bytes = limits.cap_bytes;
    }

    fn heap_record(&mut self) -> HeapRecord {
        HeapRecord { peak_bytes: 4_711, failures: 2, held_bytes: 96 }
    }

    fn heap_first_failure_bytes(&mut self) -> Option<u32> {
        None
    }
}

/// How a broker answers a packet of the device: with packets, or with whatever bytes.
pub type Answer = fn(&mut Broker, &Packet<'_>) -> Vec<Action>;

/// A broker that answers by rote.
pub struct Broker {
    answer: Answer,
    decoder: Decoder,
    actions: VecDeque<Action>,
    /// Kinds of the packets that the device sent, in order, over all connections.
    pub heard: Vec<String>,
    pub connections: u32,
}

impl Broker {
    pub fn new(answer: Answer) -> Self {
        Self { answer, decoder: Decoder::new(65_536), actions: VecDeque::new(), heard: Vec::new(), connections: 0 }
    }
}

impl Service for Broker {
    fn connected(&mut self, _: Instant, _: ConnectionId, _: SocketAddr, _: SocketAddr) {
        self.connections += 1;
        self.decoder = Decoder::new(65_536);
        self.actions.clear();
    }

    fn received(&mut self, _: Instant, _: ConnectionId, bytes: &[u8]) {
        self.decoder.extend(bytes);
        while let Some(view) = self.decoder.next_packet() {
            let view = view.expect("the client sends whole packets");
            let packet = Packet::parse(&view).expect("the client keeps to the standard");
            self.heard.push(tell(&packet));
            let actions = (self.answer)(self, &packet);
            self.actions.extend(actions);
        }
    }

    fn peer_closed(&mut self, _: Instant, _: ConnectionId, how: Close) {
        self.heard.push(format!("{how:?}"));
        self.actions.push_back(Action::Close);
    }

    fn poll(&mut self, _: Instant, _: ConnectionId) -> Option<Action> {
        self.actions.pop_front()
    }

    fn poll_at(&self, _: Instant) -> Option<Instant> {
        None
    }
}

fn tell(packet: &Packet<'_>) -> String {
    match packet {
        Packet::Publish(publish) => {
            let again = if publish.delivery.is_duplicate() { " again" } else { "" };
            format!("Publish {} qos {}{again}", publish.topic, publish.delivery.qos() as u8)
        }
        packet => format!("{:?}", packet.kind()),
    }
}

/// Sends a packet.
pub fn send(packet: &Packet<'_>) -> Action {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).expect("the tests' packets fit");
    Action::Send(bytes)
}

/// A broker as it should be, which sends one message with quality of service 1 for every subscription.
pub fn well_behaved(_: &mut Broker, packet: &Packet<'_>) -> Vec<Action> {
    match packet {
        Packet::Connect(_) => {
            vec![send(&Packet::ConnAck(ConnAck { session_present: false, code: ConnectCode::ACCEPTED }))]
        }
        Packet::Subscribe(subscribe) => {
            let delivery = Delivery::AtLeastOnce { packet_id: wire::mqtt::PacketId::MIN, duplicate: false };
            vec![
                send(&Packet::SubAck(SubAck { packet_id: subscribe.packet_id, granted: vec![Some(QoS::AtLeastOnce)] })),
                send(&Packet::Publish(Publish { topic: "news", payload: b"none", delivery, retain: false })),
            ]
        }
        Packet::Publish(publish) => match publish.delivery.packet_id() {
            Some(packet_id) => vec![send(&Packet::PubAck(packet_id))],
            None => vec![],
        },
        Packet::PingReq => vec![send(&Packet::PingResp)],
        Packet::Disconnect => vec![Action::Close],
        _ => vec![],
    }
}

/// MQTT in the clear to 192.0.2.10, with nothing to do.
pub fn plan() -> Plan {
    Plan {
        network: Network {
            ipv4: [192, 0, 2, 2].into(),
            ipv4_prefix_bits: 24,
            ipv4_gateway: [192, 0, 2, 1].into(),
            ipv6: None,
            ipv6_gateway: None,
            dns: [192, 0, 2, 53].into(),
            mtu_bytes: 1500,
            wifi: None,
        },
        broker_host: "192.0.2.10".into(),
        broker_port: 1883,
        link: control::Link::Ip,
        tls: None,
        mqtt: Mqtt { client_id: "test".into(), clean_session: true, ..Mqtt::default() },
        clock: control::Clock::Unset,
        heap_cap_bytes: None,
        heap_block_max_bytes: None,
        failing_allocation: None,
        connect_timeout_ms: 10_000,
        handshake_timeout_ms: 10_000,
        reply_timeout_ms: 5_000,
        reconnects: 0,
        reconnect_pause_ms: 1_000,
        repeats: 0,
    }
}

/// The broker's address with a service at port 1883.
pub fn lan() -> LanConfig {
    LanConfig {
        addresses: vec![[192, 0, 2, 10].into()],
        listeners: vec![network::Listener::service(1883)],
        ..LanConfig::default()
    }
}

/// A TLS library that shakes hands by sending one byte and waiting for one.
pub struct ToyTls;

pub struct ToySession {
    has_spoken: bool,
}

impl Stack for ToyTls {
    type Session = ToySession;

    fn name(&self) -> String {
        "toy".into()
    }

    fn open(&mut self, plan: &control::Tls) -> Result<ToySession, Failure> {
        match &plan.server_name {
            Some(name) if name == "impossible" => Err(Failure {
                class: outcome::FailureClass::Tls,
                code: -1,
                name: "TOY_CANNOT".into(),
                ..Failure::default()
            }),
            _ => Ok(ToySession { has_spoken: false }),
        }
    }
}

fn ended<T>(result: Result<T, client::tls::WireEnd>) -> Result<T, Failure> {
    result.map_err(|end| Failure { code: -2, name: format!("TOY_{end:?}"), ..Failure::default() })
}

impl Session for ToySession {
    fn handshake(&mut self, wire: &mut dyn Wire) -> Result<bool, Failure> {
        wire.enter(outcome::Stage::Hello);
        if !self.has_spoken {
            self.has_spoken = ended(wire.write(b"?"))? == 1;
        }
        let is_answered = ended(wire.read(&mut [0]))? == 1;
        if is_answered {
            wire.enter(outcome::Stage::Finished);
            // Too late to be told.
            wire.enter(outcome::Stage::Certificate);
        }
        Ok(is_answered)
    }

    fn agreed(&self) -> Agreed {
        Agreed { version: 0x0304, cipher_suite: "TOY".into(), ..Agreed::default() }
    }

    fn read(&mut self, wire: &mut dyn Wire, into: &mut [u8]) -> Result<usize, Failure> {
        ended(wire.read(into))
    }

    fn write(&mut self, wire: &mut dyn Wire, bytes: &[u8]) -> Result<usize, Failure> {
        ended(wire.write(bytes))
    }

    fn close(&mut self, _: &mut dyn Wire) {}
}

/// Runs the firmware with this plan in this LAN.
pub fn run(plan: Plan, lan: LanConfig, answer: Answer) -> World {
    let order = Order::Run(plan).to_json().expect("plans can be written");
    let mut world = World::new(lan, Broker::new(answer), [order]);
    client::serve(&mut world, &mut ToyTls, Identity { image: "test", version: "0" });
    world
}

/// Runs the firmware with this plan, a modem and this LAN, in which the broker's name is known.
pub fn run_with_modem(plan: Plan, change: impl FnOnce(&mut ModemConfig), answer: Answer) -> World {
    let resolver = [192, 0, 2, 53];
    let names = network::Dns::new(vec![resolver.into()]).with("broker.test", vec![[192, 0, 2, 10].into()]);
    let mut config = ModemConfig::new([192, 0, 2, 3].into(), 24, [192, 0, 2, 1].into(), resolver.into());
    change(&mut config);
    let order = Order::Run(plan).to_json().expect("plans can be written");
    let mut world = World::new(LanConfig { dns: Some(names), ..lan() }, Broker::new(answer), [order]);
    world.modem = Some(Modem::new(config, 0x5eed));
    client::serve(&mut world, &mut ToyTls, Identity { image: "test", version: "0" });
    world
}

/// The reports as words, without times.
pub fn story(world: &World) -> Vec<String> {
    world
        .reports
        .iter()
        .map(|report| match report {
            Report::Hello { .. } => "hello".into(),
            Report::Configured { .. } => "configured".into(),
            Report::Refused { .. } => "refused".into(),
            Report::Stage { stage, .. } => stage.name().into(),
            Report::Secured { version, cipher_suite, .. } => format!("secured {version:04x} {cipher_suite}"),
            Report::Connack { code, session_present, .. } => format!("connack {code} {session_present}"),
            Report::Message { topic, payload_bytes, qos, .. } => format!("message {topic} {payload_bytes} qos {qos}"),
            Report::Failed(control::Failure { stage, class, code, name, .. }) => {
                format!("failed at {stage}: {class} {code} {name}")
            }
            Report::Done { complete, heap_peak_bytes, heap_failures, .. } => {
                format!("done {complete} {heap_peak_bytes} {heap_failures}")
            }
        })
        .collect()
}
