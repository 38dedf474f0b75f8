//! How far a device came.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A stage on the way from power to goodbye, in the order in which a healthy device passes them.
///
/// "Reached" means entered: a device that failed at [`Stage::Certificate`] was judging the broker's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The firmware runs and has said so.
    Boot,
    /// It joins its wireless network: it looks for it, authenticates, associates and agrees on keys (IEEE Std 802.11-2020
    /// §11.1.4, §11.3, §12.7.6). A device without a radio has no such stage.
    Join,
    /// It asks for an address on the network that it has joined (RFC 2131 §3.1).
    Lease,
    /// It reads its plan, and sets its clock or asks an SNTP server for the time (RFC 4330).
    Clock,
    /// It looks up the broker's name (RFC 1035).
    Resolve,
    /// It opens the TCP connection (RFC 9293 §3.5).
    Connect,
    /// ClientHello sent, ServerHello awaited (RFC 9846 §4.2).
    Hello,
    /// The broker's certificates are awaited and judged (RFC 9846 §4.5.1, RFC 5280 §6).
    Certificate,
    /// Key exchange and client authentication: what comes after the broker's certificates and before its Finished.
    KeyExchange,
    /// The broker's Finished is awaited (RFC 9846 §4.5.3).
    Finished,
    /// CONNECT sent, CONNACK awaited (MQTT 3.1.1 §3.1, §3.2).
    Login,
    /// SUBSCRIBE sent, SUBACK awaited (MQTT 3.1.1 §3.8).
    Subscribe,
    /// Messages go both ways (MQTT 3.1.1 §3.3).
    Exchange,
    /// Nothing to say, PINGREQ keeps the connection alive (MQTT 3.1.1 §3.12).
    KeepAlive,
    /// DISCONNECT sent, connection closed (MQTT 3.1.1 §3.14).
    Goodbye,
}

impl Stage {
    /// The stage as a word in a sentence: "refused at *certificate*".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Join => "join",
            Self::Lease => "lease",
            Self::Clock => "clock",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Hello => "hello",
            Self::Certificate => "certificate",
            Self::KeyExchange => "key exchange",
            Self::Finished => "finished",
            Self::Login => "login",
            Self::Subscribe => "subscribe",
            Self::Exchange => "exchange",
            Self::KeepAlive => "keep-alive",
            Self::Goodbye => "goodbye",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
