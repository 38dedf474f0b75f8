//! What kind of failure a device reports.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Who or what a failure is about, told by whoever knew: the client, the glue of a TLS library, or a rule about a log
/// line. A name such as `CONN_EOF` is for people; blame is decided by this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The TLS library's own verdict on what the peer said: a certificate, a record, a message out of turn.
    Tls,
    /// The device's own verdict, outside of its TLS library: on a packet that is no MQTT, or on a configuration with
    /// which it greets nobody.
    Refused,
    /// The peer said no in the words of its protocol: a TLS alert, CONNACK, SUBACK, a kiss-o'-death.
    PeerRefused,
    /// The peer closed the connection in good order: FIN, or close_notify.
    PeerClosed,
    /// The connection is gone: RST, or a network that was lost.
    PeerReset,
    /// There was no way to the peer: no address for its name, or nothing that would connect.
    NoAddress,
    /// There was no network to reach anybody through: no access point of that name let the device in, nobody lent it an
    /// address, or it lost what it had.
    NoNetwork,
    /// The device waited as long as it was told to.
    TimedOut,
    /// Memory was short: on the heap, or in a buffer of a fixed size.
    Memory,
    /// The device has no means to do what it is told. The bench takes it as *not applicable*, with the failure's name as
    /// the reason.
    Unsupported,
    /// Nobody said. Images and dialects from before there were classes, and classes that this version does not know.
    #[default]
    #[serde(other)]
    Other,
}

impl FailureClass {
    /// Every class, in the order in which tables have them.
    pub const ALL: [Self; 11] = [
        Self::Tls,
        Self::Refused,
        Self::PeerRefused,
        Self::PeerClosed,
        Self::PeerReset,
        Self::NoAddress,
        Self::NoNetwork,
        Self::TimedOut,
        Self::Memory,
        Self::Unsupported,
        Self::Other,
    ];

    /// The class as it stands in reports and dialects.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Refused => "refused",
            Self::PeerRefused => "peer_refused",
            Self::PeerClosed => "peer_closed",
            Self::PeerReset => "peer_reset",
            Self::NoAddress => "no_address",
            Self::NoNetwork => "no_network",
            Self::TimedOut => "timed_out",
            Self::Memory => "memory",
            Self::Unsupported => "unsupported",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
