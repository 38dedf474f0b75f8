//! Datagrams: one question in, one answer out.

use std::net::SocketAddr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, IpRepr, UDP_HEADER_LEN, UdpPacket, UdpRepr};

/// What the UDP packet at `transport_at` carries; `None` if its checksum is wrong.
pub(crate) fn payload(
    packet: &[u8],
    transport_at: usize,
    source: SocketAddr,
    destination: SocketAddr,
) -> Option<&[u8]> {
    let udp = UdpPacket::new_checked(packet.get(transport_at..)?).ok()?;
    udp.verify_checksum(&source.ip().into(), &destination.ip().into()).then(|| udp.payload())
}

/// An IP packet with one datagram.
pub(crate) fn packet(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let checksums = ChecksumCapabilities::default();
    let udp = UdpRepr { src_port: source.port(), dst_port: destination.port() };
    let datagram_bytes = UDP_HEADER_LEN + payload.len();
    let ip = IpRepr::new(source.ip().into(), destination.ip().into(), IpProtocol::Udp, datagram_bytes, 64);
    let mut packet = vec![0; ip.header_len() + datagram_bytes];
    ip.emit(packet.as_mut_slice(), &checksums);
    udp.emit(
        &mut UdpPacket::new_unchecked(&mut packet[ip.header_len()..]),
        &source.ip().into(),
        &destination.ip().into(),
        payload.len(),
        |buffer| buffer.copy_from_slice(payload),
        &checksums,
    );
    packet
}
