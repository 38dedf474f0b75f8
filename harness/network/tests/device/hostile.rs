//! A device that plays a script of bytes against a LAN: random packets, packets with every field chosen and every
//! checksum right, and sequence numbers near the ones that matter. The fuzz target plays the same scripts.

use std::net::{IpAddr, SocketAddr};

use clock::{Duration, Instant};
use network::{
    Action, Close, ConnectionId, Cut, Direction, Dns, Fault, Lan, LanConfig, Limits, Service, Sntp, Teardown, Trigger,
};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpAddress, IpProtocol, IpRepr, Ipv4Packet, TcpPacket, UdpPacket};

use super::device::{BROKER, BROKER_V6, DEVICE, DEVICE_V6, PORT, config};

/// More than this is more than the limits of [`hostile_config`] allow.
pub const CONNECTIONS_MAX: usize = 4;

/// Reads a script; zeros when it is over.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken.to_vec()
    }
}

/// Echoes everything and answers ends in several ways.
#[derive(Default)]
pub struct Moody {
    wants: std::collections::VecDeque<(ConnectionId, Action)>,
    /// Connections that were opened and not ended, as far as the service was told.
    pub open: std::collections::BTreeSet<ConnectionId>,
    opened: usize,
}

impl Service for Moody {
    fn connected(&mut self, _: Instant, connection: ConnectionId, _: SocketAddr, _: SocketAddr) {
        assert!(self.open.insert(connection), "{connection} opened twice");
        self.opened += 1;
        self.wants.push_back((connection, Action::Send(vec![connection.0 as u8; 3_000])));
    }

    fn received(&mut self, _: Instant, connection: ConnectionId, bytes: &[u8]) {
        assert!(self.open.contains(&connection), "{connection} speaks, but is not open");
        let action = match bytes.first() {
            Some(b'f') => Action::Fin,
            Some(b'c') => Action::Close,
            Some(b'r') => Action::Reset,
            Some(b'v') => Action::Vanish,
            _ => Action::Send(bytes.to_vec()),
        };
        self.wants.push_back((connection, action));
    }

    fn peer_closed(&mut self, _: Instant, connection: ConnectionId, how: Close) {
        match how {
            Close::Reset => {
                assert!(self.open.remove(&connection), "{connection} was reset, but is not open");
                self.wants.retain(|(id, _)| *id != connection);
            }
            Close::Fin => {
                assert!(self.open.contains(&connection), "{connection} ended, but is not open");
                self.wants.push_back((connection, Action::Fin));
            }
        }
    }

    fn poll(&mut self, _: Instant, connection: ConnectionId) -> Option<Action> {
        let index = self.wants.iter().position(|(id, _)| *id == connection)?;
        let (_, action) = self.wants.remove(index)?;
        if matches!(action, Action::Close | Action::Reset) {
            assert!(self.open.remove(&connection), "{connection} was asked, but is not open");
        }
        Some(action)
    }

    fn poll_at(&self, now: Instant) -> Option<Instant> {
        // Never satisfied: a deadline that has always passed must not stop time.
        Some(now)
    }
}

fn hostile_config(script: &mut Script<'_>) -> LanConfig {
    let direction = |bit: u8| if bit & 1 == 0 { Direction::FromDevice } else { Direction::ToDevice };
    let mut faults = Vec::new();
    for _ in 0..script.byte() % 4 {
        let (kind, a, b) = (script.byte(), script.byte(), script.byte());
        let how = [Teardown::Fin, Teardown::Close, Teardown::Reset, Teardown::BlackHole][usize::from(b % 4)];
        let by = Duration::from_millis(a.into());
        faults.push(match kind % 12 {
            0 => Fault::Lose { direction: direction(b), per_mille: u16::from(a) },
            1 => Fault::Delay { direction: direction(b), by, jitter: by },
            2 => Fault::Duplicate { direction: direction(b), per_mille: u16::from(a) * 4 },
            3 => Fault::Reorder { direction: direction(b), per_mille: u16::from(a), by },
            4 => Fault::FlipBit { direction: direction(b), per_mille: u16::from(a) },
            5 => Fault::Cut(Cut { when: Trigger::Passed { direction: direction(b >> 2), bytes: a.into() }, how }),
            6 => Fault::Cut(Cut { when: [Trigger::Syn, Trigger::Accepted][usize::from(a % 2)], how }),
            7 => Fault::Cut(Cut { when: Trigger::FirstData(direction(a)), how }),
            8 => Fault::Cut(Cut { when: [Trigger::Age(by), Trigger::Idle(by)][usize::from(b >> 2 & 1)], how }),
            9 => Fault::Segment { bytes_max: a.into() },
            10 => Fault::Drip { bytes: usize::from(b), every: by },
            _ => Fault::StopReading { after_bytes: a.into() },
        });
    }
    let limits =
        Limits { connections_max: CONNECTIONS_MAX, packets_max: 64, tap_bytes_max: 1 << 16, ..Limits::default() };
    LanConfig {
        dns: Some(Dns::new(vec![BROKER.into()]).with("broker.test", vec![BROKER.into()])),
        sntp: Some(Sntp::new(vec![BROKER_V6.into()], Default::default())),
        faults: faults.into_iter().map(Into::into).collect(),
        limits,
        ..config()
    }
}

/// A TCP packet with fields from the script; sequence and acknowledgement near what the LAN said last.
fn tcp_packet(script: &mut Script<'_>, heard: Option<(u32, u32, usize)>) -> Vec<u8> {
    let (choice, flags) = (script.byte(), script.byte());
    let (source, destination): (IpAddress, IpAddress) = match choice & 7 {
        0..=3 => (DEVICE.into(), BROKER.into()),
        4..=5 => (DEVICE_V6.into(), BROKER_V6.into()),
        // Somebody who forges his address, ours and the world's among them.
        6 => (IpAddr::from(<[u8; 4]>::try_from(script.bytes(4)).unwrap_or([0; 4])).into(), BROKER.into()),
        _ => (BROKER.into(), BROKER.into()),
    };
    let (sequence, acknowledgement, length) = heard.unwrap_or((0, 0, 0));
    let near = |script: &mut Script<'_>, value: u32| match script.byte() {
        0 => value.wrapping_add(u32::from(script.word()) << 16),
        offset => value.wrapping_add_signed(i32::from(offset as i8)),
    };
    let sequence_number = if choice & 8 == 0 { acknowledgement } else { near(script, acknowledgement) };
    let expected = sequence.wrapping_add(length as u32);
    let acknowledgement_number = if choice & 16 == 0 { expected } else { near(script, expected) };
    let window = if choice & 32 == 0 { 4_000 } else { script.word() };
    let options_bytes = usize::from(script.byte() % 11) * 4;
    let options = script.bytes(options_bytes);
    let payload_bytes = usize::from(script.byte());
    let payload = script.bytes(payload_bytes);
    let header_bytes = 20 + options_bytes;
    let mut segment = vec![0; header_bytes + payload.len()];
    segment[20..20 + options.len()].copy_from_slice(&options);
    segment[header_bytes..].copy_from_slice(&payload);
    let mut tcp = TcpPacket::new_unchecked(&mut segment[..]);
    tcp.set_src_port(50_000 + u16::from(choice >> 6));
    tcp.set_dst_port(PORT);
    tcp.set_seq_number(smoltcp::wire::TcpSeqNumber(sequence_number as i32));
    tcp.set_ack_number(smoltcp::wire::TcpSeqNumber(acknowledgement_number as i32));
    tcp.set_header_len(header_bytes as u8);
    tcp.set_window_len(window);
    tcp.set_fin(flags & 0x01 != 0);
    tcp.set_syn(flags & 0x02 != 0);
    tcp.set_rst(flags & 0x04 != 0);
    tcp.set_psh(flags & 0x08 != 0);
    tcp.set_ack(flags & 0x10 != 0);
    tcp.fill_checksum(&source, &destination);
    around(source, destination, IpProtocol::Tcp, &segment)
}

/// A datagram for one of the servers, its checksum right.
fn udp_packet(script: &mut Script<'_>) -> Vec<u8> {
    let choice = script.byte();
    let (source, destination, port): (IpAddress, IpAddress, u16) = match choice & 3 {
        0 => (DEVICE.into(), BROKER.into(), 53),
        1 => (DEVICE_V6.into(), BROKER_V6.into(), 123),
        _ => (DEVICE_V6.into(), BROKER_V6.into(), script.word()),
    };
    let payload_bytes = usize::from(script.byte());
    let payload = script.bytes(payload_bytes);
    let mut datagram = vec![0; 8 + payload.len()];
    datagram[8..].copy_from_slice(&payload);
    let mut udp = UdpPacket::new_unchecked(&mut datagram[..]);
    udp.set_src_port(50_000);
    udp.set_dst_port(port);
    udp.set_len(8 + payload.len() as u16);
    udp.fill_checksum(&source, &destination);
    around(source, destination, IpProtocol::Udp, &datagram)
}

/// The IP packet around `payload`, if its two addresses are of one family.
fn around(source: IpAddress, destination: IpAddress, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let ip = IpRepr::new(source, destination, protocol, payload.len(), 64);
    let mut packet = vec![0; ip.header_len()];
    ip.emit(packet.as_mut_slice(), &ChecksumCapabilities::default());
    packet.extend_from_slice(payload);
    packet
}

/// What the LAN's latest TCP packet said: sequence, acknowledgement, and the length in sequence space.
fn latest(packet: &[u8]) -> Option<(u32, u32, usize)> {
    let segment = match packet.first()? >> 4 {
        4 => Ipv4Packet::new_checked(packet).ok()?.payload(),
        _ => packet.get(40..)?,
    };
    let tcp = TcpPacket::new_checked(segment).ok()?;
    Some((tcp.seq_number().0 as u32, tcp.ack_number().0 as u32, tcp.segment_len()))
}

/// Plays `script` and tells how many connections were opened. Panics where the LAN does, or where it breaks a promise.
pub fn play(script: &[u8]) -> usize {
    let mut script = Script(script);
    let config = hostile_config(&mut script);
    let packets_max = config.limits.packets_max;
    let mut lan = Lan::new(config, 1, Moody::default());
    let mut now = Instant::ZERO;
    let mut heard = None;
    while !script.0.is_empty() {
        let packet = match script.byte() % 8 {
            0 => {
                let count = usize::from(script.byte());
                script.bytes(count)
            }
            1 => {
                let (count, protocol) = (usize::from(script.byte()), IpProtocol::from(script.byte()));
                let payload = script.bytes(count);
                around(DEVICE.into(), BROKER.into(), protocol, &payload)
            }
            2 => udp_packet(&mut script),
            3 => {
                now += Duration::from_millis(u64::from(script.word() >> 4));
                lan.poll(now);
                Vec::new()
            }
            _ => tcp_packet(&mut script, heard),
        };
        if !packet.is_empty() {
            lan.receive(now, &packet);
        }
        now += Duration::from_micros(u64::from(script.byte()));
        lan.poll(now);
        let mut packets = 0;
        while let Some(packet) = lan.transmit() {
            heard = latest(&packet).or(heard);
            packets += 1;
        }
        assert!(packets <= packets_max);
        assert!(lan.connections() <= CONNECTIONS_MAX);
        assert!(lan.poll_at(now).is_none_or(|at| at > now));
    }
    // Everything comes to rest, or at least goes on without end only in time.
    lan.poll(now + Duration::from_millis(500));
    lan.service().opened
}
