//! Certificates that somebody else has made: read, not minted.

use crate::error::Error;
use crate::key::{GivenKey, KeyPair, UnfitKey};
use crate::mint::MintedCertificate;
use crate::spec::Certificate;
use clock::UnixTime;
use std::fmt;
use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Reads the certificate `name` from the text that stands under `pem`.
pub(crate) fn read(name: &str, text: &str) -> Result<MintedCertificate, Error> {
    let remedy = "paste a certificate with its BEGIN and END lines, and after it its private key if it is known";
    parse(text).map_err(|problem| Error::new(name, "pem", problem.to_string(), remedy))
}

/// What is wrong with a text that should be PEM: its author's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadPem {
    /// The private key needs a password.
    EncryptedKey,
    /// Its lines or its Base64 are wrong.
    Malformed(String),
    /// An object with a label that belongs to neither a certificate nor a key.
    Label(String),
    /// Several certificates.
    SeveralCertificates,
    /// Several private keys.
    SeveralKeys,
    /// No certificate.
    NoCertificate,
    /// What is labelled as a certificate is none.
    Certificate(String),
    /// The private key is of no use to the certificate.
    Key(UnfitKey),
}

impl fmt::Display for BadPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EncryptedKey => f.write_str("the private key is encrypted, and nobody here knows its password"),
            Self::Malformed(why) | Self::Certificate(why) => f.write_str(why),
            Self::Label(label) => write!(f, "`{label}` is neither a certificate nor a private key"),
            Self::SeveralCertificates => f.write_str("there is more than one CERTIFICATE"),
            Self::SeveralKeys => f.write_str("there is more than one PRIVATE KEY"),
            Self::NoCertificate => f.write_str("there is no certificate in it"),
            Self::Key(why) => why.fmt(f),
        }
    }
}

/// A certificate in PEM, with its private key if that follows.
pub(crate) fn parse(text: &str) -> Result<MintedCertificate, BadPem> {
    let (mut der, mut key) = (None, None);
    for object in objects(text)? {
        match object {
            Object::Certificate(_) if der.is_some() => return Err(BadPem::SeveralCertificates),
            Object::Key(_) if key.is_some() => return Err(BadPem::SeveralKeys),
            Object::Certificate(found) => der = Some(found),
            Object::Key(found) => key = Some(found),
        }
    }
    let der = der.ok_or(BadPem::NoCertificate)?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|error| BadPem::Certificate(error.to_string()))?;
    let key = KeyPair::given(certificate.public_key(), key.as_ref()).map_err(BadPem::Key)?;
    Ok(of(&certificate, der.clone(), key))
}

/// The certificate as the rest of this crate has it.
pub(crate) fn of(certificate: &X509Certificate<'_>, der: Vec<u8>, key: KeyPair) -> MintedCertificate {
    let key_identifier = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
        _ => None,
    });
    MintedCertificate {
        subject: certificate.subject().to_string(),
        subject_der: certificate.subject().as_raw().to_vec(),
        issuer: certificate.issuer().to_string(),
        not_before: UnixTime::from_seconds(certificate.validity().not_before.timestamp()),
        not_after: UnixTime::from_seconds(certificate.validity().not_after.timestamp()),
        key_identifier,
        key,
        der,
    }
}

/// What may stand in PEM.
pub(crate) enum Object {
    /// A certificate in DER.
    Certificate(Vec<u8>),
    /// A private key.
    Key(GivenKey),
}

/// The objects of a text in PEM (RFC 7468).
pub(crate) fn objects(text: &str) -> Result<Vec<Object>, BadPem> {
    // Both ways to write one: as PKCS#8 (RFC 5958), and with headers before the Base64 (RFC 1421).
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(BadPem::EncryptedKey);
    }
    let mut objects = Vec::new();
    for object in Pem::iter_from_buffer(text.as_bytes()) {
        let object = object.map_err(|error| BadPem::Malformed(error.to_string()))?;
        objects.push(match object.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => Object::Certificate(object.contents),
            "PRIVATE KEY" => Object::Key(GivenKey::Pkcs8(object.contents)),
            "RSA PRIVATE KEY" => Object::Key(GivenKey::Pkcs1(object.contents)),
            "EC PRIVATE KEY" => Object::Key(GivenKey::Sec1(object.contents)),
            // The name of the curve, which the key itself has too.
            "EC PARAMETERS" => continue,
            other => return Err(BadPem::Label(other.to_owned())),
        });
    }
    Ok(objects)
}

/// What stands under `pem` is whole: a field beside it would have no effect.
pub(crate) fn check_alone(name: &str, spec: &Certificate) -> Result<(), Error> {
    let alone = Certificate { pem: spec.pem.clone(), ..Certificate::default() };
    if spec.pem.is_none() || *spec == alone {
        return Ok(());
    }
    let problem = "a certificate that is given as it is has no other fields";
    Err(Error::new(name, "pem", problem, "leave `pem` out, or everything else"))
}
