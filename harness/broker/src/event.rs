//! What the broker saw and did: its testimony, apart from that of the wire.

use clock::Instant;
use outcome::AlertDescription;
use std::net::SocketAddr;

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// On which connection, counted from 1.
    pub connection: u32,
    /// What.
    pub happening: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A client dialled.
    Accepted {
        /// From where.
        peer: SocketAddr,
    },
    /// A ClientHello arrived.
    ClientHello {
        /// The name that the client asks for (RFC 6066 §3).
        server_name: Option<String>,
        /// The protocols that it offers (RFC 7301).
        alpn: Vec<String>,
    },
    /// What arrived is no TLS.
    NotTls,
    /// The broker does what the scenario says.
    Misbehaves(&'static str),
    /// The handshake is complete.
    Secured(Secured),
    /// The handshake, or the connection under its keys, failed: the broker sent an alert, or the client did.
    TlsFailed {
        /// The client's alert; `None` if it was the broker who gave up.
        alert: Option<AlertDescription>,
        /// The reason, in words of the TLS library.
        why: String,
    },
    /// The client sent close_notify.
    CloseNotify,
    /// The client ended its side of the TCP connection.
    DeviceClosed {
        /// How.
        how: network::Close,
    },
    /// An MQTT packet arrived.
    Received(String),
    /// An MQTT packet was sent.
    Sent(String),
    /// The client broke a rule of MQTT 3.1.1.
    Violation {
        /// The rule's number, e.g. `MQTT-3.1.0-1`, or its section.
        rule: &'static str,
        /// What the client did.
        what: String,
    },
    /// The client is logged in.
    LoggedIn {
        /// As whom.
        client_id: String,
        /// The user name that it gave, or that its certificate did.
        user_name: Option<String>,
    },
    /// The client was refused.
    LoginRefused {
        /// The return code of CONNACK.
        code: u8,
        /// Why.
        why: &'static str,
    },
    /// The client's will is published: it left without DISCONNECT ([MQTT-3.1.2-8]).
    WillPublished {
        /// The will's topic.
        topic: String,
    },
    /// The broker ended its side of the TCP connection.
    BrokerClosed {
        /// Why.
        why: &'static str,
    },
    /// There were more events than a connection keeps.
    EventsLost,
}

/// What a complete handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// The version's number on the wire.
    pub version: u16,
    /// The cipher suite's number.
    pub cipher_suite: u16,
    /// The group's number.
    pub group: Option<u16>,
    /// The protocol chosen by ALPN.
    pub alpn: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The client's certificates in DER, its own first.
    pub client_certificates: Vec<Vec<u8>>,
}
