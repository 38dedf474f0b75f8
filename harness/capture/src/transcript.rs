//! What was said on the wire, line by line: the wire's testimony about a run.
//!
//! A [`Transcript`] is a function of a capture file alone. Its lines are for people, its [`Facts`] for whoever judges.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use clock::Instant;
use outcome::{AlertDescription, Stage};
use wire::mqtt::{ConnectCode, Kind};
use wire::tls::{CipherSuite, HandshakeType, NamedGroup, ProtocolVersion};

use crate::offer::Offer;
use crate::pcapng::{self, Origin, ReadError, Recording};
use crate::secrets::KeyLog;
use crate::stream::{Datagram, Side, Streams};
use crate::{conversation, lookup, modem};

/// Everything that a capture tells.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// From where the times count.
    pub origin: Origin,
    /// The file's comment, if it has one.
    pub comment: Option<String>,
    /// Questions to DNS and SNTP servers, and their answers.
    pub lookups: Vec<Line>,
    /// TCP connections, in the order of their first packets.
    pub conversations: Vec<Conversation>,
    /// What device and modem said to each other, and what the device never read of what the modem held.
    pub modem: Vec<Line>,
    /// What could not be read, one sentence each.
    pub remarks: Vec<String>,
    /// To how many bytes the recorder cut packets, if it did: what they said is then lost.
    pub cut_bytes: Option<usize>,
}

/// One TCP connection.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// When its first packet passed.
    pub began: Instant,
    /// Who opened it.
    pub client: SocketAddr,
    /// Who was to answer.
    pub server: SocketAddr,
    /// What was said.
    pub lines: Vec<Line>,
    /// What follows from that.
    pub facts: Facts,
    /// Segments that brought nothing new, by [`Side`]: sent again because something was lost, late or unanswered.
    pub repeated: [u32; 2],
    /// What could not be read, one sentence each.
    pub remarks: Vec<String>,
}

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was said, counted from the transcript's origin.
    pub at: Instant,
    /// Who said it.
    pub who: Who,
    /// What kind of thing was said.
    pub said: Said,
    /// The particulars, safe to print.
    pub details: String,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The one who opened the connection, or asked: the device.
    Client,
    /// The one who was called: the broker.
    Server,
    /// A name server.
    Dns,
    /// A time server.
    Sntp,
    /// The device's modem.
    Modem,
}

impl From<Side> for Who {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

/// What kind of thing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// The connection was opened, and nothing else came of it.
    Syn,
    /// One side has nothing more to say.
    Fin,
    /// One side broke off.
    Rst,
    /// A TLS handshake message.
    Handshake(HandshakeType),
    /// A ServerHello that asks for another ClientHello.
    HelloRetryRequest,
    /// A TLS alert.
    Alert {
        /// 1: warning, 2: fatal.
        level: u8,
        /// Which.
        description: AlertDescription,
    },
    /// What client and proxy say to each other before there is a tunnel.
    Proxy,
    /// TLS records for which there is no key.
    Encrypted,
    /// A TLS record that no key opens, or that TLS does not allow.
    BadRecord,
    /// Something that broke off before it was complete.
    Fragment,
    /// Bytes that are no TLS where TLS should be.
    NotTls,
    /// An MQTT packet.
    Mqtt(Kind),
    /// Bytes that are no MQTT packet where one should be.
    NotMqtt,
    /// Data of another application.
    Data,
    /// A question to a name or time server.
    Query,
    /// Its answer.
    Answer,
    /// An AT command, or a result code: one of [`modem::WORDS`].
    At(&'static str),
    /// Something else on the line between device and modem.
    OtherAt,
    /// What a device left in its modem.
    Unread,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syn => f.write_str("SYN"),
            Self::Fin => f.write_str("FIN"),
            Self::Rst => f.write_str("RST"),
            Self::Handshake(kind) => kind.fmt(f),
            Self::HelloRetryRequest => f.write_str("HelloRetryRequest"),
            Self::Alert { .. } => f.write_str("alert"),
            Self::Proxy => f.write_str("(proxy)"),
            Self::Encrypted => f.write_str("(encrypted)"),
            Self::BadRecord => f.write_str("(bad record)"),
            Self::Fragment => f.write_str("(fragment)"),
            Self::NotTls => f.write_str("(not TLS)"),
            Self::Mqtt(kind) => f.write_str(kind.name()),
            Self::NotMqtt => f.write_str("(not MQTT)"),
            Self::Data => f.write_str("(data)"),
            Self::Query => f.write_str("query"),
            Self::Answer => f.write_str("answer"),
            Self::At(word) => f.write_str(word),
            Self::OtherAt => f.write_str("(no AT)"),
            Self::Unread => f.write_str("(unread)"),
        }
    }
}

/// What follows from a conversation, for whoever judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The name that the client asked for in its first hello.
    pub server_name: Option<String>,
    /// The versions that it offered, highest first; only the highest, from clients before TLS 1.3.
    pub offered_versions: Vec<ProtocolVersion>,
    /// Its first hello.
    pub offer: Option<Offer>,
    /// The JA3 hash of its first hello.
    pub ja3: Option<String>,
    /// The JA4 fingerprint of its first hello.
    pub ja4: Option<String>,
    /// The version that was agreed on.
    pub version: Option<ProtocolVersion>,
    /// The suite that was agreed on.
    pub cipher_suite: Option<CipherSuite>,
    /// The group that keys were agreed in.
    pub group: Option<NamedGroup>,
    /// TLS alerts in the order in which they came, `close_notify` among them.
    pub alerts: Vec<(Side, AlertDescription)>,
    /// Who sent FIN or RST first.
    pub first_to_close: Option<(Side, Close)>,
    /// The return code of the CONNACK.
    pub connect_code: Option<ConnectCode>,
    /// How far the client came, as far as the wire can tell.
    pub stage: Option<Stage>,
    /// Both sides have sent their Finished.
    pub is_handshake_complete: bool,
    /// Something could not be decrypted: the facts are incomplete.
    pub has_gaps: bool,
    /// The key log has secrets of this connection.
    pub has_secrets: bool,
    /// Records for which there was no key, in order: who sent them, and how many bytes they hold without their headers.
    /// The first [`SEALED_RECORDS_MAX`] of a connection.
    pub sealed: Vec<(Side, usize)>,
    /// The server's certificates as they came, leaf first, DER.
    pub certificates: Vec<Vec<u8>>,
    /// The proxy that the connection leads through.
    pub proxy: Option<Proxy>,
}

/// So many sealed records are kept of a connection: enough for any handshake and a login.
pub const SEALED_RECORDS_MAX: usize = 256;

/// What was asked of a proxy, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// `HTTP`, `SOCKS 5`.
    pub kind: &'static str,
    /// Where the client wants to be led, safe to print.
    pub target: String,
    /// The proxy's answer, safe to print; empty if none came.
    pub answer: String,
    /// The proxy agreed: what follows is the tunnel's.
    pub is_open: bool,
}

/// How a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// In good order.
    Fin,
    /// Broken off.
    Rst,
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fin => "FIN",
            Self::Rst => "RST",
        })
    }
}

/// Reads a capture file, pcapng or pcap, from any tool. Secrets inside the file are used along with `more_keys`, the
/// text of an NSS key log.
///
/// # Errors
/// If the file is no capture at all. Whatever is odd further on becomes a line or a remark.
pub fn read(file: &[u8], more_keys: &str) -> Result<Transcript, ReadError> {
    pcapng::read(file).map(|recording| Transcript::of(recording, more_keys))
}

/// The same for a file of any length, of which no more than `packet_bytes_max` bytes of packets are held.
///
/// # Errors
/// If the file is no capture at all.
pub fn read_from(
    file: impl io::Read + Send,
    packet_bytes_max: usize,
    more_keys: &str,
) -> Result<Transcript, ReadError> {
    pcapng::read_from(file, packet_bytes_max).map(|recording| Transcript::of(recording, more_keys))
}

impl Transcript {
    /// What a recording tells.
    pub fn of(recording: Recording, more_keys: &str) -> Self {
        let keys = KeyLog::parse(&format!("{}\n{more_keys}", recording.key_log));
        // Our own networks fill in every checksum; other captures are often taken before the network card does.
        let verify_checksums = matches!(recording.origin, Origin::PowerOn(_));
        let streams = Streams::of(&recording.packets, verify_checksums);
        let mut remarks = recording.remarks;
        remarks.extend(streams.remarks);
        let conversations: Vec<Conversation> =
            streams.connections.iter().map(|connection| conversation::read(connection, &keys)).collect();
        let mut modem = modem::lines(&recording.spoken);
        for (index, whole) in conversations.iter().enumerate().filter(|_| !recording.spoken.is_empty()) {
            let until = conversations.get(index + 1).map(|next| next.began);
            let unread = modem::unread(&streams.connections[index], whole, &recording.spoken, until, &keys);
            if let Some(line) = unread {
                let place = modem.iter().position(|other| other.at > line.at).unwrap_or(modem.len());
                modem.insert(place, line);
            }
        }
        Self {
            modem,
            origin: recording.origin,
            comment: recording.comment,
            lookups: lookups(&streams.datagrams, &conversations, !recording.spoken.is_empty()),
            conversations,
            remarks,
            cut_bytes: recording.cut_bytes,
        }
    }
}

/// Questions and answers. Where connections go through a modem, it is the modem that asks under their address.
fn lookups(datagrams: &[Datagram], conversations: &[Conversation], has_modem: bool) -> Vec<Line> {
    let is_modem = |address: SocketAddr| {
        has_modem && conversations.first().is_some_and(|conversation| conversation.client.ip() == address.ip())
    };
    let line = |datagram: &Datagram| {
        let line = lookup::line(datagram)?;
        let asks = line.who == Who::Client && is_modem(datagram.from);
        Some(Line { who: if asks { Who::Modem } else { line.who }, ..line })
    };
    datagrams.iter().filter_map(line).collect()
}
