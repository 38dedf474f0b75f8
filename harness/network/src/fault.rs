//! The vocabulary of what a network does to packets and streams, as scenario files write it.
//!
//! A [`Fault`] is one thing that goes wrong; a LAN has any number of them, applied in the order listed, each with its
//! own stream of random numbers. Faults of packets are enacted on the serial line's side of the TCP stack, faults of
//! streams on its other side, where bytes can be counted exactly. *When* a connection is cut, and *how*, stands in
//! [`crate::Cut`]; to which traffic a fault applies, in [`crate::Scope`].

use clock::{Duration, Instant};
use serde::Deserialize;

use crate::{Cut, Direction};

/// One way in which a network misbehaves. In a file, `from` names the sender of the packets or bytes that are meant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Each packet is lost with these odds, in packets of a thousand.
    Lose {
        /// Of packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Packets lost in a thousand.
        #[serde(deserialize_with = "written::per_mille")]
        per_mille: u16,
    },
    /// Exactly one packet is lost, counted from 1 among those of its sender.
    LoseNth {
        /// Counting packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Which of them, counted from 1.
        #[serde(deserialize_with = "written::from_one")]
        nth: u64,
    },
    /// Packets longer than this are lost without a word: a path whose MTU discovery is filtered.
    LoseLongerThan {
        /// Of packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// The longest packet that passes, IP header included.
        bytes: usize,
    },
    /// No packet passes either way for a while, or ever again: the cable is out, or a NAT has forgotten. In
    /// milliseconds after power-on; without `until_ms` for ever.
    Outage {
        /// From this instant of the run.
        #[serde(rename = "from_ms", deserialize_with = "written::at_ms")]
        from: Instant,
        /// Up to, but not including, this instant; `None` for ever.
        #[serde(rename = "until_ms", default, deserialize_with = "written::until_ms")]
        until: Option<Instant>,
    },
    /// Each packet takes longer by `by_ms`, and by up to `jitter_ms` more; none overtakes another.
    Delay {
        /// Of packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// At least this much longer.
        #[serde(rename = "by_ms", deserialize_with = "written::ms")]
        by: Duration,
        /// And up to this much more, evenly distributed.
        #[serde(rename = "jitter_ms", default, deserialize_with = "written::ms")]
        jitter: Duration,
    },
    /// Each packet arrives twice with these odds.
    Duplicate {
        /// Of packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Packets doubled in a thousand.
        #[serde(deserialize_with = "written::per_mille")]
        per_mille: u16,
    },
    /// A packet is held back for `by_ms` with these odds, so that later ones overtake it.
    Reorder {
        /// Of packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Packets held back in a thousand.
        #[serde(deserialize_with = "written::per_mille")]
        per_mille: u16,
        /// For how long.
        #[serde(rename = "by_ms", deserialize_with = "written::ms")]
        by: Duration,
    },
    /// One bit behind the IP header is flipped with these odds, and no checksum is mended: the receiver must drop it.
    FlipBit {
        /// Of packets travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Packets damaged in a thousand.
        #[serde(deserialize_with = "written::per_mille")]
        per_mille: u16,
    },
    /// The connection is cut at a moment.
    Cut(Cut),
    /// The broker's bytes arrive in TCP segments of at most this many.
    Segment {
        /// Payload bytes in a segment; 0 counts as 1.
        #[serde(deserialize_with = "written::from_one")]
        bytes_max: usize,
    },
    /// The broker's bytes trickle: so many in a segment, and then a pause.
    Drip {
        /// This many in one segment; 0 counts as 1.
        #[serde(deserialize_with = "written::from_one")]
        bytes: usize,
        /// And no more for this long.
        #[serde(rename = "every_ms", deserialize_with = "written::ms")]
        every: Duration,
    },
    /// The broker falls silent once for `for_ms`, after so many of its bytes; 0 delays its first byte.
    Stall {
        /// After this many bytes of it; 0 delays its first byte.
        after_bytes: u64,
        /// For this long, counted from when the next byte would have been sent.
        #[serde(rename = "for_ms", deserialize_with = "written::ms")]
        pause: Duration,
    },
    /// The bits `flip` of one byte of a stream are flipped, all checksums being right: what only a layer above TCP can
    /// notice.
    Garble {
        /// In the stream travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Which byte, counted from 0.
        at_byte: u64,
        /// The bits to flip.
        #[serde(deserialize_with = "written::from_one")]
        flip: u8,
    },
    /// The broker stops reading after so many of the device's bytes: acknowledged, but the window closes and stays
    /// closed.
    StopReading {
        /// After this many bytes of the device.
        after_bytes: u64,
    },
}

impl Fault {
    /// Whether it waits for a place in a stream, a packet or a moment, to which a run may never come. Cuts do too, and have
    /// their own event.
    pub const fn waits(&self) -> bool {
        matches!(
            self,
            Self::LoseNth { .. }
                | Self::Outage { .. }
                | Self::Stall { .. }
                | Self::Garble { .. }
                | Self::StopReading { .. }
        )
    }

    /// What the fault is, apart from its measure: its stream of random numbers hangs on this, so that a fault that is
    /// made worse hits what it hit before, and more.
    pub(crate) fn kind(&self) -> (&'static str, Option<Direction>) {
        match *self {
            Self::Lose { direction, .. } => ("lose", Some(direction)),
            Self::LoseNth { direction, .. } => ("lose_nth", Some(direction)),
            Self::LoseLongerThan { direction, .. } => ("lose_longer_than", Some(direction)),
            Self::Outage { .. } => ("outage", None),
            Self::Delay { direction, .. } => ("delay", Some(direction)),
            Self::Duplicate { direction, .. } => ("duplicate", Some(direction)),
            Self::Reorder { direction, .. } => ("reorder", Some(direction)),
            Self::FlipBit { direction, .. } => ("flip_bit", Some(direction)),
            Self::Cut(_) => ("cut", None),
            Self::Segment { .. } => ("segment", None),
            Self::Drip { .. } => ("drip", None),
            Self::Stall { .. } => ("stall", None),
            Self::Garble { direction, .. } => ("garble", Some(direction)),
            Self::StopReading { .. } => ("stop_reading", None),
        }
    }
}

pub(crate) mod written {
    //! Numbers as files write them: whole milliseconds, and odds that are odds.

    use clock::{Duration, Instant};
    use serde::de::{Deserialize, Deserializer, Error};

    pub(crate) fn ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u32::deserialize(deserializer).map(|ms| Duration::from_millis(ms.into()))
    }

    pub(crate) fn at_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        u32::deserialize(deserializer).map(|ms| Instant::from_millis(ms.into()))
    }

    pub(crate) fn until_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
        at_ms(deserializer).map(Some)
    }

    pub(crate) fn per_mille<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
        at_most(u16::deserialize(deserializer)?, 1_000)
    }

    pub(crate) fn per_million<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        at_most(u32::deserialize(deserializer)?, 1_000_000)
    }

    pub(crate) fn from_one<'de, D, N>(deserializer: D) -> Result<N, D::Error>
    where
        D: Deserializer<'de>,
        N: Deserialize<'de> + Default + PartialEq,
    {
        let number = N::deserialize(deserializer)?;
        if number == N::default() { Err(D::Error::custom("0 changes nothing: give 1 or more")) } else { Ok(number) }
    }

    fn at_most<E: Error, N: PartialOrd + std::fmt::Display>(number: N, most: N) -> Result<N, E> {
        if number > most {
            return Err(E::custom(format!("{number} in {most} are more than all of them: give 0 to {most}")));
        }
        Ok(number)
    }
}
