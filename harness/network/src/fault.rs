//! The vocabulary of what a network does to packets and streams.
//!
//! A [`Fault`] is one thing that goes wrong; a LAN wears any number of them, in the order listed, each with its own
//! stream of chance. Faults of packets are enacted on the serial line's side of the TCP stack, faults of streams on
//! its other side, where bytes can be counted exactly.

use std::ops::RangeInclusive;

use clock::{Duration, Instant};

use crate::Direction;

/// One way in which a network misbehaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Each packet is lost with these odds.
    Lose {
        /// Of packets travelling this way.
        direction: Direction,
        /// Packets lost in a thousand.
        per_mille: u16,
    },
    /// Exactly one packet is lost.
    LoseNth {
        /// Counting packets travelling this way.
        direction: Direction,
        /// Which of them, counted from 1.
        nth: u64,
    },
    /// Packets longer than this are lost without a word: a path whose MTU discovery is filtered.
    LoseLongerThan {
        /// Of packets travelling this way.
        direction: Direction,
        /// The longest packet that passes, IP header included.
        bytes: usize,
    },
    /// No packet passes either way for a while, or ever again: the cable is out.
    Outage {
        /// From this instant of the run.
        from: Instant,
        /// Up to, but not including, this instant; `None` for ever.
        until: Option<Instant>,
    },
    /// Each packet takes longer, and none overtakes another.
    Delay {
        /// Of packets travelling this way.
        direction: Direction,
        /// At least this much longer.
        by: Duration,
        /// And up to this much more, evenly distributed.
        jitter: Duration,
    },
    /// Each packet arrives twice with these odds.
    Duplicate {
        /// Of packets travelling this way.
        direction: Direction,
        /// Packets doubled in a thousand.
        per_mille: u16,
    },
    /// A packet is held back with these odds, so that later ones overtake it.
    Reorder {
        /// Of packets travelling this way.
        direction: Direction,
        /// Packets held back in a thousand.
        per_mille: u16,
        /// For how long.
        by: Duration,
    },
    /// One bit behind the IP header is flipped with these odds, and no checksum is mended: the receiver must drop it.
    FlipBit {
        /// Of packets travelling this way.
        direction: Direction,
        /// Packets damaged in a thousand.
        per_mille: u16,
    },
    /// The connection is broken at a moment.
    Break {
        /// When.
        when: Trigger,
        /// How.
        how: Blow,
    },
    /// The service's bytes arrive in TCP segments of at most this many.
    Segment {
        /// Payload bytes in a segment; 0 counts as 1.
        bytes_max: usize,
    },
    /// The service's bytes trickle.
    Drip {
        /// This many in one segment; 0 counts as 1.
        bytes: usize,
        /// And no more for this long.
        every: Duration,
    },
    /// The service falls silent once, in the middle of what it has to say.
    Stall {
        /// After this many bytes of it; 0 delays its first byte.
        after_bytes: u64,
        /// For this long, counted from when the next byte would have been sent.
        pause: Duration,
    },
    /// One byte of the stream is changed, all checksums being right: what only a layer above TCP can notice.
    Garble {
        /// In the stream travelling this way.
        direction: Direction,
        /// Which byte, counted from 0.
        at_byte: u64,
        /// The bits to flip.
        flip: u8,
    },
    /// The service stops reading: acknowledged, but the window closes and stays closed.
    StopReading {
        /// After this many bytes of the device.
        after_bytes: u64,
    },
}

/// The moment at which a connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The device's first SYN arrives: with [`Blow::Reset`] the port is closed, with [`Blow::Vanish`] it is filtered.
    Syn,
    /// The TCP handshake is complete.
    Accepted,
    /// So many bytes of the stream have passed: exactly these, not one more.
    Passed {
        /// Of the stream travelling this way.
        direction: Direction,
        /// Counted from the stream's beginning.
        bytes: u64,
    },
    /// The first segment with data has passed; the device's first one is still heard by the service.
    FirstData(Direction),
    /// So long after the TCP handshake.
    Age(Duration),
    /// Once nothing, not even an acknowledgement, has passed for so long: a NAT that forgets.
    Idle(Duration),
    /// An instant of the run.
    At(Instant),
}

/// How a connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blow {
    /// The stream to the device ends (FIN) and what the device sends is swallowed and acknowledged.
    Fin,
    /// The stream to the device ends (FIN) and what the device sends is answered with RST, as by a process that
    /// called `close()`.
    Close,
    /// RST.
    Reset,
    /// No packet of the connection passes any more, either way, and nobody is told.
    Vanish,
}

/// Which traffic a fault applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only TCP connections to this port of ours; `None`: all traffic, for faults of packets DNS and SNTP included.
    pub port: Option<u16>,
    /// Only these of the connections in the scope, counted from 1 as the device opens them; `None`: all.
    pub connections: Option<RangeInclusive<u32>>,
}

impl Scope {
    /// All traffic.
    pub const EVERYTHING: Self = Self { port: None, connections: None };

    /// The connections to one port.
    pub const fn port(port: u16) -> Self {
        Self { port: Some(port), connections: None }
    }

    /// The first `count` connections of this scope only.
    #[must_use]
    pub const fn first(mut self, count: u32) -> Self {
        self.connections = Some(1..=count);
        self
    }
}

/// A fault and what it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedFault {
    /// What it applies to.
    pub scope: Scope,
    /// What goes wrong.
    pub fault: Fault,
}

impl From<Fault> for ScopedFault {
    fn from(fault: Fault) -> Self {
        Self { scope: Scope::EVERYTHING, fault }
    }
}

impl Fault {
    /// This fault, for the traffic in `scope` only.
    pub const fn within(self, scope: Scope) -> ScopedFault {
        ScopedFault { scope, fault: self }
    }
}
