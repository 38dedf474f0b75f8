//! One packet, opened.

use std::net::SocketAddr;

use clock::Instant;
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};

use crate::tap::Packet;

/// What a packet carries.
pub enum Transport<'a> {
    Tcp(Segment<'a>),
    Udp(Datagram),
}

/// A TCP segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub at: Instant,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub sequence: u32,
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
    pub payload: &'a [u8],
}

/// A UDP datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    pub at: Instant,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub payload: Vec<u8>,
}

/// Why a packet is left out.
pub enum Skipped {
    /// Its receiver would have dropped it too.
    Damaged,
    /// ICMP, a fragment, or something else that tells no conversation.
    Other,
}

impl Segment<'_> {
    /// Whether this, the first segment seen of a connection, comes from the one who opened it. Where a capture began
    /// too late to show that, what the segment says decides, then the port numbers.
    pub fn sender_is_client(&self) -> bool {
        match (self.syn, self.ack, self.payload) {
            (true, ack, _) => !ack,
            // A ClientHello, a ServerHello; an MQTT CONNECT, a CONNACK.
            (_, _, [22, 3, _, _, _, 1, ..] | [0x10, ..]) => true,
            (_, _, [22, 3, _, _, _, 2, ..] | [0x20, 2, ..]) => false,
            _ => self.from.port() >= self.to.port(),
        }
    }
}

/// Opens an IP packet.
pub fn parse(packet: &Packet, verify_checksums: bool) -> Result<Transport<'_>, Skipped> {
    let sliced = LaxSlicedPacket::from_ip(&packet.bytes).map_err(|_| Skipped::Damaged)?;
    let net = sliced.net.as_ref().ok_or(Skipped::Other)?;
    if net.ip_payload_ref().is_none_or(|payload| payload.fragmented) {
        return Err(Skipped::Other);
    }
    if verify_checksums && !is_intact(net, sliced.transport.as_ref()) {
        return Err(Skipped::Damaged);
    }
    let (from, to) = match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            (header.source_addr().into(), header.destination_addr().into())
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            (header.source_addr().into(), header.destination_addr().into())
        }
        LaxNetSlice::Arp(_) => return Err(Skipped::Other),
    };
    let address = |ip, port| SocketAddr::new(ip, port);
    match sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => Ok(Transport::Tcp(Segment {
            at: packet.at,
            from: address(from, tcp.source_port()),
            to: address(to, tcp.destination_port()),
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
        })),
        Some(TransportSlice::Udp(udp)) => Ok(Transport::Udp(Datagram {
            at: packet.at,
            from: address(from, udp.source_port()),
            to: address(to, udp.destination_port()),
            payload: udp.payload().to_vec(),
        })),
        Some(_) => Err(Skipped::Other),
        None if sliced.stop_err.is_some() => Err(Skipped::Damaged),
        None => Err(Skipped::Other),
    }
}

/// Whether the receiver's checks would let the packet pass (RFC 791 §3.1, RFC 9293 §3.1, RFC 768). The pseudo header
/// needs addresses that etherparse hands out in a form of its own, so the sums are made here.
fn is_intact(net: &LaxNetSlice<'_>, transport: Option<&TransportSlice<'_>>) -> bool {
    let (segment, protocol) = match transport {
        Some(TransportSlice::Tcp(tcp)) => (tcp.slice(), 6),
        // RFC 768: a checksum of zero means that the sender made none.
        Some(TransportSlice::Udp(udp)) if udp.checksum() == 0 => return true,
        Some(TransportSlice::Udp(udp)) => (udp.slice(), 17),
        _ => return true,
    };
    let mut sum = Sum::default();
    match net {
        LaxNetSlice::Ipv4(ip) => {
            let mut header = Sum::default();
            header.add(ip.header().slice());
            if !header.is_good() {
                return false;
            }
            sum.add(&ip.header().source());
            sum.add(&ip.header().destination());
        }
        LaxNetSlice::Ipv6(ip) => {
            sum.add(&ip.header().source());
            sum.add(&ip.header().destination());
        }
        LaxNetSlice::Arp(_) => return true,
    }
    sum.add(&(segment.len() as u32).to_be_bytes());
    sum.add(&[0, protocol]);
    sum.add(segment);
    sum.is_good()
}

/// The checksum of RFC 1071.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    /// Adds the words of `bytes`, which must begin at an even offset of what is summed.
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks(2) {
            self.0 += u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or_default()]));
        }
    }

    /// Whether the sum, checksum included, comes to all ones.
    const fn is_good(&self) -> bool {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum == 0xffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether who sends this, from one port to another, is taken for the client.
    fn is_client(payload: &[u8], [from, to]: [u16; 2], (syn, ack): (bool, bool)) -> bool {
        let address = |port| ([192, 0, 2, 1], port).into();
        let (from, to) = (address(from), address(to));
        Segment { at: Instant::ZERO, from, to, sequence: 0, syn, ack, fin: false, rst: false, payload }
            .sender_is_client()
    }

    #[test]
    fn who_opens_a_connection_is_its_client() {
        assert!(is_client(b"", [80, 50_000], (true, false)));
        assert!(!is_client(b"", [50_000, 80], (true, true)));
    }

    #[test]
    fn in_the_middle_of_a_connection_its_words_tell_and_else_its_ports() {
        const SAID: (bool, bool) = (false, true);
        // First a port that looks like a server's, then one that looks like a client's.
        let both = |payload: &[u8]| [[80, 50_000], [50_000, 80]].map(|ports| is_client(payload, ports, SAID));
        assert_eq!(both(&[22, 3, 1, 0, 60, 1, 0]), [true; 2], "a ClientHello");
        assert_eq!(both(&[0x10, 13]), [true; 2], "a CONNECT");
        assert_eq!(both(&[22, 3, 3, 0, 60, 2, 0]), [false; 2], "a ServerHello");
        assert_eq!(both(&[0x20, 2, 0, 0]), [false; 2], "a CONNACK");
        assert_eq!(both(&[23, 3, 3, 0, 60]), [false, true], "application data");
        assert_eq!(both(b""), [false, true]);
        assert!(is_client(b"", [8_883, 8_883], SAID), "the first that speaks");
    }

    /// The header of an IPv4 packet of this protocol, and what it carries.
    fn packet(protocol: etherparse::IpNumber, payload: &[u8]) -> Packet {
        let mut bytes = vec![];
        let builder = etherparse::PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
        builder.write(&mut bytes, protocol, payload).expect("a vector takes it");
        Packet { at: Instant::ZERO, bytes }
    }

    #[test]
    fn what_breaks_off_is_damaged_and_what_is_neither_tcp_nor_udp_is_something_else() {
        use etherparse::IpNumber;

        let skipped = |protocol, payload: &[u8]| parse(&packet(protocol, payload), true).err();
        assert!(matches!(skipped(IpNumber::TCP, &[0; 12]), Some(Skipped::Damaged)), "a header of 20 bytes");
        assert!(matches!(skipped(IpNumber::EXPERIMENTAL_AND_TESTING_0, &[0; 8]), Some(Skipped::Other)));
    }

    /// RFC 768: a checksum of zero is none; any other has to be right.
    #[test]
    fn datagrams_are_opened_if_their_checksum_is_right_or_none() {
        let mut bytes = vec![];
        let builder = etherparse::PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(49_152, 53);
        builder.write(&mut bytes, b"a question").expect("a vector takes it");
        let mut packet = Packet { at: Instant::ZERO, bytes };
        let payload = |packet: &Packet, verify_checksums| match parse(packet, verify_checksums) {
            Ok(Transport::Udp(datagram)) => Some(datagram.payload),
            Err(Skipped::Damaged) => None,
            _ => panic!("it is a datagram"),
        };
        assert_eq!(payload(&packet, true).as_deref(), Some(&b"a question"[..]));
        packet.bytes[28] ^= 1;
        assert_eq!(payload(&packet, true), None);
        assert_eq!(
            payload(&packet, false).as_deref(),
            Some(&b"` question"[..]),
            "as a capture without checksums has it"
        );
        packet.bytes[26..28].fill(0);
        assert_eq!(payload(&packet, true).as_deref(), Some(&b"` question"[..]));
    }

    /// RFC 1071 §1: what is carried out of 16 bits is added, as often as need be.
    #[test]
    fn sums_carry_around_the_end() {
        let is_good = |bytes: &[u8]| {
            let mut sum = Sum::default();
            sum.add(bytes);
            sum.is_good()
        };
        // 0xffff; 0xffff + 0xffff = 0x1fffe, which is 0xffff; 0x8000 + 0x8000 = 0x10000, which is 1.
        assert!(is_good(&[0xff; 2]) && is_good(&[0xff; 4]) && is_good(&[0x80, 0, 0x7f, 0xff]));
        assert!(!is_good(&[0x80, 0, 0x80, 0]) && !is_good(&[0; 4]) && !is_good(&[0xff, 0xfe]));
        // An odd byte is the first of its word.
        assert!(is_good(&[0x00, 0xff, 0xff]));
        // A sum that has to be carried twice: 65,538 words of 0xffff come to 0x1_0001_fffe.
        assert!(is_good(&vec![0xff; 2 * 65_538]));
    }
}
