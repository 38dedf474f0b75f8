//! Who has which address: ARP (RFC 826) and neighbour solicitations (RFC 4861 §7.2.4).

use std::net::IpAddr;

use clock::Instant;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::time::Duration;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    Ipv6Address, Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscPrefixInfoFlags, NdiscPrefixInformation, NdiscRepr,
    NdiscRouterFlags, RawHardwareAddress,
};

use super::{AddressEvent, AddressFault, Segment};

/// Who has the device's address where it is taken.
const NEIGHBOUR_MAC: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0x01, 0x99];
/// Neighbour discovery accepts nothing that came from further away (RFC 4861 §7.1).
const HOP_LIMIT: u8 = 255;
/// The router's address on its link.
const ROUTER_LINK_LOCAL: Ipv6Address = Ipv6Address::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// Everybody on the link (RFC 4291 §2.7.1).
const ALL_NODES: Ipv6Address = Ipv6Address::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

impl Segment {
    pub(super) fn receive_arp(&mut self, now: Instant, from: EthernetAddress, payload: &[u8]) {
        let Ok(packet) = ArpPacket::new_checked(payload) else { return };
        let Ok(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_protocol_addr: asks,
            target_protocol_addr: wanted,
            ..
        }) = ArpRepr::parse(&packet)
        else {
            return;
        };
        let mac = if self.config.addresses.contains(&IpAddr::V4(wanted)) {
            if let Some(fault) = self.faults.enact(|fault| matches!(fault, AddressFault::ArpSilent { .. })) {
                return self.note(now, AddressEvent::Enacted(fault));
            }
            EthernetAddress(self.config.router_mac)
        } else if wanted == self.config.lease.address
            && let Some(fault) = self.faults.enact(|fault| *fault == AddressFault::AddressTaken {})
        {
            self.note(now, AddressEvent::Enacted(fault));
            EthernetAddress(NEIGHBOUR_MAC)
        } else {
            return;
        };
        let answer = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_hardware_addr: mac,
            source_protocol_addr: wanted,
            target_hardware_addr: from,
            target_protocol_addr: asks,
        };
        let mut bytes = vec![0; answer.buffer_len()];
        answer.emit(&mut ArpPacket::new_unchecked(&mut bytes));
        self.send_from(now, mac, from, EthernetProtocol::Arp, &bytes);
    }

    /// Takes an IPv6 packet; `false` if it is no neighbour solicitation.
    pub(super) fn receive_neighbour(&mut self, now: Instant, from: EthernetAddress, payload: &[u8]) -> bool {
        let Ok(ip) = Ipv6Packet::new_checked(payload) else { return true };
        if ip.next_header() != IpProtocol::Icmpv6 {
            return false;
        }
        let (source, destination) = (ip.src_addr(), ip.dst_addr());
        let Ok(packet) = Icmpv6Packet::new_checked(ip.payload()) else { return true };
        let checksums = ChecksumCapabilities::default();
        match Icmpv6Repr::parse(&source, &destination, &packet, &checksums) {
            Ok(Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit { target_addr, .. })) => {
                self.advertise(now, from, source, target_addr);
                true
            }
            Ok(Icmpv6Repr::Ndisc(NdiscRepr::RouterSolicit { .. })) => {
                self.advertise_router(now, from);
                true
            }
            Ok(Icmpv6Repr::Ndisc(_)) => true,
            _ => false,
        }
    }

    /// Says that there is a router and which addresses are on its link (RFC 4861 §4.2, §4.6.2). It has a link-local address,
    /// as a router must have.
    pub(super) fn advertise_router(&mut self, now: Instant, to: EthernetAddress) {
        let mac = EthernetAddress(self.config.router_mac);
        let Some(prefix) = self.config.addresses.iter().find_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        }) else {
            return;
        };
        let advertisement = Icmpv6Repr::Ndisc(NdiscRepr::RouterAdvert {
            hop_limit: 64,
            flags: NdiscRouterFlags::empty(),
            router_lifetime: Duration::from_secs(1_800),
            reachable_time: Duration::ZERO,
            retrans_time: Duration::ZERO,
            lladdr: Some(RawHardwareAddress::from(mac)),
            mtu: None,
            prefix_info: Some(NdiscPrefixInformation {
                prefix_len: 64,
                flags: NdiscPrefixInfoFlags::ON_LINK | NdiscPrefixInfoFlags::ADDRCONF,
                valid_lifetime: Duration::from_secs(86_400),
                preferred_lifetime: Duration::from_secs(14_400),
                prefix: Ipv6Address::from_bits(prefix.to_bits() & !u128::from(u64::MAX)),
            }),
        });
        self.send_ndisc(now, to, ROUTER_LINK_LOCAL, ALL_NODES, &advertisement);
    }

    fn advertise(&mut self, now: Instant, to: EthernetAddress, asks: Ipv6Address, wanted: Ipv6Address) {
        if !self.config.addresses.contains(&IpAddr::V6(wanted)) || asks.is_unspecified() {
            return;
        }
        let mac = EthernetAddress(self.config.router_mac);
        let answer = Icmpv6Repr::Ndisc(NdiscRepr::NeighborAdvert {
            flags: NdiscNeighborFlags::ROUTER | NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE,
            target_addr: wanted,
            lladdr: Some(RawHardwareAddress::from(mac)),
        });
        self.send_ndisc(now, to, wanted, asks, &answer);
    }

    fn send_ndisc(
        &mut self,
        now: Instant,
        to: EthernetAddress,
        source: Ipv6Address,
        destination: Ipv6Address,
        message: &Icmpv6Repr<'_>,
    ) {
        let ip = Ipv6Repr {
            src_addr: source,
            dst_addr: destination,
            next_header: IpProtocol::Icmpv6,
            payload_len: message.buffer_len(),
            hop_limit: HOP_LIMIT,
        };
        let mut bytes = vec![0; ip.buffer_len() + message.buffer_len()];
        let mut packet = Ipv6Packet::new_unchecked(&mut bytes);
        ip.emit(&mut packet);
        let mut icmp = Icmpv6Packet::new_unchecked(packet.payload_mut());
        message.emit(&source, &destination, &mut icmp, &ChecksumCapabilities::default());
        self.send(now, to, EthernetProtocol::Ipv6, &bytes);
    }
}
