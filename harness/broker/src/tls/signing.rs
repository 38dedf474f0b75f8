//! Keys of `pki` as rustls wants them: they sign without randomness, and with sizes that ring refuses.

use pki::spec::{Digest, KeyKind};
use pki::{KeyPair, Scheme};
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

/// Every scheme that the broker has, with its IANA name, best first.
const SCHEMES: &[(&str, SignatureScheme, Scheme)] = &[
    ("ecdsa_secp256r1_sha256", SignatureScheme::ECDSA_NISTP256_SHA256, Scheme::Ecdsa(Digest::Sha256)),
    ("ecdsa_secp384r1_sha384", SignatureScheme::ECDSA_NISTP384_SHA384, Scheme::Ecdsa(Digest::Sha384)),
    ("ecdsa_secp521r1_sha512", SignatureScheme::ECDSA_NISTP521_SHA512, Scheme::Ecdsa(Digest::Sha512)),
    ("ed25519", SignatureScheme::ED25519, Scheme::Ed25519),
    ("rsa_pss_rsae_sha256", SignatureScheme::RSA_PSS_SHA256, Scheme::RsaPss(Digest::Sha256)),
    ("rsa_pss_rsae_sha384", SignatureScheme::RSA_PSS_SHA384, Scheme::RsaPss(Digest::Sha384)),
    ("rsa_pss_rsae_sha512", SignatureScheme::RSA_PSS_SHA512, Scheme::RsaPss(Digest::Sha512)),
    ("rsa_pkcs1_sha256", SignatureScheme::RSA_PKCS1_SHA256, Scheme::RsaPkcs1(Digest::Sha256)),
    ("rsa_pkcs1_sha384", SignatureScheme::RSA_PKCS1_SHA384, Scheme::RsaPkcs1(Digest::Sha384)),
    ("rsa_pkcs1_sha512", SignatureScheme::RSA_PKCS1_SHA512, Scheme::RsaPkcs1(Digest::Sha512)),
    ("rsa_pkcs1_sha1", SignatureScheme::RSA_PKCS1_SHA1, Scheme::RsaPkcs1(Digest::Sha1)),
    ("ecdsa_sha1", SignatureScheme::ECDSA_SHA1_Legacy, Scheme::Ecdsa(Digest::Sha1)),
];

/// A key that signs the broker's handshakes, with the schemes that it may use.
#[derive(Debug)]
pub(super) struct BrokerKey {
    pair: KeyPair,
    schemes: Vec<(SignatureScheme, Scheme)>,
}

impl BrokerKey {
    /// The key, limited to the schemes of these names, in this order; to none if there are none.
    pub(super) fn new(pair: KeyPair, names: &[String]) -> Self {
        let fits = |scheme: SignatureScheme| fits(pair.kind(), scheme);
        let schemes = if names.is_empty() {
            SCHEMES.iter().filter(|(_, scheme, _)| fits(*scheme)).map(|(_, name, scheme)| (*name, *scheme)).collect()
        } else {
            names
                .iter()
                .filter_map(|name| SCHEMES.iter().find(|(known, ..)| known == name))
                .filter(|(_, scheme, _)| fits(*scheme))
                .map(|(_, name, scheme)| (*name, *scheme))
                .collect()
        };
        Self { pair, schemes }
    }
}

/// Whether a key of that kind can sign so. TLS 1.3 ties digests to curves (RFC 9846 §4.3.3), and so does this broker.
fn fits(kind: KeyKind, scheme: SignatureScheme) -> bool {
    match scheme {
        SignatureScheme::ECDSA_NISTP256_SHA256 => kind == KeyKind::P256,
        SignatureScheme::ECDSA_NISTP384_SHA384 => kind == KeyKind::P384,
        SignatureScheme::ECDSA_NISTP521_SHA512 => kind == KeyKind::P521,
        SignatureScheme::ECDSA_SHA1_Legacy => matches!(kind, KeyKind::P256 | KeyKind::P384 | KeyKind::P521),
        SignatureScheme::ED25519 => kind == KeyKind::Ed25519,
        // RFC 8017 §9.1.1: the modulus has room for digest, salt and two octets.
        SignatureScheme::RSA_PSS_SHA384 => kind.is_rsa() && kind != KeyKind::Rsa768,
        SignatureScheme::RSA_PSS_SHA512 => kind.is_rsa() && !matches!(kind, KeyKind::Rsa768 | KeyKind::Rsa1024),
        _ => kind.is_rsa(),
    }
}

impl SigningKey for BrokerKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let (name, scheme) = self.schemes.iter().find(|(name, _)| offered.contains(name))?;
        Some(Box::new(BrokerSigner { pair: self.pair.clone(), name: *name, scheme: *scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.pair.kind() {
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::BrainpoolP256r1 => SignatureAlgorithm::ECDSA,
            KeyKind::Ed25519 => SignatureAlgorithm::ED25519,
            _ => SignatureAlgorithm::RSA,
        }
    }
}

#[derive(Debug)]
struct BrokerSigner {
    pair: KeyPair,
    name: SignatureScheme,
    scheme: Scheme,
}

impl Signer for BrokerSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.pair.sign(self.scheme, message).map_err(|error| Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_names_exactly_the_schemes_that_there_are() {
        let names: Vec<&str> = SCHEMES.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, scenario::broker::Broker::SIGNATURE_SCHEMES);
    }
}
