//! Authorities that somebody else has made: what is one, and what is not.

use clock::UnixTime;
use pki::spec::Certificates;
use pki::{Authority, MintedCertificate, Refusal};

const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// The certificate `root` of another bench.
fn root(fields: &str) -> MintedCertificate {
    let spec: Certificates = toml::from_str(&format!("[root]\n{fields}")).expect("a specification");
    pki::mint(&spec, 7, DATE).expect("it can be minted").certificates["root"].clone()
}

fn read(certificate: &MintedCertificate, key: &str) -> Result<Authority, Refusal> {
    Authority::read(&certificate.pem(), key, DATE)
}

fn refusal(fields: &str) -> Refusal {
    let root = root(fields);
    read(&root, &root.key_pem()).expect_err(fields)
}

#[test]
fn every_kind_of_key_makes_an_authority() {
    for kind in ["p256", "p384", "p521", "ed25519", "rsa2048", "rsa3072", "rsa4096"] {
        let root = root(&format!("key = '{kind}'\npath_length = 1"));
        let authority = read(&root, &root.key_pem()).unwrap_or_else(|why| panic!("{kind}: {why}"));
        assert_eq!((authority.kind().name(), authority.path_length()), (kind, Some(1)));
        let spec = Certificates([("root".to_owned(), authority.specification())].into());
        let minted = pki::mint(&spec, 0, DATE).unwrap_or_else(|why| panic!("{kind}: {why}"));
        assert_eq!(minted.certificates["leaf"].issuer, root.subject);
    }
}

#[test]
fn what_is_no_authority_says_why() {
    assert_eq!(refusal("ca = false"), Refusal::NotAnAuthority);
    assert_eq!(refusal("without = ['basic_constraints']"), Refusal::NotAnAuthority);
    assert_eq!(refusal("key_usage = ['digital_signature']"), Refusal::MaySignNothing);
    assert!(matches!(refusal("not_after = '-1d'"), Refusal::Expired(_)));
    assert!(matches!(refusal("not_before = '+1d'"), Refusal::NotYetValid(_)));
}

#[test]
fn a_key_that_does_not_fit_is_refused_in_a_sentence() {
    let (ours, other) = (root(""), root("key = 'rsa2048'"));
    for key in [root("key = 'p384'").key_pem(), other.key_pem()] {
        assert_eq!(read(&ours, &key).expect_err("another's"), Refusal::KeyOfAnother);
    }
    // Of the same kind, too.
    let spec: Certificates = toml::from_str("").expect("a specification");
    let leaf = pki::mint(&spec, 7, DATE).expect("it can be minted").certificates["leaf"].key_pem();
    assert_eq!(read(&ours, &leaf).expect_err("the leaf's"), Refusal::KeyOfAnother);
    assert!(matches!(read(&ours, "nothing").expect_err("nothing"), Refusal::NoKey(_)));
    assert!(matches!(read(&ours, &ours.pem()).expect_err("a certificate"), Refusal::NoKey(_)));
    for encrypted in [
        ours.key_pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAA==\n".into(),
    ] {
        assert_eq!(read(&ours, &encrypted).expect_err("a password"), Refusal::EncryptedKey);
    }
    let two = format!("{}{}", ours.pem(), other.pem());
    assert_eq!(Authority::read(&two, &ours.key_pem(), DATE).expect_err("two"), Refusal::SeveralCertificates(2));
    assert!(matches!(Authority::read("", &ours.key_pem(), DATE), Err(Refusal::NoCertificate(_))));
}

#[test]
fn nobody_is_shown_the_key() {
    let ours = root("");
    let authority = read(&ours, &ours.key_pem()).expect("an authority");
    let secret: String = ours.key_pem().lines().nth(1).expect("Base64").chars().take(20).collect();
    assert!(!format!("{authority:?}").contains(&secret));
}
