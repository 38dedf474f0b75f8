//! The LAN: time, the way of a packet, and who answers it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use clock::{Duration, Instant};

use crate::connection::{Connection, World};
use crate::event::Log;
use crate::gateway::Gateway;
use crate::packet::Headers;
use crate::packet_fault::{Due, PacketFault};
use crate::rng::Rng;
use crate::tap::Tap;
use crate::{
    ConnectionId, Direction, Event, Happening, LanConfig, Limits, Listener, Scope, ScopedFault, Service, Sntp, Tapped,
    dns,
};

mod arrival;

/// The stream of random numbers from which TCP takes its first sequence numbers.
const STREAM_OF_GATEWAY: u64 = 1;
/// A timer that says "now" again and again without anything to do is asked again after this long.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(1);
/// Vanished connections whose packets are still swallowed.
const VANISHED_MAX: usize = 256;
/// Events kept until they are taken.
const EVENTS_MAX: usize = 65_536;

/// An IP gateway that owns the addresses it is told to, with `S` behind its TCP ports.
pub struct Lan<S> {
    now: Instant,
    owned: BTreeSet<IpAddr>,
    mtu_bytes: usize,
    listeners: Vec<Listener>,
    faults: Vec<ScopedFault>,
    limits: Limits,
    dns: Option<dns::Server>,
    sntp: Option<Sntp>,
    packet_faults: Vec<PacketFault>,
    gateway: Gateway,
    service: S,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Connections seen so far, in all and by port.
    opened: u32,
    opened_at_port: BTreeMap<u16, u32>,
    vanished: VecDeque<(SocketAddr, SocketAddr, u32)>,
    /// Packets under way, by arrival and then by order of departure.
    inbound: BTreeMap<(Instant, u64), Vec<u8>>,
    outbound: BTreeMap<(Instant, u64), Vec<u8>>,
    departures: u64,
    ready: VecDeque<Vec<u8>>,
    tap: Tap,
    log: Log,
}

impl<S: Service> Lan<S> {
    /// A LAN as `config` says, in which all random numbers come from `seed`, with `service` behind its TCP ports.
    pub fn new(config: LanConfig, seed: u64, service: S) -> Self {
        let LanConfig { addresses, mtu_bytes, listeners, dns, sntp, faults, limits } = config;
        let mtu_bytes = mtu_bytes.max(68);
        let of_listeners = listeners.iter().filter_map(|listener| listener.address);
        let of_servers = dns.iter().map(|dns| &dns.addresses).chain(sntp.iter().map(|sntp| &sntp.addresses));
        let owned = addresses.into_iter().chain(of_listeners).chain(of_servers.flatten().copied()).collect();
        let packet_faults = ScopedFault::with_streams(&faults)
            .map(|(one, stream)| PacketFault::new(one.scope.clone(), one.fault.clone(), seed, stream))
            .collect();
        Self {
            now: Instant::ZERO,
            owned,
            mtu_bytes,
            listeners,
            dns: dns.map(dns::Server::new),
            sntp,
            packet_faults,
            faults,
            limits,
            gateway: Gateway::new(Rng::new(seed, STREAM_OF_GATEWAY).next(), mtu_bytes),
            service,
            connections: BTreeMap::new(),
            opened: 0,
            opened_at_port: BTreeMap::new(),
            vanished: VecDeque::new(),
            inbound: BTreeMap::new(),
            outbound: BTreeMap::new(),
            departures: 0,
            ready: VecDeque::new(),
            tap: Tap::new(limits.tap_bytes_max),
            log: Log::new(EVENTS_MAX),
        }
    }

    /// Takes an IP packet that the device has sent. Time up to `now` is settled first.
    pub fn receive(&mut self, now: Instant, packet: &[u8]) {
        self.advance(now);
        let now = self.now;
        self.tap.record(now, Direction::FromDevice, packet);
        if packet.len() > self.mtu_bytes {
            self.log.note(now, Happening::Malformed { bytes: packet.len() });
            return;
        }
        for (due, packet) in self.apply_faults(Direction::FromDevice, (now, packet.to_vec())) {
            self.set_off(Direction::FromDevice, due, packet);
        }
        self.step(now);
    }

    /// Settles everything that was to happen up to `now`, each thing at its own instant, and asks the service whether
    /// anything has come to it from elsewhere.
    pub fn poll(&mut self, now: Instant) {
        self.advance(now);
        let now = self.now;
        self.step(now);
    }

    /// The device was reset or powered anew and knows nothing of its connections. They stay half-open, as on any
    /// network, but a SYN between the same two ends is a new connection, even with the same sequence number: a device
    /// whose random numbers come from a seed repeats itself, and RFC 9293 §3.10.7.4 would leave both sides waiting.
    pub fn device_restarted(&mut self) {
        self.vanished.clear();
        for connection in self.connections.values_mut() {
            connection.abandoned = true;
        }
    }

    /// The next packet for the device that is due at the instant settled last.
    pub fn transmit(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// When to call [`Lan::poll`] next, if no packet comes before; at once, while packets are ready.
    pub fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        if self.ready.is_empty() { self.next_deadline() } else { Some(now) }
    }

    /// What has passed the serial line since this was last asked.
    pub fn take_tap(&mut self) -> Vec<Tapped> {
        self.tap.take()
    }

    /// Packets that the tap could not keep, because nobody took what it had kept.
    pub fn tap_lost(&self) -> u64 {
        self.tap.lost()
    }

    /// What the LAN itself did since this was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.log.take()
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The service, to be told something by whoever drives the LAN; call [`Lan::poll`] afterwards.
    pub fn service_mut(&mut self) -> &mut S {
        &mut self.service
    }

    /// Ends the run and gives the service back.
    pub fn into_service(self) -> S {
        self.service
    }

    /// TCP connections that the gateway remembers, in whatever state.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Settles every deadline up to `now`, each at its own instant.
    fn advance(&mut self, now: Instant) {
        while let Some(deadline) = self.next_deadline().filter(|&deadline| deadline <= now) {
            self.step(deadline);
        }
        self.now = self.now.max(now);
    }

    /// Always later than the instant settled last.
    fn next_deadline(&mut self) -> Option<Instant> {
        let packets =
            [&self.inbound, &self.outbound].into_iter().filter_map(|way| way.keys().next()).map(|&(due, _)| due);
        let timers = [
            self.gateway.poll_at(self.now),
            self.service.poll_at(self.now),
            self.connections.values().filter_map(|connection| connection.poll_at(self.now)).min(),
        ];
        let soonest = self.now + MIN_POLL_INTERVAL;
        let timers = timers.into_iter().flatten().map(|at| if at <= self.now { soonest } else { at });
        packets.chain(timers).min()
    }

    /// Everything that happens at one instant.
    fn step(&mut self, now: Instant) {
        self.now = now;
        self.settle();
        while let Some(packet) = pop_due(&mut self.inbound, now) {
            self.deliver(packet);
            self.settle();
        }
        while let Some(packet) = pop_due(&mut self.outbound, now) {
            self.tap.record(now, Direction::ToDevice, &packet);
            self.ready.push_back(packet);
        }
    }

    /// Lets services, sockets and connections act on each other until nobody has anything left to do at this instant.
    fn settle(&mut self) {
        loop {
            let mut progress = false;
            let ids: Vec<ConnectionId> = self.connections.keys().copied().collect();
            for id in ids {
                progress |= self.serve(id);
            }
            self.gateway.egress(self.now);
            while let Some(packet) = self.gateway.take_outgoing() {
                progress = true;
                self.send(self.now, packet);
            }
            if !progress {
                return;
            }
        }
    }

    fn serve(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let stood = !connection.has_vanished();
        let mut world =
            World { now: self.now, gateway: &mut self.gateway, service: &mut self.service, log: &mut self.log };
        let progress = connection.serve(&mut world);
        if stood && connection.has_vanished() {
            let ends = (connection.local, connection.peer, connection.peer_initial_sequence);
            self.swallow(ends);
        }
        if self.connections.get(&id).is_some_and(|connection| connection.is_over(&mut self.gateway)) {
            self.forget(id);
            return true;
        }
        progress
    }

    fn swallow(&mut self, ends: (SocketAddr, SocketAddr, u32)) {
        if self.vanished.len() >= VANISHED_MAX {
            self.vanished.pop_front();
        }
        self.vanished.push_back(ends);
    }

    /// Takes a connection out of the LAN's memory, without a word to the device.
    fn forget(&mut self, id: ConnectionId) {
        let Some(mut connection) = self.connections.remove(&id) else { return };
        let mut world =
            World { now: self.now, gateway: &mut self.gateway, service: &mut self.service, log: &mut self.log };
        connection.tell_reset_unless_ended(&mut world);
        if let Some(socket) = connection.socket() {
            self.gateway.remove(socket);
        }
    }

    fn find(&self, local: SocketAddr, peer: SocketAddr) -> Option<ConnectionId> {
        // The youngest first: a vanished connection may share its ends with its successor.
        let mut connections = self.connections.values().rev();
        connections.find(|connection| (connection.local, connection.peer) == (local, peer)).map(|found| found.id)
    }

    /// A packet leaves the gateway for the device at `at`.
    fn send(&mut self, at: Instant, packet: Vec<u8>) {
        if let Some((tcp, local, peer)) = Headers::parse(&packet).and_then(|headers| headers.tcp())
            && let Some(connection) = self.find(local, peer).and_then(|id| self.connections.get_mut(&id))
        {
            connection.note_sent(self.now, &tcp);
        }
        for (due, packet) in self.apply_faults(Direction::ToDevice, (at, packet)) {
            self.set_off(Direction::ToDevice, due, packet);
        }
    }

    /// What the faults make of a packet.
    fn apply_faults(&mut self, way: Direction, packet: Due) -> Vec<Due> {
        let bytes = packet.1.len();
        let traffic = self.traffic(way, &packet.1);
        let mut packets = vec![packet];
        for fault in &mut self.packet_faults {
            if applies(&fault.scope, traffic) {
                let mut passed = Vec::with_capacity(packets.len());
                for packet in packets {
                    fault.apply(way, packet, &mut passed);
                }
                packets = passed;
                if let Some(fault) = fault.take_acted() {
                    self.log.note(self.now, Happening::Enacted { fault });
                }
            }
        }
        if packets.is_empty() {
            self.log.note(self.now, Happening::Lost { direction: way, bytes });
        }
        packets
    }

    /// What a fault's scope looks at. A SYN that is not known belongs to the connection that it is about to open.
    fn traffic(&self, way: Direction, packet: &[u8]) -> Traffic {
        if self.packet_faults.is_empty() {
            return Traffic::default();
        }
        let Some((tcp, source, destination)) = Headers::parse(packet).and_then(|headers| headers.tcp()) else {
            return Traffic::default();
        };
        let (local, peer) = match way {
            Direction::FromDevice => (destination, source),
            Direction::ToDevice => (source, destination),
        };
        let known = self.find(local, peer).and_then(|id| self.connections.get(&id));
        let known = known.map(|connection| (connection.id, connection.number_at_port));
        let numbers = known.or_else(|| tcp.syn.then(|| self.next_numbers(local.port())));
        Traffic { port: Some(local.port()), numbers }
    }

    fn set_off(&mut self, way: Direction, due: Instant, packet: Vec<u8>) {
        let queue = match way {
            Direction::FromDevice => &mut self.inbound,
            Direction::ToDevice => &mut self.outbound,
        };
        if queue.len() + self.ready.len() >= self.limits.packets_max {
            self.log.note(self.now, Happening::Lost { direction: way, bytes: packet.len() });
            return;
        }
        self.departures += 1;
        queue.insert((due.max(self.now), self.departures), packet);
    }
}

/// What a fault's scope looks at: our TCP port, and the numbers of the connection in all and at its port.
#[derive(Clone, Copy, Default)]
struct Traffic {
    port: Option<u16>,
    numbers: Option<(ConnectionId, u32)>,
}

fn applies(scope: &Scope, traffic: Traffic) -> bool {
    let number = traffic.numbers.map(|(id, number_at_port)| if scope.port.is_some() { number_at_port } else { id.0 });
    let is_port = scope.port.is_none() || scope.port == traffic.port;
    let is_connection =
        scope.connections.as_ref().is_none_or(|only| number.is_some_and(|number| only.contains(&number)));
    is_port && is_connection
}

fn pop_due(queue: &mut BTreeMap<(Instant, u64), Vec<u8>>, now: Instant) -> Option<Vec<u8>> {
    let first = queue.first_entry().filter(|entry| entry.key().0 <= now)?;
    Some(first.remove())
}
