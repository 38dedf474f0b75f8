//! TCP through the LAN, without faults.

mod device;

use clock::Instant;
use device::{Bench, Client, Scripted, broker, broker_v6, config, pattern};
use network::{Action, Close, ConnectionId, Happening};
use std::net::SocketAddr;

fn echo() -> Scripted {
    Scripted { echo: true, ..Scripted::default() }
}

fn transfers_both_ways(to: SocketAddr) {
    let mut bench = Bench::new(config(), 1, echo());
    let mut client = Client::new(&mut bench.device, to, pattern(100_000), 100_000);
    let ended = bench.run(Instant::from_millis(60_000), |device, _, now| client.act(device, now));
    assert!(ended, "the transfer did not end: {} bytes came back", client.received.len());
    assert_eq!(client.received, pattern(100_000));
    let service = bench.lan.service();
    assert_eq!(service.received, pattern(100_000));
    assert_eq!(service.connected, [(ConnectionId(1), to)]);
    assert_eq!(service.closed, [(ConnectionId(1), Close::Fin)]);
}

#[test]
fn a_hundred_kilobytes_there_and_back() {
    transfers_both_ways(broker());
}

#[test]
fn a_hundred_kilobytes_there_and_back_over_ipv6() {
    transfers_both_ways(broker_v6());
}

#[test]
fn a_port_without_a_listener_is_refused() {
    let mut bench = Bench::new(config(), 1, echo());
    let to = SocketAddr::new(broker().ip(), 1883);
    let mut client = Client::new(&mut bench.device, to, Vec::new(), 1);
    assert!(bench.run(Instant::from_millis(1_000), |device, _, now| client.act(device, now)));
    assert!(!client.was_open);
    let events = bench.lan.take_events();
    assert_eq!(events.iter().map(|event| &event.what).collect::<Vec<_>>(), [&Happening::Refused { local: to }]);
}

#[test]
fn each_send_of_the_service_is_a_segment_of_its_own() {
    let greeting = [&b"one"[..], b"two", b"three"].map(|bytes| Action::Send(bytes.to_vec()));
    let service = Scripted { greeting: greeting.to_vec(), ..Scripted::default() };
    let mut bench = Bench::new(config(), 1, service);
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), 11);
    assert!(bench.run(Instant::from_millis(30_000), |device, _, now| client.act(device, now)));
    assert_eq!(client.received, b"onetwothree");
    let payloads: Vec<Vec<u8>> = bench
        .lan
        .take_tap()
        .into_iter()
        .filter(|tapped| tapped.direction == network::Direction::ToDevice)
        .map(|tapped| tapped.packet[20 + usize::from(tapped.packet[32] >> 4) * 4..].to_vec())
        .filter(|payload| !payload.is_empty())
        .collect();
    assert_eq!(payloads, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
}

#[test]
fn several_connections_to_one_port_at_a_time() {
    let mut bench = Bench::new(config(), 1, echo());
    let mut clients: Vec<Client> =
        (0..8).map(|_| Client::new(&mut bench.device, broker(), pattern(5_000), 5_000)).collect();
    let ended = bench.run(Instant::from_millis(60_000), |device, _, now| {
        clients.iter_mut().filter_map(|client| (!client.act(device, now)).then_some(())).count() == 0
    });
    assert!(ended);
    assert!(clients.iter().all(|client| client.received == pattern(5_000)));
    assert_eq!(bench.lan.service().connected.len(), 8);
    // Nothing is remembered once TIME-WAIT is over on both sides.
    bench.run(Instant::from_millis(120_000), |_, _, _| false);
    assert_eq!(bench.lan.connections(), 0);
}
