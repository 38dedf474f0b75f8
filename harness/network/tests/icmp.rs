//! What the gateway answers besides TCP and its servers.

mod device;

use clock::Instant;
use device::{BROKER, DEVICE, config};
use network::{Happening, Lan, NoService};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol, IpRepr, Ipv4Packet};

/// An IPv4 packet of the device.
fn packet(to: IpAddress, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let ip = IpRepr::new(DEVICE.into(), to, protocol, payload.len(), 64);
    let mut packet = vec![0; ip.header_len()];
    ip.emit(packet.as_mut_slice(), &ChecksumCapabilities::default());
    packet.extend_from_slice(payload);
    packet
}

fn exchange(packet: &[u8]) -> (Option<Vec<u8>>, Vec<Happening>) {
    let mut lan = Lan::new(config(), 1, NoService);
    lan.receive(Instant::ZERO, packet);
    let answer = lan.transmit();
    assert_eq!(lan.transmit(), None);
    (answer, lan.take_events().into_iter().map(|event| event.what).collect())
}

#[test]
fn pings_are_answered() {
    let ping = Icmpv4Repr::EchoRequest { ident: 7, seq_no: 9, data: b"are you there?" };
    let mut payload = vec![0; ping.buffer_len()];
    ping.emit(&mut Icmpv4Packet::new_unchecked(&mut payload[..]), &ChecksumCapabilities::default());
    let (answer, _) = exchange(&packet(BROKER.into(), IpProtocol::Icmp, &payload));
    let answer = answer.unwrap();
    let ip = Ipv4Packet::new_checked(&answer[..]).unwrap();
    assert_eq!((ip.src_addr(), ip.dst_addr()), (BROKER, DEVICE));
    let pong = Icmpv4Packet::new_checked(ip.payload()).unwrap();
    assert_eq!(
        Icmpv4Repr::parse(&pong, &ChecksumCapabilities::default()),
        Ok(Icmpv4Repr::EchoReply { ident: 7, seq_no: 9, data: b"are you there?" })
    );
}

#[test]
fn a_datagram_for_nobody_is_answered_with_port_unreachable() {
    // From port 4660 to port 5353, 8 bytes long, without a checksum.
    let (answer, _) = exchange(&packet(BROKER.into(), IpProtocol::Udp, b"\x12\x34\x14\xe9\x00\x08\x00\x00"));
    let answer = answer.unwrap();
    let icmp = Icmpv4Packet::new_checked(Ipv4Packet::new_checked(&answer[..]).unwrap().payload()).unwrap();
    let Ok(Icmpv4Repr::DstUnreachable { reason, .. }) = Icmpv4Repr::parse(&icmp, &ChecksumCapabilities::default())
    else {
        panic!("{icmp:?}");
    };
    assert_eq!(reason, Icmpv4DstUnreachable::PortUnreachable);
}

#[test]
fn an_address_that_nobody_owns_answers_nothing() {
    let nobody = std::net::Ipv4Addr::new(203, 0, 113, 1);
    let (answer, events) = exchange(&packet(nobody.into(), IpProtocol::Udp, b"\x12\x34\x14\xe9\x00\x08\x00\x00"));
    assert_eq!(answer, None);
    assert_eq!(events, [Happening::NobodyThere { address: nobody.into() }]);
}
