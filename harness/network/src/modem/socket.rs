//! The modem's own TCP/IP: one TCP connection, and a resolver for the name in AT+CIPOPEN.

use std::net::{IpAddr, Ipv4Addr};

use clock::{Duration, Instant};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::{dns, tcp};
use smoltcp::wire::{DnsQueryType, HardwareAddress, IpAddress, IpCidr};

use crate::gateway::{Port, smol};

/// The receive window: what a broker may have under way while the device does not read, in bytes.
const RECEIVE_BYTES: usize = 16 * 1_024;
const SEND_BYTES: usize = 16 * 1_024;
/// How long a connection attempt may take (SIMCom's manual, AT+CIPTIMEOUT: 120 s unless told otherwise).
const OPEN_WITHIN: Duration = Duration::from_secs(120);
/// The dynamic ports (RFC 6335 §6).
const PORTS: std::ops::RangeInclusive<u16> = 0xc000..=0xffff;

/// What came of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Connected,
    Refused,
    TimedOut,
    NoSuchName,
}

/// How far an attempt to connect has come.
#[derive(Clone, Copy)]
enum Attempt {
    None,
    Resolving { query: dns::QueryHandle, port: u16, until: Instant },
    Connecting { until: Instant },
    Failed(Opened),
    Open,
}

/// The socket.
pub(super) struct Socket {
    interface: Interface,
    sockets: SocketSet<'static>,
    link: Port,
    tcp: SocketHandle,
    dns: SocketHandle,
    attempt: Attempt,
    next_port: u16,
    now: Instant,
}

impl Socket {
    pub(super) fn new(
        address: Ipv4Addr,
        gateway: Ipv4Addr,
        prefix_bits: u8,
        resolver: Ipv4Addr,
        mtu_bytes: usize,
        seed: u64,
    ) -> Self {
        let mut link = Port::new(mtu_bytes);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut link, smol(Instant::ZERO));
        interface.update_ip_addrs(|addresses| {
            // There is room for one: smoltcp's least is two.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(address), prefix_bits.min(32)));
        });
        // There is room for one again.
        let _ = interface.routes_mut().add_default_ipv4_route(gateway);
        let mut sockets = SocketSet::new(Vec::new());
        let tcp = sockets.add(fresh_tcp());
        let dns = sockets.add(dns::Socket::new(&[IpAddress::Ipv4(resolver)], vec![None]));
        let next_port = *PORTS.start() | (seed as u16 & 0x3fff);
        Self { interface, sockets, link, tcp, dns, attempt: Attempt::None, next_port, now: Instant::ZERO }
    }

    /// Starts to connect to `host`, a name or the literal of an address.
    pub(super) fn open(&mut self, host: &str, port: u16) {
        let until = self.now + OPEN_WITHIN;
        self.attempt = match host.parse::<IpAddr>() {
            Ok(address) => self.connect(address.into(), port, until),
            Err(_) => {
                let socket = self.sockets.get_mut::<dns::Socket<'_>>(self.dns);
                match socket.start_query(self.interface.context(), host, DnsQueryType::A) {
                    Ok(query) => Attempt::Resolving { query, port, until },
                    Err(_) => Attempt::Failed(Opened::NoSuchName),
                }
            }
        };
    }

    /// What has come of the attempt, if that is known.
    pub(super) fn opened(&self) -> Option<Opened> {
        match self.attempt {
            Attempt::None | Attempt::Resolving { .. } | Attempt::Connecting { .. } => None,
            Attempt::Failed(how) => Some(how),
            Attempt::Open => Some(Opened::Connected),
        }
    }

    /// Takes one packet.
    pub(super) fn ingress(&mut self, now: Instant, packet: Vec<u8>) {
        self.now = self.now.max(now);
        self.link.incoming(packet);
        self.interface.poll_ingress_single(smol(self.now), &mut self.link, &mut self.sockets);
        self.link.forget_incoming();
    }

    /// Lets the stack do what is due.
    pub(super) fn poll(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.go_on();
        self.interface.poll_maintenance(smol(self.now));
        while self.interface.poll_egress(smol(self.now), &mut self.link, &mut self.sockets)
            != smoltcp::iface::PollResult::None
        {}
        self.go_on();
    }

    pub(super) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(smol(now), &self.sockets)?;
        let timer = Some(Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0)));
        match self.attempt {
            Attempt::Resolving { until, .. } | Attempt::Connecting { until } => Instant::earliest(timer, Some(until)),
            _ => timer,
        }
    }

    pub(super) fn take_outgoing(&mut self) -> Option<Vec<u8>> {
        self.link.take_outgoing()
    }

    pub(super) fn has_outgoing(&self) -> bool {
        self.link.has_outgoing()
    }

    /// Bytes of the peer that have not been read.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.sockets.get::<tcp::Socket<'_>>(self.tcp).recv_queue()
    }

    /// Takes bytes of the peer.
    pub(super) fn read(&mut self, bytes_max: usize) -> Vec<u8> {
        let mut bytes = vec![0; bytes_max.min(self.waiting_bytes())];
        let count = self.tcp().recv_slice(&mut bytes).unwrap_or(0);
        bytes.truncate(count);
        bytes
    }

    /// Sends what there is room for; returns how much that is.
    pub(super) fn send(&mut self, bytes: &[u8]) -> usize {
        self.tcp().send_slice(bytes).unwrap_or(0)
    }

    /// Whether nothing can be sent any more.
    pub(super) fn is_closed(&self) -> bool {
        !self.sockets.get::<tcp::Socket<'_>>(self.tcp).may_send()
    }

    /// Whether the peer will send no more, in good order or not.
    pub(super) fn is_closed_by_peer(&self) -> bool {
        let socket = self.sockets.get::<tcp::Socket<'_>>(self.tcp);
        let has_ended = matches!(socket.state(), tcp::State::CloseWait | tcp::State::Closed);
        matches!(self.attempt, Attempt::Open) && has_ended
    }

    /// Closes in good order.
    pub(super) fn close(&mut self) {
        self.tcp().close();
        self.give_up_query();
        self.attempt = Attempt::None;
    }

    /// Forgets everything without a word to anybody.
    pub(super) fn vanish(&mut self) {
        self.give_up_query();
        self.sockets.remove(self.tcp);
        self.tcp = self.sockets.add(fresh_tcp());
        self.attempt = Attempt::None;
    }

    fn tcp(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.tcp)
    }

    fn give_up_query(&mut self) {
        if let Attempt::Resolving { query, .. } = self.attempt {
            self.sockets.get_mut::<dns::Socket<'_>>(self.dns).cancel_query(query);
        }
    }

    fn connect(&mut self, address: IpAddress, port: u16, until: Instant) -> Attempt {
        let local_port = self.next_port;
        self.next_port = self.next_port.checked_add(1).unwrap_or(*PORTS.start());
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        // What an earlier connection still had to say is cut short, as its link was closed.
        socket.abort();
        match socket.connect(self.interface.context(), (address, port), local_port) {
            Ok(()) => Attempt::Connecting { until },
            Err(_) => Attempt::Failed(Opened::Refused),
        }
    }

    /// Takes an attempt to its next step.
    fn go_on(&mut self) {
        self.attempt = match self.attempt {
            Attempt::Resolving { query, port, until } => {
                match self.sockets.get_mut::<dns::Socket<'_>>(self.dns).get_query_result(query) {
                    Ok(addresses) => match addresses.first() {
                        Some(&address) => self.connect(address, port, until),
                        None => Attempt::Failed(Opened::NoSuchName),
                    },
                    Err(dns::GetQueryResultError::Pending) if self.now < until => self.attempt,
                    Err(_) => Attempt::Failed(Opened::NoSuchName),
                }
            }
            Attempt::Connecting { until } => match self.tcp().state() {
                tcp::State::SynSent | tcp::State::SynReceived if self.now < until => self.attempt,
                tcp::State::SynSent | tcp::State::SynReceived => {
                    self.tcp().abort();
                    Attempt::Failed(Opened::TimedOut)
                }
                tcp::State::Closed => Attempt::Failed(Opened::Refused),
                _ => Attempt::Open,
            },
            attempt => attempt,
        };
    }
}

fn fresh_tcp() -> tcp::Socket<'static> {
    let buffer = |bytes: usize| tcp::SocketBuffer::new(vec![0; bytes]);
    let mut socket = tcp::Socket::new(buffer(RECEIVE_BYTES), buffer(SEND_BYTES));
    socket.set_nagle_enabled(false);
    socket
}
