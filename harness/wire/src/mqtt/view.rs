//! One control packet as it came.

use super::Violation;

/// The longest body a remaining-length field can announce (§2.2.3).
pub(super) const BODY_BYTES_MAX: usize = 268_435_455;

/// The fourteen control packets (§2.2.1, table 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is documented where its contents are, at `Packet`")]
pub enum Kind {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Connect,
        Self::ConnAck,
        Self::Publish,
        Self::PubAck,
        Self::PubRec,
        Self::PubRel,
        Self::PubComp,
        Self::Subscribe,
        Self::SubAck,
        Self::Unsubscribe,
        Self::UnsubAck,
        Self::PingReq,
        Self::PingResp,
        Self::Disconnect,
    ];

    /// The kind numbered `number`; 0 and 15 are reserved.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The name, as the standard spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
        }
    }

    /// The flags that the fixed header must show; `None` for PUBLISH, whose flags say something (§2.2.2, table 2.2).
    pub const fn fixed_flags(self) -> Option<u8> {
        match self {
            Self::Publish => None,
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => Some(0b0010),
            _ => Some(0),
        }
    }
}

/// One whole control packet as it came: nothing is promised but that its length field is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<B> {
    bytes: B,
    body_at: usize,
}

impl<B: AsRef<[u8]>> View<B> {
    /// Looks at `bytes` as one packet, neither more nor less.
    ///
    /// # Errors
    /// [`Violation::RemainingLength`] if the length field is malformed or disagrees with the number of bytes.
    pub fn new(bytes: B) -> Result<Self, Violation> {
        match lengths(bytes.as_ref())? {
            Some(Lengths { header, body }) if header + body == bytes.as_ref().len() => {
                Ok(Self { bytes, body_at: header })
            }
            _ => Err(Violation::RemainingLength),
        }
    }

    /// The kind, unless its number is reserved.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.first() >> 4)
    }

    /// The four flag bits of the fixed header.
    pub fn flags(&self) -> u8 {
        self.first() & 0x0f
    }

    /// Variable header and payload.
    pub fn body(&self) -> &[u8] {
        self.bytes.as_ref().get(self.body_at..).unwrap_or_default()
    }

    /// The whole packet.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    fn first(&self) -> u8 {
        self.bytes.as_ref().first().copied().unwrap_or_default()
    }
}

/// How long the two parts of a packet are, in bytes.
pub(super) struct Lengths {
    pub header: usize,
    pub body: usize,
}

/// Reads the fixed header; `None` while it is incomplete (§2.2.3).
pub(super) fn lengths(start: &[u8]) -> Result<Option<Lengths>, Violation> {
    let mut body = 0;
    for (index, byte) in start.iter().skip(1).enumerate() {
        if index == 4 {
            return Err(Violation::RemainingLength);
        }
        body |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some(Lengths { header: index + 2, body }));
        }
    }
    // Four bytes that all promise another one cannot become right any more.
    if start.len() > 4 { Err(Violation::RemainingLength) } else { Ok(None) }
}
