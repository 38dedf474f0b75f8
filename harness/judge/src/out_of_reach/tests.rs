use super::*;
use wire::tls::{CipherSuite, Extension, NamedGroup};

fn scenario(demands: &str, fault: &str, rest: &str) -> Scenario {
    let text = format!(
        "title = 'x'\n[specification]\ndemands = '{demands}'\nrule = 'RFC 9846 §5.2'\nquote = 'x'\n\
         [fault]\nwho = 'broker'\nsaid = '{fault}'\n{rest}\n"
    );
    Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

/// A hello of TLS 1.2, with the extensions of 1.3 if that is meant.
fn hello(speaks_1_3: bool) -> ClientHello {
    let versions = Extension::SupportedVersions(vec![ProtocolVersion::TLS_1_3, ProtocolVersion::TLS_1_2]);
    let groups = Extension::SupportedGroups(vec![NamedGroup(23)]);
    ClientHello {
        version: ProtocolVersion::TLS_1_2,
        session_id_bytes: 0,
        // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        cipher_suites: vec![CipherSuite(0xc02b)],
        extension_types: None,
        extensions: if speaks_1_3 { vec![versions, groups] } else { vec![groups] },
        malformed: Vec::new(),
        is_cut: false,
    }
}

const FLIP: &str = "[broker]\nversions = ['1.3']\non_server_flight = { flip_bit_at = 300 }";
const ALONE: &str = "the broker takes TLS 1.3 alone, and the device offers none of it";

/// A stack that ends with TLS 1.2, before brokers that want more of it.
#[test]
fn what_lies_behind_a_handshake_that_a_stack_cannot_speak_is_out_of_its_reach() {
    let failed = How::BrokerRefused;
    for (demands, said, rest, how, met, expected, why) in [
        ("refuse", "(bad record)", FLIP, failed, Met::Never, Some(ALONE), "it cannot meet it"),
        ("refuse", "(bad record)", FLIP, How::Lost, Met::Never, Some(ALONE), "however the broker says no"),
        ("refuse", "(bad record)", FLIP, How::DeviceRefused, Met::Met, None, "it met it after all"),
        (
            "refuse",
            "ServerHello",
            "needs = 'versions'\n[broker]\nversions = ['1.3']",
            failed,
            Met::Never,
            None,
            "that is the fault",
        ),
        (
            "refuse",
            "Certificate",
            "[broker]\ngroups = ['x25519']",
            failed,
            Met::Never,
            Some("the broker takes x25519 alone, and the device offers none of it"),
            "no curve in common",
        ),
        (
            "refuse",
            "Certificate",
            "[broker]\nversions = ['1.2']\ncipher_suites = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384']",
            failed,
            Met::Never,
            Some(
                "the broker takes TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 alone, and the device offers none of it",
            ),
            "no suite",
        ),
        (
            "refuse",
            "Certificate",
            "[device]\ngroups = ['x448']\n[broker]\ngroups = ['x25519']",
            failed,
            Met::Never,
            None,
            "it was told so",
        ),
        ("fail", "Finished", "[broker]\nversions = ['1.3']", failed, Met::Never, Some(ALONE), "nor can it fail of it"),
        (
            "fail",
            "alert",
            "[device]\nversions = ['1.2']\n[broker]\nversions = ['1.3']",
            failed,
            Met::Never,
            None,
            "it was told so",
        ),
        ("fail", "alert", "[broker]\nversions = []", failed, Met::Never, None, "nobody speaks none"),
        (
            "connect",
            "ServerHello",
            "[broker]\nversions = ['1.3']",
            failed,
            Met::Met,
            None,
            "the versions are what it is about",
        ),
        (
            "connect",
            "KeyUpdate",
            "[broker]\nversions = ['1.3']\non_finished = { key_updates = 2 }",
            failed,
            Met::Met,
            Some("keys are updated in TLS 1.3 alone, and the device offers no TLS 1.3"),
            "what is behind them is",
        ),
        (
            "connect",
            "KeyUpdate",
            "[broker]\non_finished = { key_updates = 2 }",
            How::Connected,
            Met::Never,
            Some("keys are updated in TLS 1.3 alone, and the device offers no TLS 1.3"),
            "whatever else it does",
        ),
        (
            "connect",
            "ServerHello",
            "[broker]\nversions = ['1.3']\ncipher_suites = ['TLS_AES_128_GCM_SHA256']",
            failed,
            Met::Met,
            Some(ALONE),
            "and a suite",
        ),
        (
            "connect",
            "ServerHello",
            "[broker]\nversions = ['1.3']\n[pki.leaf]\nkey = 'rsa2048'",
            failed,
            Met::Met,
            Some(ALONE),
            "a certificate",
        ),
        (
            "connect",
            "ServerHello",
            "[broker]\nversions = ['1.3']\n[network]\nloss_percent = 1",
            failed,
            Met::Met,
            Some(ALONE),
            "a network",
        ),
        (
            "connect",
            "ServerHello",
            "[broker]\nversions = ['1.3']\n[device]\nreceive_buffer_bytes = 4096",
            failed,
            Met::Met,
            Some(ALONE),
            "a device",
        ),
        (
            "connect",
            "ServerHello",
            "[broker]\ngroups = ['x25519']",
            failed,
            Met::Met,
            None,
            "a group that it lacks is a finding",
        ),
        (
            "either",
            "ServerHello",
            "[broker]\nversions = ['1.3']\ncipher_suites = ['TLS_CHACHA20_POLY1305_SHA256']",
            failed,
            Met::Met,
            Some(ALONE),
            "either way",
        ),
        (
            "refuse",
            "ServerHello",
            "[broker]\nversions = ['1.2']\non_client_hello = 'downgrade_sentinel'",
            How::Connected,
            Met::Met,
            Some("the rule is for clients that offer TLS 1.3, and the device offers no TLS 1.3"),
            "it may connect",
        ),
        (
            "refuse",
            "ServerHello",
            "[broker]\nversions = ['1.3']\non_client_hello = 'compression'",
            failed,
            Met::Never,
            None,
            "a script answers any hello",
        ),
        (
            "refuse",
            "alert",
            "[broker]\nversions = ['1.3']\non_accept = 'fin'",
            failed,
            Met::Never,
            None,
            "and needs none",
        ),
        (
            "connect",
            "CONNACK",
            "[device]\nport = 1883\ntls = false\n[broker]\ntls = false\nversions = ['1.3']",
            failed,
            Met::Met,
            None,
            "there is no TLS",
        ),
    ] {
        let scenario = scenario(demands, said, rest);
        let told = out_of_reach(&scenario, how, met, Some(&hello(false)));
        assert_eq!(told.as_deref(), expected, "{demands} {said} {rest}: {why}");
        assert_eq!(out_of_reach(&scenario, how, met, None), None, "nobody said a hello");
    }
}

/// A device that is too old for any broker of today says something by failing.
#[test]
fn the_versions_of_any_broker_of_today_are_no_excuse() {
    let old = ClientHello { version: ProtocolVersion(0x0302), ..hello(false) };
    for rest in ["", "[pki.leaf]\nkey = 'rsa2048'"] {
        let scenario = scenario("connect", "ServerHello", rest);
        assert_eq!(out_of_reach(&scenario, How::BrokerRefused, Met::Met, Some(&old)), None, "{rest}");
    }
}

#[test]
fn who_speaks_what_the_broker_wants_has_no_excuse() {
    for rest in
        [FLIP, "[broker]\nversions = ['1.2']\non_client_hello = 'downgrade_sentinel'", "[broker]\nversions = ['1.2']"]
    {
        let scenario = scenario("refuse", "ServerHello", rest);
        assert_eq!(out_of_reach(&scenario, How::BrokerRefused, Met::Never, Some(&hello(true))), None, "{rest}");
    }
    // Told to offer less, it does as it was told.
    let told = scenario(
        "refuse",
        "ServerHello",
        "[device]\nversions = ['1.2']\n[broker]\nversions = ['1.2']\non_client_hello = 'downgrade_sentinel'",
    );
    assert_eq!(out_of_reach(&told, How::Connected, Met::Met, Some(&hello(false))), None);
    // Nor is a hello that was written for it a word of its library's.
    let written = scenario("refuse", "(bad record)", &format!("[device]\nclient_hello = '0303'\n{FLIP}"));
    assert_eq!(out_of_reach(&written, How::BrokerRefused, Met::Never, Some(&hello(false))), None);
}
