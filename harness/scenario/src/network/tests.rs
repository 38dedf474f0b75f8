use std::ops::RangeInclusive;

use clock::{Duration, Instant};
use network::Direction::{FromDevice, ToDevice};
use network::{Fault, Message, MessageKind, Resolution, Scope, SntpAnswer, Teardown};

use super::*;

const HEAD: &str = "title = 't'\nspecification = { demands = 'fail', rule = 'RFC 1 §1', quote = 'q' }\n[network]\n";

fn parsed(line: &str) -> Network {
    crate::Scenario::parse("x/y", "x.toml", &format!("{HEAD}{line}\n"))
        .unwrap_or_else(|problem| panic!("{problem}"))
        .network
}

fn refused(line: &str) -> crate::Problem {
    crate::Scenario::parse("x/y", "x.toml", &format!("{HEAD}{line}\n")).expect_err(line)
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn every_fault_can_be_said() {
    let (direction, per_mille) = (FromDevice, 7);
    let said: &[(&str, Fault)] = &[
        ("lose = { from = 'device', per_mille = 7 }", Fault::Lose { direction, per_mille }),
        ("lose_nth = { from = 'broker', nth = 3 }", Fault::LoseNth { direction: ToDevice, nth: 3 }),
        ("lose_longer_than = { from = 'device', bytes = 600 }", Fault::LoseLongerThan { direction, bytes: 600 }),
        ("outage = { from_ms = 5 }", Fault::Outage { from: Instant::from_millis(5), until: None }),
        (
            "outage = { from_ms = 5, until_ms = 9 }",
            Fault::Outage { from: Instant::from_millis(5), until: Some(Instant::from_millis(9)) },
        ),
        ("delay = { from = 'device', by_ms = 2 }", Fault::Delay { direction, by: 2 * MS, jitter: Duration::ZERO }),
        ("delay = { from = 'device', by_ms = 2, jitter_ms = 1 }", Fault::Delay { direction, by: 2 * MS, jitter: MS }),
        ("duplicate = { from = 'device', per_mille = 7 }", Fault::Duplicate { direction, per_mille }),
        (
            "reorder = { from = 'device', per_mille = 7, by_ms = 20 }",
            Fault::Reorder { direction, per_mille, by: 20 * MS },
        ),
        ("flip_bit = { from = 'device', per_mille = 7 }", Fault::FlipBit { direction, per_mille }),
        ("cut = { how = 'close', when = 'syn' }", Fault::Cut(Cut { how: Teardown::Close, when: Trigger::Syn })),
        ("segment = { bytes_max = 1 }", Fault::Segment { bytes_max: 1 }),
        ("drip = { bytes = 2, every_ms = 3 }", Fault::Drip { bytes: 2, every: 3 * MS }),
        ("stall = { after_bytes = 9, for_ms = 3 }", Fault::Stall { after_bytes: 9, pause: 3 * MS }),
        ("garble = { from = 'device', at_byte = 4, flip = 1 }", Fault::Garble { direction, at_byte: 4, flip: 1 }),
        ("stop_reading = { after_bytes = 12 }", Fault::StopReading { after_bytes: 12 }),
    ];
    for (text, fault) in said {
        assert_eq!(parsed(&format!("faults = [{{ {text} }}]")).faults(8883), [fault.clone().into()], "{text}");
    }
}

#[test]
fn a_resolver_can_change_its_mind_and_take_its_time() {
    let network = parsed("resolver_first = ['servfail', 'silent']\nresolver_after_ms = 30\nsntp_after_ms = 7");
    let answers = network.answers(&[]);
    assert_eq!(
        answers.iter().map(|answer| &answer.what).collect::<Vec<_>>(),
        [&Resolution::ServFail, &Resolution::Silence, &Resolution::Addresses(Vec::new())]
    );
    assert!(answers.iter().all(|answer| answer.after == 30 * MS));
    assert_eq!(network.sntp_after(), 7 * MS);
    let step = parsed("sntp_offset_s = 60\nsntp_steps_at_ms = 900").sntp_answer();
    assert_eq!(step, SntpAnswer::Step { at: Instant::from_millis(900), by_seconds: 60 });
    for line in ["sntp_steps_at_ms = 5", "sntp = 'silent'\nsntp_offset_s = 1\nsntp_steps_at_ms = 5"] {
        assert!(refused(line).message.contains("steps"), "{line}");
    }
}

#[test]
fn every_moment_of_a_cut_can_be_said() {
    let finished = Message { direction: FromDevice, kind: MessageKind::Finished };
    let connack = Message { direction: ToDevice, kind: MessageKind::Connack };
    for (text, when) in [
        ("when = 'syn'", Trigger::Syn),
        ("when = 'accepted'", Trigger::Accepted),
        ("when = { passed = { from = 'broker', bytes = 9 } }", Trigger::Passed { direction: ToDevice, bytes: 9 }),
        ("from = 'broker', after_bytes = 9", Trigger::Passed { direction: ToDevice, bytes: 9 }),
        ("when = { first_data = 'device' }", Trigger::FirstData(FromDevice)),
        ("when = { age_ms = 8 }", Trigger::Age(8 * MS)),
        ("when = { idle_ms = 8 }", Trigger::Idle(8 * MS)),
        ("when = { at_ms = 8 }", Trigger::At(Instant::from_millis(8))),
        ("when = { before = 'device Finished' }", Trigger::Before(finished)),
        ("when = { after = 'CONNACK' }", Trigger::After(connack)),
        ("when = { after = 'broker CONNACK' }", Trigger::After(connack)),
    ] {
        let network = parsed(&format!("cut = {{ how = 'reset', {text} }}"));
        assert_eq!(network.cuts().collect::<Vec<_>>(), [Cut { how: Teardown::Reset, when }], "{text}");
    }
}

#[test]
fn every_fault_of_the_serial_line_can_be_said() {
    let (direction, per_million) = (FromDevice, 3);
    for (text, fault) in [
        ("flip = { from = 'device', at_byte = 4, flip = 2 }", SerialFault::Flip { direction, at_byte: 4, flip: 2 }),
        ("flip_rate = { from = 'device', per_million = 3 }", SerialFault::FlipRate { direction, per_million }),
        ("drop = { from = 'device', at_byte = 4, count = 2 }", SerialFault::Drop { direction, at_byte: 4, count: 2 }),
        ("drop_rate = { from = 'device', per_million = 3 }", SerialFault::DropRate { direction, per_million }),
    ] {
        assert_eq!(parsed(&format!("serial_faults = [{{ {text} }}]")).serial_faults(), [fault], "{text}");
    }
}

#[test]
fn a_fault_can_be_kept_to_a_port_and_to_connections() {
    for (text, port, connections) in [
        ("port = 8883", Some(8883), None),
        ("connections = 2", None, Some(2..=2)),
        ("port = 1, connections = [2, 3]", Some(1), Some(2..=3)),
    ] {
        let scoped: Vec<(Scope, Option<RangeInclusive<u32>>)> =
            parsed(&format!("faults = [{{ {text}, cut = {{ how = 'fin', when = 'accepted' }} }}]"))
                .faults(9)
                .into_iter()
                .map(|one| (one.scope.clone(), one.scope.connections))
                .collect();
        assert_eq!(scoped, [(Scope { port, connections: connections.clone() }, connections)], "{text}");
    }
}

/// What people mistype: the line is named, and what would have been right.
#[test]
fn a_wrong_fault_is_refused_at_its_line() {
    for (text, words) in [
        ("{ loose = { from = 'device', per_mille = 7 } }", "lose_nth"),
        ("{ lose = { form = 'device', per_mille = 7 } }", "per_mille"),
        ("{ lose = { from = 'modem', per_mille = 7 } }", "`device` or `broker`"),
        ("{ lose = { from = 'device', per_mille = 1001 } }", "0 to 1000"),
        ("{ garble = { from = 'device', at_byte = 1, flip = 0 } }", "0 changes nothing"),
        ("{ segment = { bytes_max = 1 }, drip = { bytes = 1, every_ms = 1 } }", "one fault at a time"),
        ("{ connections = 1 }", "no fault is named"),
        ("{ cut = { how = 'reset' } }", "`when`"),
        ("{ cut = { how = 'reset', when = 'syn', after_bytes = 1 } }", "`when`"),
        ("{ cut = { how = 'reset', when = { before = 'Finished' } } }", "\"device Finished\""),
        ("{ cut = { how = 'reset', when = { before = 'device CONNACK' } } }", "\"CONNACK\""),
        ("{ cut = { how = 'reset', when = { before = 'CONACK' } } }", "CONNACK"),
    ] {
        let problem = refused(&format!("mtu_bytes = 1500\nfaults = [\n{text},\n]"));
        assert!(problem.message.contains(words), "{text}: {}", problem.message);
        assert_eq!(problem.line, 6, "{text}: {problem}");
    }
}

/// A cut at a message that nobody would see is refused with a way out.
#[test]
fn a_cut_has_to_be_seen() {
    let cut = |message: &str| format!("cut = {{ how = 'reset', when = {{ before = '{message}' }} }}");
    for (message, rest, words) in [
        ("broker Certificate", "", "sealed"),
        ("broker Finished", "", "sealed"),
        ("NewSessionTicket", "[device]\nversions = ['1.3']", "sealed"),
        ("ServerHello", "[broker]\ntls = false", "without TLS"),
        ("CONNACK", "[broker]\nreal = 'mosquitto'\n[mosquitto]\noptions = ['listener 8883']", "a real broker"),
    ] {
        let problem = refused(&format!("{}\n{rest}", cut(message)));
        assert!(problem.message.contains(words), "{message}: {problem}");
        assert_eq!(problem.line, 4, "{message}: {problem}");
    }
    for (message, rest) in [
        ("broker Certificate", "[broker]\nversions = ['1.2']"),
        ("broker Finished", "[device]\nversions = ['1.2']"),
        ("device Finished", ""),
        ("ServerHello", ""),
        ("CONNACK", "[broker]\ntls = false"),
    ] {
        parsed(&format!("{}\n{rest}", cut(message)));
    }
}

#[test]
fn short_forms_stand_for_entries_of_the_list() {
    let long = parsed(
        "faults = [
            { lose = { from = 'device', per_mille = 100 } },
            { delay = { from = 'device', by_ms = 5, jitter_ms = 2 } },
            { lose = { from = 'broker', per_mille = 100 } },
            { delay = { from = 'broker', by_ms = 5, jitter_ms = 2 } },
            { stall = { after_bytes = 0, for_ms = 30 }, port = 8883 },
        ]",
    );
    let short = parsed("loss_percent = 10\ndelay_ms = 5\njitter_ms = 2\nhold_ms = 30");
    assert_eq!(short.faults(8883), long.faults(8883));
    assert_eq!(
        parsed("serial_damage = { from = 'broker', one_in_bytes = 5_000 }").serial_faults(),
        parsed("serial_faults = [{ flip_rate = { from = 'broker', per_million = 200 } }]").serial_faults()
    );
}
