//! What the broker says in MQTT, rightly and wrongly, and what it notices.

use crate::bench::{self, Device, Ended, Tls};
use broker::{Close, Happening};
use clock::{Duration, Instant};
use wire::mqtt::{Connect, Delivery, Packet, PacketId, Publish, QoS, Subscribe, Will};

fn connect() -> Connect<'static> {
    Connect { client_id: "device", clean_session: true, keep_alive_s: 10, ..Connect::default() }
}

fn dial(script: &str) -> Device {
    let (mut broker, _) = bench::broker("", &format!("tls = false\n{script}"));
    Device::dial(&mut broker, Instant::ZERO, None)
}

fn log_in(script: &str) -> Device {
    let mut device = dial(script);
    device.say(&Packet::Connect(connect()));
    assert_eq!(device.take_heard(), [0x20, 2, 0, 0], "{script}");
    device
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn publish(number: u16, duplicate: bool) -> Packet<'static> {
    let delivery = Delivery::AtLeastOnce { packet_id: id(number), duplicate };
    Packet::Publish(Publish { topic: "t", payload: b"x", delivery, retain: false })
}

fn subscribe(filter: &str, qos: QoS) -> Packet<'_> {
    Packet::Subscribe(Subscribe { packet_id: id(7), filters: vec![(filter, qos)] })
}

#[test]
fn connack_is_what_the_script_says() {
    for (on_connect, heard, ended) in [
        ("{ code = 1 }", &[0x20, 2, 0, 1][..], true),
        ("{ code = 5 }", &[0x20, 2, 0, 5], true),
        ("{ code = 255 }", &[0x20, 2, 0, 255], true),
        ("{ code = 0 }", &[0x20, 2, 0, 0], false),
        ("'silence'", &[], false),
        ("'close'", &[], true),
        ("'session_present'", &[0x20, 2, 1, 0], false),
        ("'three_bytes'", &[0x20, 3, 0, 0, 0], false),
        ("'five_bytes'", &[0x20, 5, 0, 0, 0, 0, 0], false),
        ("'overlong_length'", &[0x20, 0x82, 0x80, 0x80, 0, 0, 0], false),
        ("'endless_length'", &[0x20, 0x82, 0x80, 0x80, 0x80, 0, 0, 0], false),
        ("'reserved_flags'", &[0x20, 2, 0xfe, 0], false),
        ("'wrong_type'", &[0x90, 3, 0, 1, 0], false),
        ("'twice'", &[0x20, 2, 0, 0, 0x20, 2, 0, 0], false),
        ("'unsupported_version5'", &[0x20, 3, 0, 0x84, 0], true),
    ] {
        let mut device = dial(&format!("mqtt.on_connect = {on_connect}"));
        device.say(&Packet::Connect(connect()));
        assert_eq!(device.take_heard(), heard, "{on_connect}");
        assert_eq!(device.ended.is_some(), ended, "{on_connect}");
    }
    let mut device = dial("mqtt.on_connect = { delay_ms = 3000 }");
    device.say(&Packet::Connect(connect()));
    device.wait(Instant::from_millis(2_999));
    assert!(device.take_heard().is_empty());
    device.wait(Instant::from_millis(3_000));
    assert_eq!(device.take_heard(), [0x20, 2, 0, 0]);
}

#[test]
fn logins_are_judged_by_name_and_password() {
    let users = "mqtt.users = { alice = 'secret' }\nmqtt.allow_anonymous = false";
    for (script, user_name, password, keep_alive_s, code) in [
        (users, None, None, 10, 5),
        (users, Some("alice"), Some(&b"secret"[..]), 10, 0),
        (users, Some("alice"), Some(&b"wrong"[..]), 10, 5),
        (users, Some("alice"), None, 10, 5),
        (users, Some("bob"), Some(&b"secret"[..]), 10, 5),
        ("", Some("bob"), None, 10, 0),
        ("mqtt.refuse_keep_alive_0 = true", None, None, 0, 2),
        ("mqtt.refuse_keep_alive_0 = true", None, None, 1, 0),
    ] {
        let mut device = dial(script);
        device.say(&Packet::Connect(Connect { user_name, password, keep_alive_s, ..connect() }));
        assert_eq!(device.take_heard(), [0x20, 2, 0, code], "{script} {user_name:?}");
        assert_eq!(device.ended.is_some(), code != 0);
    }
}

#[test]
fn a_bad_connect_gets_the_answer_that_the_standard_wants() {
    // Protocol level 5.
    let mut device = dial("");
    device.say_bytes(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 10, 0, 1, b'd']);
    assert_eq!(device.take_heard(), [0x20, 2, 0, 1]);
    assert!(device.ended.is_some() && device.violations() == ["MQTT-3.1.2-2"]);
    // No client identifier, and yet a session to be kept.
    let mut device = dial("");
    device.say_bytes(&[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 0, 0, 10, 0, 0]);
    assert_eq!(device.take_heard(), [0x20, 2, 0, 2]);
    assert!(device.ended.is_some() && device.violations() == ["MQTT-3.1.3-8"]);
}

#[test]
fn broken_rules_are_noticed_by_their_numbers() {
    for (what, said, rule, closed) in [
        ("a ping first", &[0xc0, 0][..], "MQTT-3.1.0-1", true),
        ("a TLS record", &[0x16, 3, 1, 0, 5, 1], "MQTT-2.2.2-2", true),
        ("an endless length", &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff], "§2.2.3", true),
    ] {
        let mut device = dial("");
        device.say_bytes(said);
        assert_eq!(device.violations(), [rule], "{what}");
        assert_eq!(device.ended.is_some(), closed, "{what}");
    }
    let connect_again = {
        let mut bytes = Vec::new();
        Packet::Connect(connect()).encode(&mut bytes).unwrap();
        bytes
    };
    for (what, said, rule, closed) in [
        ("CONNECT again", &connect_again[..], "MQTT-3.1.0-2", true),
        ("PINGRESP", &[0xd0, 0], "§2.2.1", true),
        ("PUBACK of nothing", &[0x40, 2, 0, 9], "MQTT-2.3.1-6", false),
        ("PUBREL of nothing", &[0x62, 2, 0, 9], "MQTT-2.3.1-6", false),
        ("SUBSCRIBE with wrong flags", &[0x80, 6, 0, 1, 0, 1, b'a', 0], "MQTT-2.2.2-2", true),
        ("packet identifier 0", &[0x82, 6, 0, 0, 0, 1, b'a', 0], "MQTT-2.3.1-1", true),
        ("a wildcard in a topic", &[0x30, 4, 0, 2, b'a', b'#'], "MQTT-3.3.2-2", true),
        ("more after DISCONNECT", &[0xe0, 1, 0], "MQTT-4.8.0-1", true),
    ] {
        let mut device = log_in("");
        device.say_bytes(said);
        assert_eq!(device.violations(), [rule], "{what}");
        assert_eq!(device.ended.is_some(), closed, "{what}");
    }
}

#[test]
fn silence_is_borne_for_one_and_a_half_times_the_keep_alive() {
    let mut device = log_in("");
    device.wait(Instant::from_millis(9_000));
    device.say(&Packet::PingReq);
    device.wait(Instant::from_millis(23_999));
    assert_eq!(device.ended, None);
    device.wait(Instant::from_millis(24_000));
    assert_eq!(device.ended, Some(Ended::Fin));
    assert_eq!(device.violations(), ["MQTT-3.1.2-23"]);

    let mut device = dial("");
    device.say(&Packet::Connect(Connect { keep_alive_s: 0, ..connect() }));
    device.wait(Instant::from_millis(100_000_000));
    assert_eq!(device.ended, None);
}

#[test]
fn pings_are_answered_or_not() {
    for (script, heard, ended) in
        [("", &[0xd0, 0][..], false), ("mqtt.on_ping = 'silence'", &[], false), ("mqtt.on_ping = 'close'", &[], true)]
    {
        let mut device = log_in(script);
        device.say(&Packet::PingReq);
        assert_eq!(device.take_heard(), heard, "{script}");
        assert_eq!(device.ended.is_some(), ended, "{script}");
    }
}

#[test]
fn publications_are_acknowledged_as_the_script_says() {
    for (on_publish, first, second) in [
        ("acknowledge", &[0x40, 2, 0, 3][..], &[0x40, 2, 0, 3][..]),
        ("silence", &[], &[]),
        ("lose_one", &[], &[0x40, 2, 0, 3]),
        ("twice", &[0x40, 2, 0, 3, 0x40, 2, 0, 3], &[0x40, 2, 0, 3, 0x40, 2, 0, 3]),
        ("wrong_packet_id", &[0x40, 2, 0x40, 3], &[0x40, 2, 0x40, 3]),
    ] {
        let mut device = log_in(&format!("mqtt.on_publish = '{on_publish}'"));
        device.say(&publish(3, false));
        assert_eq!(device.take_heard(), first, "{on_publish}");
        device.say(&publish(3, true));
        assert_eq!(device.take_heard(), second, "{on_publish}");
        assert_eq!(device.violations(), Vec::<&str>::new(), "{on_publish}");
    }
    let mut device = log_in("mqtt.on_publish = 'close'");
    device.say(&publish(3, false));
    assert!(device.take_heard().is_empty() && device.ended.is_some());

    let mut device = log_in("mqtt.on_publish = 'silence'");
    device.say(&publish(3, false));
    device.say(&publish(3, false));
    assert_eq!(device.violations(), ["MQTT-3.3.1-1"]);
}

#[test]
fn quality_of_service_2_takes_four_steps() {
    let mut device = log_in("");
    device.say(&subscribe("#", QoS::ExactlyOnce));
    assert_eq!(device.take_heard(), [0x90, 3, 0, 7, 1]);
    let delivery = Delivery::ExactlyOnce { packet_id: id(5), duplicate: false };
    let message = Packet::Publish(Publish { topic: "t", payload: b"x", delivery, retain: false });
    device.say(&message);
    assert_eq!(device.take_heard(), [0x50, 2, 0, 5, 0x32, 6, 0, 1, b't', 0, 1, b'x']);
    device.say(&message);
    assert_eq!(device.take_heard(), [0x50, 2, 0, 5]);
    device.say(&Packet::PubRel(id(5)));
    assert_eq!(device.take_heard(), [0x70, 2, 0, 5]);
    assert_eq!(device.violations(), Vec::<&str>::new());
}

#[test]
fn subscriptions_are_answered_as_the_script_says() {
    for (on_subscribe, heard, ended) in [
        ("grant", &[0x90, 3, 0, 7, 1][..], false),
        ("refuse", &[0x90, 3, 0, 7, 0x80], false),
        ("silence", &[], false),
        ("wrong_packet_id", &[0x90, 3, 0x40, 7, 1], false),
        ("close", &[], true),
    ] {
        let mut device = log_in(&format!("mqtt.on_subscribe = '{on_subscribe}'"));
        device.say(&subscribe("a/+", QoS::AtLeastOnce));
        assert_eq!(device.take_heard(), heard, "{on_subscribe}");
        assert_eq!(device.ended.is_some(), ended, "{on_subscribe}");
    }
}

#[test]
fn messages_come_when_the_script_says_and_as_long_as_it_says() {
    let early = "mqtt.publish = [{ topic = 'a', payload = 'x', when = 'before_connack' }]";
    let mut device = dial(early);
    device.say(&Packet::Connect(connect()));
    assert_eq!(device.take_heard(), [0x30, 4, 0, 1, b'a', b'x', 0x20, 2, 0, 0]);

    let backlog =
        "mqtt.publish = [{ topic = 'a', payload = 'x', when = 'connected', qos = 1, retain = true, times = 2 }]";
    let mut device = dial(backlog);
    device.say(&Packet::Connect(connect()));
    let messages = [0x33, 6, 0, 1, b'a', 0, 1, b'x', 0x33, 6, 0, 1, b'a', 0, 2, b'x'];
    assert_eq!(device.take_heard(), [&[0x20, 2, 0, 0], &messages[..]].concat());
    device.say(&Packet::PubAck(id(1)));
    device.say(&Packet::Disconnect);
    // The second one was never acknowledged.
    assert_eq!(device.violations(), ["MQTT-4.3.2-2"]);

    let mut device = log_in("mqtt.publish = [{ topic = 'a', payload_bytes = 300 }]");
    device.say(&subscribe("a", QoS::AtMostOnce));
    let heard = device.take_heard();
    assert_eq!(heard[..5], [0x90, 3, 0, 7, 0]);
    assert_eq!(heard[5..8], [0x30, 0xaf, 2]);
    assert_eq!(heard.len(), 5 + 3 + 303);
    device.say(&subscribe("a", QoS::AtMostOnce));
    assert_eq!(device.take_heard(), [0x90, 3, 0, 7, 0], "once is enough");
}

#[test]
fn subscribers_hear_what_they_publish() {
    let mut device = log_in("");
    device.say(&subscribe("t", QoS::AtMostOnce));
    device.take_heard();
    device.say(&publish(3, false));
    assert_eq!(device.take_heard(), [0x40, 2, 0, 3, 0x30, 4, 0, 1, b't', b'x']);
}

#[test]
fn the_will_is_published_unless_the_device_says_goodbye() {
    let with_will = || Connect { will: Some(Will { topic: "gone", ..Will::default() }), ..connect() };
    let is_published =
        |device: &Device| device.happened(|h| matches!(h, Happening::WillPublished { topic } if topic == "gone"));

    let mut device = dial("");
    device.say(&Packet::Connect(with_will()));
    device.hang_up(Close::Reset);
    assert!(is_published(&device) && device.ended.is_none());

    let mut device = dial("");
    device.say(&Packet::Connect(with_will()));
    device.say(&Packet::Disconnect);
    device.hang_up(Close::Fin);
    assert!(!is_published(&device));
}

#[test]
fn a_client_identifier_belongs_to_the_last_comer() {
    let (mut broker, _) = bench::broker("", "tls = false");
    let mut first = Device::dial(&mut broker, Instant::ZERO, None);
    first.say(&Packet::Connect(Connect { clean_session: false, ..connect() }));
    assert_eq!(first.take_heard(), [0x20, 2, 0, 0]);
    let mut second = Device::dial(&mut broker, Instant::ZERO, None);
    second.say(&Packet::Connect(Connect { clean_session: false, ..connect() }));
    assert_eq!(second.take_heard(), [0x20, 2, 1, 0], "the session was kept");
    first.settle();
    assert_eq!(first.ended, Some(Ended::Fin));
    let mut third = Device::dial(&mut broker, Instant::ZERO, None);
    third.say(&Packet::Connect(connect()));
    assert_eq!(third.take_heard(), [0x20, 2, 0, 0], "a clean session is never there before");

    // Without an identifier nobody takes anything over.
    let unnamed = || Packet::Connect(Connect { client_id: "", ..connect() });
    let mut first = Device::dial(&mut broker, Instant::ZERO, None);
    first.say(&unnamed());
    let mut second = Device::dial(&mut broker, Instant::ZERO, None);
    second.say(&unnamed());
    first.settle();
    assert_eq!(first.ended, None);

    let mut device = log_in("mqtt.taken_over_after_ms = 700");
    device.wait(device.now + Duration::from_millis(699));
    assert_eq!(device.ended, None);
    device.wait(device.now + Duration::from_millis(1));
    assert_eq!(device.ended, Some(Ended::Fin));
}

#[test]
fn connections_end_as_the_script_says() {
    for (goodbye, says_goodbye, ended) in
        [("close_notify", true, Ended::Fin), ("fin", false, Ended::Fin), ("reset", false, Ended::Reset)]
    {
        let script = format!("goodbye = '{goodbye}'\nmqtt.on_connect = {{ code = 5 }}");
        let (mut broker, minted) = bench::broker("", &script);
        let mut device = Device::dial_tls(&mut broker, &minted, &Tls::default());
        device.say(&Packet::Connect(connect()));
        assert_eq!(device.take_heard(), [0x20, 2, 0, 5]);
        assert_eq!((device.goodbye, device.ended), (says_goodbye, Some(ended)), "{goodbye}");
    }
    let mut device = log_in("mqtt.then = 'close'");
    assert_eq!(device.ended, Some(Ended::Fin));
    device.hang_up(Close::Fin);
    let mut device = log_in("mqtt.then = 'silence'");
    device.say(&Packet::PingReq);
    device.wait(Instant::from_millis(1_000_000));
    assert!(device.take_heard().is_empty() && device.ended.is_none());
}

#[test]
fn packets_lie_in_records_as_the_script_says() {
    let publish = "mqtt.publish = [{ topic = 'a', when = 'connected', times = 3 }]";
    for (packing, records) in [("one_packet_per_record", 4), ("together", 1), ("one_byte_per_record", 4 + 3 * 5)] {
        let script = format!("versions = ['1.2']\n{publish}\nmqtt.packing = '{packing}'");
        let (mut broker, minted) = bench::broker("", &script);
        let mut device = Device::dial_tls(&mut broker, &minted, &Tls::default());
        device.wire.clear();
        device.say(&Packet::Connect(connect()));
        let mut decoder = wire::tls::RecordDecoder::new();
        decoder.extend(&device.wire);
        let mut count = 0;
        while let Some(Ok(record)) = decoder.next_record() {
            assert_eq!(record.content_type, wire::tls::ContentType::APPLICATION_DATA);
            count += 1;
        }
        assert_eq!(count, records, "{packing}");
        assert_eq!(device.take_heard().len(), 4 + 3 * 5);
    }
}

#[test]
fn a_megabyte_reaches_the_device_through_tls() {
    let (mut broker, minted) =
        bench::broker("", "mqtt.publish = [{ topic = 'a', payload_bytes = 1048576, when = 'connected' }]");
    let mut device = Device::dial_tls(&mut broker, &minted, &Tls::default());
    device.say(&Packet::Connect(connect()));
    assert_eq!(device.tls_error, None);
    assert_eq!(device.take_heard().len(), 4 + 4 + 3 + 1_048_576);
}
