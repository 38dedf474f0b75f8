//! A plan in DER (RFC 5280 §4.1), with the flaws that it asks for.

mod extensions;

use crate::der::{self, tag};
use crate::derive;
use crate::key::{CannotSign, KeyPair, Scheme};
use crate::plan::Plan;
use crate::spec::{Attribute, Digest, Flaw, Subject, TimeEncoding};
use clock::calendar::Date;

/// All that the signed part of a certificate tells.
pub(crate) struct Signed<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) key: &'a KeyPair,
    pub(crate) issuer_key: &'a KeyPair,
    /// What the issuer calls its key, if it is somebody else's.
    pub(crate) issuer_key_identifier: Option<Vec<u8>>,
    /// The issuer's name in DER.
    pub(crate) issuer_name: Vec<u8>,
    pub(crate) seed: u64,
    pub(crate) not_before: Date,
    pub(crate) not_after: Date,
}

impl Signed<'_> {
    fn has(&self, flaw: Flaw) -> bool {
        self.plan.spec.flaws.contains(&flaw)
    }
}

/// The whole certificate (RFC 5280 §4.1).
pub(crate) fn certificate(signed: &Signed<'_>, scheme: Scheme) -> Result<Vec<u8>, CannotSign> {
    let mut signed_part = signed_part(signed, scheme);
    let mut signature = signed.issuer_key.sign(scheme, &signed_part)?;
    if signed.has(Flaw::BrokenSignature) {
        // The last octet: in ECDSA's DER it belongs to the number s, so that the signature still parses.
        if let Some(octet) = signature.last_mut() {
            *octet ^= 1;
        }
    }
    if signed.has(Flaw::EmptySignature) {
        signature.clear();
    }
    if signed.has(Flaw::ChangedAfterSigning) {
        change_serial(&mut signed_part);
    }
    let outer_scheme = if signed.has(Flaw::SignatureAlgorithmMismatch) { other(scheme) } else { scheme };
    let contents = [signed_part, algorithm(outer_scheme), der::bit_string(&signature)].concat();
    let mut certificate = if signed.has(Flaw::OverlongLength) {
        overlong_sequence(&contents)
    } else {
        der::element(tag::SEQUENCE, &contents)
    };
    if signed.has(Flaw::TrailingBytes) {
        certificate.extend_from_slice(&[0x05, 0x00]);
    }
    if signed.has(Flaw::Truncated) {
        certificate.truncate(certificate.len() * 2 / 3);
    }
    Ok(certificate)
}

/// TBSCertificate (RFC 5280 §4.1.2).
fn signed_part(signed: &Signed<'_>, scheme: Scheme) -> Vec<u8> {
    let plan = signed.plan;
    let mut parts = Vec::new();
    // Version 1 is the default, and DER does not write defaults.
    if plan.version > 1 {
        parts.push(der::constructed(tag::explicit(0), &[der::integer(i64::from(plan.version) - 1)]));
    }
    parts.push(serial(signed));
    parts.push(algorithm(scheme));
    parts.push(signed.issuer_name.clone());
    parts.push(validity(signed));
    parts.push(name(&plan.subject));
    parts.push(signed.key.spki_der().to_vec());
    if plan.version == 3 || signed.has(Flaw::ExtensionsBelowVersion3) {
        let extensions = extensions::extensions(signed);
        // RFC 5280 §4.1: the list is never empty; without extensions there is no list.
        if !extensions.is_empty() {
            parts.push(der::constructed(tag::explicit(3), &[der::sequence(&extensions)]));
        }
    }
    der::sequence(&parts)
}

fn serial(signed: &Signed<'_>) -> Vec<u8> {
    if let Some(serial) = signed.plan.spec.serial {
        return der::integer(serial);
    }
    // 16 octets, positive, of a length that does not depend on the seed.
    let mut octets: [u8; 16] = derive::octets(signed.seed, "serial", &signed.plan.name);
    octets[0] = octets[0] & 0x3f | 0x40;
    der::element(tag::INTEGER, &octets)
}

/// Flips the lowest bit of the last octet of the serial number, which no parser minds.
fn change_serial(signed_part: &mut [u8]) {
    let mut at = der::header_length(signed_part);
    if signed_part.get(at) == Some(&tag::explicit(0)) {
        at += 5;
    }
    let length = usize::from(signed_part.get(at + 1).copied().unwrap_or(0));
    if let Some(octet) = signed_part.get_mut(at + 1 + length) {
        *octet ^= 1;
    }
}

fn overlong_sequence(contents: &[u8]) -> Vec<u8> {
    let mut element = vec![tag::SEQUENCE, 0x84];
    element.extend_from_slice(&(contents.len() as u32).to_be_bytes());
    element.extend_from_slice(contents);
    element
}

/// AlgorithmIdentifier of a signature (RFC 8017 appendix A.2.4, RFC 5758 §3.2, RFC 8410 §3).
fn algorithm(scheme: Scheme) -> Vec<u8> {
    let ecdsa = |last: &[u64]| der::sequence(&[der::object_identifier(&[&[1, 2, 840, 10045, 4], last].concat())]);
    let rsa = |last: u64| {
        let identifier = der::object_identifier(&[1, 2, 840, 113549, 1, 1, last]);
        der::sequence(&[identifier, der::element(tag::NULL, &[])])
    };
    match scheme {
        Scheme::Ecdsa(Digest::Md5 | Digest::Sha1) => ecdsa(&[1]),
        Scheme::Ecdsa(Digest::Sha256) => ecdsa(&[3, 2]),
        Scheme::Ecdsa(Digest::Sha384) => ecdsa(&[3, 3]),
        Scheme::Ecdsa(Digest::Sha512) => ecdsa(&[3, 4]),
        Scheme::RsaPkcs1(Digest::Md5) => rsa(4),
        Scheme::RsaPkcs1(Digest::Sha1) => rsa(5),
        Scheme::RsaPkcs1(Digest::Sha256) => rsa(11),
        Scheme::RsaPkcs1(Digest::Sha384) => rsa(12),
        Scheme::RsaPkcs1(Digest::Sha512) => rsa(13),
        Scheme::RsaPss(_) => rsa(10),
        Scheme::Ed25519 => der::sequence(&[der::object_identifier(&[1, 3, 101, 112])]),
    }
}

/// A scheme of the same family with another digest.
fn other(scheme: Scheme) -> Scheme {
    let digest = |digest| if digest == Digest::Sha384 { Digest::Sha256 } else { Digest::Sha384 };
    match scheme {
        Scheme::Ecdsa(inner) => Scheme::Ecdsa(digest(inner)),
        Scheme::RsaPkcs1(inner) | Scheme::RsaPss(inner) => Scheme::RsaPkcs1(digest(inner)),
        Scheme::Ed25519 => Scheme::Ecdsa(Digest::Sha256),
    }
}

/// Name (RFC 5280 §4.1.2.4): one attribute a set.
pub(crate) fn name(subject: &Subject) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = subject
        .0
        .iter()
        .map(|(attribute, value)| {
            let string = match attribute {
                Attribute::Country | Attribute::SerialNumber => tag::PRINTABLE_STRING,
                Attribute::DomainComponent | Attribute::Email => tag::IA5_STRING,
                _ => tag::UTF8_STRING,
            };
            let pair = [der::object_identifier(attribute.arcs()), der::element(string, value.as_bytes())];
            der::constructed(tag::SET, &[der::sequence(&pair)])
        })
        .collect();
    der::sequence(&parts)
}

fn validity(signed: &Signed<'_>) -> Vec<u8> {
    let mut not_after = time(signed.not_after, signed.plan);
    if signed.has(Flaw::ImpossibleDate) {
        // …MMDDhhmmssZ in both encodings.
        let month = not_after.len() - 11;
        not_after[month..month + 4].copy_from_slice(b"0230");
    }
    der::sequence(&[time(signed.not_before, signed.plan), not_after])
}

/// Time (RFC 5280 §4.1.2.5).
fn time(date: Date, plan: &Plan) -> Vec<u8> {
    let Date { year, month, day, hour, minute, second } = date;
    let as_utc_time = match plan.spec.time_encoding.unwrap_or_default() {
        TimeEncoding::AsDemanded => (1950..2050).contains(&year),
        TimeEncoding::UtcTime => true,
        TimeEncoding::GeneralizedTime => false,
    };
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    if as_utc_time {
        der::element(tag::UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        der::element(tag::GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes())
    }
}
