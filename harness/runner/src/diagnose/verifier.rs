//! What is right: webpki's judgement of a chain for a name, by the rules of RFC 5280 and RFC 9525. No device of this bench
//! uses it, so it is asked whether a stack that connects ought to.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};
use serde::Serialize;

/// The rules by which a device has to refuse, as webpki checks them.
pub const RULES: [&str; 5] = [
    "the chain leads to one of the authorities, each signature being right (RFC 5280 §6.1.3)",
    "every certificate of it is within its dates (RFC 5280 §6.1.3)",
    "what is dialled stands in the leaf, a name as dNSName and an address as iPAddress (RFC 9525 §6)",
    "the leaf may be a server's (RFC 5280 §4.2.1.12)",
    "what signs others is an authority, and allowed to sign these names (RFC 5280 §6.1.4)",
];

/// What a device has to do about a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verifier", content = "why")]
pub enum Expected {
    /// Connect: webpki accepts the chain for this name.
    Accepts,
    /// Refuse, for this reason.
    Refuses(String),
    /// Nothing follows from it: webpki lacks an algorithm, or is stricter than the rules.
    Undecided(String),
}

/// What webpki says of a chain, leaf first, for the name or address `dialled`, with these authorities, now.
///
/// # Errors
///
/// If `dialled` is neither a name nor an address.
pub fn judge(chain: &[Vec<u8>], authorities: &[Vec<u8>], dialled: &str) -> blame::Result<Expected> {
    let name = ServerName::try_from(dialled.to_owned())
        .map_err(|_| blame::Error::usage(format!("`{dialled}` is neither a DNS name nor an address")))?;
    let mut roots = RootCertStore::empty();
    // An authority that webpki cannot read is none to it.
    let unusable = authorities.iter().filter(|der| roots.add(CertificateDer::from(der.as_slice())).is_err()).count();
    if roots.is_empty() {
        return Ok(Expected::Undecided(format!("none of the {unusable} authorities can be read by webpki")));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(blame::Error::bench)?;
    let certificates: Vec<CertificateDer<'_>> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let Some((leaf, intermediates)) = certificates.split_first() else {
        return Ok(Expected::Refuses("there is no certificate".into()));
    };
    Ok(match verifier.verify_server_cert(leaf, intermediates, &name, &[], UnixTime::now()) {
        Ok(_) => Expected::Accepts,
        Err(error) => of(&error),
    })
}

fn of(error: &Error) -> Expected {
    use CertificateError as Why;
    let words = error.to_string().trim_start_matches("invalid peer certificate: ").to_owned();
    match error {
        Error::InvalidCertificate(
            Why::Expired
            | Why::ExpiredContext { .. }
            | Why::NotValidYet
            | Why::NotValidYetContext { .. }
            | Why::NotValidForName
            | Why::NotValidForNameContext { .. }
            | Why::UnknownIssuer
            | Why::BadSignature
            | Why::BadEncoding
            | Why::InvalidPurpose
            | Why::InvalidPurposeContext { .. },
        ) => Expected::Refuses(words),
        _ => Expected::Undecided(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minted(text: &str) -> pki::Minted {
        let spec = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        pki::mint(&spec, 1, crate::controls::today()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn judged(text: &str, dialled: &str) -> Expected {
        let minted = minted(text);
        let der = |name: &str| vec![minted.certificates[name].der.clone()];
        judge(&der("leaf"), &der("root"), dialled).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn what_must_be_refused_is_told_from_what_webpki_does_not_know() {
        assert_eq!(judged("", "broker.test"), Expected::Accepts);
        for (text, dialled, words) in [
            ("", "other.test", "not valid for name"),
            ("leaf.names = ['dns:192.0.2.10']", "192.0.2.10", "not valid for name"),
            ("leaf.not_after = '-1d'", "broker.test", "expired"),
            ("leaf.not_before = '+1d'", "broker.test", "not valid yet"),
            ("other.profile = 'root'\nleaf.issuer = 'other'", "broker.test", "UnknownIssuer"),
            ("leaf.extended_key_usage = ['client_auth']", "broker.test", ""),
        ] {
            let Expected::Refuses(why) = judged(text, dialled) else { panic!("{text}") };
            assert!(why.contains(words), "{text}: {why}");
        }
        let sha1 = judged("leaf.signature = 'sha1'\nroot.key = 'rsa2048'", "broker.test");
        assert!(matches!(sha1, Expected::Undecided(_)), "{sha1:?}");
        assert!(judge(&[], &[], "a b").is_err());
    }
}
