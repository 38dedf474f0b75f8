//! Synthetic connections, line by line.

use super::*;
use capture::transcript::Facts;
use clock::Instant;
use wire::tls::HandshakeType;

const HELLO: Said = Said::Handshake(HandshakeType::CLIENT_HELLO);
const CERTIFICATE: Said = Said::Handshake(HandshakeType::CERTIFICATE);
const WARNING: Said = Said::Alert { level: Alert::WARNING, description: AlertDescription(100) };
const CLOSE_NOTIFY: Said = Said::Alert { level: Alert::WARNING, description: AlertDescription(0) };
const FATAL: Said = Said::Alert { level: Alert::FATAL, description: AlertDescription(40) };

fn line(who: Who, said: Said) -> Line {
    Line { at: Instant::ZERO, who, said, details: String::new() }
}

fn conversation(lines: &[(Who, Said)]) -> Conversation {
    let end = "192.0.2.10:8883".parse().unwrap();
    Conversation {
        began: Instant::ZERO,
        client: end,
        server: end,
        lines: lines.iter().map(|(who, said)| line(*who, *said)).collect(),
        facts: Facts::default(),
        repeated: [0; 2],
        remarks: Vec::new(),
    }
}

fn transcript(conversations: &[&[(Who, Said)]], lookups: Vec<Line>, modem: Vec<Line>) -> Transcript {
    Transcript {
        origin: capture::pcapng::Origin::FirstPacket(clock::UnixTime::from_seconds(0)),
        comment: None,
        cut_bytes: None,
        lookups,
        conversations: conversations.iter().map(|lines| conversation(lines)).collect(),
        modem,
        remarks: Vec::new(),
    }
}

fn scenario(demands: &str, mark: &str) -> Scenario {
    let text = format!(
        "title = 'x'\n[specification]\ndemands = '{demands}'\nrule = 'RFC 5280 §6'\nquote = 'x'\n[fault]\n{mark}\n"
    );
    Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn the_fault_counts_where_the_device_still_is() {
    let (device, broker) = (Who::Client, Who::Server);
    let before: &[_] = &[(device, HELLO), (broker, CERTIFICATE), (device, Said::Fin)];
    let behind_fin: &[_] = &[(device, HELLO), (device, Said::Fin), (broker, CERTIFICATE)];
    let behind_rst: &[_] = &[(device, HELLO), (device, Said::Rst), (broker, CERTIFICATE)];
    let behind_alert: &[_] = &[(device, HELLO), (device, FATAL), (broker, CERTIFICATE)];
    // A warning leaves nobody, and neither does the broker's own end.
    let behind_warning: &[_] = &[(device, WARNING), (broker, FATAL), (broker, Said::Fin), (broker, CERTIFICATE)];
    let without: &[_] = &[(device, HELLO), (device, CERTIFICATE), (device, Said::Fin)];
    let mark = "who = 'broker'\nsaid = 'Certificate'";
    let second = "who = 'broker'\nsaid = 'Certificate'\nconnection = 2";
    for (demands, mark, connections, expected) in [
        ("refuse", mark, vec![before], Mark::Seen),
        ("refuse", mark, vec![behind_fin], Mark::TooLate),
        ("refuse", mark, vec![behind_rst], Mark::TooLate),
        ("refuse", mark, vec![behind_alert], Mark::TooLate),
        ("refuse", mark, vec![behind_warning], Mark::Seen),
        ("refuse", mark, vec![without], Mark::Unseen),
        ("refuse", mark, vec![], Mark::Unseen),
        // What an earlier connection showed is not what the last one ended for, unless the mark says which.
        ("refuse", mark, vec![before, without], Mark::Unseen),
        ("refuse", second, vec![without, before, without], Mark::Seen),
        ("refuse", second, vec![before], Mark::Unseen),
        ("fail", mark, vec![before, without], Mark::Seen),
        ("fail", mark, vec![behind_fin], Mark::Seen),
        ("fail", mark, vec![without, without], Mark::Unseen),
        ("connect", mark, vec![without, before], Mark::Seen),
    ] {
        let transcript = transcript(&connections, Vec::new(), Vec::new());
        assert_eq!(mark_of(&scenario(demands, mark), &transcript), expected, "{demands} {mark} {connections:?}");
    }
    let answer = || vec![line(Who::Dns, Said::Answer)];
    let dns = scenario("fail", "who = 'dns'\nsaid = 'answer'");
    assert_eq!(mark_of(&dns, &transcript(&[], answer(), Vec::new())), Mark::Seen);
    assert_eq!(mark_of(&dns, &transcript(&[], Vec::new(), answer())), Mark::Seen);
    assert_eq!(mark_of(&scenario("fail", mark), &transcript(&[], answer(), Vec::new())), Mark::Unseen);
}

#[test]
fn the_broker_has_spoken_if_it_said_more_than_good_bye_before_the_device_left() {
    let (device, broker) = (Who::Client, Who::Server);
    let scenario = scenario("refuse", "who = 'broker'\nsaid = 'Certificate'");
    for (lines, expected) in [
        (&[][..], Mark::Unseen),
        (&[(device, HELLO)], Mark::Unseen),
        (&[(device, HELLO), (broker, Said::Fin)], Mark::Unseen),
        (&[(device, HELLO), (broker, Said::Rst)], Mark::Unseen),
        (&[(broker, CERTIFICATE)], Mark::Seen),
        (&[(device, HELLO), (broker, FATAL)], Mark::Seen),
        (&[(device, Said::Fin), (broker, CERTIFICATE)], Mark::TooLate),
    ] {
        let of = |connections: &[&[(Who, Said)]]| {
            WireWitness::of(&transcript(connections, Vec::new(), Vec::new()), &scenario)
        };
        assert_eq!(of(&[lines]).broker_spoke, expected, "{lines:?}");
        // It is the last connection that counts.
        assert_eq!(of(&[&[(broker, CERTIFICATE)], lines]).broker_spoke, expected, "{lines:?}");
    }
}

#[test]
fn silence_is_the_absence_of_every_line() {
    let scenario = scenario("refuse", "who = 'broker'\nsaid = 'Certificate'");
    let line = || vec![line(Who::Dns, Said::Answer)];
    let none: &[(Who, Said)] = &[];
    let one: &[(Who, Said)] = &[(Who::Client, HELLO)];
    for (transcript, is_silent, dialled) in [
        (transcript(&[], vec![], vec![]), true, false),
        (transcript(&[none], vec![], vec![]), true, true),
        (transcript(&[one], vec![], vec![]), false, true),
        (transcript(&[], line(), vec![]), false, false),
        (transcript(&[], vec![], line()), false, true),
        (transcript(&[one], line(), vec![]), false, true),
        (transcript(&[one], vec![], line()), false, true),
        (transcript(&[], line(), line()), false, true),
    ] {
        let witness = WireWitness::of(&transcript, &scenario);
        assert_eq!((witness.is_silent(), witness.dialled), (is_silent, dialled), "{transcript:?}");
    }
}

#[test]
fn who_did_what_is_told_of_a_connection() {
    let mut one = conversation(&[(Who::Client, HELLO), (Who::Server, WARNING), (Who::Client, CLOSE_NOTIFY)]);
    assert_eq!(
        on_the_wire(&one),
        OnTheWire { connected: true, warnings: vec![AlertDescription(100)], ..OnTheWire::default() }
    );
    one.lines.push(line(Who::Server, FATAL));
    one.facts.connect_code = Some(wire::mqtt::ConnectCode(5));
    one.facts.first_to_close = Some((capture::Side::Client, Close::Fin));
    assert_eq!(
        on_the_wire(&one),
        OnTheWire {
            connected: true,
            fatal_alert: Some(Side::Broker),
            warnings: vec![AlertDescription(100)],
            connack: Some(5),
            first_to_close: Some(Side::Device),
            network_refused: false,
        }
    );
    // A SYN that is answered with RST opens nothing; a connection that is reset later was open.
    let mut refused = conversation(&[(Who::Server, Said::Rst)]);
    refused.facts.first_to_close = Some((capture::Side::Server, Close::Rst));
    assert!(!on_the_wire(&refused).connected);
    assert_eq!(on_the_wire(&refused).first_to_close, Some(Side::Broker));
    refused.lines.insert(0, line(Who::Client, HELLO));
    assert!(on_the_wire(&refused).connected);
    refused.lines.clear();
    refused.facts.first_to_close = Some((capture::Side::Server, Close::Fin));
    assert!(on_the_wire(&refused).connected);
}

#[test]
fn how_far_a_handshake_came_is_told_by_its_messages() {
    const KEY_EXCHANGE: Said = Said::Handshake(HandshakeType::CLIENT_KEY_EXCHANGE);
    const FINISHED: Said = Said::Handshake(HandshakeType::FINISHED);
    const PROTOCOL_VERSION: Said = Said::Alert { level: Alert::FATAL, description: AlertDescription(70) };
    let (device, broker) = (Who::Client, Who::Server);
    for (lines, stage, why) in [
        (vec![(device, HELLO)], Stage::Hello, "nobody answered"),
        (vec![(device, HELLO), (broker, FATAL)], Stage::Hello, "it was refused"),
        (vec![(device, HELLO), (broker, CERTIFICATE)], Stage::Certificate, "a certificate came"),
        (vec![(broker, CERTIFICATE), (device, FATAL)], Stage::Certificate, "it refused the certificate"),
        (vec![(broker, CERTIFICATE), (device, PROTOCOL_VERSION)], Stage::Hello, "it refused the version before that"),
        (vec![(broker, CERTIFICATE), (broker, PROTOCOL_VERSION)], Stage::Certificate, "its own alert alone tells"),
        (vec![(device, CERTIFICATE)], Stage::Hello, "its own certificate is another matter"),
        (vec![(broker, CERTIFICATE), (device, KEY_EXCHANGE)], Stage::Finished, "it sent its keys, in TLS 1.2"),
        (vec![(broker, CERTIFICATE), (device, FINISHED)], Stage::Finished, "it was done, in TLS 1.3"),
        (vec![(broker, CERTIFICATE), (broker, FINISHED)], Stage::Certificate, "the broker was done, and it was not"),
        (vec![(broker, KEY_EXCHANGE)], Stage::Hello, "brokers have no such message"),
    ] {
        assert_eq!(handshake(&conversation(&lines)), stage, "{why}");
    }
}

#[test]
fn a_handshake_begins_with_a_connection_and_ends_before_the_login() {
    let mut unanswered = conversation(&[(Who::Client, Said::Syn)]);
    assert_eq!(handshake(&unanswered), Stage::Connect, "nobody took the connection");
    unanswered.lines[0].details = "accepted".into();
    assert_eq!(handshake(&unanswered), Stage::Hello, "somebody did, and nothing was said");
    let mut complete = conversation(&[(Who::Client, HELLO)]);
    complete.facts.is_handshake_complete = true;
    assert_eq!(handshake(&complete), Stage::Login);
}

#[test]
fn a_capture_of_ours_that_cannot_be_read_is_called_ours() {
    let scenario = scenario("fail", "who = 'broker'\nsaid = 'Certificate'");
    let Err(error) = WireWitness::hear(b"no pcapng", &scenario) else { panic!("it is no capture") };
    assert!(error.to_string().starts_with("our own capture: "), "{error}");
}

#[test]
fn what_is_said_to_somebody_who_has_left_is_no_refusal() {
    let (device, broker) = (Who::Client, Who::Server);
    let handshake_failure = AlertDescription(40);
    for (lines, expected) in [
        (&[(device, HELLO), (device, Said::Fin), (broker, FATAL)][..], None),
        (&[(device, HELLO), (device, Said::Rst), (broker, FATAL)], None),
        (&[(broker, FATAL), (device, Said::Fin)], Some(Side::Broker)),
        (&[(device, FATAL), (broker, Said::Fin)], Some(Side::Device)),
        (&[(broker, Said::Fin), (device, FATAL)], None),
        // Whoever closed may still say why, and the first who does counts.
        (&[(broker, Said::Fin), (broker, FATAL)], Some(Side::Broker)),
        (&[(device, Said::Fin), (broker, Said::Fin), (device, FATAL)], Some(Side::Device)),
        (&[(broker, FATAL), (device, FATAL)], Some(Side::Broker)),
        (&[(device, FATAL), (broker, FATAL)], Some(Side::Device)),
        // A warning is no end, and a resolver no party to it.
        (&[(broker, WARNING), (device, FATAL)], Some(Side::Device)),
        (&[(device, WARNING), (broker, WARNING)], None),
        (&[(Who::Dns, FATAL), (Who::Sntp, FATAL), (Who::Modem, FATAL)], None),
    ] {
        let told = first_fatal_alert(&conversation(lines));
        assert_eq!(told, expected.map(|side| (side, handshake_failure)), "{lines:?}");
    }
}

/// The device's own good-bye may be what is marked.
#[test]
fn what_the_device_leaves_with_is_not_too_late() {
    let lines: &[_] = &[(Who::Client, HELLO), (Who::Client, Said::Fin), (Who::Server, Said::Fin)];
    for (mark, expected) in [
        ("who = 'device'\nsaid = 'FIN'", Mark::Seen),
        ("who = 'broker'\nsaid = 'FIN'", Mark::TooLate),
        ("who = 'device'\nsaid = ['RST', 'ClientHello']", Mark::Seen),
    ] {
        assert_eq!(mark_of(&scenario("refuse", mark), &transcript(&[lines], vec![], vec![])), expected, "{mark}");
    }
}

#[test]
fn the_margin_says_what_is_marked_and_where() {
    let certificate = || line(Who::Server, CERTIFICATE);
    let anywhere = "who = 'broker'\nsaid = 'Certificate'";
    let second = "who = 'broker'\nsaid = 'Certificate'\nconnection = 2";
    for (demands, text, connection, expected) in [
        ("refuse", anywhere, Some(1), Some("the fault")),
        ("fail", anywhere, None, Some("the fault")),
        ("connect", anywhere, Some(1), Some("what is tested")),
        ("refuse", second, Some(1), None),
        ("refuse", second, Some(2), Some("the fault")),
        ("refuse", second, None, None),
    ] {
        assert_eq!(mark(&scenario(demands, text), connection, &certificate()), expected, "{demands} {text}");
    }
    assert_eq!(mark(&scenario("refuse", anywhere), Some(1), &line(Who::Client, CERTIFICATE)), None);
    assert_eq!(mark(&scenario("refuse", anywhere), Some(1), &line(Who::Server, HELLO)), None);
    // On the page it stands beside the line of that connection, and of many connections the middle ones are left out.
    let one: &[_] = &[(Who::Server, CERTIFICATE)];
    let typeset = |count: usize| {
        WireWitness::of(&transcript(&vec![one; count], vec![], vec![]), &scenario("refuse", second)).typeset
    };
    let two = typeset(2);
    let (before, behind) = two.split_once("connection 2 ").expect("a heading");
    assert!(!before.contains("← the fault") && behind.contains("← the fault"), "{two}");
    assert!(typeset(20).contains("(17 connections more are in the packets)"), "{}", typeset(20));
}
