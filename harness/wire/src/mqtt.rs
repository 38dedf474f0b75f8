//! MQTT 3.1.1 control packets (OASIS Standard, 29 October 2014).
//!
//! A [`View`] is one whole packet as it came, however odd: its kind, flags and body. A [`Packet`] is what we understand
//! of it, and [`Packet::parse`] is strict: what the standard forbids is refused with a [`Violation`] that names the
//! rule. [`Packet::encode`] is the way back, and a [`Decoder`] cuts a byte stream into views within bounded memory.
//!
//! ```
//! use wire::mqtt::{Connect, Decoder, Packet};
//!
//! let mut stream = Vec::new();
//! Packet::Connect(Connect { client_id: "probe", keep_alive_s: 60, ..Connect::default() }).encode(&mut stream).unwrap();
//!
//! let mut decoder = Decoder::new(1024);
//! decoder.extend(&stream);
//! let view = decoder.next_packet().unwrap().unwrap();
//! assert!(matches!(Packet::parse(&view), Ok(Packet::Connect(connect)) if connect.client_id == "probe"));
//! ```

mod decoder;
mod encode;
mod parse;
mod topic;
mod view;
mod violation;

use alloc::vec::Vec;
use core::fmt;

pub use decoder::{DecodeError, Decoder};
pub use topic::filter_matches;
pub use view::{Kind, View};
pub use violation::Violation;

/// How often a message may arrive (§4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// At most once.
    #[default]
    AtMostOnce = 0,
    /// At least once.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// The quality of service that stands as `bits` on the wire; 3 means none.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// A control packet as we understand it, its strings and payloads borrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A client asks for a session (§3.1).
    Connect(Connect<'a>),
    /// The server's answer to it (§3.2).
    ConnAck(ConnAck),
    /// A message, in either direction (§3.3).
    Publish(Publish<'a>),
    /// Answers a QoS 1 message (§3.4).
    PubAck(PacketId),
    /// First answer to a QoS 2 message (§3.5).
    PubRec(PacketId),
    /// Answers that (§3.6).
    PubRel(PacketId),
    /// Last answer to a QoS 2 message (§3.7).
    PubComp(PacketId),
    /// A client asks for messages (§3.8).
    Subscribe(Subscribe<'a>),
    /// The server's answer to it (§3.9).
    SubAck(SubAck),
    /// A client has had enough of some (§3.10).
    Unsubscribe(Unsubscribe<'a>),
    /// The server's answer to it (§3.11).
    UnsubAck(PacketId),
    /// A client shows that it is alive (§3.12).
    PingReq,
    /// So does the server (§3.13).
    PingResp,
    /// A client says goodbye (§3.14).
    Disconnect,
}

impl Packet<'_> {
    /// Which packet this is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Connect(_) => Kind::Connect,
            Self::ConnAck(_) => Kind::ConnAck,
            Self::Publish(_) => Kind::Publish,
            Self::PubAck(_) => Kind::PubAck,
            Self::PubRec(_) => Kind::PubRec,
            Self::PubRel(_) => Kind::PubRel,
            Self::PubComp(_) => Kind::PubComp,
            Self::Subscribe(_) => Kind::Subscribe,
            Self::SubAck(_) => Kind::SubAck,
            Self::Unsubscribe(_) => Kind::Unsubscribe,
            Self::UnsubAck(_) => Kind::UnsubAck,
            Self::PingReq => Kind::PingReq,
            Self::PingResp => Kind::PingResp,
            Self::Disconnect => Kind::Disconnect,
        }
    }
}

/// Tells which answer belongs to which question; never 0 [MQTT-2.3.1-1].
pub type PacketId = core::num::NonZeroU16;

/// CONNECT: who wants a session, and how (§3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The generation of the protocol that the client speaks.
    pub protocol: Protocol,
    /// The client's name; may be empty if `clean_session` is set [MQTT-3.1.3-7].
    pub client_id: &'a str,
    /// Forget whatever was before (§3.1.2.4).
    pub clean_session: bool,
    /// The longest silence that the client promises, in seconds; 0: none promised (§3.1.2.10).
    pub keep_alive_s: u16,
    /// What the server shall publish when the client is lost.
    pub will: Option<Will<'a>>,
    /// User name.
    pub user_name: Option<&'a str>,
    /// Password; allowed only along with a user name [MQTT-3.1.2-22].
    pub password: Option<&'a [u8]>,
}

/// The generation of the protocol that a CONNECT names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `MQIsdp` level 3: MQTT 3.1, still spoken by old devices.
    V3_1,
    /// `MQTT` level 4: MQTT 3.1.1.
    #[default]
    V3_1_1,
}

impl Protocol {
    /// The protocol's name and level as they stand in a CONNECT.
    pub const fn on_the_wire(self) -> (&'static str, u8) {
        match self {
            Self::V3_1 => ("MQIsdp", 3),
            Self::V3_1_1 => ("MQTT", 4),
        }
    }
}

/// The message that a server publishes for a client that it lost (§3.1.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Will<'a> {
    /// Where it goes.
    pub topic: &'a str,
    /// What it says.
    pub payload: &'a [u8],
    /// How often it may arrive.
    pub qos: QoS,
    /// Whether the server keeps it for later subscribers.
    pub retain: bool,
}

/// CONNACK: whether the session is granted (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnAck {
    /// The server still holds state of an earlier session [MQTT-3.2.2-2].
    pub session_present: bool,
    /// Granted, or why not.
    pub code: ConnectCode,
}

/// The return code of a CONNACK (§3.2.2.3, table 3.1). 6 to 255 are reserved, but a crooked broker may send them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectCode(pub u8);

impl ConnectCode {
    /// The session is granted.
    pub const ACCEPTED: Self = Self(0);
    /// The server does not speak this level of the protocol.
    pub const UNACCEPTABLE_PROTOCOL_VERSION: Self = Self(1);
    /// The client identifier is well-formed, but not allowed here.
    pub const IDENTIFIER_REJECTED: Self = Self(2);
    /// The network connection stands, but MQTT is not available.
    pub const SERVER_UNAVAILABLE: Self = Self(3);
    /// User name or password are malformed.
    pub const BAD_USER_NAME_OR_PASSWORD: Self = Self(4);
    /// The client may not connect.
    pub const NOT_AUTHORIZED: Self = Self(5);

    /// What the table of the standard says, in short.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "accepted",
            1 => "unacceptable protocol version",
            2 => "identifier rejected",
            3 => "server unavailable",
            4 => "bad user name or password",
            5 => "not authorized",
            _ => "reserved",
        }
    }
}

impl fmt::Display for ConnectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

/// PUBLISH: a message (§3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Where it goes; no wildcards [MQTT-3.3.2-2].
    pub topic: &'a str,
    /// What it says.
    pub payload: &'a [u8],
    /// How often it may arrive, and under which number if that needs an answer.
    pub delivery: Delivery,
    /// The server keeps it for later subscribers; or: it is such a kept one.
    pub retain: bool,
}

/// Quality of service and packet identifier of a PUBLISH: one exists only with the other [MQTT-2.3.1-1, 2.3.1-5].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// QoS 0.
    #[default]
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        /// Comes back in the PUBACK.
        packet_id: PacketId,
        /// This is not the first attempt.
        duplicate: bool,
    },
    /// QoS 2.
    ExactlyOnce {
        /// Comes back in the PUBREC.
        packet_id: PacketId,
        /// This is not the first attempt.
        duplicate: bool,
    },
}

impl Delivery {
    /// The quality of service alone.
    pub const fn qos(self) -> QoS {
        match self {
            Self::AtMostOnce => QoS::AtMostOnce,
            Self::AtLeastOnce { .. } => QoS::AtLeastOnce,
            Self::ExactlyOnce { .. } => QoS::ExactlyOnce,
        }
    }

    /// The packet identifier, if the quality of service has one.
    pub const fn packet_id(self) -> Option<PacketId> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce { packet_id, .. } | Self::ExactlyOnce { packet_id, .. } => Some(packet_id),
        }
    }

    /// Whether this is said to be a repetition.
    pub const fn is_duplicate(self) -> bool {
        matches!(self, Self::AtLeastOnce { duplicate: true, .. } | Self::ExactlyOnce { duplicate: true, .. })
    }
}

/// SUBSCRIBE: which messages a client wants (§3.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Comes back in the SUBACK.
    pub packet_id: PacketId,
    /// Topic filters with the highest quality of service wanted; at least one [MQTT-3.8.3-3].
    pub filters: Vec<(&'a str, QoS)>,
}

/// SUBACK: what is granted, filter by filter (§3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubAck {
    /// That of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// The quality of service granted for each filter; `None` stands for the failure code 0x80.
    pub granted: Vec<Option<QoS>>,
}

/// UNSUBSCRIBE: which messages a client no longer wants (§3.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Comes back in the UNSUBACK.
    pub packet_id: PacketId,
    /// Topic filters, spelt as when subscribing; at least one [MQTT-3.10.3-2].
    pub filters: Vec<&'a str>,
}

#[cfg(test)]
mod tests;
