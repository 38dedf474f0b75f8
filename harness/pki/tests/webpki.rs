//! Good chains verify, and each crooked one is refused for its own reason, by a verifier that we did not write.

use clock::UnixTime;
use pki::Minted;
use rustls_pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert, ring};

/// 2026-01-01T00:00:00Z.
const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
];

fn mint(specification: &str) -> Minted {
    let certificates = toml::from_str(specification).expect(specification);
    pki::mint(&certificates, 0x5eed, DATE).expect(specification)
}

/// What webpki says about `leaf`, presented along with `intermediates`, for `broker.test`, with `root` trusted.
fn verify(minted: &Minted, leaf: &str, intermediates: &[&str]) -> Result<(), Error> {
    verify_for(minted, leaf, intermediates, KeyUsage::server_auth())?;
    verify_name(minted, leaf, "broker.test")
}

fn verify_name(minted: &Minted, leaf: &str, dialled: &str) -> Result<(), Error> {
    let der = CertificateDer::from(minted.certificates[leaf].der.as_slice());
    EndEntityCert::try_from(&der)?.verify_is_valid_for_subject_name(&ServerName::try_from(dialled).unwrap())
}

fn verify_for(minted: &Minted, leaf: &str, intermediates: &[&str], usage: KeyUsage) -> Result<(), Error> {
    let der = |name: &str| CertificateDer::from(minted.certificates[name].der.as_slice());
    let (root, leaf) = (der("root"), der(leaf));
    let intermediates: Vec<_> = intermediates.iter().map(|name| der(name)).collect();
    let anchors = [anchor_from_trusted_cert(&root)?];
    let now = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(DATE.seconds as u64));
    let leaf = EndEntityCert::try_from(&leaf)?;
    leaf.verify_for_usage(ALGORITHMS, &anchors, &intermediates, now, usage, None, None).map(|_| ())
}

#[test]
fn good_chains_verify_with_every_kind_of_key() {
    for kind in ["p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096"] {
        let minted = mint(&format!("root.key = '{kind}'\nleaf.key = '{kind}'\nclient.key = '{kind}'"));
        assert_eq!(verify(&minted, "leaf", &[]), Ok(()), "{kind}");
        assert_eq!(verify_for(&minted, "client", &[], KeyUsage::client_auth()), Ok(()), "{kind}");
    }
}

#[test]
fn good_chains_verify_through_intermediates() {
    let minted = mint(
        r#"
        upper = { ca = true, path_length = 1, name_constraints = { permitted = ["dns:test"] } }
        lower = { ca = true, path_length = 0, issuer = "upper" }
        leaf.issuer = "lower"
        "#,
    );
    assert_eq!(verify(&minted, "leaf", &["lower", "upper"]), Ok(()));
    assert_eq!(verify(&minted, "leaf", &["upper", "lower"]), Ok(()));
    assert_eq!(verify(&minted, "leaf", &["lower"]), Err(Error::UnknownIssuer));
}

#[test]
fn cross_signing_gives_two_ways_to_the_same_authority() {
    let minted = mint(
        r#"
        old = { profile = "root" }
        sub = { ca = true, issuer = "old", subject = "CN=sub" }
        sub_cross = { ca = true, issuer = "root", subject = "CN=sub", key_of = "sub" }
        leaf.issuer = "sub"
        "#,
    );
    assert_eq!(verify(&minted, "leaf", &["sub"]), Err(Error::UnknownIssuer));
    assert_eq!(verify(&minted, "leaf", &["sub_cross"]), Ok(()));
}

/// Each row: one fault, the intermediates that are presented, and the variant of webpki's error that names it.
const CROOKED: &[(&str, &[&str], &str)] = &[
    ("leaf.not_after = '-1d'", &[], "CertExpired"),
    ("leaf.not_before = '+1d'", &[], "CertNotValidYet"),
    ("leaf.not_before = '+2d'\nleaf.not_after = '+1d'", &[], "InvalidCertValidity"),
    ("leaf.names = ['dns:other.test']", &[], "CertNotValidForName"),
    ("leaf.names = ['ip:192.0.2.10']", &[], "CertNotValidForName"),
    ("leaf.names = []", &[], "CertNotValidForName"),
    ("leaf.names = ['uri:mqtts://broker.test', 'email:a@broker.test']", &[], "CertNotValidForName"),
    ("leaf.issuer = 'self'", &[], "UnknownIssuer"),
    ("evil = { profile = 'root' }\nleaf.issuer = 'evil'", &[], "UnknownIssuer"),
    (
        "evil = { profile = 'root', subject = 'CN=Shakedown test root' }\nleaf.issuer = 'evil'",
        &[],
        "InvalidSignatureForPublicKey",
    ),
    (
        "evil = { profile = 'root' }\nleaf = { issuer = 'evil', issuer_name_as = 'root' }",
        &[],
        "InvalidSignatureForPublicKey",
    ),
    ("leaf.flaws = ['broken_signature']", &[], "InvalidSignatureForPublicKey"),
    ("leaf.flaws = ['changed_after_signing']", &[], "InvalidSignatureForPublicKey"),
    ("leaf.flaws = ['empty_signature']", &[], "InvalidSignatureForPublicKey"),
    ("leaf.flaws = ['signature_algorithm_mismatch']", &[], "SignatureAlgorithmMismatch"),
    ("leaf.flaws = ['trailing_bytes']", &[], "TrailingData"),
    // webpki's word for a length that lies.
    ("leaf.flaws = ['truncated']", &[], "TrailingData(SignedData)"),
    ("leaf.flaws = ['overlong_length']", &[], "TrailingData(SignedData)"),
    ("leaf.flaws = ['impossible_date']", &[], "BadDerTime"),
    ("leaf.version = 1", &[], "UnsupportedCertVersion"),
    ("leaf.version = 2", &[], "UnsupportedCertVersion"),
    ("leaf = { version = 1, flaws = ['extensions_below_version3'] }", &[], "UnsupportedCertVersion"),
    ("leaf.extended_key_usage = ['client_auth']", &[], "RequiredEkuNotFound"),
    ("leaf.ca = true", &[], "CaUsedAsEndEntity"),
    (
        "leaf.unknown_extensions = [{ oid = '1.3.6.1.4.1.99999.1', critical = true }]",
        &[],
        "UnsupportedCriticalExtension",
    ),
    ("leaf.duplicate = ['extended_key_usage']", &[], "ExtensionValueInvalid"),
    ("root.key = 'rsa2048'\nleaf.signature = 'sha1'", &[], "UnsupportedSignatureAlgorithm"),
    ("root.key = 'rsa2048'\nleaf.signature = 'md5'", &[], "UnsupportedSignatureAlgorithm"),
    ("leaf.signature = 'sha1'", &[], "UnsupportedSignatureAlgorithm"),
    ("root.key = 'rsa1024'", &[], "InvalidSignatureForPublicKey"),
    ("sub.ca = true\nleaf.issuer = 'sub'", &[], "UnknownIssuer"),
    ("sub = { issuer = 'root' }\nleaf.issuer = 'sub'", &["sub"], "EndEntityUsedAsCa"),
    ("sub = { ca = true, without = ['basic_constraints'] }\nleaf.issuer = 'sub'", &["sub"], "EndEntityUsedAsCa"),
    (
        "sub = { ca = true, path_length = 0 }\nlow = { ca = true, issuer = 'sub' }\nleaf.issuer = 'low'",
        &["low", "sub"],
        "PathLenConstraintViolated",
    ),
    (
        "sub = { ca = true, name_constraints = { permitted = ['dns:example'] } }\nleaf.issuer = 'sub'",
        &["sub"],
        "NameConstraintViolation",
    ),
    (
        "sub = { ca = true, name_constraints = { excluded = ['dns:broker.test'] } }\nleaf.issuer = 'sub'",
        &["sub"],
        "NameConstraintViolation",
    ),
    (
        "sub = { ca = true, name_constraints = { excluded = ['ip:192.0.2.0/24'] } }\n\
         leaf = { issuer = 'sub', names = ['dns:broker.test', 'ip:192.0.2.10'] }",
        &["sub"],
        "NameConstraintViolation",
    ),
    ("sub = { ca = true, not_after = '-1d' }\nleaf.issuer = 'sub'", &["sub"], "CertExpired"),
];

#[test]
fn each_crooked_chain_is_refused_for_its_own_reason() {
    let mut wrong = Vec::new();
    for (specification, intermediates, reason) in CROOKED {
        let error = format!("{:?}", verify(&mint(specification), "leaf", intermediates));
        let inner = error.strip_prefix("Err(").unwrap_or(&error);
        if !inner.starts_with(reason) {
            wrong.push(format!("{specification}\n   expected {reason}, got {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_that_only_look_like_others_stay_what_they_are() {
    for (names, dialled, accepted) in [
        ("['dns:*.broker.test']", "a.broker.test", true),
        ("['dns:*.broker.test']", "a.b.broker.test", false),
        ("['dns:a*.broker.test']", "ab.broker.test", false),
        ("['dns:BROKER.TEST']", "broker.test", true),
        ("['dns:broker.test.']", "broker.test", false),
        ("[\"dns:broker.test\\u0000.evil.test\"]", "broker.test", false),
        ("['ip:192.0.2.10']", "192.0.2.10", true),
        ("['ip:2001:db8::10']", "2001:db8::10", true),
        ("['dns:192.0.2.10']", "192.0.2.10", false),
    ] {
        let verdict = verify_name(&mint(&format!("leaf.names = {names}")), "leaf", dialled);
        assert_eq!(verdict.is_ok(), accepted, "{names}: {verdict:?}");
    }
}
