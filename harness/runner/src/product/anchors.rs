//! What an image trusts, as far as it can be found in its bytes: certificates as PEM and DER, ESP-IDF's bundle of roots, and
//! signatures of secure boot. A pinned hash looks like any other 32 bytes, and cannot be found so.

use std::fmt;
use std::ops::Range;

use firmware_image::{PrintableName, values_in_pieces};
use pki::spec::KeyKind;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

const PEM_BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";
const PEM_ENDS: &[u8] = b"-----END CERTIFICATE-----";
/// A certificate as text is not longer.
const PEM_BYTES_MAX: usize = 16 << 10;
/// Nor shorter than this as DER: a P-256 key and a signature take so much.
const DER_BYTES_MIN: usize = 200;
const DER_BYTES_MAX: usize = 8 << 10;
/// An image with more certificates than that has a bundle or is made to be read for ever.
const FOUND_MAX: usize = 512;
/// So many names with keys behind each other are a bundle, and not chance.
const BUNDLE_ENTRIES_MIN: usize = 8;
/// How a private key begins as text.
const PRIVATE_KEYS: [&[u8]; 3] =
    [b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN RSA PRIVATE KEY-----", b"-----BEGIN EC PRIVATE KEY-----"];
/// A signature block of secure boot version 2: its magic byte and version (ESP-IDF, "Secure Boot v2").
const SIGNATURE: [u8; 4] = [0xe7, 0x02, 0x00, 0x00];
/// It lies at the beginning of a sector of the flash.
const SECTOR_BYTES: usize = 4_096;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// Certificates, in the order of their places.
    pub certificates: Vec<Found>,
    /// Certificates that lie in NVS in several pieces, each with its place: they are no text of the image.
    pub in_pieces: Vec<String>,
    /// Where ESP-IDF's bundle lies, and how many roots it has.
    pub bundle: Option<(usize, usize)>,
    /// Where a signature of secure boot lies: what is changed in the image is not booted.
    pub signature_at: Option<usize>,
    /// How many private keys lie there as text. They are not looked at.
    pub private_keys: usize,
}

/// A certificate in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it begins, in bytes.
    pub at: usize,
    /// How long it is there, in bytes.
    pub length: usize,
    /// Whether it is text.
    pub is_pem: bool,
    /// Whose it is.
    pub subject: String,
    /// Its key: `P-256`, `RSA 2048`.
    pub key: String,
    /// The same as the bench knows it, if it does.
    pub kind: Option<KeyKind>,
    /// How long it is as DER, in bytes.
    pub der_bytes: usize,
    /// Whether it may issue others.
    pub is_authority: bool,
    /// Whether it names itself as its issuer: who trusts that, trusts it and nobody else.
    pub is_self_issued: bool,
    /// When it ends.
    pub not_after: String,
}

impl Found {
    /// The bytes of the image that it takes.
    pub const fn range(&self) -> Range<usize> {
        self.at..self.at + self.length
    }

    /// How it lies there.
    pub const fn form(&self) -> &'static str {
        if self.is_pem { "PEM" } else { "DER" }
    }

    /// Whether it can be what a chain ends in. Any other is the device's own.
    pub const fn is_anchor(&self) -> bool {
        self.is_authority || self.is_self_issued
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, length, subject, key, is_authority, not_after, .. } = self;
        let form = self.form();
        let role = if *is_authority { "an authority" } else { "no authority" };
        write!(f, "{form} at {at:#x}, {length} bytes: {subject}, {key}, {role}, until {not_after}")
    }
}

/// Looks through an image.
pub fn find(image: &[u8]) -> Anchors {
    let mut certificates = pem(image);
    certificates.extend(der(image));
    certificates.sort_by_key(|found| found.at);
    certificates.truncate(FOUND_MAX);
    let in_pieces = in_pieces(image, &certificates);
    let is_signed = |at: &usize| image.get(*at..*at + SIGNATURE.len()) == Some(&SIGNATURE[..]);
    Anchors {
        certificates,
        in_pieces,
        bundle: bundle(image),
        signature_at: (0..image.len()).step_by(SECTOR_BYTES).find(is_signed),
        private_keys: PRIVATE_KEYS.iter().map(|begins| private_keys(image, begins)).sum(),
    }
}

/// Those in values of NVS that are cut in pieces, but for those that lie in one of them.
fn in_pieces(image: &[u8], whole: &[Found]) -> Vec<String> {
    let of_value = |(label, key, value): (PrintableName, PrintableName, Vec<u8>)| {
        let found: Vec<Found> = pem(&value).into_iter().chain(der(&value)).collect();
        let is_cut = |one: &Found| whole.iter().all(|other| other.subject != one.subject);
        let told = |one: Found| format!("{}, {}, in the value {key} of the partition {label}", one.subject, one.key);
        found.into_iter().filter(is_cut).map(told).collect::<Vec<_>>()
    };
    values_in_pieces(image).into_iter().flat_map(of_value).take(FOUND_MAX).collect()
}

/// Where `needle` begins.
pub(super) fn places<'a>(image: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = needle.first().copied().unwrap_or_default();
    let candidates = image.iter().enumerate().filter(move |(_, byte)| **byte == first).map(|(at, _)| at);
    candidates.filter(move |at| image[*at..].starts_with(needle))
}

/// How many keys begin so. A library that reads keys has the words too, and no key behind them.
fn private_keys(image: &[u8], begins: &[u8]) -> usize {
    let has_key = |at: &usize| {
        let behind = &image[at + begins.len()..];
        let text = behind.strip_prefix(b"\r\n").or(behind.strip_prefix(b"\n")).or(behind.strip_prefix(b"\\n"));
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        text.and_then(|text| text.get(..40)).is_some_and(|line| line.iter().all(is_base64))
    };
    places(image, begins).filter(has_key).count()
}

fn pem(image: &[u8]) -> Vec<Found> {
    let read = |at: usize| {
        let text = &image[at..image.len().min(at + PEM_BYTES_MAX)];
        let end = text.windows(PEM_ENDS.len()).position(|window| window == PEM_ENDS)? + PEM_ENDS.len();
        // In JSON or in Python a line's end may be two characters.
        let plain = String::from_utf8_lossy(&text[..end]).replace("\\n", "\n").replace("\\r", "");
        let pem = Pem::iter_from_buffer(plain.as_bytes()).next()?.ok()?;
        found(&pem.contents, at, end, true)
    };
    places(image, PEM_BEGINS).take(FOUND_MAX).filter_map(read).collect()
}

fn der(image: &[u8]) -> Vec<Found> {
    let read = |at: usize| {
        // A SEQUENCE of two bytes of length, and one in it: Certificate and TBSCertificate (RFC 5280 §4.1).
        let [0x30, 0x82, high, low, 0x30, 0x82, ..] = image[at..] else { return None };
        let length = usize::from(u16::from_be_bytes([high, low])) + 4;
        let bytes = image.get(at..at + length).filter(|_| (DER_BYTES_MIN..=DER_BYTES_MAX).contains(&length))?;
        found(bytes, at, length, false)
    };
    places(image, &[0x30, 0x82]).filter_map(read).take(FOUND_MAX).collect()
}

fn found(der: &[u8], at: usize, length: usize, is_pem: bool) -> Option<Found> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let clean = |text: String| terminal::clean::line(&text).into_owned();
    Some(Found {
        at,
        length,
        is_pem,
        subject: clean(certificate.subject().to_string()),
        key: key(&certificate),
        kind: kind(&certificate),
        der_bytes: der.len(),
        is_authority: certificate.is_ca(),
        is_self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        not_after: clean(certificate.validity().not_after.to_string()),
    })
}

/// The kind of a certificate's key.
fn key(certificate: &X509Certificate<'_>) -> String {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("P-{}", point.key_size()),
        Ok(_) => "another kind of key".to_owned(),
        Err(_) => "a key that cannot be read".to_owned(),
    }
}

/// The kind of a certificate's key, as the bench mints them.
fn kind(certificate: &X509Certificate<'_>) -> Option<KeyKind> {
    const CURVES: [(&str, KeyKind); 4] = [
        ("1.2.840.10045.3.1.7", KeyKind::P256),
        ("1.3.132.0.34", KeyKind::P384),
        ("1.3.132.0.35", KeyKind::P521),
        ("1.3.36.3.3.2.8.1.1.7", KeyKind::BrainpoolP256r1),
    ];
    let key = certificate.public_key();
    let curve = || key.algorithm.parameters.as_ref()?.as_oid().ok().map(|oid| oid.to_id_string());
    match key.parsed().ok()? {
        PublicKey::RSA(rsa) => match rsa.key_size() {
            1024 => Some(KeyKind::Rsa1024),
            2048 => Some(KeyKind::Rsa2048),
            3072 => Some(KeyKind::Rsa3072),
            4096 => Some(KeyKind::Rsa4096),
            _ => None,
        },
        PublicKey::EC(_) => {
            let curve = curve()?;
            CURVES.into_iter().find(|(oid, _)| *oid == curve).map(|(_, kind)| kind)
        }
        _ if key.algorithm.algorithm.to_id_string() == "1.3.101.112" => Some(KeyKind::Ed25519),
        _ => None,
    }
}

/// ESP-IDF's bundle: entries of two lengths, a Name and a SubjectPublicKeyInfo (`components/mbedtls/esp_crt_bundle`). The
/// lengths are big-endian up to ESP-IDF 5.3, little-endian after that.
fn bundle(image: &[u8]) -> Option<(usize, usize)> {
    [u16::from_be_bytes as fn([u8; 2]) -> u16, u16::from_le_bytes].into_iter().find_map(|number| {
        let mut at = 0;
        while let Some(skipped) = image.get(at..)?.iter().position(|byte| *byte == 0x30) {
            // The Name begins behind the two lengths.
            let begins = (at + skipped).checked_sub(4);
            let (mut next, mut entries) = (begins?, 0);
            while let Some(length) = bundle_entry(&image[next..], number) {
                next += length;
                entries += 1;
            }
            if entries >= BUNDLE_ENTRIES_MIN {
                return Some((begins?, entries));
            }
            at += skipped + 1;
        }
        None
    })
}

/// The length of an entry that begins here, if one does.
fn bundle_entry(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Option<usize> {
    let [a, b, c, d, ..] = *bytes else { return None };
    let (name, key) = (usize::from(number([a, b])), usize::from(number([c, d])));
    let is_sequence = |bytes: &[u8]| sequence_length(bytes) == Some(bytes.len());
    let is_name = name >= 8 && is_sequence(bytes.get(4..4 + name)?);
    (is_name && key >= 32 && is_sequence(bytes.get(4 + name..4 + name + key)?)).then_some(4 + name + key)
}

/// The length of a SEQUENCE with its header (X.690 §8.1.3).
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [0x30, length, ..] if length < 0x80 => Some(usize::from(length) + 2),
        [0x30, 0x81, length, ..] => Some(usize::from(length) + 3),
        [0x30, 0x82, high, low, ..] => Some(usize::from(u16::from_be_bytes([high, low])) + 4),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
