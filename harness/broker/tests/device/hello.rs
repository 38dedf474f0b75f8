//! What a broker can do to a ClientHello, and to its own first flight.

use crate::bench::{self, BOTH, Device, Ended, TLS12, Tls};
use broker::Happening;
use clock::{Duration, Instant};
use rustls::{AlertDescription, Error};

fn dial(script: &str) -> Device {
    dial_with(script, &Tls::default())
}

fn dial_with(script: &str, tls: &Tls) -> Device {
    let (mut broker, minted) = bench::broker("other.names = ['dns:other.test']", script);
    Device::dial_tls(&mut broker, &minted, tls)
}

#[test]
fn answers_in_the_clear_are_what_the_script_says() {
    let fatal_40 = [21, 3, 3, 0, 2, 2, 40];
    for (script, wire, ended) in [
        ("on_accept = 'fin'", &b""[..], Some(Ended::Fin)),
        ("on_accept = 'reset'", b"", Some(Ended::Reset)),
        ("on_accept = 'silence'", b"", None),
        ("on_client_hello = 'fin'", b"", Some(Ended::Fin)),
        ("on_client_hello = 'reset'", b"", Some(Ended::Reset)),
        ("on_client_hello = 'silence'", b"", None),
        ("on_client_hello = 'close_notify'", &[21, 3, 3, 0, 2, 1, 0], Some(Ended::Fin)),
        ("on_client_hello = { alert = 'handshake_failure' }", &fatal_40, Some(Ended::Fin)),
        ("on_client_hello = { split_alert = 40 }", &[21, 3, 3, 0, 1, 2, 21, 3, 3, 0, 1, 40], Some(Ended::Fin)),
        ("on_client_hello = { warning_then_fin = 112 }", &[21, 3, 3, 0, 2, 1, 112], Some(Ended::Fin)),
        ("on_client_hello = 'plain_connack'", &[0x20, 2, 0, 0], Some(Ended::Fin)),
        ("on_client_hello = { speaks = '220 mail' }", b"220 mail", Some(Ended::Fin)),
        ("versions = []", &[21, 3, 3, 0, 2, 2, 70], Some(Ended::Fin)),
        ("alpn = ['mqtt']\nalpn_required = true", &[21, 3, 3, 0, 2, 2, 120], Some(Ended::Fin)),
        ("names = ['x.test']\non_unknown_name = 'alert'", &[21, 3, 3, 0, 2, 2, 112], Some(Ended::Fin)),
        ("names = ['x.test']\non_unknown_name = 'warning_then_fin'", &[21, 3, 3, 0, 2, 1, 112], Some(Ended::Fin)),
        ("names = ['x.test']\non_unknown_name = 'fin'", b"", Some(Ended::Fin)),
    ] {
        let device = dial(script);
        assert_eq!(device.wire, wire, "{script}");
        assert_eq!(device.ended, ended, "{script}");
    }
}

#[test]
fn crooked_answers_begin_as_they_should() {
    for (script, start) in [
        ("on_client_hello = 'http'", &b"HTTP/1.1 400 "[..]),
        ("on_client_hello = 'record_too_long'", &[22, 3, 3, 0xff, 0xff]),
        ("on_client_hello = 'ssl3_server_hello'", &[22, 3, 0, 0, 42, 2, 0, 0, 38, 3, 0]),
        ("on_client_hello = 'tls10_server_hello'", &[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1]),
        ("on_client_hello = 'tls11_server_hello'", &[22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2]),
        ("on_client_hello = 'unoffered_cipher_suite'", &[22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3]),
        ("on_client_hello = 'hello_request'", &[22, 3, 3, 0, 4, 0, 0, 0, 0, 22, 3, 3]),
        ("on_client_hello = { empty_records = 2 }", &[22, 3, 3, 0, 0, 22, 3, 3, 0, 0, 22, 3, 3]),
        ("on_accept = { speaks = 'SSH-2.0-' }", b"SSH-2.0-"),
    ] {
        let device = dial(script);
        assert!(device.wire.starts_with(start), "{script}: {:?}", &device.wire[..device.wire.len().min(16)]);
        assert!(device.happened(|h| matches!(h, Happening::Misbehaves(_))), "{script}");
    }
    let noise = dial("on_client_hello = 'garbage'").wire;
    assert_eq!(noise.len(), 64);
}

#[test]
fn the_chosen_suite_was_not_offered() {
    let device = dial("on_client_hello = 'unoffered_cipher_suite'");
    // Record header, message header, version, random, empty session identifier; then the suite.
    assert_eq!(device.wire[44..46], [0x00, 0x2f]);
    assert!(matches!(device.tls_error, Some(Error::PeerMisbehaved(_) | Error::PeerIncompatible(_))));
}

#[test]
fn a_devious_server_hello_is_refused_for_what_it_is() {
    use rustls::PeerMisbehaved;
    let device = dial("on_client_hello = 'compression'");
    assert_eq!(device.wire[46], 1);
    assert_eq!(device.tls_error, Some(PeerMisbehaved::SelectedUnofferedCompression.into()));

    let sentinel = "versions = ['1.2']\non_client_hello = 'downgrade_sentinel'";
    let device = dial(sentinel);
    assert_eq!(device.tls_error, Some(PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported.into()));
    // Who cannot speak TLS 1.3 has not been talked out of it.
    let device = dial_with(sentinel, &Tls { versions: TLS12, ..Tls::default() });
    assert_eq!(device.tls_error, None);
}

#[test]
fn warnings_do_not_keep_a_handshake_from_succeeding() {
    for script in [
        "versions = ['1.2']\non_client_hello = { warning = 'unrecognized_name' }",
        "versions = ['1.2']\non_client_hello = { warning_flood = 2 }",
        "versions = ['1.2']\nnames = ['x.test']\non_unknown_name = 'warning'",
    ] {
        let device = dial(script);
        assert_eq!(device.tls_error, None, "{script}");
        assert!(device.happened(|h| matches!(h, Happening::Secured(_))), "{script}");
        assert_eq!(device.wire[..6], [21, 3, 3, 0, 2, 1], "{script}");
    }
}

#[test]
fn a_late_answer_is_late_to_the_millisecond_and_good() {
    let mut device = dial("on_client_hello = { delay_ms = 5000 }");
    assert!(device.wire.is_empty());
    assert_eq!(device.connection.poll_at(), Some(Instant::from_millis(5_001)));
    device.wait(Instant::from_millis(5_000));
    assert!(device.wire.is_empty());
    device.wait(Instant::from_millis(5_001));
    assert_eq!(device.tls_error, None);
    assert!(device.happened(|h| matches!(h, Happening::Secured(_))));
}

#[test]
fn the_first_flight_is_cut_flipped_and_dripped() {
    let whole = dial("versions = ['1.2']").wire;
    for (deed, ended) in [
        ("fin_after_bytes = 40", Some(Ended::Fin)),
        ("reset_after_bytes = 40", Some(Ended::Reset)),
        ("silence_after_bytes = 40", None),
    ] {
        let device = dial(&format!("versions = ['1.2']\non_server_flight = {{ {deed} }}"));
        assert_eq!(device.wire.len(), 40, "{deed}");
        assert_eq!(device.ended, ended, "{deed}");
        // A handshake record; its length depends on a signature's.
        assert_eq!(device.wire[..3], whole[..3]);
    }
    let flipped = dial("versions = ['1.2']\non_server_flight = { flip_bit_at = 60 }");
    assert!(flipped.tls_error.is_some());

    let mut dripped = dial("versions = ['1.2']\non_server_flight = { drip_ms_per_byte = 10 }");
    assert_eq!(dripped.wire.len(), 1);
    dripped.wait(dripped.now + Duration::from_millis(95));
    assert_eq!(dripped.wire.len(), 10);
    dripped.wait(Instant::from_millis(60_000));
    assert_eq!(dripped.tls_error, None);
    assert!(dripped.happened(|h| matches!(h, Happening::Secured(_))));
}

#[test]
fn after_the_handshake_anything_can_happen_under_the_new_keys() {
    for versions in BOTH {
        let tls = || Tls { versions, ..Tls::default() };
        let device = dial_with("on_finished = { alert = 'access_denied' }", &tls());
        assert_eq!(device.tls_error, Some(Error::AlertReceived(AlertDescription::AccessDenied)));
        assert_eq!(device.ended, Some(Ended::Fin));

        let device = dial_with("on_finished = 'close_notify'", &tls());
        assert!(device.goodbye && device.ended == Some(Ended::Fin));

        let device = dial_with("on_finished = 'fin'", &tls());
        assert!(!device.goodbye && device.ended == Some(Ended::Fin));

        let device = dial_with("on_finished = 'reset'", &tls());
        assert!(!device.goodbye && device.ended == Some(Ended::Reset));

        for script in
            ["on_finished = { empty_records = 3 }", "on_finished = { key_updates = 2 }", "session_tickets = 3"]
        {
            let mut device = dial_with(script, &tls());
            device.say(&wire::mqtt::Packet::Connect(wire::mqtt::Connect {
                client_id: "device",
                clean_session: true,
                ..Default::default()
            }));
            assert_eq!(device.take_heard(), [0x20, 2, 0, 0], "{script}");
            device.say(&wire::mqtt::Packet::PingReq);
            assert_eq!(device.take_heard(), [0xd0, 0], "{script}");
        }

        let mut device = dial_with("on_finished = 'silence'", &tls());
        device.say_bytes(&[0xc0, 0]);
        assert!(device.take_heard().is_empty() && device.ended.is_none());
    }
}

#[test]
fn names_choose_certificates() {
    let script = "certificates = ['other']\ntenants = { 'Broker.test' = ['leaf'] }";
    assert_eq!(dial(script).tls_error, None);
    let without_name = dial_with(script, &Tls { server_name: None, ..Tls::default() });
    assert!(matches!(without_name.tls_error, Some(Error::InvalidCertificate(_))));

    let refused = "on_missing_name = 'login_refused'";
    let mut device = dial_with(refused, &Tls { server_name: None, ..Tls::default() });
    assert_eq!(device.tls_error, None);
    device.say(&wire::mqtt::Packet::Connect(wire::mqtt::Connect {
        client_id: "device",
        clean_session: true,
        ..Default::default()
    }));
    assert_eq!(device.take_heard(), [0x20, 2, 0, 5]);
    assert!(device.goodbye && device.ended == Some(Ended::Fin));
}

#[test]
fn protocols_are_agreed_on_or_refused() {
    let tls = |alpn| Tls { alpn, ..Tls::default() };
    let device = dial_with("alpn = ['mqtt']\nalpn_required = true", &tls(&["x-amzn-mqtt-ca", "mqtt"]));
    assert!(device.happened(|h| matches!(h, Happening::Secured(secured) if secured.alpn.as_deref() == Some("mqtt"))));
    let device = dial_with("alpn = ['mqtt']", &tls(&["http/1.1"]));
    assert_eq!(device.tls_error, Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)));
}

#[test]
fn records_are_no_longer_than_the_script_allows() {
    let device = dial("versions = ['1.2']\nrecord_bytes_max = 128");
    assert_eq!(device.tls_error, None);
    let mut decoder = wire::tls::RecordDecoder::new();
    decoder.extend(&device.wire);
    let mut lengths = Vec::new();
    while let Some(Ok(record)) = decoder.next_record() {
        lengths.push(record.fragment.len());
    }
    assert!(lengths.len() > 5 && lengths.iter().all(|length| *length <= 128), "{lengths:?}");
}

#[test]
fn good_behaviour_follows_when_the_script_says_so() {
    let (mut broker, minted) = bench::broker("", "on_client_hello = 'reset'\nmisbehaves_times = 2");
    for attempt in 0..4 {
        let device = Device::dial_tls(&mut broker, &minted, &Tls::default());
        assert_eq!(device.ended.is_some(), attempt < 2, "attempt {attempt}");
    }
}

#[test]
fn a_changed_server_hello_is_one_with_which_the_handshake_goes_on() {
    // renegotiation_info is missed by nobody here; rustls refuses an extension that it has not asked for.
    for (change, is_served) in [("lacks_extension = 65281", true), ("adds_extension = 35000", false)] {
        let script = format!("versions = ['1.2']\non_server_hello = {{ {change} }}");
        let (mut broker, minted) = bench::broker("", &script);
        let device = Device::dial_tls(&mut broker, &minted, &Tls::default());
        assert_eq!(device.tls_error.is_none(), is_served, "{change}: {:?}", device.tls_error);
        assert_eq!(device.happened(|h| matches!(h, Happening::Secured(_))), is_served, "{change}");
        assert!(!is_served || !device.wire.windows(4).any(|window| window == [0xff, 1, 0, 1]), "{change}");
    }
}

#[test]
fn a_tacit_broker_closes_without_an_alert() {
    for script in ["versions = ['1.2']", "versions = []", "alpn = ['mqtt']\nalpn_required = true"] {
        for sends_alerts in [true, false] {
            let script = format!("{script}\nsends_alerts = {sends_alerts}");
            let (mut broker, minted) = bench::broker("", &script);
            let device = Device::dial_tls(&mut broker, &minted, &Tls { versions: bench::TLS13, ..Tls::default() });
            assert_eq!(!device.wire.is_empty(), sends_alerts, "{script}");
            assert_eq!(device.ended, Some(Ended::Fin), "{script}");
        }
    }
}

#[test]
fn an_intolerant_broker_closes_on_later_versions_alone() {
    for (versions, is_served) in [(rustls::ALL_VERSIONS, false), (TLS12, true)] {
        let script = "versions = ['1.2']\non_client_hello = { fin_above = '1.2' }";
        let (mut broker, minted) = bench::broker("", script);
        let device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
        assert_eq!(device.happened(|h| matches!(h, Happening::Secured(_))), is_served);
        assert_eq!(device.ended == Some(Ended::Fin) && device.wire.is_empty(), !is_served);
    }
}

#[test]
fn an_alert_interrupts_the_first_flight_between_two_records() {
    let script = "engine = 'openssl'\nversions = ['1.2']\non_server_flight = { alert_after_records = [1, 80] }";
    let device = dial_with(script, &Tls { versions: TLS12, ..Tls::default() });
    assert_eq!(device.tls_error, Some(Error::AlertReceived(AlertDescription::InternalError)));
    let mut records = wire::tls::RecordDecoder::new();
    records.extend(&device.wire);
    let kinds: Vec<u8> =
        std::iter::from_fn(|| records.next_record()).map(|record| record.unwrap().content_type.0).collect();
    assert_eq!(kinds, [22, 21]);
}
