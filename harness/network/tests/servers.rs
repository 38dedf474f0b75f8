//! DNS and SNTP, as a device's own client code meets them.

mod device;

use std::net::{IpAddr, Ipv4Addr};

use clock::{Duration, Instant, UnixTime};
use device::{BROKER, BROKER_V6, Bench, config};
use network::{Answer, Direction, Dns, Event, Family, Happening, LanConfig, Name, NoService, Resolution, Sntp, Tapped};
use smoltcp::socket::{dns, udp};
use smoltcp::wire::{DnsQueryType, IpAddress};

const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 53);
const TIME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 123);

fn zone() -> Dns {
    let addresses = vec![IpAddr::V4(BROKER), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 11)), IpAddr::V6(BROKER_V6)];
    let mut dns = Dns::new(vec![NAME_SERVER.into()]).with("Broker.Test.", addresses);
    let slow = Answer { after: Duration::from_millis(700), ..Answer::new(Resolution::Addresses(vec![BROKER.into()])) };
    let forged = Resolution::WrongId(vec![Ipv4Addr::new(6, 6, 6, 6).into()]);
    for (name, answers) in [
        ("slow.test", vec![slow]),
        ("broken.test", vec![Answer::new(Resolution::ServFail)]),
        ("silent.test", vec![Answer::new(Resolution::Silence)]),
        (
            "second-time-lucky.test",
            vec![Answer::new(Resolution::Silence), Answer::new(Resolution::Addresses(vec![BROKER.into()]))],
        ),
        ("forged.test", vec![Answer::new(forged)]),
    ] {
        dns.names.push(Name { name: name.into(), answers });
    }
    dns
}

/// Asks as smoltcp's resolver does, retransmissions and all; what it learned, when, and what the LAN noticed.
fn resolve(name: &str, kind: DnsQueryType) -> (Option<Vec<IpAddress>>, Instant, Vec<Event>) {
    let (learned, at, events, _) = resolve_on_tap(name, kind);
    (learned, at, events)
}

/// The same, with the packets that passed.
fn resolve_on_tap(name: &str, kind: DnsQueryType) -> (Option<Vec<IpAddress>>, Instant, Vec<Event>, Vec<Tapped>) {
    let mut bench = Bench::new(LanConfig { dns: Some(zone()), ..config() }, 1, NoService);
    let handle = bench.device.add(dns::Socket::new(&[NAME_SERVER.into()], vec![]));
    let device = &mut bench.device;
    let socket = device.sockets.get_mut::<dns::Socket<'_>>(handle);
    // The context is borrowed apart from the sockets.
    let query = {
        let mut moved = std::mem::replace(socket, dns::Socket::new(&[], vec![]));
        let query = moved.start_query(device.context(), name, kind).unwrap();
        *device.sockets.get_mut::<dns::Socket<'_>>(handle) = moved;
        query
    };
    let mut learned = None;
    bench.run(Instant::from_millis(30_000), |device, _, _| {
        match device.sockets.get_mut::<dns::Socket<'_>>(handle).get_query_result(query) {
            Ok(addresses) => {
                learned = Some(addresses.to_vec());
                true
            }
            Err(dns::GetQueryResultError::Pending) => false,
            Err(dns::GetQueryResultError::Failed) => true,
        }
    });
    (learned, bench.now, bench.lan.take_events(), bench.lan.take_tap())
}

#[test]
fn a_name_has_its_addresses_whatever_its_case() {
    // smoltcp keeps one address of an answer by default.
    let (learned, _, events) = resolve("bRoKer.test", DnsQueryType::A);
    assert_eq!(learned.map(|addresses| addresses[0]), Some(BROKER.into()));
    let Happening::Asked { name, family, answer } = &events[0].what else { panic!("{events:?}") };
    assert_eq!((name.as_str(), *family), ("bRoKer.test", Family::V4));
    assert_eq!(answer.to_string(), "192.0.2.10, 192.0.2.11, 2001:db8::10");
    let (learned, _, _) = resolve("broker.test", DnsQueryType::Aaaa);
    assert_eq!(learned, Some(vec![BROKER_V6.into()]));
}

#[test]
fn failures_are_told_at_once_and_silence_is_not() {
    for name in ["unknown.test", "broken.test"] {
        let (learned, at, _) = resolve(name, DnsQueryType::A);
        assert_eq!(learned, None);
        assert!(at < Instant::from_millis(10), "{name}: {at}");
    }
    let (learned, at, events) = resolve("silent.test", DnsQueryType::A);
    assert_eq!(learned, None);
    assert!(at > Instant::from_millis(5_000), "{at}");
    assert!(events.len() > 1, "the resolver asks again");
}

#[test]
fn a_slow_answer_and_a_second_chance() {
    let (learned, at, _) = resolve("slow.test", DnsQueryType::A);
    assert_eq!((learned, at), (Some(vec![BROKER.into()]), Instant::from_micros(700_200)));
    let (learned, at, events) = resolve("second-time-lucky.test", DnsQueryType::A);
    assert_eq!(learned, Some(vec![BROKER.into()]));
    assert!(at > Instant::from_millis(500), "{at}");
    assert_eq!(events.len(), 2);
}

#[test]
fn a_forged_answer_is_not_believed() {
    let (learned, _, _, packets) = resolve_on_tap("forged.test", DnsQueryType::A);
    assert_eq!(learned, None);
    // Behind the headers of IPv4 and UDP, 28 bytes, a DNS message begins with its identifier (RFC 1035 §4.1.1).
    let id = |packet: &Tapped| packet.packet.get(28..30).map(<[u8]>::to_vec).expect("a DNS message");
    let question = packets.iter().find(|packet| packet.direction == Direction::FromDevice).expect("it asked");
    let forged: Vec<&Tapped> = packets
        .iter()
        .filter(|packet| packet.direction == Direction::ToDevice && holds(packet, [6, 6, 6, 6]))
        .collect();
    // It came, it was an answer to the very name, and nothing but its identifier was wrong.
    assert!(!forged.is_empty(), "the forged answer was never sent: {packets:?}");
    assert!(forged.iter().all(|answer| id(answer) != id(question)));
    let (learned, _, _, packets) = resolve_on_tap("slow.test", DnsQueryType::A);
    let honest = packets.iter().find(|packet| packet.direction == Direction::ToDevice).expect("an answer");
    let question = packets.iter().find(|packet| packet.direction == Direction::FromDevice).expect("it asked");
    assert_eq!((learned, id(honest)), (Some(vec![BROKER.into()]), id(question)));
}

/// Whether an address stands in a packet behind its IP header.
fn holds(packet: &Tapped, address: [u8; 4]) -> bool {
    packet.packet.get(20..).is_some_and(|rest| rest.windows(4).any(|window| window == address))
}

#[test]
fn the_time_is_told_with_its_fraction() {
    let sntp = Sntp::new(vec![TIME_SERVER.into()], UnixTime::from_seconds(1_767_225_600));
    let mut bench = Bench::new(LanConfig { sntp: Some(sntp), ..config() }, 1, NoService);
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 1_000]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(40_000).unwrap();
    let mut question = [0; 48];
    question[0] = 4 << 3 | 3;
    let handle = bench.device.add(socket);
    bench.run(Instant::from_millis(1_249), |_, _, _| false);
    bench.now = Instant::from_micros(1_249_900);
    let socket = bench.device.sockets.get_mut::<udp::Socket<'_>>(handle);
    socket.send_slice(&question, (IpAddress::from(TIME_SERVER), 123)).unwrap();
    let mut answer = Vec::new();
    assert!(bench.run(Instant::from_millis(2_000), |device, _, _| {
        let socket = device.sockets.get_mut::<udp::Socket<'_>>(handle);
        socket.recv().map(|(bytes, _)| answer = bytes.to_vec()).is_ok()
    }));
    // Asked 100 µs before 1.25 s, and the line takes as long: 2026-01-01T00:00:01.25Z.
    assert_eq!(answer[40..48], (0xed00_3781_4000_0000_u64).to_be_bytes());
}
