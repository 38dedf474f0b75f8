use super::*;
use outcome::AlertDescription;

fn read(text: &str) -> Result<Broker, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn misbehaviour_reads_as_one_line() {
    let broker = read(
        r#"
        versions = ["1.2"]
        on_client_hello = { alert = "handshake_failure" }
        on_server_flight = { fin_after_bytes = 40 }
        on_accept = "reset"
        on_finished = { alert = 255 }
        mqtt.on_connect = { code = 5 }
        mqtt.publish = [{ topic = "a/b", payload_bytes = 300 }]
        tenants = { "other.test" = ["leaf"] }
        "#,
    )
    .unwrap();
    assert_eq!(broker.on_client_hello, Some(OnClientHello::Alert(Alert(AlertDescription(40)))));
    assert_eq!(broker.on_finished, Some(OnFinished::Alert(Alert(AlertDescription(255)))));
    assert_eq!(broker.on_server_flight, Some(OnServerFlight::FinAfterBytes(40)));
    assert_eq!(broker.mqtt.on_connect, OnConnect::Code(5));
    assert_eq!(broker.mqtt.publish[0].times, 1);
    broker.check(&|name| name == "leaf" || name == "root").unwrap();
}

#[test]
fn what_makes_no_sense_is_refused() {
    for text in [
        "certificates = ['gone']",
        "certificates = []",
        "key_of = 'gone'",
        "cipher_suites = ['TLS_RSA_WITH_AES_128_CBC_SHA']",
        "engine = 'openssl'\ncipher_suites = ['TLS_DHE_DSS_WITH_AES_128_CBC_SHA']",
        "versions = ['1.1']",
        "dh_bits = 1024",
        "engine = 'openssl'\ndh_bits = 1000",
        "security_level = 2",
        "engine = 'openssl'\nsecurity_level = 6",
        "extended_main_secret = false",
        "groups = ['x448']",
        "on_finished = 'hello_request'",
        "engine = 'openssl'\non_finished = { empty_records = 1 }",
        "engine = 'openssl'\non_client_hello = 'downgrade_sentinel'",
        "engine = 'openssl'\njunk_after_certificates = true",
        "engine = 'openssl'\nrecord_bytes_max = 511",
        "groups = ['brainpool']",
        "record_bytes_max = 31",
        "alpn_required = true",
        "client_certificates = { request = 'required', trusts = [] }",
        "mqtt.publish = [{ topic = 'a', qos = 2 }]",
        "mqtt.publish = [{ topic = 'a', payload_bytes = 65536, times = 65535 }]",
        "client_certificates.signature_schemes = ['rsa_pkcs1_sha1']",
    ] {
        let broker = read(text).expect(text);
        assert!(broker.check(&|name| name == "leaf" || name == "root").is_err(), "{text}");
    }
    for text in ["on_accept = 'explode'", "mqtt.on_conect = 'close'", "on_client_hello = { alert = 'bad_karma' }"] {
        read(text).expect_err(text);
    }
}

#[test]
fn what_one_library_lacks_is_sent_to_the_other() {
    let text = "title = 't'\nspecification = { demands = 'fail', rule = 'RFC 1 §1', quote = 'q' }\n\n[broker]\nversions = ['1.1']\n";
    let problem = crate::Scenario::parse("versions/old", "old.toml", text).unwrap_err();
    assert_eq!((problem.file.as_str(), problem.line), ("old.toml", 5));
    assert!(problem.remedy.contains("engine = \"openssl\""), "{}", problem.remedy);
}
