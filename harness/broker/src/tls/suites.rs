//! The cipher suites of ring, with taps.

use super::server_hello::ChangedHash;
use super::tap::{Tapped12, Tapped13};
use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::ring::ALL_CIPHER_SUITES;
use rustls::{SignatureScheme, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};
use std::sync::LazyLock;

/// Every suite that the broker has.
static TAPPED: LazyLock<Vec<SupportedCipherSuite>> =
    LazyLock::new(|| ALL_CIPHER_SUITES.iter().copied().map(tapped).collect());

/// What ECDSA suites sign with in TLS 1.2; rustls itself leaves SHA-1 out.
const ECDSA_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_SHA1_Legacy,
];

/// What RSA suites sign with in TLS 1.2.
const RSA_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA1,
];

/// The suites of these IANA names, in this order; all if there are none.
pub(super) fn named(names: &[String]) -> Vec<SupportedCipherSuite> {
    if names.is_empty() {
        return TAPPED.clone();
    }
    names.iter().filter_map(|name| TAPPED.iter().find(|suite| name_of(**suite) == *name).copied()).collect()
}

fn name_of(suite: SupportedCipherSuite) -> String {
    wire::tls::CipherSuite(suite.suite().into()).name().unwrap_or_default().to_owned()
}

/// The suite with a tapped AEAD and a hash that follows changes of ServerHello. The copies live as long as the process, as rustls demands; there are nine of them.
fn tapped(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls12(suite) => {
            let sign =
                if suite.sign.iter().any(|scheme| RSA_SCHEMES.contains(scheme)) { RSA_SCHEMES } else { ECDSA_SCHEMES };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: common(&suite.common),
                prf_provider: suite.prf_provider,
                kx: suite.kx,
                sign,
                aead_alg: Box::leak(Box::new(Tapped12(suite.aead_alg))),
            })))
        }
        SupportedCipherSuite::Tls13(suite) => SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
            common: common(&suite.common),
            hkdf_provider: suite.hkdf_provider,
            aead_alg: Box::leak(Box::new(Tapped13(suite.aead_alg))),
            quic: None,
        }))),
    }
}

fn common(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: Box::leak(Box::new(ChangedHash(common.hash_provider))),
        confidentiality_limit: common.confidentiality_limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_names_exactly_the_suites_that_there_are() {
        let mut offered: Vec<String> =
            scenario::broker::Engine::Rustls.cipher_suites().iter().map(|&name| name.into()).collect();
        assert_eq!(named(&offered).len(), offered.len());
        let mut existing: Vec<String> = named(&[]).into_iter().map(name_of).collect();
        offered.sort();
        existing.sort();
        assert_eq!(offered, existing);
    }
}
