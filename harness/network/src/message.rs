//! The messages at which a connection can be cut.
//!
//! The network reads none of them. It asks the service to hold still where one begins or ends
//! ([`Service::watch`](crate::Service::watch)), and cuts when the service says so.

use std::fmt;

use serde::Deserialize;
use serde::de::Error as _;

use crate::Direction;

/// A kind of message, and who sends it. In a file it is written as in a transcript: `"CONNACK"`, and with its sender
/// where both sides send such messages: `"device Finished"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Who sends it.
    pub direction: Direction,
    /// What it is.
    pub kind: MessageKind,
}

/// What a message is: a handshake message of TLS (RFC 5246 §7.4, RFC 9846 §4), or a packet of MQTT 3.1.1 (§2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are the standards' names")]
pub enum MessageKind {
    ClientHello,
    ServerHello,
    EncryptedExtensions,
    CertificateRequest,
    Certificate,
    ServerKeyExchange,
    ServerHelloDone,
    ClientKeyExchange,
    CertificateVerify,
    Finished,
    NewSessionTicket,
    Connect,
    Connack,
    Publish,
    Puback,
    Subscribe,
    Suback,
    Pingreq,
    Pingresp,
    Disconnect,
}

/// Each kind, as it is written, and who alone sends it, if one side alone does.
const KINDS: &[(&str, MessageKind, Option<Direction>)] = {
    use Direction::{FromDevice, ToDevice};
    use MessageKind as Kind;
    &[
        ("ClientHello", Kind::ClientHello, Some(FromDevice)),
        ("ServerHello", Kind::ServerHello, Some(ToDevice)),
        ("EncryptedExtensions", Kind::EncryptedExtensions, Some(ToDevice)),
        ("CertificateRequest", Kind::CertificateRequest, Some(ToDevice)),
        ("Certificate", Kind::Certificate, None),
        ("ServerKeyExchange", Kind::ServerKeyExchange, Some(ToDevice)),
        ("ServerHelloDone", Kind::ServerHelloDone, Some(ToDevice)),
        ("ClientKeyExchange", Kind::ClientKeyExchange, Some(FromDevice)),
        ("CertificateVerify", Kind::CertificateVerify, None),
        ("Finished", Kind::Finished, None),
        ("NewSessionTicket", Kind::NewSessionTicket, Some(ToDevice)),
        ("CONNECT", Kind::Connect, Some(FromDevice)),
        ("CONNACK", Kind::Connack, Some(ToDevice)),
        ("PUBLISH", Kind::Publish, None),
        ("PUBACK", Kind::Puback, None),
        ("SUBSCRIBE", Kind::Subscribe, Some(FromDevice)),
        ("SUBACK", Kind::Suback, Some(ToDevice)),
        ("PINGREQ", Kind::Pingreq, Some(FromDevice)),
        ("PINGRESP", Kind::Pingresp, Some(ToDevice)),
        ("DISCONNECT", Kind::Disconnect, Some(FromDevice)),
    ]
};

impl Message {
    /// The message of this name that travels this way, if there is one.
    pub fn named(direction: Direction, name: &str) -> Option<Self> {
        let (_, kind, only) = KINDS.iter().find(|(known, ..)| *known == name)?;
        only.is_none_or(|only| only == direction).then_some(Self { direction, kind: *kind })
    }
}

impl MessageKind {
    /// Whether it belongs to TLS, and not to MQTT.
    pub fn is_of_tls(self) -> bool {
        (self as usize) <= Self::NewSessionTicket as usize
    }

    fn row(self) -> (&'static str, Option<Direction>) {
        KINDS.iter().find(|(_, kind, _)| *kind == self).map_or(("", None), |(name, _, sender)| (name, *sender))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind.row(), self.direction) {
            ((name, Some(_)), _) => f.write_str(name),
            ((name, None), Direction::FromDevice) => write!(f, "device {name}"),
            ((name, None), Direction::ToDevice) => write!(f, "broker {name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (sender, name) = match text.split_once(' ') {
            Some(("device", name)) => (Some(Direction::FromDevice), name),
            Some(("broker", name)) => (Some(Direction::ToDevice), name),
            _ => (None, text.as_str()),
        };
        let Some(&(_, kind, only)) = KINDS.iter().find(|(known, ..)| *known == name) else {
            let known: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
            return Err(D::Error::custom(format!("`{text}` is no message: name one of {}", known.join(", "))));
        };
        match (sender, only) {
            (None, None) => {
                Err(D::Error::custom(format!("both sides send {name}: write \"device {name}\" or \"broker {name}\"")))
            }
            (Some(sender), Some(only)) if sender != only => {
                Err(D::Error::custom(format!("that side never sends {name}: write \"{name}\"")))
            }
            (Some(direction), _) | (None, Some(direction)) => Ok(Self { direction, kind }),
        }
    }
}
