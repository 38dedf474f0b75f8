//! An Ethernet in front of the LAN: for devices that have a network interface and not a line with IP packets on it.
//!
//! Frames of the device go in ([`Segment::receive`]), and the IP packets in them come out for the LAN. The LAN's packets go in
//! ([`Segment::send_ip`]), and come out as frames for the device. In between are the router's answers to ARP (RFC 826)
//! and neighbour solicitations (RFC 4861), and a DHCP server (RFC 2131), with what goes wrong in them.

mod dhcp;
mod fault;
mod neighbour;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use clock::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpVersion};

pub use fault::AddressFault;
use fault::Faults;

/// Frames that wait for the device; more are lost.
const FRAMES_MAX: usize = 256;

/// What the Ethernet is told before the device has power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentConfig {
    /// The router's hardware address.
    pub router_mac: [u8; 6],
    /// Addresses that the router answers for: everything behind it that is in the device's own network.
    pub addresses: Vec<IpAddr>,
    /// What a device is lent.
    pub lease: Lease,
    /// What goes wrong, in order.
    pub faults: Vec<AddressFault>,
}

/// What DHCP lends a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The device's address.
    pub address: Ipv4Addr,
    /// The length of its prefix.
    pub prefix_bits: u8,
    /// The router, which is the DHCP server too.
    pub router: Ipv4Addr,
    /// Name servers, at most three.
    pub name_servers: Vec<Ipv4Addr>,
    /// For how long.
    pub seconds: u32,
    /// The interface's MTU, if DHCP names one (RFC 2132 §5.1).
    pub mtu_bytes: Option<u16>,
}

/// What the Ethernet did that no IP packet tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressEvent {
    /// The device was offered the address.
    Offered,
    /// The device has the address.
    Leased,
    /// The device was refused the address.
    Refused,
    /// The device has declined the address: somebody else answered for it.
    Declined,
    /// The device has given the address back.
    Released,
    /// A fault was enacted.
    Enacted(AddressFault),
}

/// An Ethernet with one device and one router on it.
#[derive(Debug)]
pub struct Segment {
    config: SegmentConfig,
    faults: Faults,
    /// The device's hardware address, once it has said something.
    device: Option<EthernetAddress>,
    /// Frames for the device, by the instant at which each leaves.
    outgoing: VecDeque<(Instant, Vec<u8>)>,
    events: Vec<(Instant, AddressEvent)>,
}

impl Segment {
    /// An Ethernet as `config` says.
    pub fn new(config: SegmentConfig) -> Self {
        let faults = Faults::new(&config.faults);
        Self { config, faults, device: None, outgoing: VecDeque::new(), events: Vec::new() }
    }

    /// Takes a frame of the device; an IP packet in it is for the LAN.
    pub fn receive(&mut self, now: Instant, frame: &[u8]) -> Option<Vec<u8>> {
        let frame = EthernetFrame::new_checked(frame).ok()?;
        let router = EthernetAddress(self.config.router_mac);
        let (source, destination) = (frame.src_addr(), frame.dst_addr());
        let is_for_us = destination == router || !destination.is_unicast();
        if !source.is_unicast() || source == router || !is_for_us {
            return None;
        }
        self.device = Some(source);
        match frame.ethertype() {
            EthernetProtocol::Arp => {
                self.receive_arp(now, source, frame.payload());
                None
            }
            EthernetProtocol::Ipv4 if self.receive_dhcp(now, source, frame.payload()) => None,
            EthernetProtocol::Ipv6 if self.receive_neighbour(now, source, frame.payload()) => None,
            EthernetProtocol::Ipv4 | EthernetProtocol::Ipv6 if destination.is_unicast() => {
                Some(frame.payload().to_vec())
            }
            _ => None,
        }
    }

    /// Takes an IP packet that the LAN has for the device.
    pub fn send_ip(&mut self, now: Instant, packet: &[u8]) {
        if packet.is_empty() {
            return;
        }
        let protocol = match IpVersion::of_packet(packet) {
            Ok(IpVersion::Ipv4) => EthernetProtocol::Ipv4,
            Ok(IpVersion::Ipv6) => EthernetProtocol::Ipv6,
            Err(_) => return,
        };
        if let Some(device) = self.device {
            self.send(now, device, protocol, packet);
        }
    }

    /// The next frame for the device that is due by `now`.
    pub fn transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let at = self.outgoing.iter().position(|(due, _)| *due <= now)?;
        self.outgoing.remove(at).map(|(_, frame)| frame)
    }

    /// When to ask for a frame next, if none comes before.
    pub fn poll_at(&self) -> Option<Instant> {
        self.outgoing.iter().map(|(due, _)| *due).min()
    }

    /// What has happened since this was last asked.
    pub fn take_events(&mut self) -> Vec<(Instant, AddressEvent)> {
        std::mem::take(&mut self.events)
    }

    fn note(&mut self, now: Instant, event: AddressEvent) {
        /// A device that asks for ever must not fill the memory.
        const EVENTS_MAX: usize = 1_024;
        if self.events.len() < EVENTS_MAX {
            self.events.push((now, event));
        }
    }

    fn send(&mut self, at: Instant, to: EthernetAddress, protocol: EthernetProtocol, payload: &[u8]) {
        self.send_from(at, EthernetAddress(self.config.router_mac), to, protocol, payload);
    }

    fn send_from(
        &mut self,
        at: Instant,
        from: EthernetAddress,
        to: EthernetAddress,
        protocol: EthernetProtocol,
        payload: &[u8],
    ) {
        if self.outgoing.len() >= FRAMES_MAX {
            return;
        }
        let repr = EthernetRepr { src_addr: from, dst_addr: to, ethertype: protocol };
        let mut bytes = vec![0; repr.buffer_len() + payload.len()];
        let mut frame = EthernetFrame::new_unchecked(&mut bytes);
        repr.emit(&mut frame);
        frame.payload_mut().copy_from_slice(payload);
        self.outgoing.push_back((at, bytes));
    }
}

/// How long after a question an answer leaves.
fn later(now: Instant, by_ms: u32) -> Instant {
    now + Duration::from_millis(u64::from(by_ms))
}
