//! What a client offers in its first hello, and what that gives away besides.

mod cut;

use std::fmt;

use clock::UnixTime;
use clock::calendar::Date;
pub use cut::CutOffer;
use outcome::AlertDescription;

use wire::tls::{
    Alert, ClientHello, ClientHelloView, ContentType, HandshakeDecoder, HandshakeType, Malformed, ProtocolVersion,
    RecordDecoder,
};

/// The longest hello that is looked into: post-quantum key shares make two kilobytes.
const HELLO_BYTES_MAX: usize = 16 << 10;

/// How far into pasted bytes a hello may begin: Ethernet, IP and TCP headers with all their options need 14 + 60 + 60.
const HEADERS_BYTES_MAX: usize = 160;

/// A client's first hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version in the header of its record; `None` if the record is not known.
    pub record_version: Option<ProtocolVersion>,
    /// The first four bytes of its random: the time in seconds since 1970, before anybody thought better of it
    /// (RFC 5246 §7.4.1.2; RFC 9846 §4.2.2 wants randomness).
    pub gmt_unix_time: u32,
    /// Compression methods, of which 0 is none.
    pub compression_methods: Vec<u8>,
    /// Length of the handshake message with its header.
    pub message_bytes: usize,
    /// The rest.
    pub hello: ClientHello,
}

/// Why there is no hello in some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHello {
    /// The hello says that it is longer than what is there.
    Cut {
        /// How many bytes of it are there, as far as can be told.
        has_bytes: usize,
        /// How many it says it has; `None` if not even that is there.
        wants_bytes: Option<usize>,
    },
    /// A hello whose structure does not hold.
    Malformed(Malformed),
    /// What the other side says: a handshake message of a server.
    OfAServer(HandshakeType),
    /// An alert: it says why somebody gave up, not who.
    Alert(AlertDescription),
    /// Encrypted: whoever said it, its content is not for us.
    Encrypted,
    /// A hello in the format of SSL 2.0 (RFC 5246 §E.2).
    Ssl2,
    /// MQTT without TLS.
    Mqtt,
    /// HTTP without TLS, or a proxy's answer.
    Http,
    /// TLS over datagrams (RFC 9147).
    Dtls,
    /// Nothing that is known here.
    Unknown,
}

impl fmt::Display for NoHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { has_bytes, wants_bytes } => {
                match wants_bytes {
                    Some(wants) => write!(f, "a ClientHello of {wants} bytes, of which {has_bytes} are here")?,
                    None => write!(f, "a handshake record that breaks off after {has_bytes} bytes")?,
                }
                f.write_str(": paste the rest, from the following packets if need be")
            }
            Self::Malformed(how) => write!(f, "a ClientHello that no server could read ({how}): is it whole?"),
            Self::OfAServer(kind) => {
                write!(f, "a {kind}, which is what servers say: paste the ClientHello, which begins `16 03 .. .. .. 01`")
            }
            Self::Alert(description) => write!(f, "no ClientHello but an alert: {description}"),
            Self::Encrypted => f.write_str(
                "an encrypted record: paste the ClientHello, the first that a client says, or give the whole capture",
            ),
            Self::Ssl2 => f.write_str(
                "a hello in the format of SSL 2.0, which no broker of today reads: the client's TLS stack is from \
                 before 2006, or told to be compatible with such",
            ),
            Self::Mqtt => f.write_str("MQTT without TLS: this client was not told to use TLS on this port"),
            Self::Http => f.write_str("HTTP without TLS: a web server, a proxy or a captive portal speaks here"),
            Self::Dtls => f.write_str(
                "DTLS, which is TLS over UDP: MQTT does not use it, CoAP does. Set the session up for a stream \
                 (MBEDTLS_SSL_TRANSPORT_STREAM), or look for the TCP connection",
            ),
            Self::Unknown => f.write_str(
                "no TLS that is known here: a ClientHello begins `16 03 .. .. .. 01`, and may have Ethernet, IP and TCP \
                 headers before it",
            ),
        }
    }
}

impl std::error::Error for NoHello {}

impl Offer {
    /// The hello in the body of a handshake message.
    ///
    /// # Errors
    /// If its structure does not hold.
    pub fn parse(record_version: Option<ProtocolVersion>, body: &[u8]) -> Result<Self, Malformed> {
        let view = ClientHelloView::parse(body)?;
        let [first, second, third, fourth, ..] = *view.random;
        Ok(Self {
            record_version,
            gmt_unix_time: u32::from_be_bytes([first, second, third, fourth]),
            compression_methods: view.compression_methods.to_vec(),
            message_bytes: body.len() + 4,
            hello: ClientHello::parse(&view)?,
        })
    }

    /// What the client's clock says, if the random begins with a time: as a date, UTC.
    pub fn gmt_unix_date(&self) -> String {
        Date::from_unix_time(UnixTime::from_seconds(self.gmt_unix_time.into())).to_string()
    }

    /// Whether the random begins with a time that nobody would take for randomness: none, or one of 1970. A clock
    /// that was never set counts from there.
    pub const fn is_clock_unset(&self) -> bool {
        const YEAR_S: u32 = 365 * 24 * 3600;
        self.gmt_unix_time < YEAR_S
    }

    /// The hello in bytes that somebody cut out somewhere: records, a handshake message without its record, or a whole
    /// frame with its headers.
    ///
    /// # Errors
    /// What it is instead, as far as can be told.
    pub fn find(bytes: &[u8]) -> Result<Self, NoHello> {
        let bytes = behind_a_proxy(bytes);
        let refusal = match at_the_start(bytes) {
            Err(NoHello::Unknown) => NoHello::Unknown,
            other => return other,
        };
        let headers = bytes.len().min(HEADERS_BYTES_MAX);
        let inside = (1..headers).filter_map(|start| bytes.get(start..)).find_map(|rest| match rest {
            [22, 3, 0..=4, _, _, 1, ..] => at_the_start(rest).ok(),
            _ => None,
        });
        inside.ok_or(refusal)
    }
}

/// What follows a proxy's request and answer in HTTP (RFC 9110 §9.3.6): a tunnel to a TLS server begins so. SOCKS is short
/// enough to be found as if it were headers.
fn behind_a_proxy(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while rest.starts_with(b"CONNECT ") || rest.starts_with(b"HTTP/1.") {
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else { break };
        match rest.get(end + 4..) {
            Some(after) if !after.is_empty() => rest = after,
            _ => break,
        }
    }
    rest
}

fn at_the_start(bytes: &[u8]) -> Result<Offer, NoHello> {
    match bytes {
        [22, 3, 0..=4, ..] => in_records(bytes),
        [21, 3, 0..=4, _, 2, alert @ ..] => match Alert::parse(alert.get(..2).unwrap_or(alert)) {
            Ok(alert) => Err(NoHello::Alert(AlertDescription(alert.description))),
            Err(_) => Err(NoHello::Unknown),
        },
        [20 | 23, 3, 0..=4, ..] => Err(NoHello::Encrypted),
        [20..=25, 0xfe, 0xfd..=0xff, ..] => Err(NoHello::Dtls),
        [b'H', b'T', b'T', b'P', b'/', ..] | [b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', b' ', ..] => {
            Err(NoHello::Http)
        }
        [b'C', b'O', b'N', b'N', b'E', b'C', b'T', b' ', ..] => Err(NoHello::Http),
        // The most significant bit is set, and type and version follow (RFC 5246 §E.2).
        [0x80..=0xff, _, 1, 3 | 0, 0..=4, ..] => Err(NoHello::Ssl2),
        [0x10, rest @ ..] if rest.windows(4).take(8).any(|name| name == b"MQTT" || name == b"MQIs") => {
            Err(NoHello::Mqtt)
        }
        [1, high, middle, low, body @ ..] => {
            let wants_bytes = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
            match body.get(..wants_bytes) {
                // Anything may begin with 1: what does not hold is no hello at all.
                Some(body) => Offer::parse(None, body).map_err(|_| NoHello::Unknown),
                None => Err(NoHello::Unknown),
            }
        }
        _ => Err(NoHello::Unknown),
    }
}

fn in_records(bytes: &[u8]) -> Result<Offer, NoHello> {
    let mut records = RecordDecoder::new();
    records.extend(bytes);
    let mut messages = HandshakeDecoder::new(HELLO_BYTES_MAX);
    let mut version = None;
    while let Some(Ok(record)) = records.next_record() {
        if record.content_type != ContentType::HANDSHAKE {
            break;
        }
        version.get_or_insert(record.version);
        messages.extend(&record.fragment);
        match messages.next_message() {
            Some(Ok(message)) if message.kind == HandshakeType::CLIENT_HELLO => {
                return Offer::parse(version, &message.body).map_err(NoHello::Malformed);
            }
            Some(Ok(message)) => return Err(NoHello::OfAServer(message.kind)),
            Some(Err(_)) => return Err(NoHello::Malformed(Malformed::BadValue)),
            None => {}
        }
    }
    let pending = pending(&messages, &records);
    match pending[..] {
        [1, high, middle, low, ref body @ ..] => {
            let wants_bytes = u32::from_be_bytes([0, high, middle, low]) as usize;
            Err(NoHello::Cut { has_bytes: body.len() + 4, wants_bytes: Some(wants_bytes + 4) })
        }
        [] | [1, ..] => Err(NoHello::Cut { has_bytes: bytes.len(), wants_bytes: None }),
        [kind, ..] => Err(NoHello::OfAServer(HandshakeType(kind))),
    }
}

/// What breaks off: in the record that never ended, or in a message that more records were to bring.
fn pending(messages: &HandshakeDecoder, records: &RecordDecoder) -> Vec<u8> {
    [messages.pending(), records.pending().get(5..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests;
