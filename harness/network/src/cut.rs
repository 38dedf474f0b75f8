//! A connection that is cut: when, and what its two ends see of it.

use clock::{Duration, Instant};
use serde::Deserialize;
use serde::de::Error as _;

use crate::fault::written;
use crate::{Direction, Message};

/// A cut. In a file either `how` and `when`, or the short form for a count of bytes: `how`, `from` and `after_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// What the device sees.
    pub how: Teardown,
    /// When: a moment of the connection, or of the run.
    pub when: Trigger,
}

impl<'de> Deserialize<'de> for Cut {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Cut", deny_unknown_fields)]
        struct Written {
            how: Teardown,
            when: Option<Trigger>,
            from: Option<Direction>,
            after_bytes: Option<u64>,
        }
        let Written { how, when, from, after_bytes } = Written::deserialize(deserializer)?;
        match (when, from, after_bytes) {
            (Some(when), None, None) => Ok(Self { how, when }),
            (None, Some(direction), Some(bytes)) => Ok(Self { how, when: Trigger::Passed { direction, bytes } }),
            _ => Err(D::Error::custom("a cut has a `when`, or else both `from` and `after_bytes`")),
        }
    }
}

/// The moment at which a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// The device's first SYN arrives: with `"reset"` the port is closed, with `"black_hole"` it is filtered.
    Syn,
    /// The TCP handshake is complete.
    Accepted,
    /// So many bytes of the stream have passed: exactly these, not one more.
    Passed {
        /// Of the stream travelling this way.
        #[serde(rename = "from")]
        direction: Direction,
        /// Counted from the stream's beginning.
        bytes: u64,
    },
    /// The first segment with data of this sender has passed; the device's first one is still heard by the broker.
    FirstData(Direction),
    /// So long after the TCP handshake, in milliseconds.
    #[serde(rename = "age_ms", deserialize_with = "written::ms")]
    Age(Duration),
    /// Once nothing, not even an acknowledgement, has passed for so long, in milliseconds: a NAT that forgets.
    #[serde(rename = "idle_ms", deserialize_with = "written::ms")]
    Idle(Duration),
    /// So many milliseconds after power-on.
    #[serde(rename = "at_ms", deserialize_with = "written::at_ms")]
    At(Instant),
    /// The first message of this kind is about to pass: it does not, nor does anything after it.
    Before(Message),
    /// The first message of this kind has passed: nothing after it does, and nobody answers it.
    After(Message),
}

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teardown {
    /// FIN, as from a proxy that gave up; what the device still sends is acknowledged and lost.
    Fin,
    /// FIN, and what the device still sends is answered with RST, as by a process that called `close()`.
    Close,
    /// RST, as from a firewall or a broker that died (RFC 9293 §3.5.3).
    Reset,
    /// Nothing more passes, either way, and nobody is told.
    BlackHole,
}
