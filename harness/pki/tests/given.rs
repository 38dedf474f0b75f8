//! Certificates that somebody else has made, under `pem`.

use clock::UnixTime;
use pki::spec::{Certificate, Certificates, Digest};
use pki::{MintedCertificate, Scheme};
use x509_parser::prelude::{FromDer as _, X509Certificate};

const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// A certificate of another bench.
fn elsewhere(kind: &str) -> MintedCertificate {
    let spec: Certificates = toml::from_str(&format!("client.key = '{kind}'")).expect("a specification");
    pki::mint(&spec, 7, DATE).expect("it can be minted").certificates["client"].clone()
}

fn given(pem: String) -> Certificates {
    let posted = Certificate { pem: Some(pem), ..Certificate::default() };
    Certificates([("posted".to_owned(), posted)].into())
}

fn complaint(spec: &Certificates) -> String {
    pki::mint(spec, 0, DATE).expect_err("it is wrong").to_string()
}

#[test]
fn it_is_taken_as_it_is() {
    for (kind, scheme) in [("rsa2048", Scheme::RsaPkcs1(Digest::Sha256)), ("p256", Scheme::Ecdsa(Digest::Sha256))] {
        let theirs = elsewhere(kind);
        let minted = pki::mint(&given(theirs.pem() + &theirs.key_pem()), 0, DATE).expect("it can be read");
        let ours = &minted.certificates["posted"];
        assert_eq!(ours.der, theirs.der);
        assert_eq!(ours.subject_der, theirs.subject_der);
        assert_eq!((ours.not_before, ours.not_after), (theirs.not_before, theirs.not_after));
        assert_eq!(ours.key.kind(), theirs.key.kind());
        assert_eq!(ours.key.public_key_bits(), theirs.key.public_key_bits());
        assert_eq!(ours.key_pem(), theirs.key_pem());
        assert_eq!(ours.key.sign(scheme, b"x"), theirs.key.sign(scheme, b"x"));
    }
}

#[test]
fn with_its_key_it_signs() {
    let spec: Certificates = toml::from_str("root.subject = 'O=Somebody,CN=Their root'").expect("a specification");
    let theirs = pki::mint(&spec, 7, DATE).expect("it can be minted").certificates["root"].clone();
    let root = Certificate { pem: Some(theirs.pem() + &theirs.key_pem()), ..Certificate::default() };
    let minted = pki::mint(&Certificates([("root".to_owned(), root)].into()), 0, DATE).expect("it signs");
    assert_eq!(minted.certificates["root"].der, theirs.der);
    for below in ["leaf", "client"] {
        let (_, leaf) = X509Certificate::from_der(&minted.certificates[below].der).expect("a certificate");
        let (_, root) = X509Certificate::from_der(&theirs.der).expect("a certificate");
        assert_eq!(leaf.issuer().as_raw(), root.subject().as_raw());
        leaf.verify_signature(Some(root.public_key())).expect("it is theirs");
    }
}

#[test]
fn its_key_may_be_unknown() {
    let theirs = elsewhere("p384");
    let minted = pki::mint(&given(theirs.pem()), 0, DATE).expect("it can be read");
    let ours = &minted.certificates["posted"];
    assert_eq!(ours.key.public_key_bits(), theirs.key.public_key_bits());
    assert!(ours.key.sign(Scheme::Ecdsa(Digest::Sha384), b"x").is_err());
    assert!(ours.key_pkcs8_der().is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let theirs = elsewhere("p256");
    assert!(complaint(&given("nothing".into())).starts_with("pki.posted.pem: there is no certificate in it"));
    assert!(complaint(&given(theirs.pem() + &theirs.pem())).contains("more than one CERTIFICATE"));
    assert!(complaint(&given(theirs.pem().replace("CERTIFICATE", "PUBLIC KEY"))).contains("neither"));
    let mut both = given(theirs.pem());
    both.0.entry("posted".into()).and_modify(|posted| posted.serial = Some(1));
    assert!(complaint(&both).contains("no other fields"));
    let mut below = given(theirs.pem());
    let leaf = Certificate { issuer: Some("posted".into()), ..Certificate::default() };
    below.0.insert("leaf".into(), leaf);
    let words = "pki.leaf.issuer: `posted` is given without its private key, and signs nothing here";
    assert!(complaint(&below).starts_with(words));
}
