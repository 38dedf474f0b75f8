//! Certificates in one line: how many, whose, for which names, how long, which key, who says so.

use wire::tls::CertificateChain;
use x509_parser::oid_registry::{Oid, OidRegistry};
use x509_parser::prelude::{
    ASN1Time, FromDer, GeneralName, SubjectPublicKeyInfo, X509Certificate, X509Name, X509Version,
};
use x509_parser::public_key::PublicKey;

use crate::text::{clean, count, dotted, listed};

/// A chain and its leaf.
pub fn chain(chain: &CertificateChain<'_>) -> String {
    let Some(leaf) = chain.certificates.first() else { return "none".into() };
    let depth = match chain.certificates.len() {
        1 => String::new(),
        several => count(several, "certificate"),
    };
    match X509Certificate::from_der(leaf) {
        Ok((_, leaf)) => dotted([depth, of(&leaf)]),
        Err(_) => dotted([depth, format!("unreadable leaf of {} bytes", leaf.len())]),
    }
}

fn of(certificate: &X509Certificate<'_>) -> String {
    let is_self_signed = certificate.subject() == certificate.issuer();
    let issuer = if is_self_signed { "self-issued".into() } else { format!("by {}", name(certificate.issuer())) };
    let version = match certificate.version() {
        X509Version::V3 => String::new(),
        X509Version(other) => format!("v{}", u64::from(other) + 1),
    };
    let validity = certificate.validity();
    dotted([
        name(certificate.subject()),
        version,
        alternative_names(certificate),
        format!("{} to {}", date(&validity.not_before), date(&validity.not_after)),
        key(certificate.public_key()),
        algorithm(&certificate.signature_algorithm.algorithm),
        issuer,
    ])
}

/// A distinguished name by its common name, or whole if it has none.
pub fn name(name: &X509Name<'_>) -> String {
    let common_name = name.iter_common_name().next().and_then(|attribute| attribute.as_str().ok());
    match common_name {
        Some(common_name) => clean(&format!("CN={common_name}"), 60),
        None if name.iter().next().is_none() => "no subject".into(),
        None => clean(&name.to_string(), 60),
    }
}

fn alternative_names(certificate: &X509Certificate<'_>) -> String {
    match certificate.subject_alternative_name() {
        Ok(Some(extension)) => listed(extension.value.general_names.iter().map(general_name), 4),
        Ok(None) => String::new(),
        Err(_) => "unreadable alternative names".into(),
    }
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => clean(&format!("DNS:{name}"), 60),
        GeneralName::IPAddress([a, b, c, d]) => format!("IP:{}", std::net::Ipv4Addr::new(*a, *b, *c, *d)),
        GeneralName::IPAddress(bytes) => match <[u8; 16]>::try_from(*bytes) {
            Ok(address) => format!("IP:{}", std::net::Ipv6Addr::from(address)),
            Err(_) => format!("IP of {} bytes", bytes.len()),
        },
        GeneralName::RFC822Name(name) => clean(&format!("email:{name}"), 60),
        GeneralName::URI(uri) => clean(&format!("URI:{uri}"), 60),
        GeneralName::DirectoryName(_) => "a directory name".into(),
        _ => "another name".into(),
    }
}

/// The date; with the time of day unless it is midnight.
fn date(time: &ASN1Time) -> String {
    let time = time.to_datetime();
    let date = format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day());
    match (time.hour(), time.minute(), time.second()) {
        (0, 0, 0) => date,
        (hour, minute, second) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
    }
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> String {
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA-{}", rsa.key_size()),
        // RFC 5480 §2.1.1: a curve is to be named. OpenSSL can write it out, and few libraries of devices read that.
        Ok(PublicKey::EC(_)) if curve.is_none() && key.algorithm.parameters.is_some() => {
            "EC with explicit curve parameters".into()
        }
        Ok(PublicKey::EC(_)) => curve.map_or_else(|| "EC".into(), |curve| algorithm(&curve)),
        Ok(_) => algorithm(&key.algorithm.algorithm),
        Err(_) => format!("unreadable key, {}", algorithm(&key.algorithm.algorithm)),
    }
}

/// An object identifier by its short name, where the registry of `x509-parser` has one.
fn algorithm(oid: &Oid<'_>) -> String {
    // RFC 8410 and ISO/IEC 9796: names that the registry spells in its own way or lacks.
    match oid.to_id_string().as_str() {
        "1.3.101.112" => return "ed25519".into(),
        "1.3.101.113" => return "ed448".into(),
        "1.2.840.10045.3.1.7" => return "P-256".into(),
        "1.3.132.0.34" => return "P-384".into(),
        "1.3.132.0.35" => return "P-521".into(),
        "1.2.840.113549.1.1.10" => return "rsassa-pss".into(),
        _ => {}
    }
    let registry = OidRegistry::default().with_crypto();
    registry.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().into())
}
