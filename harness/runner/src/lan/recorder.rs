//! A tap on a socket: bytes that passed a stream, written down as the TCP segments that they might have been.
//!
//! Whoever holds a socket sees neither segments nor acknowledgements, and the bench is not root. So each write becomes
//! segments of an Ethernet's size, with sequence numbers that fit; what a capture of the loopback would show besides
//! is not told.

use std::net::SocketAddr;
use std::time;

use capture::Tap;
use clock::{Instant, UnixTime};
use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};

/// What a segment carries at most, in bytes: an Ethernet frame's 1500 without the headers of IP and TCP.
const SEGMENT_BYTES_MAX: usize = 1_460;
/// The initial sequence numbers: any will do, and equal ones are easy to read.
const SEQUENCE: u32 = 0;
const WINDOW_BYTES: u16 = u16::MAX;
const HOPS: u8 = 64;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The process that dialled.
    Client,
    /// The broker.
    Broker,
}

/// Names a recorded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId(usize);

/// Records streams in wall time.
#[derive(Debug)]
pub struct Recorder {
    began: time::Instant,
    tap: Tap,
    streams: Vec<Stream>,
}

#[derive(Debug)]
struct Stream {
    client: SocketAddr,
    broker: SocketAddr,
    client_next: u32,
    broker_next: u32,
}

impl Recorder {
    /// A recorder of what happens from now on, `today`.
    pub fn new(today: UnixTime, comment: String) -> Self {
        let mut tap = Tap::new(today);
        tap.set_comment(comment);
        Self { began: time::Instant::now(), tap, streams: Vec::new() }
    }

    /// How long it has been recording.
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    /// The instant `at` as the machine counts it.
    pub fn wall(&self, at: Instant) -> time::Instant {
        self.began + at.since(Instant::ZERO)
    }

    /// The client has opened a connection.
    pub fn opened(&mut self, client: SocketAddr, broker: SocketAddr) -> ConnectionId {
        let id = ConnectionId(self.streams.len());
        self.streams.push(Stream { client, broker, client_next: SEQUENCE, broker_next: SEQUENCE });
        self.segment(id, Side::Client, &[], |header| {
            header.syn = true;
            header.ack = false;
        });
        self.segment(id, Side::Broker, &[], |header| header.syn = true);
        self.segment(id, Side::Client, &[], |_| {});
        id
    }

    /// One side has said something.
    pub fn said(&mut self, id: ConnectionId, side: Side, bytes: &[u8]) {
        for piece in bytes.chunks(SEGMENT_BYTES_MAX) {
            self.segment(id, side, piece, |header| header.psh = true);
        }
    }

    /// One side has said that it will say no more.
    pub fn ended(&mut self, id: ConnectionId, side: Side) {
        self.segment(id, side, &[], |header| header.fin = true);
    }

    /// One side has broken off.
    pub fn reset(&mut self, id: ConnectionId, side: Side) {
        self.segment(id, side, &[], |header| header.rst = true);
    }

    /// Adds secrets, as NSS key log text.
    pub fn key_log(&mut self, text: &str) {
        for line in text.lines() {
            self.tap.key_log_line(line);
        }
    }

    /// The recording as a pcapng file.
    pub fn to_pcapng(&self) -> Vec<u8> {
        self.tap.to_pcapng()
    }

    fn segment(&mut self, id: ConnectionId, side: Side, payload: &[u8], flags: impl FnOnce(&mut TcpHeader)) {
        let at = self.now();
        let Some(stream) = self.streams.get_mut(id.0) else { return };
        let (from, to, sequence, acknowledged) = match side {
            Side::Client => (stream.client, stream.broker, stream.client_next, stream.broker_next),
            Side::Broker => (stream.broker, stream.client, stream.broker_next, stream.client_next),
        };
        let mut header = TcpHeader::new(from.port(), to.port(), sequence, WINDOW_BYTES);
        header.ack = true;
        flags(&mut header);
        if header.ack {
            header.acknowledgment_number = acknowledged;
        }
        // SYN and FIN count as one byte each (RFC 9293 §3.4).
        let counted = payload.len() + usize::from(header.syn) + usize::from(header.fin);
        let next = sequence.wrapping_add(u32::try_from(counted).unwrap_or_default());
        match side {
            Side::Client => stream.client_next = next,
            Side::Broker => stream.broker_next = next,
        }
        let Some(builder) = ip(from, to) else { return };
        let mut packet = Vec::with_capacity(60 + payload.len());
        // Writing to a vector cannot fail, and the payload is shorter than IP's limit.
        if builder.tcp_header(header).write(&mut packet, payload).is_ok() {
            self.tap.packet(at, &packet);
        }
    }
}

fn ip(from: SocketAddr, to: SocketAddr) -> Option<PacketBuilderStep<etherparse::IpHeaders>> {
    match (from, to) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => {
            Some(PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), HOPS))
        }
        (SocketAddr::V6(from), SocketAddr::V6(to)) => {
            Some(PacketBuilder::ipv6(from.ip().octets(), to.ip().octets(), HOPS))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read_back_stream_by_stream() {
        let mut recorder = Recorder::new(UnixTime::from_seconds(0), "a test".into());
        let broker = "127.0.0.1:1883".parse().unwrap();
        for port in [40_000, 40_001] {
            let id = recorder.opened(SocketAddr::new("127.0.0.1".parse().unwrap(), port), broker);
            recorder.said(id, Side::Client, &[0x10, 0x0d, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'x']);
            recorder.said(id, Side::Broker, &[0x20, 2, 0, 5]);
            recorder.ended(id, Side::Broker);
            recorder.reset(id, Side::Client);
        }
        let transcript = capture::read(&recorder.to_pcapng(), "").unwrap();
        assert!(transcript.remarks.is_empty(), "{:?}", transcript.remarks);
        assert_eq!(transcript.conversations.len(), 2);
        for conversation in &transcript.conversations {
            let said: Vec<String> = conversation.lines.iter().map(|line| line.said.to_string()).collect();
            assert_eq!(said, ["CONNECT", "CONNACK", "FIN", "RST"]);
            assert_eq!(conversation.facts.connect_code.map(|code| code.0), Some(5));
            assert_eq!(conversation.repeated, [0, 0]);
        }
    }
}
