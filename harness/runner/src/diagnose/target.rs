//! Where the broker is: what was given on the command line, resolved and dialled. What cannot be reached is told with
//! its remedy, and so is what is no TLS.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use host::own_network::Endpoint;

use crate::exit;
use crate::hil::Refusal;
use terminal::clean::line;

/// How long a broker may take to accept a connection, or to say something.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// So much of what is no TLS is looked at, in bytes.
const LOOKED_AT_BYTES_MAX: usize = 512;

/// A broker's place, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The host: a name, or the literal of an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A text that names no place: the fault of whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// A URL.
    Scheme {
        /// What stands before `://`.
        scheme: String,
        /// What stands behind it, up to the path.
        rest: String,
    },
    /// An IPv6 address without brackets.
    Brackets(String),
    /// A host alone.
    NoPort(String),
    /// A port that is none.
    Port(String),
    /// Neither a DNS name nor an address.
    Host(String),
    /// A name in other letters than DNS has.
    Unicode(String),
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme { scheme, rest } => write!(
                f,
                "`{scheme}://` is not wanted: write `--broker {rest}`, with the port of MQTT over TLS, mostly 8883"
            ),
            Self::Brackets(text) => write!(f, "an IPv6 address stands in brackets: `[{text}]:8883`"),
            Self::NoPort(text) => write!(f, "the port is missing: `{text}:8883` is the usual one of MQTT over TLS"),
            Self::Port(text) => write!(f, "`{text}` is no port: 1 to 65535"),
            Self::Host(text) => write!(f, "`{}` is neither a DNS name nor an address", line(text)),
            Self::Unicode(text) => {
                write!(f, "`{}` is not written as DNS has it: give its `xn--` form", line(text))
            }
        }
    }
}

impl std::error::Error for NoPlace {}

/// `HOST:PORT` from the command line.
///
/// # Errors
///
/// What to write instead.
pub fn place(text: &str) -> Result<Place, NoPlace> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.split('/').next().unwrap_or_default();
        return Err(NoPlace::Scheme { scheme: scheme.to_owned(), rest: rest.to_owned() });
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((host, port)) => (host, port),
        None => text.rsplit_once(':').filter(|(host, _)| !host.contains(':')).ok_or_else(|| {
            let missing = if text.contains(':') { NoPlace::Brackets } else { NoPlace::NoPort };
            missing(text.to_owned())
        })?,
    };
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(|| NoPlace::Port(port.to_owned()))?;
    check_host(host)?;
    Ok(Place { host: host.to_owned(), port })
}

/// A host that a device can dial, as an option takes it.
///
/// # Errors
///
/// See [`check_host`].
pub fn host(text: &str) -> Result<String, NoPlace> {
    check_host(text).map(|()| text.to_owned())
}

/// Whether a device can dial this: a DNS name (RFC 1123 §2.1, and underscores, which people use) or an address.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_host(host: &str) -> Result<(), NoPlace> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.parse::<IpAddr>().is_ok() || (!host.is_empty() && host.len() <= 253 && host.bytes().all(is_plain)) {
        return Ok(());
    }
    Err(if host.is_ascii() { NoPlace::Host } else { NoPlace::Unicode }(host.to_owned()))
}

impl Place {
    /// The first of its addresses at which somebody listens, and a connection to it.
    ///
    /// # Errors
    ///
    /// Why nobody is reached.
    pub fn dial(&self) -> Result<(Endpoint, TcpStream), Refusal> {
        let addresses = (self.host.as_str(), self.port).to_socket_addrs();
        let mut why = None;
        for address in addresses.map_err(|error| unresolved(&self.host, &error.to_string()))? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Ok((address.into(), stream)),
                Err(error) => why = Some((address, error)),
            }
        }
        Err(match why {
            Some((address, error)) => Refusal::new(exit::OTHERWISE, unreached(self, address, &error)),
            None => unresolved(&self.host, "it has no address"),
        })
    }
}

/// A connection to where this place is in truth.
///
/// # Errors
///
/// Why nobody is reached.
pub fn dial_at(place: &Place, endpoint: &Endpoint) -> Result<(Endpoint, TcpStream), Refusal> {
    endpoint
        .connect(PATIENCE)
        .map(|stream| (endpoint.clone(), stream))
        .map_err(|error| Refusal::new(exit::OTHERWISE, unreached(place, endpoint.address, &error)))
}

fn unresolved(host: &str, why: &str) -> Refusal {
    let words = format!(
        "--broker: the name `{}` is not resolved here ({why}): is it spelt so, and does this machine ask the resolver that \
         knows it? An address does without: `--broker ADDRESS:PORT --server-name {0}`",
        line(host)
    );
    Refusal::new(exit::OTHERWISE, words)
}

fn unreached(place: &Place, address: SocketAddr, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nobody listens there: is the broker running, does it listen on this address and not on 127.0.0.1 alone, and is \
             this the port of its TLS listener (8883 mostly)?"
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            "nobody answers: a firewall that drops what it does not let through, or another network"
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "there is no way to it from this machine: another network, a VPN that is down"
        }
        _ => "it cannot be reached from this machine",
    };
    format!("--broker {place}: {address}: {error}: {remedy}")
}

/// What answers where TLS was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// TLS: a record of its own.
    Tls,
    /// MQTT without TLS.
    PlainMqtt,
    /// Another protocol, by the first bytes that it says.
    Other(String),
    /// It closes the connection on whatever is said.
    Closes(&'static str),
    /// It accepts connections, and says nothing.
    Nothing,
}

/// Says a ClientHello, and hears what kind of answer comes.
pub fn speaks(mut stream: TcpStream, hello: &[u8]) -> Speaks {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    if stream.write_all(hello).is_err() {
        return Speaks::Closes("RST");
    }
    match first_bytes(&mut stream) {
        Ok(bytes) if bytes.is_empty() => Speaks::Closes("FIN"),
        Ok(bytes) if matches!(bytes[..], [20..=23, 3, ..]) => Speaks::Tls,
        Ok(bytes) => Speaks::Other(named(&bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Speaks::Nothing,
        Err(_) => Speaks::Closes("RST"),
    }
}

/// Whether MQTT without TLS is answered: says CONNECT, and awaits CONNACK.
pub fn speaks_plain_mqtt(mut stream: TcpStream, connect: &[u8]) -> bool {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    stream.write_all(connect).is_ok() && matches!(first_bytes(&mut stream).as_deref(), Ok([0x20, 2, ..]))
}

fn first_bytes(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; LOOKED_AT_BYTES_MAX];
    let count = stream.read(&mut buffer)?;
    buffer.truncate(count);
    Ok(buffer)
}

fn named(bytes: &[u8]) -> String {
    let starts = |with: &[u8]| bytes.starts_with(with);
    if starts(b"HTTP/") {
        return "HTTP without TLS".into();
    }
    if starts(b"SSH-") {
        return "SSH".into();
    }
    if starts(b"220 ") || starts(b"* OK") || starts(b"+OK") {
        return "a mail or file server".into();
    }
    if matches!(bytes, [0x20, 2, ..] | [0xe0, ..]) {
        return "MQTT without TLS".into();
    }
    let shown: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("bytes that are no TLS: {}", shown.join(" "))
}

impl Speaks {
    /// Why nothing can be diagnosed there, and the remedy; `None` if it is TLS.
    pub fn refusal(&self, place: &Place) -> Option<Refusal> {
        let words = match self {
            Self::Tls => return None,
            Self::PlainMqtt => format!(
                "--broker {place}: it speaks MQTT without TLS: dial its TLS listener, mostly 8883; on mosquitto a listener speaks \
                 TLS once it has `certfile` and `keyfile` below its own `listener` line"
            ),
            Self::Other(what) => format!(
                "--broker {place}: it speaks no TLS, but {what}: is this the port of MQTT over TLS? MQTT over WebSocket (443, \
                 8084, 9001) is not supported here"
            ),
            Self::Closes(how) => format!(
                "--broker {place}: it closes the connection ({how}) on a TLS hello, without an alert, and answers no plain \
                 MQTT either: a proxy that wants the PROXY protocol, a listener without a certificate, or a firewall"
            ),
            Self::Nothing => format!(
                "--broker {place}: it accepts connections and says nothing for {} s: is this the port of MQTT over TLS?",
                PATIENCE.as_secs()
            ),
        };
        Some(Refusal::new(exit::OTHERWISE, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_what_is_none_says_what_to_write() {
        let read = |text: &str| place(text).map(|place| (place.host, place.port));
        assert_eq!(read("broker.example:8883"), Ok(("broker.example".into(), 8883)));
        assert_eq!(read("[2001:db8::10]:8883"), Ok(("2001:db8::10".into(), 8883)));
        assert_eq!(place("[2001:db8::10]:8883").map(|place| place.to_string()), Ok("[2001:db8::10]:8883".into()));
        for (text, words) in [
            ("broker.example", "`broker.example:8883`"),
            ("mqtts://broker.example:8883", "`--broker broker.example:8883`"),
            ("2001:db8::10", "`[2001:db8::10]:8883`"),
            ("host:0", "no port"),
            ("host:99999", "no port"),
            ("a b:8883", "neither"),
            ("bücher.example:8883", "xn--"),
            (":8883", "neither"),
        ] {
            let why = place(text).expect_err(text).to_string();
            assert!(why.contains(words), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_no_tls_is_named() {
        assert_eq!(named(b"HTTP/1.1 400 Bad Request"), "HTTP without TLS");
        assert_eq!(named(&[0x20, 2, 0, 5]), "MQTT without TLS");
        assert!(named(&[0; 40]).ends_with("00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
        let place = Place { host: "h".into(), port: 1 };
        assert_eq!(Speaks::Tls.refusal(&place).map(|refusal| refusal.words), None);
        assert!(Speaks::PlainMqtt.refusal(&place).is_some_and(|refusal| refusal.words.contains("certfile")));
    }
}
