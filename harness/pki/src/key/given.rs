//! Keys that somebody else has made: read, and held against the certificates that they belong to.

use std::fmt;

use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{KeyPair, Private};
use crate::spec::KeyKind;

/// A private key as somebody else has written it, in DER.
pub(crate) enum GivenKey {
    /// RFC 5958: `PRIVATE KEY`.
    Pkcs8(Vec<u8>),
    /// RFC 8017 §A.1.2: `RSA PRIVATE KEY`.
    Pkcs1(Vec<u8>),
    /// SEC 1 §C.4 (RFC 5915): `EC PRIVATE KEY`.
    Sec1(Vec<u8>),
}

impl GivenKey {
    fn to_pkcs8(&self, kind: KeyKind) -> Result<Vec<u8>, UnfitKey> {
        let written = |document: Result<rsa::pkcs8::SecretDocument, rsa::pkcs8::Error>| {
            document.map(|document| document.as_bytes().to_vec()).map_err(UnfitKey::unreadable)
        };
        let other = || UnfitKey::OfAnotherKind(kind);
        match (self, kind) {
            (Self::Pkcs8(der), _) => Ok(der.clone()),
            (Self::Pkcs1(der), kind) if kind.is_rsa() => {
                written(RsaPrivateKey::from_pkcs1_der(der).map_err(UnfitKey::unreadable)?.to_pkcs8_der())
            }
            (Self::Sec1(der), KeyKind::P256) => {
                written(p256::SecretKey::from_sec1_der(der).map_err(|_| other())?.to_pkcs8_der())
            }
            (Self::Sec1(der), KeyKind::P384) => {
                written(p384::SecretKey::from_sec1_der(der).map_err(|_| other())?.to_pkcs8_der())
            }
            (Self::Sec1(der), KeyKind::P521) => {
                written(p521::SecretKey::from_sec1_der(der).map_err(|_| other())?.to_pkcs8_der())
            }
            _ => Err(other()),
        }
    }
}

/// Why a private key is of no use to a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnfitKey {
    /// The certificate's own key is of a kind that nobody here knows.
    Unknown(UnknownKind),
    /// It cannot be read.
    Unreadable(String),
    /// It cannot be read as a key of the certificate's kind, which is this.
    OfAnotherKind(KeyKind),
    /// It is another certificate's.
    OfAnother,
}

/// A certificate's key with which this bench can do nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnknownKind {
    /// It cannot be read.
    Unreadable(String),
    /// It lies on a curve of which nothing is known.
    Curve,
    /// It lies on a curve that is known, and nobody signs on it.
    NobodySigns,
    /// An RSA modulus of so many bits.
    RsaBits(usize),
    /// An algorithm of which nothing is known.
    Algorithm,
}

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => f.write_str(why),
            Self::Curve => f.write_str("its key lies on a curve that this bench does not know"),
            Self::NobodySigns => f.write_str("its key lies on a curve with which nobody signs here"),
            Self::RsaBits(bits) => {
                write!(f, "its RSA key has {bits} bits, and this bench knows those of 2048, 3072 and 4096")
            }
            Self::Algorithm => f.write_str("its key is of a kind that this bench does not know"),
        }
    }
}

impl UnfitKey {
    fn unreadable(error: impl fmt::Display) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl fmt::Display for UnfitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => why.fmt(f),
            Self::OfAnotherKind(kind) => write!(
                f,
                "its private key cannot be read: the certificate has a {kind} key, and this is of another kind"
            ),
            Self::Unreadable(why) => write!(f, "its private key cannot be read: {why}"),
            Self::OfAnother => f.write_str("its private key belongs to another certificate"),
        }
    }
}

impl KeyPair {
    /// The key of a certificate that somebody else has made, with its private half if it is known.
    pub(crate) fn given(public: &SubjectPublicKeyInfo<'_>, private: Option<&GivenKey>) -> Result<Self, UnfitKey> {
        let kind = kind_of(public).map_err(UnfitKey::Unknown)?;
        let Some(given) = private else { return Ok(Self::new(kind, Private::Unknown, &[], public.raw)) };
        let pkcs8 = given.to_pkcs8(kind)?;
        let (private, half) = match kind {
            KeyKind::P256 => {
                let key = p256::SecretKey::from_pkcs8_der(&pkcs8).map_err(UnfitKey::unreadable)?;
                let half = key.public_key().to_public_key_der().map_err(UnfitKey::unreadable)?;
                (Private::P256(key.into()), half)
            }
            KeyKind::P384 => {
                let key = p384::SecretKey::from_pkcs8_der(&pkcs8).map_err(UnfitKey::unreadable)?;
                let half = key.public_key().to_public_key_der().map_err(UnfitKey::unreadable)?;
                (Private::P384(key.into()), half)
            }
            KeyKind::P521 => {
                let key = p521::SecretKey::from_pkcs8_der(&pkcs8).map_err(UnfitKey::unreadable)?;
                let half = key.public_key().to_public_key_der().map_err(UnfitKey::unreadable)?;
                let key = p521::ecdsa::SigningKey::from_bytes(&key.to_bytes()).map_err(UnfitKey::unreadable)?;
                (Private::P521(key), half)
            }
            KeyKind::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_der(&pkcs8).map_err(UnfitKey::unreadable)?;
                let half = key.verifying_key().to_public_key_der().map_err(UnfitKey::unreadable)?;
                (Private::Ed25519(key), half)
            }
            KeyKind::BrainpoolP256r1 => return Err(UnfitKey::Unknown(UnknownKind::NobodySigns)),
            _ => {
                let key = RsaPrivateKey::from_pkcs8_der(&pkcs8).map_err(UnfitKey::unreadable)?;
                let half = key.to_public_key().to_public_key_der().map_err(UnfitKey::unreadable)?;
                (Private::Rsa(Box::new(key)), half)
            }
        };
        // Compared by the key itself: how its algorithm is written may differ.
        let pair = Self::new(kind, private, &pkcs8, public.raw);
        let (_, half) = SubjectPublicKeyInfo::from_der(half.as_bytes()).map_err(UnfitKey::unreadable)?;
        if half.subject_public_key.as_ref() != pair.public_key_bits() {
            return Err(UnfitKey::OfAnother);
        }
        Ok(pair)
    }
}

/// The kind of somebody else's key.
fn kind_of(public: &SubjectPublicKeyInfo<'_>) -> Result<KeyKind, UnknownKind> {
    if public.algorithm.algorithm.to_id_string() == "1.3.101.112" {
        return Ok(KeyKind::Ed25519);
    }
    let parsed = public.parsed().map_err(|error| UnknownKind::Unreadable(error.to_string()))?;
    Ok(match (&parsed, parsed.key_size()) {
        (PublicKey::RSA(_), 768) => KeyKind::Rsa768,
        (PublicKey::RSA(_), 1024) => KeyKind::Rsa1024,
        (PublicKey::RSA(_), 2048) => KeyKind::Rsa2048,
        (PublicKey::RSA(_), 3072) => KeyKind::Rsa3072,
        (PublicKey::RSA(_), 4096) => KeyKind::Rsa4096,
        (PublicKey::RSA(_), 8192) => KeyKind::Rsa8192,
        (PublicKey::EC(point), _) => match point.data().len() {
            // One octet says that both coordinates follow (SEC 1 §2.3.3).
            65 => KeyKind::P256,
            97 => KeyKind::P384,
            133 => KeyKind::P521,
            _ => return Err(UnknownKind::Curve),
        },
        (PublicKey::RSA(_), bits) => return Err(UnknownKind::RsaBits(bits)),
        _ => return Err(UnknownKind::Algorithm),
    })
}
