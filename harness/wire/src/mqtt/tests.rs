use super::*;
use alloc::string::{String, ToString};
use alloc::vec;
use mqtt_protocol_core::mqtt as oracle;
use mqtt_protocol_core::mqtt::packet::v3_1_1 as theirs;
use proptest::prelude::*;

fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = vec![];
    packet.encode(&mut bytes).expect("it fits");
    bytes
}

fn parse(bytes: &[u8]) -> Result<(), Violation> {
    Packet::parse(&View::new(bytes)?).map(|_| ())
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not zero")
}

/// Figures 3.6, 3.11, 3.22, 3.28 and table 2.4 of the standard.
#[test]
fn the_examples_of_the_standard_come_out_byte_for_byte() {
    let connect = encoded(&Packet::Connect(Connect {
        clean_session: true,
        keep_alive_s: 10,
        will: Some(Will { topic: "w", payload: b"", qos: QoS::AtLeastOnce, retain: false }),
        user_name: Some("u"),
        password: Some(b"p"),
        ..Connect::default()
    }));
    assert_eq!(connect[2..12], [0, 4, b'M', b'Q', b'T', b'T', 4, 0xce, 0, 10]);

    let publish = Publish {
        topic: "a/b",
        delivery: Delivery::AtLeastOnce { packet_id: id(10), duplicate: false },
        ..Publish::default()
    };
    assert_eq!(encoded(&Packet::Publish(publish)), [0x32, 7, 0, 3, b'a', b'/', b'b', 0, 10]);

    let filters = vec![("a/b", QoS::AtLeastOnce), ("c/d", QoS::ExactlyOnce)];
    let subscribe = encoded(&Packet::Subscribe(Subscribe { packet_id: id(10), filters }));
    assert_eq!(subscribe, [0x82, 14, 0, 10, 0, 3, b'a', b'/', b'b', 1, 0, 3, b'c', b'/', b'd', 2]);

    let unsubscribe = Unsubscribe { packet_id: id(10), filters: vec!["a/b", "c/d"] };
    assert_eq!(
        encoded(&Packet::Unsubscribe(unsubscribe)),
        [0xa2, 12, 0, 10, 0, 3, b'a', b'/', b'b', 0, 3, b'c', b'/', b'd']
    );

    for (length, field) in [
        (127, &[0x7f][..]),
        (128, &[0x80, 0x01]),
        (16_383, &[0xff, 0x7f]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xff, 0xff, 0x7f]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
    ] {
        let payload = vec![0; length - 3];
        let bytes = encoded(&Packet::Publish(Publish { topic: "t", payload: &payload, ..Publish::default() }));
        assert_eq!(&bytes[1..=field.len()], field);
        assert_eq!(bytes.len(), 1 + field.len() + length);
        assert_eq!(parse(&bytes), Ok(()));
    }
}

#[test]
fn each_breach_is_named_by_its_rule() {
    let mqtt = |rest: &[u8]| [&[0x10, 6 + rest.len() as u8, 0, 4, b'M', b'Q', b'T', b'T'][..], rest].concat();
    for (bytes, rule) in [
        (vec![0x00, 0], "§2.2.1"),
        (vec![0xf0, 0], "§2.2.1"),
        (vec![0xc1, 0], "MQTT-2.2.2-2"),
        (vec![0x80, 6, 0, 1, 0, 1, b'a', 0], "MQTT-2.2.2-2"),
        (vec![0xc0, 1, 0], "MQTT-4.8.0-1"),
        (vec![0x40, 1, 0], "MQTT-4.8.0-1"),
        (vec![0x40, 2, 0, 0], "MQTT-2.3.1-1"),
        (vec![0x40, 3, 0, 1], "§2.2.3"),
        (vec![0x10, 4, 0, 2, 0xc3, 0x28], "MQTT-1.5.3-1"),
        (vec![0x30, 3, 0, 1, 0], "MQTT-1.5.3-2"),
        (vec![0x10, 7, 0, 4, b'm', b'q', b't', b't', 4], "MQTT-3.1.2-1"),
        (mqtt(&[5, 2, 0, 0, 0, 0, 0]), "MQTT-3.1.2-2"),
        (mqtt(&[4, 0x03, 0, 0, 0, 0]), "MQTT-3.1.2-3"),
        (mqtt(&[4, 0x0a, 0, 0, 0, 0]), "MQTT-3.1.2-13"),
        (mqtt(&[4, 0x1e, 0, 0, 0, 0]), "MQTT-3.1.2-14"),
        (mqtt(&[4, 0x22, 0, 0, 0, 0]), "MQTT-3.1.2-15"),
        (mqtt(&[4, 0x42, 0, 0, 0, 0, 0, 0]), "MQTT-3.1.2-22"),
        (mqtt(&[4, 0x00, 0, 0, 0, 0]), "MQTT-3.1.3-8"),
        (vec![0x20, 2, 2, 0], "§3.2.2.1"),
        (vec![0x20, 2, 1, 5], "MQTT-3.2.2-4"),
        (vec![0x36, 3, 0, 1, b'a'], "MQTT-3.3.1-4"),
        (vec![0x38, 3, 0, 1, b'a'], "MQTT-3.3.1-2"),
        (vec![0x30, 3, 0, 1, b'+'], "MQTT-3.3.2-2"),
        (vec![0x30, 2, 0, 0], "MQTT-4.7.3-1"),
        (vec![0x82, 2, 0, 1], "MQTT-3.8.3-3"),
        (vec![0x82, 6, 0, 1, 0, 1, b'a', 3], "MQTT-3-8.3-4"),
        (vec![0x82, 8, 0, 1, 0, 3, b'#', b'/', b'a', 0], "MQTT-4.7.1-2"),
        (vec![0x82, 7, 0, 1, 0, 2, b'a', b'+', 0], "MQTT-4.7.1-3"),
        (vec![0xa2, 2, 0, 1], "MQTT-3.10.3-2"),
        (vec![0x90, 3, 0, 1, 3], "MQTT-3.9.3-2"),
    ] {
        assert_eq!(parse(&bytes).map_err(Violation::rule), Err(rule), "{bytes:02x?}");
    }
}

#[test]
fn an_mqtt_5_client_is_told_from_garbage() {
    let bytes = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 0];
    let violation = parse(&bytes).expect_err("not our level");
    assert_eq!(violation, Violation::ProtocolLevel(5));
    assert_eq!(violation.to_string(), "the protocol level is not supported: 5 [MQTT-3.1.2-2]");
}

#[test]
fn filters_match_as_section_4_7_says() {
    for (filter, name, matches) in [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
        ("sport/#", "sport", true),
        ("#", "sport", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("#", "$SYS/monitor/Clients", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/monitor/Clients", true),
        ("ACCOUNTS", "Accounts", false),
    ] {
        assert_eq!(filter_matches(filter, name), matches, "{filter} {name}");
    }
}

#[test]
fn the_decoder_refuses_what_would_not_fit_as_soon_as_it_is_announced() {
    let mut decoder = Decoder::new(100);
    decoder.extend(&[0x30, 0xff, 0xff, 0xff, 0x7f]);
    let too_long = Some(Err(DecodeError::TooLong { packet_bytes: 268_435_460 }));
    assert_eq!(decoder.next_packet(), too_long);
    decoder.extend(&[0; 1000]);
    assert_eq!(decoder.next_packet(), too_long);
    assert!(decoder.pending().is_empty());

    let mut decoder = Decoder::new(100);
    decoder.extend(&[0x30, 0x80, 0x80, 0x80]);
    assert_eq!(decoder.next_packet(), None);
    decoder.extend(&[0x80]);
    assert_eq!(decoder.next_packet(), Some(Err(DecodeError::Violation(Violation::RemainingLength))));
}

/// A packet that owns its strings, to be drawn at random.
#[derive(Clone, Debug)]
enum Drawn {
    Connect {
        id: String,
        clean: bool,
        keep_alive_s: u16,
        will: Option<(String, Vec<u8>, u8, bool)>,
        user: Option<(String, Option<Vec<u8>>)>,
    },
    ConnAck {
        session_present: bool,
        code: u8,
    },
    Publish {
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        id: u16,
        duplicate: bool,
        retain: bool,
    },
    Answer {
        kind: u8,
        id: u16,
    },
    Subscribe {
        id: u16,
        filters: Vec<(String, u8)>,
    },
    SubAck {
        id: u16,
        codes: Vec<u8>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    Bare(u8),
}

fn qos(bits: u8) -> QoS {
    QoS::from_bits(bits).expect("drawn below 3")
}

impl Drawn {
    fn ours(&self) -> Packet<'_> {
        match self {
            Self::Connect { id, clean, keep_alive_s, will, user } => Packet::Connect(Connect {
                protocol: Protocol::V3_1_1,
                client_id: id,
                clean_session: *clean,
                keep_alive_s: *keep_alive_s,
                will: will.as_ref().map(|(topic, payload, bits, retain)| Will {
                    topic,
                    payload,
                    qos: qos(*bits),
                    retain: *retain,
                }),
                user_name: user.as_ref().map(|(name, _)| name.as_str()),
                password: user.as_ref().and_then(|(_, password)| password.as_deref()),
            }),
            Self::ConnAck { session_present, code } => {
                Packet::ConnAck(ConnAck { session_present: *session_present && *code == 0, code: ConnectCode(*code) })
            }
            Self::Publish { topic, payload, qos, id: number, duplicate, retain } => Packet::Publish(Publish {
                topic,
                payload,
                delivery: match qos {
                    0 => Delivery::AtMostOnce,
                    1 => Delivery::AtLeastOnce { packet_id: id(*number), duplicate: *duplicate },
                    _ => Delivery::ExactlyOnce { packet_id: id(*number), duplicate: *duplicate },
                },
                retain: *retain,
            }),
            Self::Answer { kind, id: number } => match kind {
                0 => Packet::PubAck(id(*number)),
                1 => Packet::PubRec(id(*number)),
                2 => Packet::PubRel(id(*number)),
                3 => Packet::PubComp(id(*number)),
                _ => Packet::UnsubAck(id(*number)),
            },
            Self::Subscribe { id: number, filters } => Packet::Subscribe(Subscribe {
                packet_id: id(*number),
                filters: filters.iter().map(|(filter, bits)| (filter.as_str(), qos(*bits))).collect(),
            }),
            Self::SubAck { id: number, codes } => Packet::SubAck(SubAck {
                packet_id: id(*number),
                granted: codes.iter().map(|code| QoS::from_bits(*code)).collect(),
            }),
            Self::Unsubscribe { id: number, filters } => Packet::Unsubscribe(Unsubscribe {
                packet_id: id(*number),
                filters: filters.iter().map(String::as_str).collect(),
            }),
            Self::Bare(kind) => match kind {
                0 => Packet::PingReq,
                1 => Packet::PingResp,
                _ => Packet::Disconnect,
            },
        }
    }

    /// The same packet, built by the crate `mqtt-protocol-core`.
    fn theirs(&self) -> Vec<u8> {
        let qos = |bits: u8| oracle::packet::Qos::try_from(bits).expect("drawn below 3");
        match self {
            Self::Connect { id, clean, keep_alive_s, will, user } => {
                let mut builder = theirs::Connect::builder().client_id(id.as_str()).unwrap();
                builder = builder.clean_session(*clean).keep_alive(*keep_alive_s);
                if let Some((topic, payload, bits, retain)) = will {
                    builder = builder.will_message(topic.as_str(), payload.clone(), qos(*bits), *retain).unwrap();
                }
                if let Some((name, password)) = user {
                    builder = builder.user_name(name.as_str()).unwrap();
                    if let Some(password) = password {
                        builder = builder.password(password.clone()).unwrap();
                    }
                }
                builder.build().unwrap().to_continuous_buffer()
            }
            Self::ConnAck { session_present, code } => theirs::Connack::builder()
                .session_present(*session_present && *code == 0)
                .return_code(oracle::result_code::ConnectReturnCode::try_from(*code).unwrap())
                .build()
                .unwrap()
                .to_continuous_buffer(),
            Self::Publish { topic, payload, qos: bits, id, duplicate, retain } => {
                let mut builder = theirs::Publish::builder().topic_name(topic.as_str()).unwrap();
                builder = builder.qos(qos(*bits)).retain(*retain).payload(payload.clone());
                if *bits > 0 {
                    builder = builder.packet_id(*id).dup(*duplicate);
                }
                builder.build().unwrap().to_continuous_buffer()
            }
            Self::Answer { kind, id } => match kind {
                0 => theirs::Puback::builder().packet_id(*id).build().unwrap().to_continuous_buffer(),
                1 => theirs::Pubrec::builder().packet_id(*id).build().unwrap().to_continuous_buffer(),
                2 => theirs::Pubrel::builder().packet_id(*id).build().unwrap().to_continuous_buffer(),
                3 => theirs::Pubcomp::builder().packet_id(*id).build().unwrap().to_continuous_buffer(),
                _ => theirs::Unsuback::builder().packet_id(*id).build().unwrap().to_continuous_buffer(),
            },
            Self::Subscribe { id, filters } => {
                let entries = filters
                    .iter()
                    .map(|(filter, bits)| {
                        let options = oracle::packet::SubOpts::new().set_qos(qos(*bits));
                        oracle::packet::SubEntry::new(filter.as_str(), options).unwrap()
                    })
                    .collect::<Vec<_>>();
                theirs::Subscribe::builder().packet_id(*id).entries(entries).build().unwrap().to_continuous_buffer()
            }
            Self::SubAck { id, codes } => {
                let codes = codes
                    .iter()
                    .map(|code| oracle::result_code::SubackReturnCode::try_from(*code).unwrap())
                    .collect::<Vec<_>>();
                theirs::Suback::builder().packet_id(*id).return_codes(codes).build().unwrap().to_continuous_buffer()
            }
            Self::Unsubscribe { id, filters } => theirs::Unsubscribe::builder()
                .packet_id(*id)
                .entries(filters.iter().map(String::as_str).collect::<Vec<_>>())
                .unwrap()
                .build()
                .unwrap()
                .to_continuous_buffer(),
            Self::Bare(kind) => match kind {
                0 => theirs::Pingreq::builder().build().unwrap().to_continuous_buffer(),
                1 => theirs::Pingresp::builder().build().unwrap().to_continuous_buffer(),
                _ => theirs::Disconnect::builder().build().unwrap().to_continuous_buffer(),
            },
        }
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let string = || "[a-z\u{e4}\u{1f980}]{1,40}";
    let topic = || "[a-zA-Z0-9/\u{e4}]{1,40}";
    let filter = || prop_oneof!["[a-z/]{1,40}", Just("a/+/b".to_string()), Just("#".to_string())];
    let payload = || proptest::collection::vec(any::<u8>(), 0..300);
    let will = proptest::option::of((topic(), payload(), 0..3u8, any::<bool>()));
    let user = proptest::option::of((string(), proptest::option::of(payload())));
    prop_oneof![
        (string(), any::<bool>(), any::<u16>(), will, user)
            .prop_map(|(id, clean, keep_alive_s, will, user)| Drawn::Connect { id, clean, keep_alive_s, will, user }),
        (any::<bool>(), 0..6u8).prop_map(|(session_present, code)| Drawn::ConnAck { session_present, code }),
        (topic(), payload(), 0..3u8, 1u16.., any::<bool>(), any::<bool>()).prop_map(
            |(topic, payload, qos, id, duplicate, retain)| Drawn::Publish {
                topic,
                payload,
                qos,
                id,
                duplicate,
                retain
            }
        ),
        (0..5u8, 1u16..).prop_map(|(kind, id)| Drawn::Answer { kind, id }),
        (1u16.., proptest::collection::vec((filter(), 0..3u8), 1..5))
            .prop_map(|(id, filters)| Drawn::Subscribe { id, filters }),
        (1u16.., proptest::collection::vec(prop_oneof![0..3u8, Just(0x80)], 1..5))
            .prop_map(|(id, codes)| Drawn::SubAck { id, codes }),
        (1u16.., proptest::collection::vec(filter(), 1..5))
            .prop_map(|(id, filters)| Drawn::Unsubscribe { id, filters }),
        (0..3u8).prop_map(Drawn::Bare),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed), ..ProptestConfig::default() })]

    #[test]
    fn we_write_what_mqtt_protocol_core_writes_and_read_it_back(drawn in drawn()) {
        let theirs = drawn.theirs();
        prop_assert_eq!(&encoded(&drawn.ours()), &theirs);
        let view = View::new(&theirs).expect("whole");
        prop_assert_eq!(Packet::parse(&view), Ok(drawn.ours()));
    }

    #[test]
    fn a_stream_is_cut_into_the_same_packets_however_it_arrives(
        packets in proptest::collection::vec(drawn(), 1..6),
        chunk_bytes in 1..50usize,
    ) {
        let whole: Vec<Vec<u8>> = packets.iter().map(|packet| encoded(&packet.ours())).collect();
        let mut decoder = Decoder::new(2_000);
        let mut cut = vec![];
        for chunk in whole.concat().chunks(chunk_bytes) {
            decoder.extend(chunk);
            while let Some(packet) = decoder.next_packet() {
                cut.push(packet.expect("well-formed").bytes().to_vec());
            }
        }
        prop_assert_eq!(cut, whole);
        prop_assert!(decoder.pending().is_empty());
    }

    /// Damaged packets never panic, and what is still understood is understood for good: encoding and parsing it
    /// again gives the same.
    #[test]
    fn damaged_packets_are_refused_or_understood(drawn in drawn(), damage in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let mut bytes = encoded(&drawn.ours());
        for (at, value) in damage {
            let at = usize::from(at) % bytes.len();
            bytes[at] = value;
        }
        let mut decoder = Decoder::new(1_000);
        decoder.extend(&bytes);
        while let Some(Ok(view)) = decoder.next_packet() {
            if let Ok(packet) = Packet::parse(&view) {
                let again = encoded(&packet);
                let again = View::new(&again[..]).expect("whole");
                prop_assert_eq!(Packet::parse(&again), Ok(packet));
            }
        }
        prop_assert!(decoder.pending().len() <= 1_000);
    }
}
