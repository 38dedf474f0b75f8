//! A chain as it is: what each certificate says, and every flaw in it that some device minds ([`flaws`]).

pub mod flaws;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use clock::UnixTime;
use clock::calendar::Date;
use pki::spec::{Digest, KeyKind};
use serde::Serialize;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Whose signature it has.
    pub issuer: String,
    /// Its names, as `dns:…`, `ip:…`, `uri:…`, `email:…`.
    pub names: Vec<String>,
    /// Its common name, if it has one.
    pub common_name: Option<String>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
    /// `RSA-2048`, `P-256`, …
    pub key: String,
    /// `SHA-256`, …; or an object identifier that is not known here.
    pub signature: String,
    /// The X.509 version, 1 to 3.
    pub version: u32,
    /// Whether it says that it is an authority.
    pub is_authority: bool,
    /// Whether it names itself as its issuer.
    pub is_self_issued: bool,
    /// How many authorities may stand below it.
    pub path_length: Option<u32>,
    /// Whether it is for servers: `None` if it does not say.
    pub is_for_servers: Option<bool>,
    /// What its key is for; empty if it does not say.
    pub key_usage: Vec<String>,
    /// The key as scenarios name it, if it can be minted here.
    #[serde(skip)]
    pub kind: Option<KeyKind>,
    /// The digest as scenarios name it.
    #[serde(skip)]
    pub digest: Option<Digest>,
    /// Its issuer and its subject in DER, to find who belongs to whom.
    #[serde(skip)]
    pub raw_names: (Vec<u8>, Vec<u8>),
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = if self.names.is_empty() { "no alternative names".to_owned() } else { self.names.join(" ") };
        let (subject, key, signature, issuer) = (&self.subject, &self.key, &self.signature, &self.issuer);
        write!(f, "{subject} · {names} · {} · {key} · signed with {signature} by {issuer}", dates(self))
    }
}

/// What should be a certificate cannot be read: the fault of whoever sent or wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Certificate {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(der: &[u8]) -> Result<Self, Unreadable> {
        let (_, read) = X509Certificate::from_der(der).map_err(|error| Unreadable(error.to_string()))?;
        let mut certificate = Self {
            subject: clean(&read.subject().to_string()),
            issuer: clean(&read.issuer().to_string()),
            names: Vec::new(),
            common_name: read.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(clean),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
            key: String::new(),
            signature: String::new(),
            version: read.version().0 + 1,
            is_authority: false,
            is_self_issued: read.subject() == read.issuer(),
            path_length: None,
            is_for_servers: None,
            key_usage: Vec::new(),
            kind: None,
            digest: None,
            raw_names: (read.issuer().as_raw().to_vec(), read.subject().as_raw().to_vec()),
        };
        (certificate.key, certificate.kind) = key(&read);
        (certificate.signature, certificate.digest) = signature(&read.signature_algorithm.algorithm.to_id_string());
        for extension in read.extensions() {
            certificate.extension(extension.parsed_extension());
        }
        Ok(certificate)
    }

    /// Reads those of `ders` that can be read.
    pub fn read_all(ders: &[Vec<u8>]) -> Vec<Self> {
        ders.iter().filter_map(|der| Self::read(der).ok()).collect()
    }

    fn extension(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names = names.general_names.iter().filter_map(name).collect();
            }
            ParsedExtension::BasicConstraints(constraints) => {
                self.is_authority = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            ParsedExtension::ExtendedKeyUsage(usage) => self.is_for_servers = Some(usage.server_auth || usage.any),
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = usage.to_string().split(", ").map(str::to_owned).collect();
            }
            _ => {}
        }
    }

    /// Whether the name or address stands in it as what it is, wildcards of a whole first label included.
    pub fn is_named(&self, dialled: &str) -> bool {
        match dialled.parse::<IpAddr>() {
            Ok(address) => self.has_address(address),
            Err(_) => {
                self.names.iter().filter_map(|name| name.strip_prefix("dns:")).any(|name| is_match(name, dialled))
            }
        }
    }

    /// Whether the address stands in it as an iPAddress.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.names.iter().filter_map(|name| name.strip_prefix("ip:")).any(|name| name.parse() == Ok(address))
    }

    /// Whether the very text stands in it as a dNSName.
    pub fn has_dns_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.strip_prefix("dns:").is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }
}

fn is_match(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(domain), Some((_, rest))) => domain.eq_ignore_ascii_case(rest),
        _ => pattern.eq_ignore_ascii_case(name),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    Some(match name {
        GeneralName::DNSName(name) => format!("dns:{}", clean(name)),
        GeneralName::URI(uri) => format!("uri:{}", clean(uri)),
        GeneralName::RFC822Name(name) => format!("email:{}", clean(name)),
        GeneralName::IPAddress([a, b, c, d]) => format!("ip:{}", IpAddr::from([*a, *b, *c, *d])),
        GeneralName::IPAddress(bytes) => format!("ip:{}", Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?)),
        _ => return None,
    })
}

fn key(certificate: &X509Certificate<'_>) -> (String, Option<KeyKind>) {
    let key = certificate.public_key();
    let algorithm = key.algorithm.algorithm.to_id_string();
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    match (key.parsed(), algorithm.as_str()) {
        (Ok(PublicKey::RSA(rsa)), _) => {
            let bits = rsa.key_size();
            let kind = match bits {
                768 => Some(KeyKind::Rsa768),
                1_024 => Some(KeyKind::Rsa1024),
                2_048 => Some(KeyKind::Rsa2048),
                3_072 => Some(KeyKind::Rsa3072),
                4_096 => Some(KeyKind::Rsa4096),
                8_192 => Some(KeyKind::Rsa8192),
                _ => None,
            };
            (format!("RSA-{bits}"), kind)
        }
        (Ok(PublicKey::EC(_)), _) => match curve.map(|curve| curve.to_id_string()).as_deref() {
            Some("1.2.840.10045.3.1.7") => ("P-256".into(), Some(KeyKind::P256)),
            Some("1.3.132.0.34") => ("P-384".into(), Some(KeyKind::P384)),
            Some("1.3.132.0.35") => ("P-521".into(), Some(KeyKind::P521)),
            Some("1.3.36.3.3.2.8.1.1.7") => ("brainpoolP256r1".into(), Some(KeyKind::BrainpoolP256r1)),
            Some(other) => (format!("EC on {other}"), None),
            None => ("EC with explicit curve parameters".into(), None),
        },
        (_, "1.3.101.112") => ("Ed25519".into(), Some(KeyKind::Ed25519)),
        (_, other) => (format!("a key of {other}"), None),
    }
}

/// RFC 4055, RFC 5758, RFC 8410.
fn signature(oid: &str) -> (String, Option<Digest>) {
    let (words, digest) = match oid {
        "1.2.840.113549.1.1.4" => ("MD5", Some(Digest::Md5)),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => ("SHA-1", Some(Digest::Sha1)),
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => ("SHA-256", Some(Digest::Sha256)),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => ("SHA-384", Some(Digest::Sha384)),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => ("SHA-512", Some(Digest::Sha512)),
        "1.2.840.113549.1.1.10" => ("RSASSA-PSS", None),
        "1.3.101.112" => ("Ed25519", Some(Digest::Sha512)),
        other => (other, None),
    };
    (words.to_owned(), digest)
}

/// The day of a moment in seconds since 1970.
pub fn day(seconds: i64) -> String {
    Date::from_unix_time(UnixTime::from_seconds(seconds)).to_string()
}

/// From when until when a certificate is valid, as days.
pub fn dates(certificate: &Certificate) -> String {
    format!("{} to {}", day(certificate.not_before), day(certificate.not_after))
}

/// Without characters that a terminal obeys.
fn clean(text: &str) -> String {
    terminal::clean::line(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    pub(super) fn read(text: &str, names: &[&str]) -> Vec<Certificate> {
        let spec = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        let minted = pki::mint(&spec, 1, NOW).unwrap_or_else(|error| panic!("{error}"));
        let one =
            |name: &&str| Certificate::read(&minted.certificates[*name].der).unwrap_or_else(|why| panic!("{why}"));
        names.iter().map(one).collect()
    }

    #[test]
    fn wildcards_stand_for_one_label() {
        let leaf = &read("leaf.names = ['dns:*.example', 'dns:x.test']", &["leaf"])[0];
        assert!(leaf.is_named("a.example") && leaf.is_named("X.test") && !leaf.is_named("a.b.example"));
        assert!(!leaf.is_named("example") && !leaf.is_named("192.0.2.10"));
    }
}
