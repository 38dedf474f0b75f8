//! What the LAN itself did: the rows of a transcript that no packet tells.

use std::net::{IpAddr, SocketAddr};

use clock::Instant;

use crate::{ConnectionId, Direction, Family, Fault, Resolution, Teardown};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// A device's SYN was taken for a new connection (the handshake is not complete yet).
    Opening {
        /// The connection.
        connection: ConnectionId,
        /// Our end.
        local: SocketAddr,
        /// The device's end.
        peer: SocketAddr,
    },
    /// A SYN for a closed port; RST follows.
    Refused {
        /// The port that is closed.
        local: SocketAddr,
    },
    /// A SYN was dropped: its port is filtered.
    SynDropped {
        /// The port that is filtered.
        local: SocketAddr,
    },
    /// A packet for an address that this LAN does not own was dropped.
    NobodyThere {
        /// The address.
        address: IpAddr,
    },
    /// The device asked for the addresses of a name.
    Asked {
        /// The name, as the device wrote it.
        name: String,
        /// Which addresses it wanted.
        family: Family,
        /// What the name server says.
        answer: Resolution,
    },
    /// The device asked for the time.
    AskedTime {
        /// Whether the time server answers.
        answered: bool,
    },
    /// A fault lost a packet.
    Lost {
        /// Which way it travelled.
        direction: Direction,
        /// Its length, IP header included.
        bytes: usize,
    },
    /// A fault cut a connection, or the service made it vanish.
    Cut {
        /// The connection.
        connection: ConnectionId,
        /// How.
        how: Teardown,
    },
    /// A fault that waits for its place or its moment ([`Fault::waits`](crate::Fault::waits)) has acted for the first
    /// time; one of streams, for the first time on its connection.
    Enacted {
        /// Which.
        fault: Fault,
    },
    /// What the device sent was no packet that this LAN takes, and was dropped.
    Malformed {
        /// Its length.
        bytes: usize,
    },
    /// The oldest connection was forgotten to make room for a new one.
    Evicted {
        /// The connection.
        connection: ConnectionId,
    },
}

/// Keeps events until somebody takes them, but no more than a bound.
#[derive(Debug)]
pub(crate) struct Log {
    kept: Vec<Event>,
    events_max: usize,
}

impl Log {
    pub(crate) fn new(events_max: usize) -> Self {
        Self { kept: Vec::new(), events_max }
    }

    pub(crate) fn note(&mut self, at: Instant, what: Happening) {
        if self.kept.len() < self.events_max {
            self.kept.push(Event { at, what });
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.kept)
    }
}
