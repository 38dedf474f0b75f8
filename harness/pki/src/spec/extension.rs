//! Extensions (RFC 5280 §4.2).

use super::Malformed;
use super::name::Subtree;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An extension that this crate can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extension {
    /// basicConstraints (RFC 5280 §4.2.1.9), critical in authorities.
    BasicConstraints,
    /// keyUsage (RFC 5280 §4.2.1.3), critical.
    KeyUsage,
    /// extendedKeyUsage (RFC 5280 §4.2.1.12), not critical.
    ExtendedKeyUsage,
    /// subjectAltName (RFC 5280 §4.2.1.6), critical when the subject is empty.
    SubjectAlternativeName,
    /// nameConstraints (RFC 5280 §4.2.1.10), critical.
    NameConstraints,
    /// subjectKeyIdentifier (RFC 5280 §4.2.1.2), not critical.
    SubjectKeyIdentifier,
    /// authorityKeyIdentifier (RFC 5280 §4.2.1.1), not critical.
    AuthorityKeyIdentifier,
    /// cRLDistributionPoints (RFC 5280 §4.2.1.13), not critical.
    RevocationList,
    /// TLS feature "status_request", known as must-staple (RFC 7633), not critical.
    MustStaple,
}

/// A bit of keyUsage (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUsage {
    /// digitalSignature: signs handshakes; what ECDHE suites need.
    DigitalSignature,
    /// contentCommitment, once nonRepudiation.
    ContentCommitment,
    /// keyEncipherment: what RSA key exchange needs.
    KeyEncipherment,
    /// dataEncipherment.
    DataEncipherment,
    /// keyAgreement: what static ECDH needs.
    KeyAgreement,
    /// keyCertSign: signs certificates.
    KeyCertSign,
    /// cRLSign: signs revocation lists.
    CrlSign,
    /// encipherOnly.
    EncipherOnly,
    /// decipherOnly.
    DecipherOnly,
}

impl KeyUsage {
    /// The bit's number, counted from the left.
    pub const fn bit(self) -> u8 {
        match self {
            Self::DigitalSignature => 0,
            Self::ContentCommitment => 1,
            Self::KeyEncipherment => 2,
            Self::DataEncipherment => 3,
            Self::KeyAgreement => 4,
            Self::KeyCertSign => 5,
            Self::CrlSign => 6,
            Self::EncipherOnly => 7,
            Self::DecipherOnly => 8,
        }
    }
}

/// A purpose in extendedKeyUsage (RFC 5280 §4.2.1.12): a name such as `"server_auth"`, or an object identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExtendedKeyUsage(pub ObjectIdentifier);

impl ExtendedKeyUsage {
    /// The purposes that have names.
    pub const NAMED: &'static [(&'static str, &'static [u64])] = &[
        ("server_auth", &[1, 3, 6, 1, 5, 5, 7, 3, 1]),
        ("client_auth", &[1, 3, 6, 1, 5, 5, 7, 3, 2]),
        ("code_signing", &[1, 3, 6, 1, 5, 5, 7, 3, 3]),
        ("email_protection", &[1, 3, 6, 1, 5, 5, 7, 3, 4]),
        ("time_stamping", &[1, 3, 6, 1, 5, 5, 7, 3, 8]),
        ("ocsp_signing", &[1, 3, 6, 1, 5, 5, 7, 3, 9]),
        ("any", &[2, 5, 29, 37, 0]),
    ];

    /// id-kp-serverAuth.
    pub fn server_auth() -> Self {
        Self(ObjectIdentifier(Self::NAMED[0].1.to_vec()))
    }

    /// id-kp-clientAuth.
    pub fn client_auth() -> Self {
        Self(ObjectIdentifier(Self::NAMED[1].1.to_vec()))
    }
}

impl TryFrom<String> for ExtendedKeyUsage {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        if let Some((_, arcs)) = Self::NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(Self(ObjectIdentifier(arcs.to_vec())));
        }
        let names: Vec<&str> = Self::NAMED.iter().map(|(name, _)| *name).collect();
        text.parse().map(Self).map_err(|_: Malformed| {
            let write = format!("one of {}, or an object identifier", names.join(", "));
            Malformed::new(&text, "no extended key usage", write)
        })
    }
}

impl From<ExtendedKeyUsage> for String {
    fn from(usage: ExtendedKeyUsage) -> Self {
        match ExtendedKeyUsage::NAMED.iter().find(|(_, arcs)| *arcs == usage.0.0) {
            Some((name, _)) => (*name).to_owned(),
            None => usage.0.to_string(),
        }
    }
}

/// An object identifier as dotted decimals: `"1.3.6.1.4.1.99999.1"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectIdentifier(pub Vec<u64>);

impl FromStr for ObjectIdentifier {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = || Malformed::new(text, "no object identifier", "dotted decimals, e.g. 1.3.6.1.4.1.99999.1");
        let arcs: Vec<u64> = text.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        // X.660 §7.6: the first two arcs share an octet, and only arc 2 has more than 40 children.
        match arcs[..] {
            [0 | 1, second, ..] if second < 40 => Ok(Self(arcs)),
            [2, second, ..] if second < u64::MAX - 80 => Ok(Self(arcs)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for ObjectIdentifier {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<ObjectIdentifier> for String {
    fn from(identifier: ObjectIdentifier) -> Self {
        identifier.to_string()
    }
}

impl fmt::Display for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arc) in self.0.iter().enumerate() {
            write!(f, "{}{arc}", if index == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

/// Which names may stand below an authority (RFC 5280 §4.2.1.10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NameConstraints {
    /// Names below must lie within one of these, e.g. `["dns:test", "ip:192.0.2.0/24"]`.
    pub permitted: Vec<Subtree>,
    /// Names below must lie within none of these.
    pub excluded: Vec<Subtree>,
}

/// An extension that no one knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownExtension {
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Whether who does not know it must refuse the certificate (RFC 5280 §4.2).
    #[serde(default)]
    pub critical: bool,
    /// How many octets of filler it holds.
    #[serde(default)]
    pub length: u16,
}
