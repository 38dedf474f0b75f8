//! The grammar of certificates: what the `[pki.NAME]` tables of a scenario say.
//!
//! Every field is optional. What a table leaves out is filled in by the profile of its name (see
//! [`Certificates::DEFAULT_NAMES`] and [`Profile`]), so that a scenario states its one fault and nothing else.

mod extension;
mod malformed;
mod moment;
mod name;
mod subject;

pub use extension::{ExtendedKeyUsage, Extension, KeyUsage, NameConstraints, ObjectIdentifier, UnknownExtension};
pub use malformed::Malformed;
pub use moment::{Moment, TimeEncoding};
pub use name::{Name, Subtree};
pub use subject::{Attribute, Subject};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Certificates by name: the `[pki]` table of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Certificates(pub BTreeMap<String, Certificate>);

impl Certificates {
    /// The certificates that exist even when a scenario does not mention them. A table of the same name overrides
    /// single fields.
    pub const DEFAULT_NAMES: [&'static str; 3] = ["root", "leaf", "client"];

    /// The names of all certificates that will be minted, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = Self::DEFAULT_NAMES.into_iter().chain(self.0.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }

    /// Whether a certificate of that name will be minted.
    pub fn contains(&self, name: &str) -> bool {
        Self::DEFAULT_NAMES.contains(&name) || self.0.contains_key(name)
    }
}

/// What a certificate is before a scenario bends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A self-signed certification authority, ten years on either side of now. The profile of `root`.
    Root,
    /// A certification authority that `root` has signed. The profile of every other name that says `ca = true`.
    Intermediate,
    /// A broker's certificate for `broker.test`, signed by `root`, begun 30 days ago, ending in 335. The profile of
    /// `leaf` and of every other name.
    Server,
    /// A device's certificate, `CN=device`, signed by `root`. The profile of `client`.
    Client,
}

impl Profile {
    /// Every one, in the order in which tables have them.
    pub const ALL: [Self; 4] = [Self::Root, Self::Intermediate, Self::Server, Self::Client];

    /// The profile as a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Intermediate => "intermediate",
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// The profile of a certificate called `name`, of which the scenario says `spec`.
    pub fn of(name: &str, spec: &Certificate) -> Self {
        match (spec.profile, name) {
            (Some(profile), _) => profile,
            (None, "root") => Self::Root,
            (None, "client") => Self::Client,
            (None, "leaf") => Self::Server,
            (None, _) if spec.ca == Some(true) => Self::Intermediate,
            (None, _) => Self::Server,
        }
    }
}

/// One certificate: its honest fields first, then what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Certificate {
    /// The certificate as somebody else has made it, and after it its private key (PKCS#8) if that is known, as text
    /// between BEGIN and END lines (RFC 7468). Nothing of it is minted, so no other field stands beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// Whose defaults fill in what is left out here. Follows from the certificate's name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The name of the certificate whose key signs this one, or `"self"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The name of a certificate whose subject is written into the issuer field, although `issuer` signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_name_as: Option<String>,
    /// The subject's distinguished name, e.g. `"CN=broker.test,O=Shakedown"`; `""` is the empty name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The subject alternative names, e.g. `["dns:broker.test", "ip:192.0.2.10"]`; `[]` leaves the extension out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<Name>>,
    /// How many other dNSNames (`00000.one-of-many-other-tenants.test.example` and so on) stand before `names`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filler_names: Option<u16>,
    /// From when the certificate is valid: a date (`"2025-01-01T00:00:00Z"`) or an offset to the run's (`"-30d"`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Moment>,
    /// Until when the certificate is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Moment>,
    /// How both dates are encoded (RFC 5280 §4.1.2.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_encoding: Option<TimeEncoding>,
    /// The kind of key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyKind>,
    /// The name of a certificate whose key this one carries too: for cross-signing, and for broken pins that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_of: Option<String>,
    /// The digest with which the issuer signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Digest>,
    /// The serial number as a decimal integer, which may be negative or zero against RFC 5280 §4.1.2.2. Drawn from the seed
    /// when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<i64>,
    /// The X.509 version; below 3 no extensions are written (RFC 5280 §4.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u8>,
    /// Whether basicConstraints says that this is a certification authority (RFC 5280 §4.2.1.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<bool>,
    /// How many intermediates may follow this one (RFC 5280 §4.2.1.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u8>,
    /// What the key is for (RFC 5280 §4.2.1.3); `[]` writes an extension without a bit set. An RSA key of a server is for
    /// `key_encipherment` too, if this says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<Vec<KeyUsage>>,
    /// What the certificate is for (RFC 5280 §4.2.1.12); `[]` leaves the extension out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    /// Which names may stand below this authority (RFC 5280 §4.2.1.10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_constraints: Option<NameConstraints>,
    /// Whether the server must staple an OCSP response (RFC 7633).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub must_staple: Option<bool>,
    /// Where its issuer publishes revocations (RFC 5280 §4.2.1.13).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_list: Option<String>,
    /// Extensions that no one knows, in this order, after the known ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_extensions: Vec<UnknownExtension>,
    /// Extensions that are written before all others, in this order; it means nothing to who reads them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions_first: Vec<Extension>,
    /// Extensions that are left out although the profile has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Extension>,
    /// Extensions that are marked critical although they would not be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<Extension>,
    /// Extensions that are not marked critical although they would be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_critical: Vec<Extension>,
    /// Extensions that stand in the certificate twice, against RFC 5280 §4.2.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicate: Vec<Extension>,
    /// What is wrong with its encoding or its signature.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<Flaw>,
}

impl Certificate {
    /// One that somebody else has made: its text, with its private key if that is known.
    pub fn given(pem: String) -> Self {
        Self { pem: Some(pem), ..Self::default() }
    }
}

/// A kind of key pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// ECDSA over secp256r1 (RFC 5480 §2.1.1.1). The default.
    #[default]
    P256,
    /// ECDSA over secp384r1.
    P384,
    /// ECDSA over secp521r1.
    P521,
    /// ECDSA over brainpoolP256r1 (RFC 5639 §3.4). Of use to brokers on OpenSSL alone, and cannot sign certificates here.
    BrainpoolP256r1,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA with a modulus of 768 bits: broken in 2009, refused by every stack of note.
    Rsa768,
    /// RSA with a modulus of 1024 bits: below what NIST SP 800-131A allows.
    Rsa1024,
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// RSA with a modulus of 8192 bits: more than small stacks have room for.
    Rsa8192,
}

impl KeyKind {
    /// The kind as a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::BrainpoolP256r1 => "brainpool_p256r1",
            Self::Ed25519 => "ed25519",
            Self::Rsa768 => "rsa768",
            Self::Rsa1024 => "rsa1024",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::Rsa8192 => "rsa8192",
        }
    }

    /// Whether this is an RSA key, of whatever size.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa768 | Self::Rsa1024 | Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 | Self::Rsa8192)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The digest of a signature. Ed25519 has its own, and ignores this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// MD5: collisions since 2004 (RFC 6151). RSA keys only.
    Md5,
    /// SHA-1: collisions since 2017 (RFC 9155).
    Sha1,
    /// SHA-256. The default.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// What is wrong with a certificate's encoding or signature: one sentence each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// One bit of the signature is flipped.
    BrokenSignature,
    /// The signature is an empty bit string.
    EmptySignature,
    /// The algorithm outside of the signed part is not the one inside (RFC 5280 §4.1.1.2).
    SignatureAlgorithmMismatch,
    /// One octet of the signed part was changed after it was signed.
    ChangedAfterSigning,
    /// Two octets follow the certificate's outer sequence.
    TrailingBytes,
    /// The certificate ends after two thirds of its octets.
    Truncated,
    /// The outermost length is encoded with a leading zero octet, which BER allows and DER forbids.
    OverlongLength,
    /// A version 1 certificate carries extensions all the same (RFC 5280 §4.1.2.9).
    ExtensionsBelowVersion3,
    /// notAfter is 30 February.
    ImpossibleDate,
    /// The certificate's cA flag is written as FALSE, which DER forbids for a default value.
    ExplicitDefault,
}

#[cfg(test)]
mod tests;
