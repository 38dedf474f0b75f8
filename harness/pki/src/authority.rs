//! An authority that somebody else has made for tests, with its key: chains are minted under it.

use std::fmt;

use clock::UnixTime;
use clock::calendar::Date;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::given::{self, BadPem, Object};
use crate::key::{KeyPair, UnfitKey};
use crate::mint::MintedCertificate;
use crate::spec::{Certificate, KeyKind};

/// A certificate with its private key, fit to sign others.
#[derive(Clone)]
pub struct Authority {
    certificate: MintedCertificate,
    path_length: Option<u32>,
}

/// Why a certificate and a key are no authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What is given as the certificate is none.
    NoCertificate(String),
    /// There are several: which of them is meant?
    SeveralCertificates(usize),
    /// What is given as the key is none.
    NoKey(String),
    /// The key needs a password.
    EncryptedKey,
    /// The key is another certificate's.
    KeyOfAnother,
    /// The certificate's key is of a kind, or a size, with which nobody here signs.
    UnknownKind(String),
    /// It says itself that it is no authority (RFC 5280 §4.2.1.9), or does not say that it is one.
    NotAnAuthority,
    /// It may not sign certificates (RFC 5280 §4.2.1.3).
    MaySignNothing,
    /// It is over.
    Expired(UnixTime),
    /// It has not begun.
    NotYetValid(UnixTime),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |time: &UnixTime| Date::from_unix_time(*time);
        match self {
            Self::NoCertificate(why) => write!(f, "this is no certificate in PEM: {why}"),
            Self::SeveralCertificates(count) => {
                write!(f, "there are {count} certificates in it: give the authority alone, without its chain")
            }
            Self::NoKey(why) => write!(f, "this is no private key in PEM: {why}"),
            Self::EncryptedKey => f.write_str(
                "the private key is encrypted, and nobody here knows its password: \
                 `openssl pkey -in KEY.pem -out PLAIN.pem` takes it off",
            ),
            Self::KeyOfAnother => f.write_str(
                "the key fits no certificate that is given: its public half is not the certificate's \
                 (`openssl x509 -in CERT.pem -noout -pubkey` and `openssl pkey -in KEY.pem -pubout` have to be the same)",
            ),
            Self::UnknownKind(why) => write!(f, "{why}: use RSA of 2048 to 4096 bits, P-256, P-384, P-521 or Ed25519"),
            Self::NotAnAuthority => f.write_str(
                "the certificate is no authority: basicConstraints does not say CA:TRUE, and no device would take what \
                 it signs",
            ),
            Self::MaySignNothing => {
                f.write_str("the certificate may not sign others: its keyUsage lacks keyCertSign")
            }
            Self::Expired(since) => write!(f, "the authority expired on {}: no device would take what it signs", day(since)),
            Self::NotYetValid(from) => write!(f, "the authority is not valid before {}", day(from)),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Debug for Authority {
    /// Without its key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("subject", &self.certificate.subject).finish_non_exhaustive()
    }
}

impl Authority {
    /// An authority from the texts of its certificate and of its key, both in PEM, as of `today`. The key may be PKCS#8,
    /// PKCS#1 or SEC 1.
    ///
    /// # Errors
    ///
    /// What keeps it from being one.
    pub fn read(certificate: &str, key: &str, today: UnixTime) -> Result<Self, Refusal> {
        let der = the_certificate(certificate)?;
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|error| Refusal::NoCertificate(error.to_string()))?;
        let key = the_key(key)?;
        let key = KeyPair::given(parsed.public_key(), Some(&key)).map_err(|why| match why {
            UnfitKey::Unknown(why) => Refusal::UnknownKind(why.to_string()),
            UnfitKey::Unreadable(_) | UnfitKey::OfAnotherKind(_) | UnfitKey::OfAnother => Refusal::KeyOfAnother,
        })?;
        let path_length = constraints(&parsed)?;
        let certificate = given::of(&parsed, der.clone(), key);
        if certificate.not_after < today {
            return Err(Refusal::Expired(certificate.not_after));
        }
        if certificate.not_before > today {
            return Err(Refusal::NotYetValid(certificate.not_before));
        }
        Ok(Self { certificate, path_length })
    }

    /// What a specification says of a certificate that is this authority, its key included.
    pub fn specification(&self) -> Certificate {
        Certificate::given(format!("{}{}", self.certificate.pem(), self.certificate.key_pem()))
    }

    /// Its name.
    pub fn subject(&self) -> &str {
        &self.certificate.subject
    }

    /// Its name in DER.
    pub fn subject_der(&self) -> &[u8] {
        &self.certificate.subject_der
    }

    /// The kind of its key.
    pub fn kind(&self) -> KeyKind {
        self.certificate.key.kind()
    }

    /// How many authorities may stand between it and a leaf (RFC 5280 §4.2.1.9); `None`: any number.
    pub fn path_length(&self) -> Option<u32> {
        self.path_length
    }

    /// From when it is valid.
    pub fn not_before(&self) -> UnixTime {
        self.certificate.not_before
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> UnixTime {
        self.certificate.not_after
    }
}

fn the_certificate(text: &str) -> Result<Vec<u8>, Refusal> {
    let objects = given::objects(text).map_err(|why| Refusal::NoCertificate(why.to_string()))?;
    let mut certificates: Vec<Vec<u8>> = objects
        .into_iter()
        .filter_map(|object| match object {
            Object::Certificate(der) => Some(der),
            // A file may hold both; the key is read from the file that is named for it.
            Object::Key(_) => None,
        })
        .collect();
    match (certificates.pop(), certificates.len()) {
        (Some(der), 0) => Ok(der),
        (Some(_), others) => Err(Refusal::SeveralCertificates(others + 1)),
        (None, _) => Err(Refusal::NoCertificate("there is none in it".to_owned())),
    }
}

fn the_key(text: &str) -> Result<crate::key::GivenKey, Refusal> {
    let objects = given::objects(text).map_err(|why| match why {
        BadPem::EncryptedKey => Refusal::EncryptedKey,
        why => Refusal::NoKey(why.to_string()),
    })?;
    let mut keys = objects.into_iter().filter_map(|object| match object {
        Object::Key(key) => Some(key),
        Object::Certificate(_) => None,
    });
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(Refusal::NoKey("there are several in it".to_owned())),
        (None, _) => Err(Refusal::NoKey("there is none in it".to_owned())),
    }
}

/// Whether it is an authority that may sign, and how long a chain below it may be.
fn constraints(certificate: &X509Certificate<'_>) -> Result<Option<u32>, Refusal> {
    let mut path_length = None;
    let mut is_authority = false;
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => {
                is_authority = constraints.ca;
                path_length = constraints.path_len_constraint;
            }
            ParsedExtension::KeyUsage(usage) if !usage.key_cert_sign() => return Err(Refusal::MaySignNothing),
            _ => {}
        }
    }
    if is_authority { Ok(path_length) } else { Err(Refusal::NotAnAuthority) }
}
