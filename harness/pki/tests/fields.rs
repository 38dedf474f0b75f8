//! What is minted says what was specified, according to a parser that we did not write.

use clock::UnixTime;
use pki::spec::{KeyKind, Profile};
use pki::{Defaults, Minted};
use x509_parser::prelude::*;

/// 2026-01-01T00:00:00Z.
const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

fn try_mint(specification: &str, seed: u64) -> Result<Minted, pki::Error> {
    pki::mint(&toml::from_str(specification).expect(specification), seed, DATE)
}

fn mint(specification: &str) -> Minted {
    try_mint(specification, 0x5eed).expect(specification)
}

fn parse(der: &[u8]) -> X509Certificate<'_> {
    let (rest, certificate) = X509Certificate::from_der(der).unwrap();
    assert!(rest.is_empty());
    certificate
}

#[test]
fn dates_are_encoded_as_rfc_5280_demands_unless_told_otherwise() {
    for (specification, encoded) in [
        ("leaf.not_after = '2049-12-31T23:59:59Z'", &b"\x17\x0d491231235959Z"[..]),
        ("leaf.not_after = '2050-01-01T00:00:00Z'", b"\x18\x0f20500101000000Z"),
        ("leaf.not_after = '9999-12-31T23:59:59Z'", b"\x18\x0f99991231235959Z"),
        (
            "leaf = { not_after = '2030-01-01T00:00:00Z', time_encoding = 'generalized_time' }",
            b"\x18\x0f20300101000000Z",
        ),
        ("leaf = { not_after = '2055-01-01T00:00:00Z', time_encoding = 'utc_time' }", b"\x17\x0d550101000000Z"),
        ("leaf = { not_after = '2030-01-01T00:00:00Z', flaws = ['impossible_date'] }", b"\x17\x0d300230000000Z"),
    ] {
        let minted = mint(specification);
        let der = &minted.certificates["leaf"].der;
        assert!(der.windows(encoded.len()).any(|window| window == encoded), "{specification}");
    }
    let minted = mint("leaf.not_after = '+10d'");
    let leaf = &minted.certificates["leaf"];
    assert_eq!(leaf.not_after.seconds, DATE.seconds + 864_000);
    assert_eq!(parse(&leaf.der).validity().not_after.timestamp(), leaf.not_after.seconds);
    assert_eq!(parse(&leaf.der).validity().not_before.timestamp(), leaf.not_before.seconds);
}

#[test]
fn names_and_extensions_are_those_that_were_specified() {
    let minted = mint(
        r#"
        [leaf]
        subject = 'C=AT,O=Ops\, Ltd,CN=192.0.2.10'
        names = ["dns:broker.test", "ip:2001:db8::10", "uri:mqtts://broker.test", "email:a@b", "dns:x\u0000y"]
        serial = -5
        must_staple = true
        revocation_list = "http://crl.test/root.crl"
        key_usage = ["key_cert_sign"]
        critical = ["extended_key_usage"]
        not_critical = ["key_usage"]
        unknown_extensions = [{ oid = "1.3.6.1.4.1.99999.1", length = 300 }]
        "#,
    );
    let leaf = parse(&minted.certificates["leaf"].der);
    assert_eq!(leaf.subject().to_string(), "C=AT, O=Ops, Ltd, CN=192.0.2.10");
    assert_eq!(leaf.raw_serial(), [0xfb]);
    assert_eq!(leaf.version(), X509Version::V3);
    let names = &leaf.subject_alternative_name().unwrap().unwrap().value.general_names;
    let address: std::net::Ipv6Addr = "2001:db8::10".parse().unwrap();
    assert_eq!(names[0], GeneralName::DNSName("broker.test"));
    assert_eq!(names[1], GeneralName::IPAddress(&address.octets()));
    assert_eq!(names[2], GeneralName::URI("mqtts://broker.test"));
    assert_eq!(names[3], GeneralName::RFC822Name("a@b"));
    assert_eq!(names[4], GeneralName::DNSName("x\0y"));
    assert!(leaf.extended_key_usage().unwrap().unwrap().critical);
    let usage = leaf.key_usage().unwrap().unwrap();
    assert!(!usage.critical && usage.value.key_cert_sign() && !usage.value.digital_signature());
    let oids: Vec<String> = leaf.extensions().iter().map(|extension| extension.oid.to_id_string()).collect();
    assert!(oids.contains(&"1.3.6.1.5.5.7.1.24".to_owned()) && oids.contains(&"2.5.29.31".to_owned()), "{oids:?}");
    assert_eq!(leaf.extensions().last().unwrap().value.len(), 304);
}

#[test]
fn authority_and_subject_key_identifiers_meet() {
    for kind in ["p256", "rsa2048", "rsa4096"] {
        let minted = mint(&format!("root.key = '{kind}'"));
        let identifier = |name: &str| {
            let certificate = parse(&minted.certificates[name].der);
            certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(authority) if name == "leaf" => {
                    authority.key_identifier.as_ref().map(|identifier| identifier.0.to_vec())
                }
                ParsedExtension::SubjectKeyIdentifier(subject) if name == "root" => Some(subject.0.to_vec()),
                _ => None,
            })
        };
        assert_eq!(identifier("leaf").unwrap(), identifier("root").unwrap(), "{kind}");
    }
}

#[test]
fn version_1_has_no_extensions_and_no_version_field() {
    let minted = mint("client.version = 1");
    let client = parse(&minted.certificates["client"].der);
    assert_eq!(client.version(), X509Version::V1);
    assert!(client.extensions().is_empty());
    client.verify_signature(Some(parse(&minted.certificates["root"].der).public_key())).unwrap();
}

#[test]
fn three_hundred_names_make_a_certificate_of_13_kilobytes() {
    let minted = mint("leaf.filler_names = 300");
    let der = &minted.certificates["leaf"].der;
    assert!((13_000..15_000).contains(&der.len()), "{}", der.len());
    let leaf = parse(der);
    let names = &leaf.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names.len(), 301);
    assert_eq!(names[300], GeneralName::DNSName("broker.test"));
}

#[test]
fn the_same_arguments_give_the_same_bytes_and_others_do_not() {
    let specification = "leaf.key = 'rsa2048'\nother.key = 'p521'\nthird.key = 'ed25519'";
    let bytes = |minted: &Minted| {
        minted.certificates.values().map(|one| (one.der.clone(), one.key_pkcs8_der().to_vec())).collect::<Vec<_>>()
    };
    let first = bytes(&try_mint(specification, 1).unwrap());
    assert_eq!(first, bytes(&try_mint(specification, 1).unwrap()));
    let second = bytes(&try_mint(specification, 2).unwrap());
    assert!(first.iter().zip(&second).all(|(one, other)| one.0 != other.0));
}

#[test]
fn keys_of_different_names_differ_even_when_they_come_from_the_stock() {
    for seed in 0..32 {
        let minted = try_mint("root.key = 'rsa2048'\nleaf.key = 'rsa2048'\nclient.key = 'rsa2048'", seed).unwrap();
        let key = |name: &str| minted.certificates[name].key.spki_der().to_vec();
        assert!(key("root") != key("leaf") && key("leaf") != key("client") && key("root") != key("client"), "{seed}");
    }
}

/// What a profile leaves to be said is what `pki::Defaults` tells: written out, it changes no byte.
#[test]
fn defaults_that_are_written_out_change_nothing() {
    for (profile, key) in Profile::ALL.into_iter().flat_map(|profile| [(profile, "p256"), (profile, "rsa2048")]) {
        let short = format!("x = {{ profile = '{}', key = '{key}' }}", profile.name());
        let kind = if key == "p256" { KeyKind::P256 } else { KeyKind::Rsa2048 };
        let mut defaults = toml::Table::try_from(Defaults::of(profile, "x", kind)).expect("a table");
        assert_eq!(defaults.len(), 14);
        defaults.insert("profile".into(), profile.name().into());
        let long = toml::Table::from_iter([("x".to_owned(), toml::Value::Table(defaults))]).to_string();
        let [short, long] = [mint(&short), mint(&long)].map(|minted| minted.certificates["x"].der.clone());
        assert!(short == long, "{profile:?} with {key}");
    }
}

#[test]
fn contradictions_are_told_with_certificate_field_and_remedy() {
    for (specification, field, remedy) in [
        ("leaf.issuer = 'gone'", "issuer", "add a table `[pki.gone]`"),
        ("leaf.issuer_name_as = 'gone'", "issuer_name_as", "add a table"),
        ("leaf.key_of = 'gone'", "key_of", "add a table"),
        ("leaf = { key_of = 'root', key = 'p256' }", "key", "leave out one"),
        ("leaf.key_of = 'client'\nclient.key_of = 'root'", "key_of", "name the certificate whose"),
        ("leaf.version = 4", "version", "write 1, 2 or 3"),
        ("leaf.signature = 'md5'", "signature", "use sha256"),
        ("root.key = 'rsa8192'\nleaf.key = 'rsa8192'\na.key = 'rsa8192'\nb.key = 'rsa8192'", "key", "share a key"),
        ("leaf.not_after = '9999999d'", "not_after", "four digits"),
        ("leaf.filler_names = 10001", "filler_names", "at most 10000"),
        ("self.ca = true", "issuer", "choose another"),
    ] {
        let error = try_mint(specification, 0).map(|_| ()).expect_err(specification);
        assert_eq!(error.field, field, "{specification}: {error}");
        assert!(error.to_string().contains(remedy), "{specification}: {error}");
    }
}
