use super::*;
use clock::UnixTime;

fn read(text: &str) -> Result<Certificates, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_table_says_only_what_differs() {
    let certificates = read(
        r#"
        [leaf]
        subject = 'CN=broker\,test,O=Shakedown'
        names = ["dns:*.test", "ip:192.0.2.10", "ip:2001:db8::1", "uri:mqtts://broker.test", "email:a@b", "dns:x\u0000y"]
        not_before = "-30d"
        not_after = "9999-12-31T23:59:59Z"
        key = "rsa2048"
        extended_key_usage = ["client_auth", "1.2.3.4"]
        critical = ["extended_key_usage"]
        flaws = ["broken_signature"]

        [sub]
        ca = true
        name_constraints = { permitted = ["dns:test", "ip:192.0.2.0/24"] }
        "#,
    )
    .unwrap();
    let leaf = &certificates.0["leaf"];
    assert_eq!(leaf.subject.as_ref().unwrap().0[0].1, "broker,test");
    assert_eq!(leaf.names.as_ref().unwrap()[5], Name::Dns("x\0y".into()));
    assert_eq!(leaf.not_before.unwrap().resolve(UnixTime::from_seconds(0)).seconds, -30 * 86_400);
    assert_eq!(leaf.extended_key_usage.as_ref().unwrap()[0], ExtendedKeyUsage::client_auth());
    assert_eq!(certificates.names().collect::<Vec<_>>(), ["client", "leaf", "root", "sub"]);
    assert_eq!(Profile::of("sub", &certificates.0["sub"]), Profile::Intermediate);

    let written = toml::to_string(&certificates).unwrap();
    assert_eq!(read(&written).unwrap(), certificates, "{written}");
}

#[test]
fn errors_say_what_to_write_instead() {
    for (text, remedy) in [
        ("leaf.names = ['broker.test']", "write dns:"),
        ("leaf.names = ['ip:broker.test']", "write `ip:192.0.2.10`"),
        ("leaf.not_after = '2025-02-30T00:00:00Z'", "write `2025-01-01T00:00:00Z`"),
        ("leaf.not_after = 'tomorrow'", "such as `-30d`"),
        ("leaf.subject = 'broker.test'", "write e.g. `CN=broker.test`"),
        ("leaf.subject = 'X=broker.test'", "write one of CN, O,"),
        ("leaf.extended_key_usage = ['server']", "write one of server_auth"),
        ("leaf.unknown_extensions = [{ oid = '9.9' }]", "write dotted decimals"),
        ("sub.name_constraints.permitted = ['ip:192.0.2.0/33']", "write `ip:192.0.2.0/24`"),
        ("leaf.keys = 'p256'", "unknown field `keys`"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(remedy), "{text}: {error}");
    }
}
