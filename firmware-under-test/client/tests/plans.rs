//! Plans, enacted in virtual time against a LAN that lives in the same thread.

#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use std::net::IpAddr;

use clock::{Instant, UnixTime};
use control::{Act, Clock, Order, Plan, Report, Tls, Will};
use network::{
    Action, Answer, Cut, Direction, Dns, Fault, LanConfig, Listener, Port, Resolution, Scope, Sntp, SntpAnswer,
    Teardown, Trigger,
};
use wire::mqtt::{ConnAck, ConnectCode, Packet};
use world::{Broker, lan, plan, run, send, story, well_behaved};

const DNS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 53));

fn failure(world: &world::World) -> String {
    story(world).into_iter().find(|line| line.starts_with("failed")).unwrap_or_default()
}

fn at_ms(world: &world::World, wanted: &str) -> u32 {
    let told = world.reports.iter().zip(story(world)).find(|(_, line)| line.starts_with(wanted));
    match told {
        Some((Report::Failed(failure), _)) => failure.at_ms,
        Some((Report::Stage { at_ms, .. } | Report::Done { at_ms, .. }, _)) => *at_ms,
        other => panic!("{wanted}: {other:?}"),
    }
}

#[test]
fn everything_once() {
    let mut plan = plan();
    plan.broker_host = "broker.test".into();
    plan.clock = Clock::Set(1_700_000_000);
    plan.heap_cap_bytes = Some(50_000);
    plan.mqtt.will = Some(Will { topic: "will".into(), payload: "gone".into(), qos: 1, retain: true });
    plan.mqtt.keep_alive_s = 4;
    plan.mqtt.acts = vec![
        Act::Subscribe { topic: "news".into(), qos: 1 },
        Act::Await { messages: 1 },
        Act::Publish { topic: "a".into(), payload: "x".into(), qos: 0 },
        Act::Publish { topic: "b".into(), payload: "y".into(), qos: 1 },
        Act::Idle { ms: 10_000 },
    ];
    let config =
        LanConfig { dns: Some(Dns::new(vec![DNS]).with("broker.test", vec![[192, 0, 2, 10].into()])), ..lan() };
    let world = run(plan, config, well_behaved);
    assert_eq!(
        story(&world),
        [
            "hello",
            "configured",
            "clock",
            "resolve",
            "connect",
            "login",
            "connack 0 false",
            "subscribe",
            "exchange",
            "message news 4 qos 1",
            "keep-alive",
            "goodbye",
            "done true 4711 2",
        ]
    );
    // A ping after each 3 s of the 4 s that were promised.
    assert_eq!(
        world.broker().heard,
        [
            "Connect",
            "Subscribe",
            "PubAck",
            "Publish a qos 0",
            "Publish b qos 1",
            "PingReq",
            "PingReq",
            "PingReq",
            "Disconnect"
        ]
    );
    assert_eq!(world.calendar, Some(1_700_000_000));
    assert_eq!(world.cap_bytes, Some(50_000));
    assert!((10_000..10_100).contains(&(at_ms(&world, "goodbye") - at_ms(&world, "keep-alive"))));
}

#[test]
fn orders_that_make_no_sense_are_refused_and_the_next_is_taken() {
    let order = |plan: Plan| Order::Run(plan).to_json().expect("plans can be written");
    let network = |network| order(Plan { network, ..plan() });
    let usual = plan().network;
    let orders = [
        b"{\"order\":\"dance\"}".to_vec(),
        network(control::Network { ipv4: [224, 0, 0, 1].into(), ..usual.clone() }),
        network(control::Network { ipv6: Some("::".parse().expect("an address")), ..usual.clone() }),
        network(control::Network { mtu_bytes: 20, ..usual }),
        order(plan()),
    ];
    let mut world = world::World::new(lan(), Broker::new(well_behaved), orders);
    client::serve(&mut world, &mut world::ToyTls, client::Identity { image: "test", version: "0" });
    let story = story(&world);
    assert_eq!(story[..6], ["hello", "refused", "refused", "refused", "refused", "configured"]);
    assert_eq!(story.last().map(String::as_str), Some("done true 4711 2"));
}

#[test]
fn names_that_do_not_resolve_say_why() {
    let mut plan = plan();
    plan.broker_host = "broker.test".into();
    let dns = |what| LanConfig { dns: Some(Dns { otherwise: Answer::new(what), ..Dns::new(vec![DNS]) }), ..lan() };
    let outcome = |config| failure(&run(plan.clone(), config, well_behaved));
    assert_eq!(outcome(dns(Resolution::NxDomain)), "failed at resolve: no_address 0 DNS_NXDOMAIN");
    assert_eq!(outcome(dns(Resolution::ServFail)), "failed at resolve: no_address 2 DNS_SERVER_FAILURE");
    assert_eq!(outcome(dns(Resolution::Addresses(vec![]))), "failed at resolve: no_address 0 DNS_NO_ADDRESS");
    assert_eq!(outcome(dns(Resolution::Truncated)), "failed at resolve: no_address 0 DNS_TRUNCATED");
    let forged = Resolution::WrongId(vec![[192, 0, 2, 10].into()]);
    assert_eq!(outcome(dns(forged)), "failed at resolve: timed_out 0 DNS_TIMED_OUT");
    assert_eq!(outcome(lan()), "failed at resolve: timed_out 0 DNS_TIMED_OUT");
}

#[test]
fn connections_that_fail_say_why_and_when() {
    let refused = LanConfig { listeners: vec![], ..lan() };
    let world = run(plan(), refused, well_behaved);
    assert_eq!(failure(&world), "failed at connect: peer_reset 0 CONNECT_REFUSED");
    let listener = Listener { state: Port::Dropped, ..Listener::service(1883) };
    let world = run(plan(), LanConfig { listeners: vec![listener], ..lan() }, well_behaved);
    assert_eq!(failure(&world), "failed at connect: timed_out 0 CONNECT_TIMED_OUT");
    assert_eq!(at_ms(&world, "failed") - at_ms(&world, "connect"), 10_000);
    let fault = Fault::Cut(Cut { when: Trigger::Accepted, how: Teardown::Reset }).within(Scope::default());
    let world = run(plan(), LanConfig { faults: vec![fault], ..lan() }, well_behaved);
    assert_eq!(failure(&world), "failed at login: peer_reset 0 CONNECTION_RESET");
}

#[test]
fn the_clock_comes_from_sntp_or_the_plan_fails() {
    let mut plan = plan();
    plan.clock = Clock::Sntp("192.0.2.123".into());
    let world = |answer| {
        let sntp = Sntp { answer, ..Sntp::new(vec![[192, 0, 2, 123].into()], UnixTime::from_seconds(1_800_000_000)) };
        run(plan.clone(), LanConfig { sntp: Some(sntp), ..lan() }, well_behaved)
    };
    assert_eq!(world(SntpAnswer::Truth).calendar, Some(1_800_000_000));
    assert_eq!(failure(&world(SntpAnswer::Silence)), "failed at clock: timed_out 0 SNTP_TIMED_OUT");
    assert_eq!(failure(&world(SntpAnswer::Stranger)), "failed at clock: timed_out 0 SNTP_TIMED_OUT");
    assert_eq!(failure(&world(SntpAnswer::KissOfDeath(*b"DENY"))), "failed at clock: peer_refused 0 SNTP_REFUSED");
    assert_eq!(failure(&world(SntpAnswer::Unsynchronised)), "failed at clock: peer_refused 0 SNTP_UNSYNCHRONISED");
}

#[test]
fn brokers_that_misbehave_are_told_apart() {
    let mut plan = plan();
    plan.mqtt.acts = vec![Act::Publish { topic: "b".into(), payload: "y".into(), qos: 1 }];
    let outcome = |answer| failure(&run(plan.clone(), lan(), answer));
    assert_eq!(
        outcome(|_, _| vec![send(&Packet::ConnAck(ConnAck {
            session_present: false,
            code: ConnectCode::NOT_AUTHORIZED
        }))]),
        "failed at login: peer_refused 5 CONNACK_REFUSED"
    );
    assert_eq!(outcome(|_, _| vec![]), "failed at login: timed_out 0 REPLY_TIMED_OUT");
    assert_eq!(outcome(|_, _| vec![Action::Close]), "failed at login: peer_closed 0 CONNECTION_CLOSED");
    assert_eq!(outcome(|_, _| vec![Action::Reset]), "failed at login: peer_reset 0 CONNECTION_RESET");
    assert_eq!(outcome(|_, _| vec![send(&Packet::PingResp)]), "failed at login: refused 0 UNEXPECTED_PACKET");
    assert_eq!(
        outcome(|_, _| vec![Action::Send(vec![0x20, 3, 0, 0, 0])]),
        "failed at login: refused 0 MALFORMED_PACKET"
    );
    assert_eq!(
        outcome(|_, _| vec![Action::Send(vec![0x30, 0xff, 0xff, 0x7f])]),
        "failed at login: refused 0 PACKET_TOO_LARGE"
    );
    let no_puback = |broker: &mut Broker, packet: &Packet<'_>| match packet {
        Packet::Publish(_) => vec![],
        packet => well_behaved(broker, packet),
    };
    assert_eq!(outcome(no_puback), "failed at exchange: timed_out 0 REPLY_TIMED_OUT");
}

#[test]
fn a_lost_message_is_sent_again_after_the_reconnect() {
    let mut plan = plan();
    plan.mqtt.clean_session = false;
    plan.reconnects = 3;
    plan.mqtt.acts = vec![
        Act::Subscribe { topic: "news".into(), qos: 1 },
        Act::Await { messages: 1 },
        Act::Publish { topic: "b".into(), payload: "y".into(), qos: 1 },
    ];
    let world = run(plan, lan(), |broker, packet| match packet {
        Packet::Publish(_) if broker.connections == 1 => vec![Action::Close],
        packet => well_behaved(broker, packet),
    });
    let heard = &world.broker().heard;
    assert_eq!(heard[..4], ["Connect", "Subscribe", "PubAck", "Publish b qos 1"]);
    // The session was not kept, so the subscription is renewed too.
    let again = heard.iter().skip(4).filter(|line| *line != "Fin").collect::<Vec<_>>();
    assert_eq!(again, ["Connect", "Subscribe", "Publish b qos 1 again", "PubAck", "Disconnect"]);
    assert_eq!(story(&world).last().map(String::as_str), Some("done true 4711 2"));
}

#[test]
fn pauses_between_attempts_double() {
    let mut plan = plan();
    plan.reconnects = 3;
    let world = run(plan, LanConfig { listeners: vec![], ..lan() }, well_behaved);
    let connects: Vec<u32> = world
        .reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage: outcome::Stage::Connect, at_ms } => Some(*at_ms),
            _ => None,
        })
        .collect();
    let pauses: Vec<u32> = connects.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
    assert_eq!(pauses, [1, 2, 4]);
    assert_eq!(story(&world).iter().filter(|line| line.starts_with("failed")).count(), 4);
    assert_eq!(story(&world).last().map(String::as_str), Some("done false 4711 2"));
}

#[test]
fn a_broker_that_goes_silent_is_noticed_by_the_ping() {
    let mut plan = plan();
    plan.mqtt.keep_alive_s = 10;
    plan.mqtt.acts = vec![Act::Idle { ms: 60_000 }];
    let fault = Fault::Outage { from: Instant::from_millis(5_000), until: None }.within(Scope::default());
    let world = run(plan, LanConfig { faults: vec![fault], ..lan() }, well_behaved);
    assert_eq!(failure(&world), "failed at keep-alive: timed_out 0 REPLY_TIMED_OUT");
    let (start, end) = (at_ms(&world, "keep-alive"), at_ms(&world, "failed"));
    assert_eq!((end - start) / 100, 125, "7.5 s to the ping, 5 s to give up");
}

#[test]
fn the_handshake_is_told_stage_by_stage() {
    let mut plan = plan();
    plan.tls = Some(Tls::default());
    // The toy's handshake is no MQTT: its first byte stays in the decoder, and nobody answers.
    let world = run(plan.clone(), lan(), well_behaved);
    assert_eq!(failure(&world), "failed at hello: timed_out 0 HANDSHAKE_TIMED_OUT");
    plan.tls = Some(Tls { server_name: Some("impossible".into()), ..Tls::default() });
    let world = run(plan, lan(), well_behaved);
    assert_eq!(failure(&world), "failed at clock: tls -1 TOY_CANNOT");
    assert_eq!(world.broker().connections, 0);
}

#[test]
fn who_wants_an_authority_greets_nobody_without_one() {
    let outcome = |tls| {
        let mut plan = plan();
        plan.tls = Some(Tls { requires_authority: true, ..tls });
        let world = run(plan, lan(), well_behaved);
        (failure(&world), world.broker().connections)
    };
    assert_eq!(outcome(Tls::default()), ("failed at connect: refused 0 AUTHORITY_MISSING".into(), 1));
    // The toy's handshake goes wrong in its own way.
    let greets = ("failed at hello: timed_out 0 HANDSHAKE_TIMED_OUT".to_owned(), 1);
    assert_eq!(outcome(Tls { authorities: Some(control::Blob::Pem("x".into())), ..Tls::default() }), greets);
    assert_eq!(outcome(Tls { verify: control::Verify::None, ..Tls::default() }), greets);
    assert_eq!(outcome(Tls { trust: control::Trust::SelfSigned, ..Tls::default() }), greets);
}

#[test]
fn ipv6_literals_and_names_are_dialled() {
    let broker: IpAddr = "2001:db8::10".parse().expect("an address");
    let mut plan = plan();
    plan.network.ipv6 = Some("2001:db8::2".parse().expect("an address"));
    plan.network.ipv6_gateway = Some("2001:db8::1".parse().expect("an address"));
    for host in ["2001:db8::10", "[2001:db8::10]", "six.test"] {
        plan.broker_host = host.into();
        let config = LanConfig {
            addresses: vec![broker],
            dns: Some(Dns::new(vec![DNS]).with("six.test", vec![broker])),
            ..lan()
        };
        let world = run(plan.clone(), config, well_behaved);
        assert_eq!(story(&world).last().map(String::as_str), Some("done true 4711 2"), "{host}");
    }
}

#[test]
fn a_bad_network_is_survived() {
    let mut plan = plan();
    plan.mqtt.acts =
        (0..20).map(|n| Act::Publish { topic: format!("t{n}"), payload: "y".repeat(700), qos: 1 }).collect();
    plan.reply_timeout_ms = 60_000;
    let faults = [Direction::FromDevice, Direction::ToDevice]
        .into_iter()
        .flat_map(|direction| {
            [
                Fault::Lose { direction, per_mille: 100 },
                Fault::Duplicate { direction, per_mille: 100 },
                Fault::FlipBit { direction, per_mille: 50 },
            ]
        })
        .map(|fault| fault.within(Scope::default()))
        .collect();
    let world = run(plan, LanConfig { faults, ..lan() }, well_behaved);
    assert_eq!(story(&world).last().map(String::as_str), Some("done true 4711 2"));
}
