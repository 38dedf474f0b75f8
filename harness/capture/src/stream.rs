//! From packets to what passed inside them: TCP connections as ordered events, UDP datagrams as they are.

mod reassembly;
mod segment;

use std::collections::HashMap;
use std::net::SocketAddr;

use clock::Instant;

use crate::tap::Packet;
use crate::text::count;
use reassembly::{Half, Received};
pub(crate) use segment::Datagram;
use segment::{Segment, Transport};

/// One of the two ends of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Whoever opened the connection or asked the question: the device.
    Client,
    /// Whoever answers: the broker.
    Server,
}

impl Side {
    /// The end at the other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What happened to a TCP connection, in the order and at the time at which it was certain: data counts when
/// everything before it has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub at: Instant,
    pub from: Side,
    pub what: Happening,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// SYN, or SYN-ACK if it comes from the server.
    Syn,
    Data(Vec<u8>),
    Fin,
    Rst,
}

/// One TCP connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub events: Vec<Event>,
    /// Segments that brought nothing new, by side: SYNs, FINs or data sent again.
    pub repeated: [u32; 2],
    /// Bytes that lie behind a gap which was never filled, by side.
    pub behind_gap: [usize; 2],
    halves: [Half; 2],
    is_reset: bool,
    syn: Option<u32>,
    saw_syn: bool,
}

/// Everything that a recording's packets carried.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub connections: Vec<Connection>,
    pub datagrams: Vec<Datagram>,
    pub remarks: Vec<String>,
}

impl Streams {
    /// Sorts packets into connections and datagrams. With `verify_checksums`, damaged packets are left out, as their
    /// receiver leaves them out; foreign captures often hold packets whose checksum the network card fills in later.
    pub fn of(packets: &[Packet], verify_checksums: bool) -> Self {
        let mut streams = Self::default();
        let mut open: HashMap<(SocketAddr, SocketAddr), usize> = HashMap::new();
        let (mut damaged, mut other) = (0, 0);
        for packet in packets {
            match segment::parse(packet, verify_checksums) {
                Ok(Transport::Tcp(segment)) => streams.segment(&segment, &mut open),
                Ok(Transport::Udp(datagram)) => streams.datagrams.push(datagram),
                Err(segment::Skipped::Damaged) => damaged += 1,
                Err(segment::Skipped::Other) => other += 1,
            }
        }
        for connection in &mut streams.connections {
            connection.finish();
        }
        if damaged > 0 {
            streams.remarks.push(format!("{} with a wrong length or checksum left out", count(damaged, "packet")));
        }
        if other > 0 {
            streams
                .remarks
                .push(format!("{} of neither TCP nor UDP, or in fragments, left out", count(other, "packet")));
        }
        streams
    }

    fn segment(&mut self, segment: &Segment<'_>, open: &mut HashMap<(SocketAddr, SocketAddr), usize>) {
        // Both directions share one entry, kept under the sorted pair of addresses.
        let key = (segment.from.min(segment.to), segment.from.max(segment.to));
        let known = open.get(&key).copied().filter(|&index| !self.connections[index].is_superseded_by(segment));
        let index = known.unwrap_or_else(|| {
            self.connections.push(Connection::new(segment));
            open.insert(key, self.connections.len() - 1);
            self.connections.len() - 1
        });
        self.connections[index].segment(segment);
    }
}

impl Connection {
    fn new(segment: &Segment<'_>) -> Self {
        let sender_is_client = segment.sender_is_client();
        let (client, server) = if sender_is_client { (segment.from, segment.to) } else { (segment.to, segment.from) };
        Self {
            client,
            server,
            events: Vec::new(),
            repeated: [0; 2],
            behind_gap: [0; 2],
            halves: [Half::default(), Half::default()],
            is_reset: false,
            syn: None,
            saw_syn: false,
        }
    }

    /// A first SYN with another sequence number on the same ports: the client came back.
    fn is_superseded_by(&self, segment: &Segment<'_>) -> bool {
        segment.syn
            && !segment.ack
            && (self.saw_syn && self.syn != Some(segment.sequence) || segment.from != self.client || self.is_reset)
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        let from = if segment.from == self.client { Side::Client } else { Side::Server };
        if segment.syn && from == Side::Client {
            self.syn = Some(segment.sequence);
            self.saw_syn = true;
        }
        let half = &mut self.halves[from as usize];
        let mut is_news = false;
        for received in half.receive(segment) {
            is_news = true;
            let what = match received {
                Received::Syn => Happening::Syn,
                Received::Data(data) => Happening::Data(data),
                Received::Fin => Happening::Fin,
            };
            self.events.push(Event { at: segment.at, from, what });
        }
        if segment.rst && !self.is_reset {
            self.is_reset = true;
            is_news = true;
            self.events.push(Event { at: segment.at, from, what: Happening::Rst });
        }
        let is_bare_ack = segment.payload.is_empty() && !segment.syn && !segment.fin && !segment.rst;
        if !is_news && !is_bare_ack && !half.has_gap() {
            self.repeated[from as usize] += 1;
        }
    }

    /// The connection as somebody knows it who has read no more than the first `bytes_max` bytes of `side`.
    pub(crate) fn cut(&self, side: Side, bytes_max: usize) -> Self {
        let mut cut = self.clone();
        let mut left = bytes_max;
        for event in &mut cut.events {
            if let (true, Happening::Data(bytes)) = (event.from == side, &mut event.what) {
                bytes.truncate(left);
                left -= bytes.len();
            }
        }
        cut
    }

    fn finish(&mut self) {
        self.behind_gap = [self.halves[0].waiting_bytes(), self.halves[1].waiting_bytes()];
    }
}
