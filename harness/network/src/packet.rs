//! The headers of an IP packet, as far as a network looks at them.

use std::net::{IpAddr, SocketAddr};

use smoltcp::wire::{IpProtocol, IpVersion, Ipv4Packet, Ipv6Packet, TcpPacket, UdpPacket};

/// Who a packet is from and for, and where its payload lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headers {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// Where the transport header begins in the packet.
    pub(crate) transport_at: usize,
    pub(crate) transport: Transport,
}

/// What is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp(Tcp),
    Udp { source_port: u16, destination_port: u16 },
    Other,
}

/// The TCP header, as far as connections and counts of bytes need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) sequence: u32,
    pub(crate) syn: bool,
    pub(crate) ack: bool,
    pub(crate) rst: bool,
    pub(crate) payload_bytes: usize,
}

impl Headers {
    /// Reads the headers; `None` for what is not one whole, unfragmented IP packet with a right header checksum and a
    /// whole transport header.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let (source, destination, transport_at, protocol, end) = match IpVersion::of_packet(packet).ok()? {
            IpVersion::Ipv4 => {
                let ip = Ipv4Packet::new_checked(packet).ok()?;
                if ip.more_frags() || ip.frag_offset() != 0 || !ip.verify_checksum() {
                    return None;
                }
                let (header, total) = (usize::from(ip.header_len()), usize::from(ip.total_len()));
                (IpAddr::V4(ip.src_addr()), IpAddr::V4(ip.dst_addr()), header, ip.next_header(), total)
            }
            IpVersion::Ipv6 => {
                let ip = Ipv6Packet::new_checked(packet).ok()?;
                (
                    IpAddr::V6(ip.src_addr()),
                    IpAddr::V6(ip.dst_addr()),
                    ip.header_len(),
                    ip.next_header(),
                    ip.total_len(),
                )
            }
        };
        let payload = packet.get(transport_at..end)?;
        let transport = match protocol {
            IpProtocol::Tcp => Transport::Tcp(Tcp::parse(payload)?),
            IpProtocol::Udp => {
                let udp = UdpPacket::new_checked(payload).ok()?;
                Transport::Udp { source_port: udp.src_port(), destination_port: udp.dst_port() }
            }
            _ => Transport::Other,
        };
        Some(Self { source, destination, transport_at, transport })
    }

    /// A TCP packet's header and its two ends, source first.
    pub(crate) fn tcp(&self) -> Option<(Tcp, SocketAddr, SocketAddr)> {
        match self.transport {
            Transport::Tcp(tcp) => Some((
                tcp,
                SocketAddr::new(self.source, tcp.source_port),
                SocketAddr::new(self.destination, tcp.destination_port),
            )),
            _ => None,
        }
    }
}

impl Tcp {
    fn parse(segment: &[u8]) -> Option<Self> {
        let tcp = TcpPacket::new_checked(segment).ok()?;
        Some(Self {
            source_port: tcp.src_port(),
            destination_port: tcp.dst_port(),
            // smoltcp keeps sequence numbers as i32; the wire has u32.
            sequence: tcp.seq_number().0 as u32,
            syn: tcp.syn(),
            ack: tcp.ack(),
            rst: tcp.rst(),
            payload_bytes: segment.len().saturating_sub(usize::from(tcp.header_len())),
        })
    }
}
