//! Fingerprints of a ClientHello: which TLS stack is this?

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::{ClientHello, Extension, ExtensionType, ProtocolVersion, is_grease};

/// JA3: version, suites, extensions, groups and point formats in decimal, in the order in which they came, GREASE left
/// out (<https://github.com/salesforce/ja3>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ja3 {
    /// The five fields in clear.
    pub full: String,
}

impl Ja3 {
    /// The JA3 of a hello.
    pub fn of(hello: &ClientHello) -> Self {
        let suites = hello.cipher_suites.iter().map(|suite| suite.0);
        let extensions = hello.extension_types.iter().flatten().map(|kind| kind.0);
        let groups = hello.groups().iter().map(|group| group.0);
        let formats = hello.find(|extension| match extension {
            Extension::EcPointFormats(formats) => Some(&formats[..]),
            _ => None,
        });
        let formats = formats.unwrap_or_default().iter().map(|format| u16::from(*format));
        let full = format!(
            "{},{},{},{},{}",
            hello.version.0,
            decimal(suites),
            decimal(extensions),
            decimal(groups),
            decimal(formats),
        );
        Self { full }
    }

    /// The MD5 of the five fields, in hexadecimal.
    pub fn hash(&self) -> String {
        hex(&Md5::digest(&self.full))
    }
}

fn decimal(numbers: impl Iterator<Item = u16>) -> String {
    let numbers: Vec<String> = numbers.filter(|number| !is_grease(*number)).map(|number| number.to_string()).collect();
    numbers.join("-")
}

/// JA4 of TLS over TCP (<https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>). Only the TLS client's
/// fingerprint, which is free to use; the rest of the JA4+ family is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ja4 {
    summary: String,
    /// Suites in hexadecimal, sorted.
    suites: String,
    /// Extensions in hexadecimal, sorted, without SNI and ALPN; then the signature schemes in the order they came.
    extensions: String,
}

impl Ja4 {
    /// The JA4 of a hello.
    pub fn of(hello: &ClientHello) -> Self {
        let types: Vec<ExtensionType> = hello.extension_types.clone().unwrap_or_default();
        let types: Vec<u16> = types.iter().map(|kind| kind.0).filter(|kind| !is_grease(*kind)).collect();
        let mut suites: Vec<u16> = hello.cipher_suites.iter().map(|suite| suite.0).collect();
        suites.retain(|suite| !is_grease(*suite));

        let summary = format!(
            "t{version}{name}{suites:02}{extensions:02}{alpn}",
            version = version(hello.versions().first().copied()),
            name = if types.contains(&ExtensionType::SERVER_NAME.0) { 'd' } else { 'i' },
            suites = suites.len().min(99),
            extensions = types.len().min(99),
            alpn = first_and_last(hello.alpn().first().map_or(&[], |protocol| &protocol[..])),
        );

        let mut hashed_types = types;
        hashed_types.retain(|kind| ![ExtensionType::SERVER_NAME.0, ExtensionType::ALPN.0].contains(kind));
        hashed_types.sort_unstable();
        suites.sort_unstable();
        let schemes = hello.signature_schemes().iter().map(|scheme| scheme.0).filter(|scheme| !is_grease(*scheme));
        let mut extensions = hexadecimal(hashed_types.into_iter());
        let schemes = hexadecimal(schemes);
        if !extensions.is_empty() && !schemes.is_empty() {
            extensions = format!("{extensions}_{schemes}");
        }
        Self { summary, suites: hexadecimal(suites.into_iter()), extensions }
    }

    /// The fingerprint with its lists in clear.
    pub fn raw(&self) -> String {
        format!("{}_{}_{}", self.summary, self.suites, self.extensions)
    }
}

impl fmt::Display for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.summary, hash12(&self.suites), hash12(&self.extensions))
    }
}

const fn version(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLS_1_3) => "13",
        Some(ProtocolVersion::TLS_1_2) => "12",
        Some(ProtocolVersion::TLS_1_1) => "11",
        Some(ProtocolVersion::TLS_1_0) => "10",
        Some(ProtocolVersion::SSL_3_0) => "s3",
        Some(ProtocolVersion(0x0002)) => "s2",
        _ => "00",
    }
}

/// First and last character of the first protocol; of its hexadecimal form, if one of the two is not alphanumeric.
fn first_and_last(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return "00".to_string() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        format!("{}{}", char::from(*first), char::from(*last))
    } else {
        format!("{:x}{:x}", first >> 4, last & 0x0f)
    }
}

fn hexadecimal(numbers: impl Iterator<Item = u16>) -> String {
    let numbers: Vec<String> = numbers.map(|number| format!("{number:04x}")).collect();
    numbers.join(",")
}

/// Twelve characters of SHA-256; zeros for an empty list.
fn hash12(list: &str) -> String {
    match list {
        "" => "000000000000".to_string(),
        _ => hex(&Sha256::digest(list)[..6]),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::first_and_last;

    /// The table of FoxIO's JA4.md.
    #[test]
    fn alpn_characters_are_those_of_the_specification() {
        for (protocol, expected) in [
            (&[][..], "00"),
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"q", "qq"),
            (&[0xab], "ab"),
            (&[0x20], "20"),
            (&[0xab, 0xcd], "ad"),
            (&[0x20, 0x61], "21"),
            (&[0x30, 0xab], "3b"),
            (&[0x61, 0x20], "60"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
        ] {
            assert_eq!(first_and_last(protocol), expected, "{protocol:02x?}");
        }
    }
}
