//! The DHCP server (RFC 2131), with the packets of smoltcp.

use clock::Instant;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    DHCP_CLIENT_PORT, DHCP_MAX_DNS_SERVER_COUNT, DHCP_SERVER_PORT, DhcpMessageType, DhcpOption, DhcpPacket, DhcpRepr,
    EthernetAddress, EthernetProtocol, IpAddress, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};

use super::{AddressEvent, AddressFault, Lease, Segment, later};

/// Interface MTU (RFC 2132 §5.1).
const OPTION_MTU: u8 = 26;
/// Hops that an answer may take.
const HOP_LIMIT: u8 = 64;

impl Segment {
    /// Takes an IPv4 packet; `false` if it is none for a DHCP server.
    pub(super) fn receive_dhcp(&mut self, now: Instant, from: EthernetAddress, packet: &[u8]) -> bool {
        let Some(question) = payload(packet) else { return false };
        let Ok(dhcp) = DhcpPacket::new_checked(question) else { return true };
        if let Ok(repr) = DhcpRepr::parse(&dhcp) {
            self.answer(now, from, &repr);
        }
        true
    }

    fn answer(&mut self, now: Instant, from: EthernetAddress, question: &DhcpRepr<'_>) {
        let mut answer = match question.message_type {
            DhcpMessageType::Discover => DhcpMessageType::Offer,
            DhcpMessageType::Request => DhcpMessageType::Ack,
            DhcpMessageType::Inform => DhcpMessageType::Ack,
            DhcpMessageType::Decline => return self.note(now, AddressEvent::Declined),
            DhcpMessageType::Release => return self.note(now, AddressEvent::Released),
            _ => return,
        };
        // A request that another server is meant by is none of ours (RFC 2131 §4.3.2).
        if question.server_identifier.is_some_and(|server| server != self.config.lease.router) {
            return;
        }
        let says_nothing =
            |fault: &AddressFault| matches!(fault, AddressFault::DhcpSilent { .. } | AddressFault::Ipv6RouterOnly {});
        if let Some(fault) = self.faults.enact(says_nothing) {
            if fault == (AddressFault::Ipv6RouterOnly {}) {
                self.advertise_router(now, from);
            }
            return self.note(now, AddressEvent::Enacted(fault));
        }
        let wanted = question.requested_ip.unwrap_or(question.client_ip);
        if question.message_type == DhcpMessageType::Request {
            if let Some(fault) = self.faults.enact(|fault| matches!(fault, AddressFault::DhcpNak { .. })) {
                self.note(now, AddressEvent::Enacted(fault));
                answer = DhcpMessageType::Nak;
            } else if wanted != self.config.lease.address {
                answer = DhcpMessageType::Nak;
            }
        }
        let mut by_ms = 0;
        if let Some(fault) = self.faults.enact(|fault| matches!(fault, AddressFault::DhcpLate { .. })) {
            if let AddressFault::DhcpLate { by_ms: late_ms, .. } = fault {
                by_ms = late_ms;
            }
            self.note(now, AddressEvent::Enacted(fault));
        }
        self.note(
            now,
            match answer {
                DhcpMessageType::Offer => AddressEvent::Offered,
                DhcpMessageType::Ack => AddressEvent::Leased,
                _ => AddressEvent::Refused,
            },
        );
        let packet = self.packet(answer, question);
        self.send(
            later(now, by_ms),
            if question.broadcast { EthernetAddress::BROADCAST } else { from },
            EthernetProtocol::Ipv4,
            &packet,
        );
    }

    /// The answer as an IP packet.
    fn packet(&mut self, answer: DhcpMessageType, question: &DhcpRepr<'_>) -> Vec<u8> {
        let Lease { address, prefix_bits, router, ref name_servers, seconds, mtu_bytes } = self.config.lease;
        let is_refusal = answer == DhcpMessageType::Nak;
        let has_name_server = self.faults.enact(|fault| *fault == AddressFault::NoNameServer {}).is_none();
        let has_router = self.faults.enact(|fault| *fault == AddressFault::NoRouter {}).is_none();
        let servers: Option<_> = (has_name_server && !name_servers.is_empty() && !is_refusal)
            .then(|| name_servers.iter().copied().take(DHCP_MAX_DNS_SERVER_COUNT).collect());
        let mtu = mtu_bytes.unwrap_or_default().to_be_bytes();
        let options = [DhcpOption { kind: OPTION_MTU, data: &mtu }];
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix_bits.min(32))).unwrap_or(0);
        let dhcp = DhcpRepr {
            message_type: answer,
            transaction_id: question.transaction_id,
            secs: 0,
            client_hardware_address: question.client_hardware_address,
            client_ip: if is_refusal { Ipv4Address::UNSPECIFIED } else { question.client_ip },
            your_ip: if is_refusal { Ipv4Address::UNSPECIFIED } else { address },
            server_ip: router,
            router: (!is_refusal && has_router).then_some(router),
            subnet_mask: (!is_refusal).then(|| Ipv4Address::from(mask)),
            relay_agent_ip: Ipv4Address::UNSPECIFIED,
            broadcast: question.broadcast,
            requested_ip: None,
            client_identifier: None,
            server_identifier: Some(router),
            parameter_request_list: None,
            dns_servers: servers,
            max_size: None,
            lease_duration: (!is_refusal).then_some(seconds),
            renew_duration: None,
            rebind_duration: None,
            additional_options: if mtu_bytes.is_some() && !is_refusal { &options } else { &[] },
        };
        let destination = if question.broadcast || is_refusal { Ipv4Address::BROADCAST } else { address };
        ip_packet(router, destination, &dhcp)
    }
}

/// What a UDP packet for a DHCP server holds.
fn payload(packet: &[u8]) -> Option<&[u8]> {
    let ip = Ipv4Packet::new_checked(packet).ok()?;
    let is_whole = !ip.more_frags() && ip.frag_offset() == 0 && ip.next_header() == IpProtocol::Udp;
    let start = usize::from(ip.header_len());
    let udp = packet.get(start..usize::from(ip.total_len())).filter(|_| is_whole)?;
    let checked = UdpPacket::new_checked(udp).ok()?;
    (checked.dst_port() == DHCP_SERVER_PORT).then(|| udp.get(8..usize::from(checked.len())))?
}

fn ip_packet(source: Ipv4Address, destination: Ipv4Address, dhcp: &DhcpRepr<'_>) -> Vec<u8> {
    let udp = UdpRepr { src_port: DHCP_SERVER_PORT, dst_port: DHCP_CLIENT_PORT };
    let length = dhcp.buffer_len();
    let ip = Ipv4Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: IpProtocol::Udp,
        payload_len: udp.header_len() + length,
        hop_limit: HOP_LIMIT,
    };
    let checksums = ChecksumCapabilities::default();
    let mut bytes = vec![0; ip.buffer_len() + udp.header_len() + length];
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
    ip.emit(&mut packet, &checksums);
    let mut datagram = UdpPacket::new_unchecked(packet.payload_mut());
    let (source, destination) = (IpAddress::Ipv4(source), IpAddress::Ipv4(destination));
    let fill = |payload: &mut [u8]| {
        let emitted = DhcpRepr::emit(dhcp, &mut DhcpPacket::new_unchecked(payload));
        debug_assert!(emitted.is_ok(), "the buffer is as long as it has to be");
    };
    udp.emit(&mut datagram, &source, &destination, length, fill, &checksums);
    bytes
}
