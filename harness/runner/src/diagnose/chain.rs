//! A chain as it is: what each certificate says, and every flaw in it that some device minds.

use std::net::{IpAddr, Ipv6Addr};

use clock::UnixTime;
use clock::calendar::Date;
use pki::spec::{Digest, KeyKind};
use serde::Serialize;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::change::Change;
use crate::summary::printable;

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

impl Certificate {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let (_, read) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let mut certificate = Self {
            subject: printable(&read.subject().to_string()),
            issuer: printable(&read.issuer().to_string()),
            names: Vec::new(),
            common_name: read.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(printable),
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
        GeneralName::DNSName(name) => format!("dns:{}", printable(name)),
        GeneralName::URI(uri) => format!("uri:{}", printable(uri)),
        GeneralName::RFC822Name(name) => format!("email:{}", printable(name)),
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

/// A flaw of a chain, and who minds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The certificate, from 0 for the leaf.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// Which devices mind it.
    pub minded_by: &'static str,
    /// The change that takes it away, if one does whatever is dialled.
    #[serde(skip)]
    pub mends: Option<Change>,
}

/// Every flaw of the chain that some device minds, for what is `dialled`, `now`, under `authorities`.
pub fn flaws(chain: &[Certificate], authorities: &[Certificate], dialled: &str, now: UnixTime) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, certificate) in chain.iter().enumerate() {
        each(&mut flaws, at, certificate, now);
    }
    if let Some(leaf) = chain.first() {
        of_leaf(&mut flaws, leaf, dialled);
    }
    of_order(&mut flaws, chain, authorities);
    flaws
}

fn each(flaws: &mut Vec<Flaw>, at: usize, certificate: &Certificate, now: UnixTime) {
    let mut add = |what: String, minded_by, mends| flaws.push(Flaw { at, what, minded_by, mends });
    let renew = Some(Change::Renew);
    if certificate.not_after < now.seconds {
        add(format!("it ended on {}", day(certificate.not_after)), "all that look at dates", renew);
    }
    if certificate.not_before > now.seconds {
        add(format!("it begins on {}", day(certificate.not_before)), "all that look at dates", renew);
    }
    let key = certificate.key.as_str();
    let mut minds_key = |minded_by| add(format!("its key is {key}"), minded_by, None);
    match key {
        "RSA-768" | "RSA-1024" => minds_key("Mbed TLS (2048 bits at least)"),
        "RSA-8192" => minds_key("BearSSL (4096 bits at most), and devices with small buffers"),
        "P-384" | "P-521" => minds_key("images whose library was built without that curve (Tasmota, Meshtastic)"),
        "Ed25519" => minds_key("BearSSL and Mbed TLS, which have no Ed25519"),
        key if key.starts_with("brainpool") || key.starts_with("EC ") || key.starts_with("a key of") => {
            minds_key("most devices");
        }
        _ => {}
    }
    let is_root = certificate.is_self_issued;
    match certificate.signature.as_str() {
        "MD5" | "SHA-1" if !is_root => add(
            format!("it is signed with {}", certificate.signature),
            "Mbed TLS 3, rustls, OpenSSL at its usual level",
            Some(Change::Sha256),
        ),
        "RSASSA-PSS" if !is_root => add(
            "it is signed with RSASSA-PSS".into(),
            "BearSSL, Mbed TLS without MBEDTLS_X509_RSASSA_PSS_SUPPORT",
            Some(Change::Sha256),
        ),
        _ => {}
    }
    if certificate.version < 3 {
        add(format!("it is X.509 version {}", certificate.version), "BearSSL, if it is to sign others", renew);
    }
}

fn of_leaf(flaws: &mut Vec<Flaw>, leaf: &Certificate, dialled: &str) {
    let mut add = |what: String, minded_by, mends| flaws.push(Flaw { at: 0, what, minded_by, mends });
    let renew = Some(Change::Renew);
    match dialled.parse::<IpAddr>() {
        Ok(address) => {
            let (as_address, as_name) = (leaf.has_address(address), leaf.has_dns_name(dialled));
            if !as_address {
                add(
                    format!("{dialled} is not in it as iPAddress"),
                    "all that go by RFC 9525: Mbed TLS 3, mosquitto, rustls",
                    None,
                );
            }
            if !as_name {
                add(
                    format!("{dialled} is not in it as dNSName"),
                    "BearSSL and Mbed TLS before 3.5, which know no iPAddress",
                    None,
                );
            }
        }
        Err(_) if leaf.is_named(dialled) => {}
        Err(_) => add(format!("{dialled} is not among its dNSNames"), "all that look at names", None),
    }
    if leaf.names.is_empty() {
        add("it has no subjectAltName".into(), "rustls, Go, browsers, BearSSL where the common name differs", None);
    }
    if leaf.is_for_servers == Some(false) {
        add("its extended key usage is not for servers".into(), "Mbed TLS, OpenSSL, rustls", renew);
    }
    if leaf.is_authority {
        add("it says that it is an authority".into(), "rustls", renew);
    }
    if !leaf.key_usage.is_empty() && !leaf.key_usage.iter().any(|usage| usage == "Digital Signature") {
        add("its key usage lacks digitalSignature".into(), "Mbed TLS and BearSSL with ECDHE", renew);
    }
}

fn of_order(flaws: &mut Vec<Flaw>, chain: &[Certificate], authorities: &[Certificate]) {
    for (at, pair) in chain.windows(2).enumerate() {
        let [certificate, next] = pair else { continue };
        if certificate.raw_names.0 != next.raw_names.1 {
            let what = format!("what follows it is not its issuer ({}), but {}", certificate.issuer, next.subject);
            let mends = Some(Change::WholeChain);
            flaws.push(Flaw { at, what, minded_by: "BearSSL, and all that do not sort chains", mends });
        }
    }
    if let (Some(last), true) = (chain.last(), chain.len() > 1)
        && last.is_self_issued
    {
        let what = "the root is sent too".into();
        let minded_by = "nobody but small buffers: it need not be sent";
        flaws.push(Flaw { at: chain.len() - 1, what, minded_by, mends: None });
    }
    let Some(last) = chain.last().filter(|_| !authorities.is_empty()) else { return };
    let is_trusted = |certificate: &Certificate| {
        authorities
            .iter()
            .any(|root| root.raw_names.1 == certificate.raw_names.0 || root.raw_names.1 == certificate.raw_names.1)
    };
    if !chain.iter().any(is_trusted) {
        let what = format!("its issuer ({}) is neither sent nor among the authorities", last.issuer);
        let mends = Some(Change::WholeChain);
        flaws.push(Flaw { at: chain.len() - 1, what, minded_by: "all that verify chains", mends });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn read(text: &str, names: &[&str]) -> Vec<Certificate> {
        let spec = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        let minted = pki::mint(&spec, 1, NOW).unwrap_or_else(|error| panic!("{error}"));
        let one =
            |name: &&str| Certificate::read(&minted.certificates[*name].der).unwrap_or_else(|why| panic!("{why}"));
        names.iter().map(one).collect()
    }

    fn told(text: &str, chain: &[&str], dialled: &str) -> Vec<String> {
        let (chain, root) = (read(text, chain), read(text, &["root"]));
        flaws(&chain, &root, dialled, NOW).into_iter().map(|flaw| format!("{}: {}", flaw.at, flaw.what)).collect()
    }

    #[test]
    fn a_good_chain_has_no_flaw_and_each_flaw_is_told() {
        assert_eq!(told("", &["leaf"], "broker.test"), [""; 0]);
        let sub = "sub.ca = true\nleaf.issuer = 'sub'\n";
        assert_eq!(told(sub, &["leaf", "sub"], "broker.test"), [""; 0]);
        for (text, chain, dialled, words) in [
            (sub, &["leaf"][..], "broker.test", "0: its issuer (CN="),
            (sub, &["leaf", "sub", "root"], "broker.test", "2: the root is sent too"),
            (sub, &["sub", "leaf"], "broker.test", "0: what follows it is not its issuer"),
            ("leaf.not_after = '-1d'", &["leaf"], "broker.test", "0: it ended on 2027-01-14"),
            ("leaf.not_before = '+1d'", &["leaf"], "broker.test", "0: it begins on 2027-01-16"),
            ("leaf.names = ['ip:192.0.2.10']", &["leaf"], "192.0.2.10", "0: 192.0.2.10 is not in it as dNSName"),
            ("leaf.names = ['dns:192.0.2.10']", &["leaf"], "192.0.2.10", "0: 192.0.2.10 is not in it as iPAddress"),
            ("leaf.names = []", &["leaf"], "broker.test", "0: it has no subjectAltName"),
            ("", &["leaf"], "other.test", "0: other.test is not among its dNSNames"),
            ("leaf.key = 'p384'", &["leaf"], "broker.test", "0: its key is P-384"),
            ("leaf.key = 'rsa1024'", &["leaf"], "broker.test", "0: its key is RSA-1024"),
            ("leaf.signature = 'sha1'\nroot.key = 'rsa2048'", &["leaf"], "broker.test", "0: it is signed with SHA-1"),
            ("leaf.extended_key_usage = ['client_auth']", &["leaf"], "broker.test", "0: its extended key usage"),
            ("leaf.version = 1", &["leaf"], "broker.test", "0: it is X.509 version 1"),
        ] {
            let told = told(text, chain, dialled);
            assert!(told.iter().any(|flaw| flaw.starts_with(words)), "{text} {chain:?}: {told:?}");
        }
    }

    #[test]
    fn what_mends_a_flaw_does_not_hang_on_a_strangers_name() {
        let text = "sub.ca = true\nsub.subject = 'CN=it ended'\nleaf.issuer = 'sub'\n";
        let (chain, root) = (read(text, &["leaf", "root"]), read(text, &["root"]));
        let flaws = flaws(&chain, &root, "broker.test", NOW);
        assert!(flaws.iter().any(|flaw| flaw.what.contains("it ended")), "{flaws:?}");
        let mends: Vec<Change> = flaws.iter().filter_map(|flaw| flaw.mends).collect();
        assert_eq!(mends, [Change::WholeChain]);
    }

    #[test]
    fn wildcards_stand_for_one_label() {
        let leaf = &read("leaf.names = ['dns:*.example', 'dns:x.test']", &["leaf"])[0];
        assert!(leaf.is_named("a.example") && leaf.is_named("X.test") && !leaf.is_named("a.b.example"));
        assert!(!leaf.is_named("example") && !leaf.is_named("192.0.2.10"));
    }
}
