//! A good broker meets a good device.

use crate::bench::{self, BOTH, Device, Ended, TLS12, TLS13, Tls};
use broker::Happening;
use wire::mqtt::{Connect, Packet, PacketId, QoS, Subscribe};

fn connect() -> Packet<'static> {
    Packet::Connect(Connect { client_id: "device", clean_session: true, keep_alive_s: 60, ..Connect::default() })
}

#[test]
fn a_device_logs_in_subscribes_and_leaves_over_both_versions() {
    for versions in BOTH {
        let (mut broker, minted) = bench::broker("", "");
        let mut device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
        assert_eq!(device.tls_error, None);
        let version = versions[0].version;
        assert!(device.happened(|h| matches!(h, Happening::Secured(secured) if secured.version == u16::from(version))));

        device.say(&connect());
        assert_eq!(device.take_heard(), [0x20, 2, 0, 0]);
        let filters = vec![("device/commands", QoS::AtLeastOnce)];
        device.say(&Packet::Subscribe(Subscribe { packet_id: PacketId::MIN, filters }));
        assert_eq!(device.take_heard(), [0x90, 3, 0, 1, 1]);
        device.say(&Packet::PingReq);
        assert_eq!(device.take_heard(), [0xd0, 0]);
        device.say(&Packet::Disconnect);
        assert!(device.goodbye);
        assert_eq!(device.ended, Some(Ended::Fin));
        assert_eq!(device.violations(), Vec::<&str>::new());
        assert!(broker.key_log().lines().count() >= 1);
    }
}

#[test]
fn every_suite_group_and_key_that_the_broker_has_works() {
    use scenario::broker::Engine;
    let suites = Engine::Rustls.cipher_suites().iter().map(|suite| {
        let key = if suite.contains("_RSA_") { "leaf.key = 'rsa2048'" } else { "" };
        (key.to_owned(), format!("cipher_suites = ['{suite}']"))
    });
    // ring, which the device uses, has no P-521.
    let groups = Engine::Rustls.groups().iter().filter(|group| **group != "secp521r1");
    let groups = groups.map(|group| (String::new(), format!("groups = ['{group}']")));
    let keys = ["p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096", "rsa8192"];
    let keys = keys.iter().map(|key| (format!("leaf.key = '{key}'"), String::new()));
    for (pki, script) in suites.chain(groups).chain(keys) {
        for versions in BOTH {
            let is_tls13_suite = script.contains("'TLS_AES") || script.contains("'TLS_CHACHA");
            let has_suite = !script.contains("cipher_suites");
            if !has_suite && is_tls13_suite != (versions[0].version == rustls::ProtocolVersion::TLSv1_3) {
                continue;
            }
            let (mut broker, minted) = bench::broker(&pki, &script);
            let mut device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
            assert_eq!(device.tls_error, None, "{pki} {script}");
            device.say(&connect());
            assert_eq!(device.take_heard(), [0x20, 2, 0, 0], "{pki} {script}");
        }
    }
}

#[test]
fn a_device_without_tls_is_served_in_the_clear() {
    let (mut broker, _) = bench::broker("", "tls = false");
    let mut device = Device::dial(&mut broker, clock::Instant::ZERO, None);
    device.say(&connect());
    assert_eq!(device.take_heard(), [0x20, 2, 0, 0]);
    device.say(&Packet::Disconnect);
    assert_eq!(device.ended, Some(Ended::Fin));
    assert!(broker.key_log().is_empty());
}

#[test]
fn the_key_log_has_what_a_capture_needs() {
    for (versions, labels) in [
        (TLS12, &["CLIENT_RANDOM"][..]),
        (
            TLS13,
            &[
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0",
                "SERVER_TRAFFIC_SECRET_0",
                "EXPORTER_SECRET",
            ],
        ),
    ] {
        let (mut broker, minted) = bench::broker("", "");
        Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
        let log = broker.key_log();
        let found: Vec<&str> = log.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(found, labels);
        assert!(log.lines().all(|line| line.split(' ').nth(1).is_some_and(|random| random.len() == 64)), "{log}");
    }
}

#[test]
fn tickets_are_sent_and_sessions_resumed_when_the_script_says_so() {
    for (script, resumed) in [
        ("session_tickets = 2\nresumption = true\nticket_padding_bytes = 4000", true),
        ("session_tickets = 1", false),
        ("resumption = true", true),
        ("", false),
    ] {
        for versions in BOTH {
            // Without tickets, only TLS 1.2 can resume: by session identifier.
            let by_identifier = versions[0].version == rustls::ProtocolVersion::TLSv1_2;
            let resumed = resumed && (script.contains("tickets") || by_identifier);
            let (mut broker, minted) = bench::broker("", script);
            let config = Tls { versions, ..Tls::default() }.config(&minted);
            let mut first = Device::dial_config(&mut broker, config.clone(), "broker.test");
            first.say(&connect());
            let second = Device::dial_config(&mut broker, config, "broker.test");
            assert_eq!(second.tls_error, None);
            let is_resumed = second.happened(|h| matches!(h, Happening::Secured(secured) if secured.resumed));
            assert_eq!(is_resumed, resumed, "{script} {versions:?}");
        }
    }
}

#[test]
fn a_broker_that_is_configured_anew_knows_its_sessions_unless_it_forgets_them() {
    for (afterwards, resumed) in [
        ("certificates = ['other']", true),
        ("certificates = ['other'], forgets_sessions = true", false),
        ("forgets_sessions = true", false),
        // What the session was made with is allowed no more.
        ("cipher_suites = ['TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']", false),
    ] {
        for versions in BOTH {
            let script = format!(
                "session_tickets = 1\nresumption = true\nafterwards = {{ {afterwards} }}\n\
                 cipher_suites = ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']"
            );
            let (mut broker, minted) = bench::broker("other.profile = 'server'", &script);
            let config = Tls { versions, ..Tls::default() }.config(&minted);
            let mut first = Device::dial_config(&mut broker, config.clone(), "broker.test");
            first.say(&connect());
            let second = Device::dial_config(&mut broker, config, "broker.test");
            assert_eq!(second.tls_error, None, "{script}");
            let is_resumed = second.happened(|h| matches!(h, Happening::Secured(secured) if secured.resumed));
            assert_eq!(is_resumed, resumed, "{script} {versions:?}");
        }
    }
}

#[test]
fn a_list_of_suites_is_in_the_brokers_order() {
    for suites in
        [["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"], ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]]
    {
        let (mut broker, minted) = bench::broker("", &format!("cipher_suites = {suites:?}"));
        let device = Device::dial_tls(&mut broker, &minted, &Tls::default());
        let expected = if suites[0].contains("128") { 0x1301 } else { 0x1302 };
        assert!(device.happened(|h| matches!(h, Happening::Secured(secured) if secured.cipher_suite == expected)));
    }
}
