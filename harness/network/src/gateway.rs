//! The TCP/IP stack at the end of the line: smoltcp, answering for whatever address a packet is meant for.
//!
//! RFC 6298 as smoltcp 0.14 has it: the first retransmission after 1 s, never sooner, doubling up to 60 s. A device
//! that computes for longer than that without a word is sent things twice; so it is on any network.

use std::collections::VecDeque;
use std::net::SocketAddr;

use clock::Instant;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::socket::tcp;
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::HardwareAddress;

/// Bytes that a connection keeps for sending again.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// The interface, its sockets and the packets that have not left it yet.
pub(crate) struct Gateway {
    interface: Interface,
    sockets: SocketSet<'static>,
    port: Port,
}

impl Gateway {
    pub(crate) fn new(seed: u64, mtu_bytes: usize) -> Self {
        let mut port = Port::new(mtu_bytes);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut port, SmolInstant::ZERO);
        // Whose addresses are ours is decided before a packet comes here.
        interface.set_any_ip(true);
        Self { interface, sockets: SocketSet::new(Vec::new()), port }
    }

    /// Takes one packet.
    pub(crate) fn ingress(&mut self, now: Instant, packet: Vec<u8>) {
        self.port.incoming(packet);
        self.interface.poll_ingress_single(smol(now), &mut self.port, &mut self.sockets);
        self.port.forget_incoming();
    }

    /// Lets every socket send what it can.
    pub(crate) fn egress(&mut self, now: Instant) {
        self.interface.poll_maintenance(smol(now));
        while self.interface.poll_egress(smol(now), &mut self.port, &mut self.sockets)
            != smoltcp::iface::PollResult::None
        {}
    }

    /// The next packet that the stack has sent.
    pub(crate) fn take_outgoing(&mut self) -> Option<Vec<u8>> {
        self.port.take_outgoing()
    }

    /// When a timer of the stack runs out.
    pub(crate) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(smol(now), &self.sockets)?;
        Some(Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0)))
    }

    /// A socket that waits for one connection to `local`; `None` for port 0.
    pub(crate) fn listen(&mut self, local: SocketAddr, window_bytes: usize) -> Option<SocketHandle> {
        let buffer = |bytes: usize| tcp::SocketBuffer::new(vec![0; bytes]);
        let mut socket = tcp::Socket::new(buffer(window_bytes.max(1)), buffer(SEND_BUFFER_BYTES));
        socket.set_nagle_enabled(false);
        socket.set_congestion_control(tcp::CongestionControl::None);
        socket.listen(local).ok()?;
        Some(self.sockets.add(socket))
    }

    pub(crate) fn socket(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    pub(crate) fn remove(&mut self, handle: SocketHandle) {
        self.sockets.remove(handle);
    }
}

/// smoltcp counts microseconds: rounded down, so that a timer set for a microsecond has run out at that microsecond.
pub(crate) fn smol(now: Instant) -> SmolInstant {
    SmolInstant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

/// The interface's end of the network: one packet in, any number out.
pub(crate) struct Port {
    mtu_bytes: usize,
    incoming: Option<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

impl Port {
    pub(crate) const fn new(mtu_bytes: usize) -> Self {
        Self { mtu_bytes, incoming: None, outgoing: VecDeque::new() }
    }

    /// The packet that the interface finds when it is polled next.
    pub(crate) fn incoming(&mut self, packet: Vec<u8>) {
        self.incoming = Some(packet);
    }

    /// A packet that the interface did not want.
    pub(crate) fn forget_incoming(&mut self) {
        self.incoming = None;
    }

    pub(crate) fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The next packet that the interface has sent.
    pub(crate) fn take_outgoing(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }
}

impl phy::Device for Port {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: SmolInstant) -> Option<(Incoming, Outgoing<'_>)> {
        let packet = self.incoming.take()?;
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

pub(crate) struct Incoming(Vec<u8>);

impl phy::RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}
