//! What a broker does wrong in TLS and in TCP, by the stage at which it does it.

use outcome::AlertDescription;
use serde::{Deserialize, Deserializer};

use crate::device::Version;

/// What the broker does instead of awaiting a ClientHello.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnAccept {
    /// It closes the connection: FIN.
    Fin,
    /// It resets the connection: RST.
    Reset,
    /// It never says a word.
    Silence,
    /// It speaks first, these characters, as an SSH or SMTP server does.
    Speaks(String),
}

/// What the broker does instead of answering the ClientHello.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnClientHello {
    /// It closes the connection: FIN.
    Fin,
    /// It closes the connection if the client offers a later version than this one, and answers properly if not.
    FinAbove(Version),
    /// It resets the connection: RST.
    Reset,
    /// It never answers.
    Silence,
    /// It answers so many milliseconds late, and properly.
    DelayMs(u32),
    /// It sends close_notify, then FIN.
    CloseNotify,
    /// It sends a fatal alert, then FIN: `{ alert = "handshake_failure" }`.
    Alert(Alert),
    /// It sends a fatal alert in two records of one byte each, then FIN, which RFC 9846 §5.1 forbids.
    SplitAlert(Alert),
    /// It sends a warning, then answers properly.
    Warning(Alert),
    /// It sends a warning, then FIN.
    WarningThenFin(Alert),
    /// It sends the warning no_renegotiation so many times, then answers properly.
    WarningFlood(u32),
    /// It sends so many empty records of type handshake, then answers properly (forbidden by RFC 9846 §5.1).
    EmptyRecords(u32),
    /// It answers `HTTP/1.1 400 Bad Request`, then FIN: the port belongs to somebody else.
    Http,
    /// It answers an MQTT CONNACK in the clear, then FIN: the port speaks MQTT without TLS.
    PlainConnack,
    /// It sends 64 bytes of noise, drawn from the seed, then FIN.
    Garbage,
    /// It sends the header of a record that claims 65 535 bytes, and 100 of them, then FIN.
    RecordTooLong,
    /// It sends a ServerHello of SSL 3.0, then FIN.
    Ssl3ServerHello,
    /// It answers in TLS 1.0 (RFC 2246). With `engine = "openssl"` and `versions = ["1.0"]` it goes on in it, so that a
    /// client that takes it connects; where the client's hello rules that version out, it sends the ServerHello all the
    /// same, then awaits what comes.
    Tls10ServerHello,
    /// The same in TLS 1.1 (RFC 4346).
    Tls11ServerHello,
    /// It sends a ServerHello of TLS 1.2 that compresses (RFC 3749), then awaits what comes.
    Compression,
    /// It answers properly, but its random says that somebody has talked the client out of TLS 1.3 (RFC 9846 §4.2.3).
    /// Of use with `versions = ["1.2"]`.
    DowngradeSentinel,
    /// It sends a ServerHello with a cipher suite that the client did not offer, then awaits what comes.
    UnofferedCipherSuite,
    /// It sends a HelloRequest (RFC 5246 §7.4.1.1), then answers properly.
    HelloRequest,
    /// It sends these characters, then FIN.
    Speaks(String),
}

/// What the broker changes in its ServerHello, before it goes on as if that were what it wanted to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnServerHello {
    /// It adds an empty extension of this number.
    AddsExtension(u16),
    /// It leaves out the extension of this number.
    LacksExtension(u16),
    /// It agrees to records of so many bytes (RFC 6066 §4): 512, 1024, 2048 or 4096, whatever it was asked for.
    MaxFragmentLengthBytes(u16),
}

/// What the broker does to its first flight (ServerHello and what follows in one go).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnServerFlight {
    /// It sends so many bytes of it, then FIN.
    FinAfterBytes(u32),
    /// It sends so many bytes of it, then RST.
    ResetAfterBytes(u32),
    /// It sends so many bytes of it, and then nothing more.
    SilenceAfterBytes(u32),
    /// It sends so many records of it, then a fatal alert in the clear, then FIN: `{ alert_after_records = [1, "internal_error"] }`.
    AlertAfterRecords(u8, Alert),
    /// It flips the lowest bit of the byte at this offset.
    FlipBitAt(u32),
    /// It sends it byte by byte, with so many milliseconds in between.
    DripMsPerByte(u32),
}

/// What the broker does once the handshake is complete, before any MQTT.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnFinished {
    /// It closes the connection without close_notify: FIN.
    Fin,
    /// It sends close_notify, then FIN.
    CloseNotify,
    /// It resets the connection: RST.
    Reset,
    /// It never says a word.
    Silence,
    /// It sends a fatal alert under the new keys, then FIN.
    Alert(Alert),
    /// It sends so many empty records of application data, which RFC 9846 §5.1 allows, then goes on.
    EmptyRecords(u32),
    /// It asks for a new handshake (RFC 5246 §7.4.1.1), then goes on. OpenSSL only, and not in TLS 1.3.
    HelloRequest,
    /// It asks for new keys so many times (RFC 9846 §4.7.3), then goes on. TLS 1.3 only.
    KeyUpdates(u32),
}

/// What the broker does about a name that is missing from the ClientHello, or that it does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissingName {
    /// It goes on with `certificates`.
    #[default]
    Default,
    /// It sends the fatal alert unrecognized_name (RFC 6066 §3), then FIN.
    Alert,
    /// It sends unrecognized_name as a warning, then goes on with `certificates`.
    Warning,
    /// It sends unrecognized_name as a warning, then FIN.
    WarningThenFin,
    /// It completes the handshake, and refuses the login: CONNACK 5, close_notify, FIN.
    LoginRefused,
    /// It closes the connection without an alert.
    Fin,
}

/// How the broker closes connections, for whatever reason it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goodbye {
    /// close_notify, then FIN (RFC 9846 §6.1).
    #[default]
    CloseNotify,
    /// FIN alone, which is what an attacker who cuts the stream can do.
    Fin,
    /// RST.
    Reset,
}

/// An alert by its registered name (`"handshake_failure"`) or its number, registered or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub AlertDescription);

impl<'de> Deserialize<'de> for Alert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "the name of an alert such as \"handshake_failure\", or a number from 0 to 255")]
        enum Written {
            Number(u8),
            Name(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(AlertDescription(number))),
            Written::Name(name) => AlertDescription::from_name(&name).map(Self).ok_or_else(|| {
                let names: Vec<&str> = AlertDescription::REGISTERED.iter().map(|(_, name)| *name).collect();
                serde::de::Error::custom(format!(
                    "`{name}` is no alert: write a number from 0 to 255, or one of {}",
                    names.join(", ")
                ))
            }),
        }
    }
}
