//! Plans that go through a modem's socket, in virtual time.

#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use control::{Act, Link, Modem, ModemReader, Plan};
use network::{Action, LostBytes, ModemConfig, OnClose, OnData, OnOpen, OnSend, Stall};
use wire::mqtt::{ConnAck, ConnectCode, Delivery, Packet, Publish};
use world::{Broker, World, plan, run_with_modem, send, story, well_behaved};

/// Publishes once with quality of service 1, by name, through a modem that is read like this.
fn modem_plan(reader: ModemReader) -> Plan {
    let mut plan = plan();
    plan.broker_host = "broker.test".into();
    plan.link = Link::Modem(Modem { reader });
    plan.mqtt.acts = vec![Act::Publish { topic: "a".into(), payload: "x\u{1a}\u{1b}>y".into(), qos: 1 }];
    plan
}

fn ending(world: &World) -> String {
    let story = story(world);
    story.iter().rev().find(|line| line.starts_with("failed")).or(story.last()).cloned().unwrap_or_default()
}

/// A broker that refuses the login and closes.
fn refuses(_: &mut Broker, packet: &Packet<'_>) -> Vec<Action> {
    match packet {
        Packet::Connect(_) => {
            let code = ConnectCode::NOT_AUTHORIZED;
            vec![send(&Packet::ConnAck(ConnAck { session_present: false, code })), Action::Fin]
        }
        _ => vec![],
    }
}

/// A broker whose message looks like a modem's answers.
fn teases(broker: &mut Broker, packet: &Packet<'_>) -> Vec<Action> {
    let mut actions = well_behaved(broker, packet);
    if matches!(packet, Packet::Subscribe(_)) {
        let payload = b"\r\nOK\r\n\r\n+IPCLOSE: 0,1\r\n\r\n>\r\nERROR\r\n";
        let delivery = Delivery::AtMostOnce;
        actions.push(send(&Packet::Publish(Publish { topic: "t", payload, delivery, retain: false })));
    }
    actions
}

/// What a modem does otherwise than a good one, and its name.
type Change = (&'static str, fn(&mut ModemConfig));

#[test]
fn both_readers_get_through_a_good_modem() {
    for reader in [ModemReader::Correct, ModemReader::LosesOnClose] {
        let world = run_with_modem(modem_plan(reader), |_| {}, well_behaved);
        let expected = [
            "hello",
            "configured",
            "clock",
            "connect",
            "login",
            "connack 0 false",
            "exchange",
            "goodbye",
            "done true 4711 2",
        ];
        assert_eq!(story(&world), expected, "{reader:?} {:?}", world.remarks);
        assert_eq!(world.broker().heard, ["Connect", "Publish a qos 1", "Disconnect"]);
    }
}

#[test]
fn a_close_amid_the_answer_costs_one_reader_the_connack() {
    for change in
        [|_: &mut ModemConfig| {}, |config: &mut ModemConfig| config.behaviour.on_close = OnClose::BeforeAnAnswer]
    {
        let world = run_with_modem(modem_plan(ModemReader::Correct), change, refuses);
        assert!(story(&world).contains(&"connack 5 false".into()), "{:?}", story(&world));
        assert_eq!(ending(&world), "failed at login: peer_refused 5 CONNACK_REFUSED");
        let world = run_with_modem(modem_plan(ModemReader::LosesOnClose), change, refuses);
        assert_eq!(ending(&world), "failed at login: peer_reset 0 CONNECTION_RESET");
        assert_eq!(world.remarks, ["modem: no `+CIPRXGET: 2` in \"\\r\\n+IPCLOSE: 0,1\\r\\n\""]);
    }
}

#[test]
fn data_that_looks_like_answers_is_data() {
    let mut plan = modem_plan(ModemReader::Correct);
    plan.mqtt.acts = vec![Act::Subscribe { topic: "t".into(), qos: 1 }, Act::Await { messages: 2 }];
    let world = run_with_modem(plan, |_| {}, teases);
    assert!(story(&world).contains(&"message t 35 qos 0".into()), "{:?}", story(&world));
    assert_eq!(ending(&world), "done true 4711 2");
}

#[test]
fn the_correct_reader_lives_with_what_modems_do() {
    let changes: [Change; 8] = [
        ("notices lost", |config| config.behaviour.on_data = OnData::Silence),
        ("notices twice", |config| config.behaviour.on_data = OnData::TellsTwice),
        ("echo", |config| config.behaviour.echoes = true),
        ("partial sends", |config| config.behaviour.on_send = OnSend::TakesAtMost(7)),
        ("no prompt", |config| config.behaviour.on_send = OnSend::NoPrompt),
        ("short reads", |config| config.behaviour.read_bytes_max = 3),
        ("short sends", |config| config.behaviour.send_bytes_max = 1_500),
        ("a short stall", |config| {
            config.behaviour.stall = Some(Stall { after_bytes: 2, ms: 3_000 });
        }),
    ];
    for (what, change) in changes {
        let world = run_with_modem(modem_plan(ModemReader::Correct), change, well_behaved);
        assert_eq!(ending(&world), "done true 4711 2", "{what}: {:?} {:?}", story(&world), world.remarks);
        assert_eq!(world.broker().heard, ["Connect", "Publish a qos 1", "Disconnect"], "{what}");
    }
}

#[test]
fn what_modems_break_is_told() {
    let changes: [Change; 5] = [
        ("failed at connect: no_address 0 MODEM_REFUSED", |config| config.behaviour.on_open = OnOpen::Error),
        ("failed at connect: timed_out 0 MODEM_TIMED_OUT", |config| config.behaviour.on_open = OnOpen::Silence),
        // CONNACK is 20 02 00 00: what is left of it begins a packet of no length.
        ("failed at login: refused 0 MALFORMED_PACKET", |config| {
            config.behaviour.loses = Some(LostBytes { at_byte: 1, count: 2 })
        }),
        ("failed at exchange: peer_reset 0 CONNECTION_RESET", |config| {
            config.behaviour.network_closes_after_bytes = Some(4)
        }),
        ("failed at exchange: peer_reset 0 CONNECTION_RESET", |config| {
            config.behaviour.stall = Some(Stall { after_bytes: 4, ms: 30_000 });
        }),
    ];
    for (expected, change) in changes {
        let world = run_with_modem(modem_plan(ModemReader::Correct), change, well_behaved);
        assert_eq!(ending(&world), expected, "{:?}", world.remarks);
    }
    let mut plan = modem_plan(ModemReader::Correct);
    plan.broker_host = "nobody.test".into();
    // SIMCom's manual, "Description of <err>": DNS parse failed.
    assert_eq!(
        ending(&run_with_modem(plan, |_| {}, well_behaved)),
        "failed at connect: no_address 11 MODEM_OPEN_FAILED"
    );
}

#[test]
fn after_a_reset_the_next_attempt_starts_from_at_and_takes_a_free_link() {
    let mut plan = modem_plan(ModemReader::Correct);
    plan.reconnects = 1;
    let change = |config: &mut ModemConfig| {
        config.behaviour.resets_after_bytes = Some(4);
        config.behaviour.links_taken_after_reset = 1;
    };
    let world = run_with_modem(plan, change, well_behaved);
    let story = story(&world);
    assert!(story.contains(&"failed at exchange: peer_reset 0 CONNECTION_RESET".into()), "{story:?}");
    assert_eq!(story.last().map(String::as_str), Some("done true 4711 2"), "{:?}", world.remarks);
}
