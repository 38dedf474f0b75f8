//! Asks clients for certificates, and judges them.

use crate::error::Error;
use pki::Minted;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use scenario::broker::{ClientCertificates, Request};
use std::sync::Arc;

/// What the script says about client certificates, for rustls.
pub(super) fn verifier(
    script: &ClientCertificates,
    minted: &Minted,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    const FIELD: &str = "client_certificates";
    let mut roots = RootCertStore::empty();
    let mut announced = Vec::new();
    for name in &script.trusts {
        let authority = minted.certificates.get(name).ok_or_else(|| {
            Error::new(FIELD, format!("there is no certificate `{name}`"), format!("add a table `[pki.{name}]`"))
        })?;
        if script.announce {
            announced.push(DistinguishedName::from(authority.subject_der.clone()));
        }
        if script.verify {
            roots.add(CertificateDer::from(authority.der.as_slice())).map_err(|error| {
                let problem = format!("`{name}` is no trust anchor ({error})");
                Error::new(FIELD, problem, "trust another certificate, or set `verify = false`")
            })?;
        }
    }
    announced.extend((0..script.announce_fillers).map(filler).map(DistinguishedName::from));
    let algorithms = provider.signature_verification_algorithms;
    let chains = if script.verify {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = if script.request == Request::Required { builder } else { builder.allow_unauthenticated() };
        let verifier =
            builder.build().map_err(|error| Error::new(FIELD, error.to_string(), "name an authority in `trusts`"))?;
        Some(verifier)
    } else {
        None
    };
    let keys = minted
        .certificates
        .values()
        .map(|certificate| (certificate.der.clone(), certificate.key.public_key_bits().to_vec()))
        .collect();
    let mut schemes = algorithms.supported_schemes();
    if !script.signature_schemes.is_empty() {
        schemes.retain(|scheme| script.signature_schemes.iter().any(|name| *name == name_of(*scheme)));
    }
    let required = script.request == Request::Required;
    Ok(Arc::new(Verifier { required, announced, chains, algorithms, schemes, keys }))
}

fn name_of(scheme: SignatureScheme) -> &'static str {
    wire::tls::SignatureScheme(scheme.into()).name().unwrap_or_default()
}

/// The name of an authority that does not exist, 70 octets in DER.
pub(crate) fn filler(index: u16) -> Vec<u8> {
    let text = format!("{index:05} {:.<51}", "Authority of nothing in particular");
    let mut der = vec![0x30, 68, 0x31, 66, 0x30, 64, 0x06, 3, 0x55, 0x04, 0x03, 0x0c, 57];
    der.extend_from_slice(text.as_bytes());
    der
}

#[derive(Debug)]
struct Verifier {
    required: bool,
    announced: Vec<DistinguishedName>,
    /// Judges chains; `None` if any certificate will do.
    chains: Option<Arc<dyn ClientCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    /// What is asked for.
    schemes: Vec<SignatureScheme>,
    /// The public keys of minted certificates: webpki does not read all that can be minted.
    keys: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Verifier {
    /// Checks a signature with the key of a certificate that webpki cannot read, version 1 for one.
    fn verify_with_minted_key(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = self.keys.iter().find(|(der, _)| der.as_slice() == certificate.as_ref());
        let (_, key) = key.ok_or(CertificateError::BadEncoding)?;
        let mapping = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signature.scheme);
        let candidates = mapping.map_or(&[][..], |(_, candidates)| *candidates);
        candidates
            .iter()
            .any(|candidate| candidate.verify_signature(key, message, signature.signature()).is_ok())
            .then(HandshakeSignatureValid::assertion)
            .ok_or_else(|| CertificateError::BadSignature.into())
    }
}

/// Whether webpki stumbled over the certificate rather than over the signature.
fn is_unreadable(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(error) if *error != CertificateError::BadSignature)
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.announced
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match &self.chains {
            Some(chains) => chains.verify_client_cert(end_entity, intermediates, now),
            None => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms).or_else(|error| {
            if is_unreadable(&error) {
                self.verify_with_minted_key(message, certificate, signature)
            } else {
                Err(error)
            }
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms).or_else(|error| {
            if is_unreadable(&error) {
                self.verify_with_minted_key(message, certificate, signature)
            } else {
                Err(error)
            }
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_names_exactly_the_schemes_that_can_be_checked() {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let mut existing: Vec<&str> = algorithms.supported_schemes().into_iter().map(name_of).collect();
        let mut named = ClientCertificates::SIGNATURE_SCHEMES.to_vec();
        existing.sort_unstable();
        named.sort_unstable();
        assert_eq!(existing, named);
    }
}
