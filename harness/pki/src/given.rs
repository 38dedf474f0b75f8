//! Certificates that somebody else has made: read, not minted.

use crate::error::Error;
use crate::key::KeyPair;
use crate::mint::MintedCertificate;
use crate::spec::Certificate;
use clock::UnixTime;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Reads the certificate `name` from the text that stands under `pem`.
pub(crate) fn read(name: &str, text: &str) -> Result<MintedCertificate, Error> {
    let wrong = |problem: String| {
        let remedy = "paste a certificate with its BEGIN and END lines, and after it its PKCS#8 key if it is known";
        Error::new(name, "pem", problem, remedy)
    };
    let mut der = None;
    let mut pkcs8 = None;
    for object in Pem::iter_from_buffer(text.as_bytes()) {
        let object = object.map_err(|error| wrong(error.to_string()))?;
        let place = match object.label.as_str() {
            "CERTIFICATE" => &mut der,
            "PRIVATE KEY" => &mut pkcs8,
            other => return Err(wrong(format!("`{other}` is neither a certificate nor a PKCS#8 key"))),
        };
        if place.replace(object.contents).is_some() {
            return Err(wrong(format!("there is more than one {}", object.label)));
        }
    }
    let der = der.ok_or_else(|| wrong("there is no certificate in it".to_owned()))?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|error| wrong(error.to_string()))?;
    let key = KeyPair::given(certificate.public_key(), pkcs8.as_deref()).map_err(wrong)?;
    Ok(MintedCertificate {
        subject: certificate.subject().to_string(),
        subject_der: certificate.subject().as_raw().to_vec(),
        issuer: certificate.issuer().to_string(),
        not_before: UnixTime::from_seconds(certificate.validity().not_before.timestamp()),
        not_after: UnixTime::from_seconds(certificate.validity().not_after.timestamp()),
        key,
        der,
    })
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
