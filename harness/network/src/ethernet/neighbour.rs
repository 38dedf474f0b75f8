//! Who has which address: ARP (RFC 826) and neighbour solicitations (RFC 4861 §7.2.4).

use std::net::IpAddr;

use clock::Instant;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    Ipv6Address, Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress,
};

use super::{AddressEvent, AddressFault, Segment};

/// Who has the device's address where it is taken.
const NEIGHBOUR_MAC: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0x01, 0x99];
/// Neighbour discovery accepts nothing that came from further away (RFC 4861 §7.1).
const HOP_LIMIT: u8 = 255;

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
            Ok(Icmpv6Repr::Ndisc(_)) => true,
            _ => false,
        }
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
        let ip = Ipv6Repr {
            src_addr: wanted,
            dst_addr: asks,
            next_header: IpProtocol::Icmpv6,
            payload_len: answer.buffer_len(),
            hop_limit: HOP_LIMIT,
        };
        let mut bytes = vec![0; ip.buffer_len() + answer.buffer_len()];
        let mut packet = Ipv6Packet::new_unchecked(&mut bytes);
        ip.emit(&mut packet);
        let mut icmp = Icmpv6Packet::new_unchecked(packet.payload_mut());
        answer.emit(&wanted, &asks, &mut icmp, &ChecksumCapabilities::default());
        self.send(now, to, EthernetProtocol::Ipv6, &bytes);
    }
}
