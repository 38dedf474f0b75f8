//! A device for the tests: a second TCP/IP stack, and the loop that carries packets between it and the LAN in virtual
//! time.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clock::{Duration, Instant};
use network::{Action, Close, ConnectionId, Lan, LanConfig, Listener, Service};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::socket::{AnySocket, tcp};
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv4Cidr, Ipv6Cidr};

pub const DEVICE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub const DEVICE_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
pub const BROKER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
pub const BROKER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10);
pub const PORT: u16 = 8883;

/// A LAN with the service at [`PORT`] of both broker addresses.
pub fn config() -> LanConfig {
    LanConfig {
        addresses: vec![IpAddr::V4(BROKER), IpAddr::V6(BROKER_V6)],
        listeners: vec![Listener::service(PORT)],
        ..LanConfig::default()
    }
}

/// The device's stack.
pub struct Device {
    interface: Interface,
    pub sockets: SocketSet<'static>,
    port: Port,
    next_ephemeral_port: u16,
}

impl Device {
    pub fn new(mtu_bytes: usize) -> Self {
        let mut port = Port { mtu_bytes, incoming: VecDeque::new(), outgoing: VecDeque::new() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = 0xdead_beef;
        let mut interface = Interface::new(config, &mut port, SmolInstant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::Ipv4(Ipv4Cidr::new(DEVICE, 24))).unwrap();
            addresses.push(IpCidr::Ipv6(Ipv6Cidr::new(DEVICE_V6, 64))).unwrap();
        });
        interface.routes_mut().add_default_ipv4_route(Ipv4Addr::new(10, 0, 0, 1)).unwrap();
        interface.routes_mut().add_default_ipv6_route(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)).unwrap();
        Self { interface, sockets: SocketSet::new(Vec::new()), port, next_ephemeral_port: 49_152 }
    }

    pub fn connect(&mut self, to: SocketAddr) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; 8 * 1024]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        self.next_ephemeral_port += 1;
        socket.connect(self.interface.context(), to, self.next_ephemeral_port).unwrap();
        self.sockets.add(socket)
    }

    pub fn add<T: AnySocket<'static>>(&mut self, socket: T) -> SocketHandle {
        self.sockets.add(socket)
    }

    pub fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    pub fn context(&mut self) -> &mut smoltcp::iface::Context {
        self.interface.context()
    }

    pub fn poll(&mut self, now: Instant) {
        let now = SmolInstant::from_micros(now.as_micros() as i64);
        while self.interface.poll(now, &mut self.port, &mut self.sockets) != PollResult::None {}
    }

    pub fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let smol = SmolInstant::from_micros(now.as_micros() as i64);
        let at = self.interface.poll_at(smol, &self.sockets)?;
        Some(Instant::from_micros(at.total_micros().max(0) as u64).max(now))
    }

    pub fn take_packet(&mut self) -> Option<Vec<u8>> {
        self.port.outgoing.pop_front()
    }

    pub fn give_packet(&mut self, packet: Vec<u8>) {
        self.port.incoming.push_back(packet);
    }
}

struct Port {
    mtu_bytes: usize,
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

impl phy::Device for Port {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: SmolInstant) -> Option<(Incoming, Outgoing<'_>)> {
        let packet = self.incoming.pop_front()?;
        Some((Incoming(packet), Outgoing(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Outgoing<'_>> {
        Some(Outgoing(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu_bytes;
        capabilities
    }
}

struct Incoming(Vec<u8>);

impl phy::RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}

/// Device and LAN on one line, in virtual time. A packet takes 100 µs either way.
pub struct Bench<S> {
    pub now: Instant,
    pub device: Device,
    pub lan: Lan<S>,
    line: VecDeque<(Instant, Direction, Vec<u8>)>,
    /// Extra, needless calls of `poll` between events: they must change nothing.
    pub needless_polls: bool,
}

enum Direction {
    Up,
    Down,
}

const LINE_DELAY: Duration = Duration::from_micros(100);

impl<S: Service> Bench<S> {
    pub fn new(config: LanConfig, seed: u64, service: S) -> Self {
        let device = Device::new(1_500);
        let lan = Lan::new(config, seed, service);
        Self { now: Instant::ZERO, device, lan, line: VecDeque::new(), needless_polls: false }
    }

    /// Runs until `done` says so or nothing is left to happen before `limit`; true if `done`.
    pub fn run(&mut self, limit: Instant, mut done: impl FnMut(&mut Device, &mut Lan<S>, Instant) -> bool) -> bool {
        loop {
            loop {
                self.device.poll(self.now);
                if done(&mut self.device, &mut self.lan, self.now) {
                    return true;
                }
                self.device.poll(self.now);
                let mut moved = false;
                while let Some(packet) = self.device.take_packet() {
                    self.line.push_back((self.now + LINE_DELAY, Direction::Up, packet));
                    moved = true;
                }
                self.lan.poll(self.now);
                while let Some(packet) = self.lan.transmit() {
                    self.line.push_back((self.now + LINE_DELAY, Direction::Down, packet));
                    moved = true;
                }
                if !moved {
                    break;
                }
            }
            let line = self.line.front().map(|(at, _, _)| *at);
            let next = [line, self.device.poll_at(self.now), self.lan.poll_at(self.now)].into_iter().flatten().min();
            let Some(mut next) = next.filter(|&next| next <= limit) else {
                self.now = limit;
                self.lan.poll(limit);
                return false;
            };
            if next <= self.now {
                // smoltcp's 10 ms delayed ACK and the like: never spin at one instant.
                next = self.now + Duration::from_micros(1);
            }
            if self.needless_polls {
                let gap = next.since(self.now) / 3;
                self.lan.poll(self.now + gap);
                self.lan.poll(self.now + gap * 2);
                assert_eq!(self.lan.transmit(), None, "a packet came out before it was announced");
            }
            self.now = next;
            while self.line.front().is_some_and(|(at, _, _)| *at <= self.now) {
                match self.line.pop_front() {
                    Some((_, Direction::Up, packet)) => self.lan.receive(self.now, &packet),
                    Some((_, Direction::Down, packet)) => self.device.give_packet(packet),
                    None => {}
                }
            }
        }
    }
}

/// What a test's service saw, and what it says.
#[derive(Default)]
pub struct Scripted {
    pub connected: Vec<(ConnectionId, SocketAddr)>,
    pub received: Vec<u8>,
    pub received_at: Vec<Instant>,
    pub closed: Vec<(ConnectionId, Close)>,
    /// Said once connected.
    pub greeting: Vec<Action>,
    /// Said once the device's first bytes have come.
    pub answer: Vec<Action>,
    /// Everything received is sent back.
    pub echo: bool,
    pub queue: VecDeque<(ConnectionId, Action)>,
}

impl Service for Scripted {
    fn connected(&mut self, _: Instant, connection: ConnectionId, local: SocketAddr, _: SocketAddr) {
        self.connected.push((connection, local));
        self.queue.extend(self.greeting.iter().map(|action| (connection, action.clone())));
    }

    fn received(&mut self, now: Instant, connection: ConnectionId, bytes: &[u8]) {
        if self.received.is_empty() {
            self.queue.extend(self.answer.iter().map(|action| (connection, action.clone())));
        }
        self.received.extend_from_slice(bytes);
        self.received_at.push(now);
        if self.echo {
            self.queue.push_back((connection, Action::Send(bytes.to_vec())));
        }
    }

    fn peer_closed(&mut self, _: Instant, connection: ConnectionId, how: Close) {
        self.closed.push((connection, how));
        if how == Close::Fin {
            self.queue.push_back((connection, Action::Fin));
        }
    }

    fn poll(&mut self, _: Instant, connection: ConnectionId) -> Option<Action> {
        let index = self.queue.iter().position(|(id, _)| *id == connection)?;
        self.queue.remove(index).map(|(_, action)| action)
    }

    fn poll_at(&self, _: Instant) -> Option<Instant> {
        None
    }
}

/// `count` bytes in which every position can be told from its neighbours.
pub fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index ^ (index >> 8)) as u8).collect()
}

/// A device program: opens one connection, sends `to_send`, reads what comes, closes when it has `expects` bytes.
pub struct Client {
    pub handle: SocketHandle,
    to_send: Vec<u8>,
    sent: usize,
    pub received: Vec<u8>,
    /// When each piece arrived, and its length.
    pub arrivals: Vec<(Instant, usize)>,
    expects: usize,
    pub was_open: bool,
}

impl Client {
    pub fn new(device: &mut Device, to: SocketAddr, to_send: Vec<u8>, expects: usize) -> Self {
        let handle = device.connect(to);
        Self { handle, to_send, sent: 0, received: Vec::new(), arrivals: Vec::new(), expects, was_open: false }
    }

    /// Acts once; true when it has sent and received everything, or the connection is gone.
    pub fn act(&mut self, device: &mut Device, now: Instant) -> bool {
        let socket = device.tcp(self.handle);
        self.was_open |= socket.may_send();
        if socket.can_send() && self.sent < self.to_send.len() {
            self.sent += socket.send_slice(&self.to_send[self.sent..]).unwrap_or(0);
        }
        while socket.can_recv() {
            let Ok(bytes) = socket.recv(|bytes| (bytes.len(), bytes.to_vec())) else { break };
            self.arrivals.push((now, bytes.len()));
            self.received.extend(bytes);
        }
        let has_everything = self.sent == self.to_send.len() && self.received.len() >= self.expects;
        if has_everything && socket.send_queue() == 0 {
            socket.close();
        }
        matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait)
    }
}

pub fn broker() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(BROKER), PORT)
}

pub fn broker_v6() -> SocketAddr {
    SocketAddr::new(IpAddr::V6(BROKER_V6), PORT)
}
