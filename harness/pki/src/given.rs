//! Certificates that somebody else has made: read, not minted.

use crate::error::Error;
use crate::key::{GivenKey, KeyPair};
use crate::mint::MintedCertificate;
use crate::spec::Certificate;
use clock::UnixTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Reads the certificate `name` from the text that stands under `pem`.
pub(crate) fn read(name: &str, text: &str) -> Result<MintedCertificate, Error> {
    let remedy = "paste a certificate with its BEGIN and END lines, and after it its private key if it is known";
    parse(text).map_err(|problem| Error::new(name, "pem", problem, remedy))
}

/// A certificate in PEM, with its private key if that follows. The problem is a sentence.
pub(crate) fn parse(text: &str) -> Result<MintedCertificate, String> {
    let (mut der, mut key) = (None, None);
    for object in objects(text)? {
        match object {
            Object::Certificate(_) if der.is_some() => return Err("there is more than one CERTIFICATE".to_owned()),
            Object::Key(_) if key.is_some() => return Err("there is more than one PRIVATE KEY".to_owned()),
            Object::Certificate(found) => der = Some(found),
            Object::Key(found) => key = Some(found),
        }
    }
    let der = der.ok_or_else(|| "there is no certificate in it".to_owned())?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|error| error.to_string())?;
    let key = KeyPair::given(certificate.public_key(), key.as_ref()).map_err(|why| why.to_string())?;
    of(&certificate, der.clone(), key)
}

/// The certificate as the rest of this crate has it.
pub(crate) fn of(certificate: &X509Certificate<'_>, der: Vec<u8>, key: KeyPair) -> Result<MintedCertificate, String> {
    let key_identifier = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
        _ => None,
    });
    Ok(MintedCertificate {
        subject: certificate.subject().to_string(),
        subject_der: certificate.subject().as_raw().to_vec(),
        issuer: certificate.issuer().to_string(),
        not_before: UnixTime::from_seconds(certificate.validity().not_before.timestamp()),
        not_after: UnixTime::from_seconds(certificate.validity().not_after.timestamp()),
        key_identifier,
        key,
        der,
    })
}

/// What may stand in PEM.
pub(crate) enum Object {
    /// A certificate in DER.
    Certificate(Vec<u8>),
    /// A private key.
    Key(GivenKey),
}

/// The objects of a text in PEM (RFC 7468). The problem is a sentence.
pub(crate) fn objects(text: &str) -> Result<Vec<Object>, String> {
    // Both ways to write one: as PKCS#8 (RFC 5958), and with headers before the Base64 (RFC 1421).
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err("the private key is encrypted, and nobody here knows its password".to_owned());
    }
    let mut objects = Vec::new();
    for object in Pem::iter_from_buffer(text.as_bytes()) {
        let object = object.map_err(|error| error.to_string())?;
        objects.push(match object.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => Object::Certificate(object.contents),
            "PRIVATE KEY" => Object::Key(GivenKey::Pkcs8(object.contents)),
            "RSA PRIVATE KEY" => Object::Key(GivenKey::Pkcs1(object.contents)),
            "EC PRIVATE KEY" => Object::Key(GivenKey::Sec1(object.contents)),
            // The name of the curve, which the key itself has too.
            "EC PARAMETERS" => continue,
            other => return Err(format!("`{other}` is neither a certificate nor a private key")),
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
