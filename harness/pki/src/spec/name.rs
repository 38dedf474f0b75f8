//! Names in subjectAltName (RFC 5280 §4.2.1.6) and subtrees in nameConstraints (§4.2.1.10).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

use super::Malformed;

/// A subject alternative name as `kind:value`: `dns:broker.test`, `ip:192.0.2.10`, `uri:mqtts://broker.test`,
/// `email:ops@broker.test`.
///
/// Values other than addresses are written as they stand, so that `"dns:broker.test\u0000.evil.test"` is what it
/// looks like.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Name {
    /// dNSName.
    Dns(String),
    /// iPAddress: 4 or 16 octets.
    Ip(IpAddr),
    /// uniformResourceIdentifier.
    Uri(String),
    /// rfc822Name.
    Email(String),
}

impl TryFrom<String> for Name {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        match text.split_once(':') {
            Some(("dns", name)) => Ok(Self::Dns(name.to_owned())),
            Some(("uri", uri)) => Ok(Self::Uri(uri.to_owned())),
            Some(("email", address)) => Ok(Self::Email(address.to_owned())),
            Some(("ip", address)) => address
                .parse()
                .map(Self::Ip)
                .map_err(|_| Malformed::new(address, "no IP address", "`ip:192.0.2.10` or `ip:2001:db8::10`")),
            _ => Err(Malformed::new(&text, "no alternative name", "dns:…, ip:…, uri:… or email:…")),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
            Self::Email(address) => write!(f, "email:{address}"),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

/// A subtree of names as `kind:value`: `dns:test`, `ip:192.0.2.0/24`, `uri:broker.test`, `email:broker.test`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subtree {
    /// A DNS name and all that lies below it.
    Dns(String),
    /// The addresses that share the first `prefix_bits` bits.
    Ip {
        /// The network's address.
        address: IpAddr,
        /// How many of its bits count.
        prefix_bits: u8,
    },
    /// A host in URIs.
    Uri(String),
    /// A mailbox, or a host with all its mailboxes.
    Email(String),
}

impl TryFrom<String> for Subtree {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        match text.split_once(':') {
            Some(("dns", name)) => Ok(Self::Dns(name.to_owned())),
            Some(("uri", host)) => Ok(Self::Uri(host.to_owned())),
            Some(("email", address)) => Ok(Self::Email(address.to_owned())),
            Some(("ip", network)) => parse_network(network)
                .ok_or_else(|| Malformed::new(network, "no network", "`ip:192.0.2.0/24` or `ip:2001:db8::/32`")),
            _ => Err(Malformed::new(&text, "no subtree of names", "dns:…, ip:…/…, uri:… or email:…")),
        }
    }
}

fn parse_network(network: &str) -> Option<Subtree> {
    let (address, prefix) = network.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix_bits: u8 = prefix.parse().ok()?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    (prefix_bits <= bits_max).then_some(Subtree::Ip { address, prefix_bits })
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Ip { address, prefix_bits } => write!(f, "ip:{address}/{prefix_bits}"),
            Self::Uri(host) => write!(f, "uri:{host}"),
            Self::Email(address) => write!(f, "email:{address}"),
        }
    }
}

impl From<Subtree> for String {
    fn from(subtree: Subtree) -> Self {
        subtree.to_string()
    }
}
