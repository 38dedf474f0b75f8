//! What can go wrong outside of the TLS library, in the client's own words.

use alloc::string::String;
use core::fmt;

use outcome::{FailureClass, Stage};

use crate::radio::NotJoined;
use crate::tls;

/// A failure that the client itself noticed. The TLS library's are told in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The plan asks for what cannot be done: a name that is none, a string that no packet can hold.
    PlanUnusable,
    /// No wireless network was joined, or it was lost.
    NotJoined(NotJoined),
    /// Nobody lent the device an address in time (RFC 2131 §4.4.1).
    LeaseTimedOut,
    /// The lease ran out, or its renewal was refused (RFC 2131 §4.4.5).
    LeaseLost,
    /// The lease names no resolver, and there is a name to look up (RFC 2132 §3.8).
    NoResolver,
    /// The resolver says that the name does not exist (RFC 1035 §4.1.1, RCODE 3).
    DnsNxdomain,
    /// The resolver failed; the code is its RCODE (RFC 1035 §4.1.1).
    DnsServerFailure(u8),
    /// The resolver's answer did not fit a datagram (RFC 1035 §4.1.1, TC), and this device has no other way to ask.
    DnsTruncated,
    /// The name exists, but has no address that this device can reach.
    DnsNoAddress,
    /// The resolver did not answer in time.
    DnsTimedOut,
    /// The time server did not answer in time.
    SntpTimedOut,
    /// The time server sent a kiss-o'-death (RFC 4330 §8): it does not want to be asked.
    SntpRefused,
    /// The time server says that its own clock is not set (RFC 4330 §4, LI 3).
    SntpUnsynchronised,
    /// The broker's address answered the connection attempt with a reset (RFC 9293 §3.5.2).
    ConnectRefused,
    /// Nothing answered the connection attempt in time.
    ConnectTimedOut,
    /// The modem answered ERROR, or what is no answer.
    ModemRefused,
    /// The modem did not answer in time.
    ModemTimedOut,
    /// The modem could not open the connection; the code is that of `+CIPOPEN` (SIMCom's manual, "Description of
    /// `<err>`").
    ModemOpenFailed(u8),
    /// The modem lost its network, or was reset.
    ModemNetworkLost,
    /// There is no authority, and the plan wants one before anybody is greeted.
    AuthorityMissing,
    /// The handshake made no progress for too long.
    HandshakeTimedOut,
    /// The connection was reset.
    ConnectionReset,
    /// The broker closed the connection.
    ConnectionClosed,
    /// The broker owes an answer to an MQTT packet, and time is up.
    ReplyTimedOut,
    /// The broker took no bytes for too long.
    SendTimedOut,
    /// The broker refused the session; the code is CONNACK's (MQTT 3.1.1 §3.2.2.3).
    ConnackRefused(u8),
    /// The broker refused the subscription (MQTT 3.1.1 §3.9.3, return code 0x80).
    SubscribeRefused,
    /// The broker sent what is no MQTT 3.1.1 packet.
    MalformedPacket,
    /// The broker announced a packet that is too large for this device.
    PacketTooLarge,
    /// The broker sent a packet that has no place here.
    UnexpectedPacket,
}

impl Fault {
    /// The name under which it is reported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PlanUnusable => "PLAN_UNUSABLE",
            Self::NotJoined(why) => why.name(),
            Self::LeaseTimedOut => "DHCP_TIMED_OUT",
            Self::LeaseLost => "DHCP_LEASE_LOST",
            Self::NoResolver => "DNS_NO_SERVER",
            Self::DnsNxdomain => "DNS_NXDOMAIN",
            Self::DnsServerFailure(_) => "DNS_SERVER_FAILURE",
            Self::DnsTruncated => "DNS_TRUNCATED",
            Self::DnsNoAddress => "DNS_NO_ADDRESS",
            Self::DnsTimedOut => "DNS_TIMED_OUT",
            Self::SntpTimedOut => "SNTP_TIMED_OUT",
            Self::SntpRefused => "SNTP_REFUSED",
            Self::SntpUnsynchronised => "SNTP_UNSYNCHRONISED",
            Self::ConnectRefused => "CONNECT_REFUSED",
            Self::ConnectTimedOut => "CONNECT_TIMED_OUT",
            Self::ModemRefused => "MODEM_REFUSED",
            Self::ModemTimedOut => "MODEM_TIMED_OUT",
            Self::ModemOpenFailed(_) => "MODEM_OPEN_FAILED",
            Self::ModemNetworkLost => "MODEM_NETWORK_LOST",
            Self::AuthorityMissing => "AUTHORITY_MISSING",
            Self::HandshakeTimedOut => "HANDSHAKE_TIMED_OUT",
            Self::ConnectionReset => "CONNECTION_RESET",
            Self::ConnectionClosed => "CONNECTION_CLOSED",
            Self::ReplyTimedOut => "REPLY_TIMED_OUT",
            Self::SendTimedOut => "SEND_TIMED_OUT",
            Self::ConnackRefused(_) => "CONNACK_REFUSED",
            Self::SubscribeRefused => "SUBSCRIBE_REFUSED",
            Self::MalformedPacket => "MALFORMED_PACKET",
            Self::PacketTooLarge => "PACKET_TOO_LARGE",
            Self::UnexpectedPacket => "UNEXPECTED_PACKET",
        }
    }

    /// What kind of failure it is.
    pub const fn class(self) -> FailureClass {
        match self {
            // Whoever wrote the plan is to blame, and not that the device lacks something.
            Self::PlanUnusable => FailureClass::Other,
            Self::NotJoined(_) | Self::LeaseTimedOut | Self::LeaseLost => FailureClass::NoNetwork,
            Self::NoResolver
            | Self::DnsNxdomain
            | Self::DnsServerFailure(_)
            | Self::DnsTruncated
            | Self::DnsNoAddress
            | Self::ModemRefused
            | Self::ModemOpenFailed(_) => FailureClass::NoAddress,
            Self::DnsTimedOut
            | Self::SntpTimedOut
            | Self::ConnectTimedOut
            | Self::ModemTimedOut
            | Self::HandshakeTimedOut
            | Self::ReplyTimedOut
            | Self::SendTimedOut => FailureClass::TimedOut,
            Self::SntpRefused | Self::SntpUnsynchronised | Self::ConnackRefused(_) | Self::SubscribeRefused => {
                FailureClass::PeerRefused
            }
            Self::ConnectRefused | Self::ConnectionReset | Self::ModemNetworkLost => FailureClass::PeerReset,
            Self::ConnectionClosed => FailureClass::PeerClosed,
            Self::AuthorityMissing | Self::MalformedPacket | Self::PacketTooLarge | Self::UnexpectedPacket => {
                FailureClass::Refused
            }
        }
    }

    /// The number that the peer gave with it; 0 if none.
    pub const fn code(self) -> i32 {
        match self {
            Self::DnsServerFailure(code) | Self::ConnackRefused(code) | Self::ModemOpenFailed(code) => code as i32,
            Self::NotJoined(why) => why.code() as i32,
            Self::SubscribeRefused => 0x80,
            _ => 0,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Either kind of failure, on its way to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The client's.
    Own(Fault),
    /// The TLS library's.
    Tls(tls::Failure),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Own(fault)
    }
}

impl From<tls::Failure> for Trouble {
    fn from(failure: tls::Failure) -> Self {
        Self::Tls(failure)
    }
}

impl From<tls::WireEnd> for Trouble {
    fn from(end: tls::WireEnd) -> Self {
        Self::Own(match end {
            tls::WireEnd::Closed => Fault::ConnectionClosed,
            tls::WireEnd::Reset => Fault::ConnectionReset,
        })
    }
}

impl Trouble {
    /// The report's body.
    pub(crate) fn into_report(
        self,
        stage: Stage,
        failed_allocation_bytes: Option<u32>,
        at_ms: u32,
    ) -> control::Failure {
        let failure = match self {
            Self::Own(fault) => tls::Failure {
                class: fault.class(),
                code: fault.code(),
                name: String::from(fault.name()),
                ..tls::Failure::default()
            },
            Self::Tls(failure) => failure,
        };
        control::Failure {
            stage,
            class: failure.class,
            alert_received: failure.alert_received,
            code: failure.code,
            name: failure.name,
            verify_flags: failure.verify_flags,
            verify_flag_names: failure.verify_flag_names,
            failed_allocation_bytes,
            at_ms,
        }
    }
}
