//! What transcripts say about connections between two rustls, with tshark as a second opinion.

mod support;

use capture::transcript::{Close, Conversation, Said, Transcript, Who};
use capture::{Side, Style, Tap, read, render};
use outcome::{AlertDescription, Stage};
use support::{Cable, Identity, Plan, agrees_with_tshark};
use wire::mqtt::{ConnAck, Connect, ConnectCode, Delivery, Packet, PacketId, Publish, QoS, SubAck, Subscribe};
use wire::tls::{HandshakeType, ProtocolVersion};

static TLS_1_2: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
static TLS_1_3: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn bytes(packets: &[Packet<'_>]) -> Vec<u8> {
    let mut bytes = vec![];
    packets.iter().for_each(|packet| packet.encode(&mut bytes).expect("it fits"));
    bytes
}

/// What a healthy device says, and what its broker answers.
fn dialogue() -> Vec<(Vec<u8>, Vec<u8>)> {
    let id = PacketId::MIN;
    let connect = Connect {
        client_id: "probe",
        clean_session: true,
        keep_alive_s: 60,
        user_name: Some("u"),
        password: Some(b"p"),
        ..Connect::default()
    };
    let subscribe = Subscribe { packet_id: id, filters: vec![("shakedown/#", QoS::AtLeastOnce)] };
    let publish = Publish {
        topic: "shakedown/hello",
        payload: b"21.5",
        delivery: Delivery::AtLeastOnce { packet_id: id, duplicate: false },
        retain: true,
    };
    let granted = SubAck { packet_id: id, granted: vec![Some(QoS::AtLeastOnce)] };
    vec![
        (
            bytes(&[Packet::Connect(connect)]),
            bytes(&[Packet::ConnAck(ConnAck { session_present: false, code: ConnectCode::ACCEPTED })]),
        ),
        (bytes(&[Packet::Subscribe(subscribe)]), bytes(&[Packet::SubAck(granted)])),
        (bytes(&[Packet::Publish(publish), Packet::PingReq]), bytes(&[Packet::PubAck(id), Packet::PingResp])),
        (bytes(&[Packet::Disconnect]), vec![]),
    ]
}

fn record(plan: Plan) -> Vec<u8> {
    let mut cable = Cable::new();
    plan.record(&mut cable);
    cable.fin(Side::Client);
    cable.fin(Side::Server);
    cable.tap.to_pcapng()
}

fn only(transcript: &Transcript) -> &Conversation {
    assert_eq!(transcript.conversations.len(), 1);
    assert!(transcript.remarks.is_empty(), "{:?}", transcript.remarks);
    &transcript.conversations[0]
}

/// Who said what, in order.
fn said(conversation: &Conversation) -> Vec<String> {
    conversation.lines.iter().map(|line| format!("{:?} {}", line.who, line.said)).collect()
}

const MQTT_LINES: [&str; 10] = [
    "Client CONNECT",
    "Server CONNACK",
    "Client SUBSCRIBE",
    "Server SUBACK",
    "Client PUBLISH",
    "Client PINGREQ",
    "Server PUBACK",
    "Server PINGRESP",
    "Client DISCONNECT",
    "Client alert",
];

/// Every suite of rustls, its records opened to the last packet; tshark opens them too and finds the same.
#[test]
fn healthy_connections_are_told_to_the_last_packet() {
    for (versions, suite, expected) in [
        (TLS_1_3, "TLS13_AES_128_GCM_SHA256", "1.3 · TLS_AES_128_GCM_SHA256 · x25519"),
        (TLS_1_3, "TLS13_AES_256_GCM_SHA384", "1.3 · TLS_AES_256_GCM_SHA384 · x25519"),
        (TLS_1_3, "TLS13_CHACHA20_POLY1305_SHA256", "1.3 · TLS_CHACHA20_POLY1305_SHA256 · x25519"),
        (TLS_1_2, "ECDSA_WITH_AES_128_GCM_SHA256", "1.2 · TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (TLS_1_2, "ECDSA_WITH_AES_256_GCM_SHA384", "1.2 · TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (TLS_1_2, "ECDSA_WITH_CHACHA20_POLY1305_SHA256", "1.2 · TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ] {
        let file = record(Plan { suite, dialogue: dialogue(), ..Plan::new(versions) });
        let transcript = read(&file, "").expect("our own file");
        let conversation = only(&transcript);
        let lines = said(conversation);
        assert_eq!(conversation.lines[1].details, expected);

        let mqtt_at =
            lines.iter().position(|line| line == "Client CONNECT").unwrap_or_else(|| panic!("{suite}: {lines:#?}"));
        assert_eq!(lines[mqtt_at..mqtt_at + 10], MQTT_LINES, "{suite}");
        assert_eq!(conversation.facts.stage, Some(Stage::Goodbye));
        assert_eq!(conversation.facts.connect_code, Some(ConnectCode::ACCEPTED));
        assert_eq!(conversation.facts.first_to_close, Some((Side::Client, Close::Fin)));
        assert_eq!(conversation.facts.server_name.as_deref(), Some("broker.test"));
        assert!(conversation.facts.is_handshake_complete && !conversation.facts.has_gaps);

        agrees_with_tshark(&file, suite, conversation);
    }
}

#[test]
fn a_transcript_is_set_like_this() {
    let file = record(Plan { suite: "TLS13_AES_128_GCM_SHA256", dialogue: dialogue(), ..Plan::new(TLS_1_3) });
    let transcript = read(&file, "").expect("our own file");
    let mark = |_: usize, line: &capture::transcript::Line| {
        (line.said == Said::Handshake(HandshakeType::CERTIFICATE)).then(|| "the fault".to_string())
    };
    // The order of rustls's extensions is random, so JA3 is too.
    let hash = transcript.conversations[0].facts.ja3.clone().expect("a hello");
    let text =
        render(&transcript, &Style { mark: &mark, ..Style::BENCH }).replace(&hash, "0123456789abcdef0123456789abcdef");
    let expected = "   ms  who      said
    1  device   ClientHello          sni broker.test · 1.3 · x25519 secp256r1 secp384r1 · 1 suite
                                     ja3 0123456789abcdef0123456789abcdef
                                     ja4 t13d0109";
    assert!(text.starts_with(expected), "{text}");
    let after_hello = text.split_once("ServerHello").expect("a ServerHello").1;
    assert_eq!(
        after_hello,
        "          1.3 · TLS_AES_128_GCM_SHA256 · x25519
    2  broker   EncryptedExtensions
    2  broker   Certificate          CN=broker · DNS:broker.test IP:10.0.0.1 · 2020-01-01 to 3000-01-01
                                     P-256 · ecdsa-with-SHA256 · by CN=Test CA  ← the fault
    2  broker   CertificateVerify    ecdsa_secp256r1_sha256
    2  broker   Finished
    3  device   Finished
    4  broker   NewSessionTicket     good for 86400 s
    4  broker   NewSessionTicket     good for 86400 s
    5  device   CONNECT              client \"probe\" · clean session · keep-alive 60 s · user \"u\" · password
    6  broker   CONNACK              accepted (0)
    7  device   SUBSCRIBE            id 1 · shakedown/# qos 1
    8  broker   SUBACK               id 1 · qos 1
    9  device   PUBLISH              shakedown/hello · \"21.5\" · qos 1 · id 1 · retain
    9  device   PINGREQ
   10  broker   PUBACK               id 1
   10  broker   PINGRESP
   11  device   DISCONNECT
   12  device   alert                warning close_notify (0)
   13  device   FIN
   14  broker   FIN
"
    );
}

#[test]
fn keys_that_change_on_the_way_are_followed() {
    let file = record(Plan { updates_keys: true, dialogue: dialogue(), ..Plan::new(TLS_1_3) });
    let transcript = read(&file, "").expect("our own file");
    let conversation = only(&transcript);
    let (updates, others): (Vec<_>, Vec<_>) =
        said(conversation).into_iter().partition(|line| line.ends_with("KeyUpdate"));
    // Four of the client; the server answers with its own when it speaks next, which it does three times.
    assert_eq!(updates.len(), 7);
    let mqtt_at = others.iter().position(|line| line == "Client CONNECT").expect("decrypted");
    assert_eq!(others[mqtt_at..mqtt_at + 10], MQTT_LINES);
    agrees_with_tshark(&file, "key-update", conversation);
}

#[test]
fn a_refusal_is_told_with_its_encrypted_alert() {
    let file = record(Plan { identity: Identity::valid(2001..2002), ..Plan::new(TLS_1_3) });
    let transcript = read(&file, "").expect("our own file");
    let conversation = only(&transcript);
    let alert = conversation.lines.iter().find(|line| matches!(line.said, Said::Alert { .. })).expect("an alert");
    assert_eq!(alert.details, "fatal certificate_expired (45)");
    assert_eq!(conversation.facts.alerts[0], (Side::Client, AlertDescription(45)));
    assert_eq!(conversation.facts.stage, Some(Stage::Certificate));
    assert!(!conversation.facts.is_handshake_complete);
    agrees_with_tshark(&file, "expired", conversation);
}

#[test]
fn a_retry_is_told() {
    use rustls::crypto::ring::kx_group::{SECP256R1, X25519};
    let plan = Plan { client_groups: vec![X25519, SECP256R1], server_groups: vec![SECP256R1], ..Plan::new(TLS_1_3) };
    let file = record(Plan { dialogue: dialogue(), ..plan });
    let transcript = read(&file, "").expect("our own file");
    let conversation = only(&transcript);
    let expected = ["Client ClientHello", "Server HelloRetryRequest", "Client ClientHello", "Server ServerHello"];
    assert_eq!(said(conversation)[..4], expected);
    assert!(conversation.lines[1].details.contains("secp256r1"), "{}", conversation.lines[1].details);
    assert_eq!(conversation.facts.stage, Some(Stage::Goodbye));
    agrees_with_tshark(&file, "retry", conversation);
}

#[test]
fn without_keys_the_transcript_says_what_it_cannot_see() {
    const FROM_CLIENT: &str = "Client (encrypted)";
    const FROM_SERVER: &str = "Server (encrypted)";
    // In TLS 1.2 records say what they carry; in TLS 1.3 all pass for application data. At the end the client says
    // DISCONNECT and sends an alert.
    let in_1_2 = [
        &["Server ServerHello", "Server Certificate", "Server ServerKeyExchange", "Client ClientKeyExchange"][..],
        &["Client Finished", "Server Finished"],
        &[FROM_CLIENT, FROM_SERVER].repeat(3),
        &[FROM_CLIENT; 2],
    ];
    let in_1_3 = [
        &["Server ServerHello", FROM_SERVER, FROM_CLIENT, FROM_SERVER][..],
        &[FROM_CLIENT, FROM_SERVER].repeat(3),
        &[FROM_CLIENT],
    ];
    for (versions, told) in [(TLS_1_2, in_1_2.concat()), (TLS_1_3, in_1_3.concat())] {
        let mut cable = Cable::new();
        Plan { dialogue: dialogue(), ..Plan::new(versions) }.record(&mut cable);
        let mut blind = capture::Tap::new(support::POWER_ON);
        cable.tap.packets().iter().for_each(|packet| blind.packet(packet.at, &packet.bytes));
        let transcript = read(&blind.to_pcapng(), "").expect("our own file");
        let conversation = only(&transcript);
        assert!(conversation.facts.has_gaps);
        assert_eq!(said(conversation)[1..], told);
        assert!(!conversation.facts.has_secrets);
        assert!(conversation.facts.alerts.is_empty());

        // The same capture with the keys beside it.
        let transcript = read(&blind.to_pcapng(), cable.tap.key_log()).expect("our own file");
        assert_eq!(only(&transcript).facts.stage, Some(Stage::Goodbye));
        assert!(only(&transcript).facts.has_secrets);
    }
}

#[test]
fn damage_under_encryption_is_a_bad_record() {
    let mut cable = Cable::new();
    Plan { dialogue: dialogue(), ..Plan::new(TLS_1_2) }.record(&mut cable);
    let mut sealed = vec![23, 3, 3, 0, 40];
    sealed.extend([0x55; 40]);
    cable.send(Side::Server, &sealed);
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    let last = only(&transcript).lines.last().expect("lines");
    assert_eq!((last.said, last.details.as_str()), (Said::BadRecord, "application_data of 40 bytes that no key opens"));
}

#[test]
fn lost_repeated_and_reordered_segments_make_no_difference() {
    let mut cable = Cable::new();
    Plan { dialogue: dialogue(), ..Plan::new(TLS_1_3) }.record(&mut cable);
    let straight = read(&cable.tap.to_pcapng(), "").expect("our own file");

    let mut packets = cable.tap.packets().to_vec();
    let repeated = packets[6].clone();
    packets.insert(9, repeated);
    packets.swap(4, 5);
    let mut damaged = packets[7].clone();
    *damaged.bytes.last_mut().expect("bytes") ^= 1;
    packets.insert(7, damaged);
    let mut tap = capture::Tap::new(support::POWER_ON);
    packets.iter().for_each(|packet| tap.packet(packet.at, &packet.bytes));
    cable.tap.key_log().lines().for_each(|line| tap.key_log_line(line));
    let crooked = read(&tap.to_pcapng(), "").expect("our own file");

    assert_eq!(said(&crooked.conversations[0]), said(&straight.conversations[0]));
    assert_eq!(crooked.remarks, ["1 packet with a wrong length or checksum left out"]);
    assert_eq!(crooked.conversations[0].repeated, [1, 0]);
    assert!(
        render(&crooked, &Style::BENCH)
            .ends_with("\n                                     (device sent 1 segment again)\n")
    );
}

#[test]
fn connections_that_come_to_nothing_are_told() {
    let tell = |cable: Cable| {
        let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
        let conversation = only(&transcript).clone();
        let lines: Vec<String> =
            conversation.lines.iter().map(|line| format!("{:?} {} {}", line.who, line.said, line.details)).collect();
        (lines, conversation.facts)
    };
    let mut refused = Cable::new();
    refused.segment(Side::Client, "S", &[]);
    refused.rst(Side::Server);
    let (lines, facts) = tell(refused);
    assert_eq!(lines, ["Client SYN ", "Server RST "]);
    assert_eq!(facts.first_to_close, Some((Side::Server, Close::Rst)));
    assert_eq!([Close::Fin, Close::Rst].map(|how| how.to_string()), ["FIN", "RST"]);
    assert_eq!(facts.stage, Some(Stage::Connect));

    let mut unanswered = Cable::new();
    unanswered.segment(Side::Client, "S", &[]);
    let syn = unanswered.tap.packets()[0].clone();
    unanswered.tap.packet(clock::Instant::from_millis(1_000), &syn.bytes);
    let (lines, _) = tell(unanswered);
    assert_eq!(lines, ["Client SYN no answer to 2 attempts"]);

    let mut silent = Cable::new();
    silent.open();
    let (lines, _) = tell(silent);
    assert_eq!(lines, ["Client SYN accepted"]);
}

#[test]
fn a_client_that_comes_back_on_the_same_port_has_another_conversation() {
    let mut cable = Cable::new();
    Plan { dialogue: dialogue(), ..Plan::new(TLS_1_3) }.record(&mut cable);
    cable.rst(Side::Server);
    Plan { dialogue: dialogue(), ..Plan::new(TLS_1_2) }.record(&mut cable);
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    let versions: Vec<_> = transcript.conversations.iter().map(|conversation| conversation.facts.version).collect();
    assert_eq!(versions, [Some(ProtocolVersion::TLS_1_3), Some(ProtocolVersion::TLS_1_2)]);
    assert_eq!(transcript.conversations[1].facts.stage, Some(Stage::Goodbye));
    assert!(render(&transcript, &Style::BENCH).contains("\nconnection 2   10.0.0.2:49152 to 10.0.0.1:8883\n"));
}

#[test]
fn a_session_that_is_resumed_is_told_and_opened() {
    for (versions, offers, resumes) in
        [(TLS_1_2, "resumes by session id", "the session is resumed"), (TLS_1_3, "resumes by PSK", "resumed by PSK")]
    {
        let mut cable = Cable::new();
        Plan { dialogue: dialogue(), times: 2, ..Plan::new(versions) }.record(&mut cable);
        let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
        let tells = |index: usize, said: &str, words: &str| {
            let lines = &transcript.conversations[index].lines;
            lines.iter().any(|line| line.said.to_string() == said && line.details.contains(words))
        };
        for (index, again) in [(0, false), (1, true)] {
            assert_eq!(tells(index, "ClientHello", offers), again, "{versions:?}");
            assert_eq!(tells(index, "ServerHello", resumes), again, "{versions:?}");
            assert_eq!(tells(index, "Certificate", ""), !again, "{versions:?}");
            assert!(tells(index, "PUBLISH", "21.5"), "{versions:?}");
        }
    }
}

#[test]
fn what_breaks_off_is_told_where_it_breaks() {
    let mut cable = Cable::new();
    cable.open();
    // A ServerHello record of 70 bytes that ends after 20; the client gives up.
    let hello = [&[0x16, 3, 3, 0, 70, 2, 0, 0, 66][..], &[7; 16]].concat();
    cable.send(Side::Server, &hello);
    cable.fin(Side::Server);
    cable.send(Side::Client, &[0x15, 3, 3, 0, 2, 2, 50]);
    cable.rst(Side::Client);
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    let lines: Vec<String> =
        only(&transcript).lines.iter().map(|line| format!("{:?} {} {}", line.who, line.said, line.details)).collect();
    let expected = [
        "Server (fragment) record breaks off after 25 bytes",
        "Server FIN ",
        "Client alert fatal decode_error (50)",
        "Client RST ",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn plain_mqtt_and_plain_nonsense_are_told_apart() {
    let mut cable = Cable::new();
    cable.open();
    for (question, answer) in dialogue() {
        cable.send(Side::Client, &question);
        cable.send(Side::Server, &answer);
    }
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    assert_eq!(said(only(&transcript)), MQTT_LINES[..9]);

    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, &[0x16, 3, 1, 0, 4, 1, 0, 0, 0]);
    cable.send(Side::Server, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    let last = only(&transcript).lines.last().expect("lines");
    assert_eq!(
        (last.said, last.details.as_str()),
        (Said::NotTls, "28 bytes · \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"")
    );
}

#[test]
fn what_lies_behind_a_gap_is_counted_and_not_read() {
    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, &[0xc0, 0]);
    cable.lose(Side::Client, 2);
    cable.send(Side::Client, &[0xc0, 0, 0xc0, 0]);
    cable.lose(Side::Server, 1);
    cable.send(Side::Server, &[0]);
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    assert_eq!(only(&transcript).lines.len(), 1);
    let remarks = [
        "4 bytes of the client lie behind a gap and were not read",
        "1 byte of the server lie behind a gap and were not read",
    ];
    assert_eq!(only(&transcript).remarks, remarks);
}

#[test]
fn what_a_proxy_forwards_at_once_with_its_answer_is_the_brokers() {
    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, b"CONNECT broker.test:8883 HTTP/1.1\r\n\r\n");
    cable.send(Side::Server, b"HTTP/1.1 200 OK\r\n\r\n\x15\x03\x03\x00\x02\x02\x28");
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    let last = only(&transcript).lines.last().expect("lines");
    assert_eq!((last.who, last.details.as_str()), (Who::Server, "fatal handshake_failure (40)"));
}

#[test]
fn what_is_left_out_is_counted() {
    let mut tap = Tap::new(support::POWER_ON);
    // ICMP; TCP whose header checksum is wrong, twice.
    let header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0x66, 0xdf, 10, 0, 0, 2, 10, 0, 0, 1];
    let icmp = [&header[..], &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]].concat();
    let damaged = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1];
    for packet in [&icmp[..], &damaged, &damaged] {
        tap.packet(clock::Instant::ZERO, packet);
    }
    let remarks = read(&tap.to_pcapng(), "").expect("our own file").remarks;
    let left_out = [
        "2 packets with a wrong length or checksum left out",
        "1 packet of neither TCP nor UDP, or in fragments, left out",
    ];
    assert_eq!(remarks, left_out);
    let mut cable = Cable::new();
    cable.open();
    assert_eq!(read(&cable.tap.to_pcapng(), "").expect("our own file").remarks, Vec::<String>::new());
}
