//! Between Ethernet and 802.11: what a data frame carries (IEEE Std 802.11-2020 §5.1.4, RFC 1042).

use crate::MacAddress;

/// The type field of an Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EtherType(pub u16);

impl EtherType {
    /// Port access: the four-way handshake travels in it.
    pub const EAPOL: Self = Self(0x888e);
}

/// What a data frame carries in front of its payload: LLC and SNAP, with the type of the payload.
#[derive(Clone, Copy, Debug)]
pub struct LlcSnap<'a> {
    /// The type.
    pub ether_type: EtherType,
    /// The payload.
    pub payload: &'a [u8],
}

/// LLC and SNAP as RFC 1042 has them, and as IEEE 802.1H has them for the types that need a bridge tunnel.
const RFC_1042: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];
const BRIDGE_TUNNEL: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0xf8];

impl<'a> LlcSnap<'a> {
    /// Reads the body of a data frame, decrypted.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (snap, rest) = body.split_first_chunk::<6>()?;
        let (ether_type, payload) = rest.split_first_chunk::<2>()?;
        let is_known = *snap == RFC_1042 || *snap == BRIDGE_TUNNEL;
        is_known.then(|| Self { ether_type: EtherType(u16::from_be_bytes(*ether_type)), payload })
    }

    /// The body of a data frame.
    pub fn to_body(self) -> Vec<u8> {
        let mut body = RFC_1042.to_vec();
        body.extend(self.ether_type.0.to_be_bytes());
        body.extend(self.payload);
        body
    }
}

/// An Ethernet II frame without FCS.
#[derive(Clone, Copy, Debug)]
pub struct Ethernet<'a> {
    /// For whom.
    pub destination: MacAddress,
    /// From whom.
    pub source: MacAddress,
    /// What it carries.
    pub content: LlcSnap<'a>,
}

impl<'a> Ethernet<'a> {
    /// Reads a frame.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (destination, rest) = frame.split_first_chunk::<6>()?;
        let (source, rest) = rest.split_first_chunk::<6>()?;
        let (ether_type, payload) = rest.split_first_chunk::<2>()?;
        let content = LlcSnap { ether_type: EtherType(u16::from_be_bytes(*ether_type)), payload };
        Some(Self { destination: MacAddress(*destination), source: MacAddress(*source), content })
    }

    /// The frame's bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut frame = self.destination.0.to_vec();
        frame.extend(self.source.0);
        frame.extend(self.content.ether_type.0.to_be_bytes());
        frame.extend(self.content.payload);
        frame
    }
}
