//! What a network does to streams: broken at the byte, trickling, stalled, garbled, deaf.

mod device;

use clock::{Duration, Instant};
use device::{Bench, Client, PORT, Scripted, broker, config, pattern};
use network::Direction::{FromDevice, ToDevice};
use network::{
    Action, Close, ConnectionId, Cut, Direction, Fault, Happening, LanConfig, Listener, Message, MessageKind, Port,
    Scope, ScopedFault, Tapped, Teardown, Trigger,
};
use smoltcp::socket::tcp::State;
use smoltcp::wire::{Ipv4Packet, TcpPacket};

type World = Bench<Scripted>;

fn bench(faults: Vec<ScopedFault>, service: Scripted) -> World {
    Bench::new(LanConfig { faults, ..config() }, 1, service)
}

fn broken(when: Trigger, how: Teardown) -> Vec<ScopedFault> {
    vec![Fault::Cut(Cut { when, how }).into()]
}

/// A service that says `count` bytes once connected.
fn says(count: usize) -> Scripted {
    Scripted { greeting: vec![Action::Send(pattern(count))], ..Scripted::default() }
}

/// A service that answers the first bytes with `count` bytes.
fn answers(count: usize) -> Scripted {
    Scripted { answer: vec![Action::Send(pattern(count))], ..Scripted::default() }
}

fn run_for(bench: &mut World, client: &mut Client, until_ms: u64) -> State {
    bench.run(Instant::from_millis(until_ms), |device, _, now| client.act(device, now));
    bench.device.tcp(client.handle).state()
}

struct Segment {
    at: Instant,
    direction: Direction,
    payload_bytes: usize,
    fin: bool,
    rst: bool,
    source_port: u16,
}

/// The TCP segments on the tap.
fn segments(tap: Vec<Tapped>) -> Vec<Segment> {
    let parse = |tapped: Tapped| {
        let ip = Ipv4Packet::new_checked(&tapped.packet[..]).unwrap();
        let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
        Segment {
            at: tapped.at,
            direction: tapped.direction,
            payload_bytes: tcp.payload().len(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            source_port: tcp.src_port(),
        }
    };
    tap.into_iter().map(parse).collect()
}

#[test]
fn fin_at_every_sort_of_byte_of_the_service() {
    for bytes in [1, 2, 5, 100, 1_459, 1_460, 1_461, 4_000] {
        let fault = broken(Trigger::Passed { direction: ToDevice, bytes }, Teardown::Fin);
        let mut bench = bench(fault, says(10_000));
        let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
        let state = run_for(&mut bench, &mut client, 5_000);
        assert_eq!(state, State::CloseWait, "at {bytes}");
        assert_eq!(client.received, pattern(bytes as usize));
        assert_eq!(bench.lan.service().closed, [(ConnectionId(1), Close::Reset)]);
    }
}

#[test]
fn reset_at_every_sort_of_byte_of_the_service() {
    for bytes in [1, 5, 1_460, 1_461, 4_000] {
        let fault = broken(Trigger::Passed { direction: ToDevice, bytes }, Teardown::Reset);
        let mut bench = bench(fault, says(10_000));
        let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
        assert_eq!(run_for(&mut bench, &mut client, 5_000), State::Closed);
        let segments = segments(bench.lan.take_tap());
        let passed: usize =
            segments.iter().filter(|segment| segment.direction == ToDevice).map(|segment| segment.payload_bytes).sum();
        assert_eq!(passed as u64, bytes);
        assert!(segments.last().is_some_and(|last| last.rst && last.direction == ToDevice));
    }
}

#[test]
fn reset_at_a_byte_of_the_device() {
    for bytes in [1, 100, 1_460, 3_000] {
        let fault = broken(Trigger::Passed { direction: FromDevice, bytes }, Teardown::Reset);
        let mut bench = bench(fault, Scripted::default());
        let mut client = Client::new(&mut bench.device, broker(), pattern(10_000), usize::MAX);
        assert_eq!(run_for(&mut bench, &mut client, 5_000), State::Closed);
        assert_eq!(bench.lan.service().received, pattern(bytes as usize));
        assert_eq!(bench.lan.service().closed, [(ConnectionId(1), Close::Reset)]);
    }
}

#[test]
fn accepted_and_closed_at_once_by_half() {
    let mut bench = bench(broken(Trigger::Accepted, Teardown::Fin), says(100));
    let mut client = Client::new(&mut bench.device, broker(), pattern(300), usize::MAX);
    // The device's bytes are acknowledged, and nobody resets it.
    assert_eq!(run_for(&mut bench, &mut client, 5_000), State::CloseWait);
    assert_eq!(bench.device.tcp(client.handle).send_queue(), 0);
    assert!(client.received.is_empty());
    assert!(bench.lan.service().received.is_empty());
}

#[test]
fn accepted_and_closed_at_once_as_by_a_process() {
    let mut bench = bench(broken(Trigger::Accepted, Teardown::Close), says(100));
    let mut client = Client::new(&mut bench.device, broker(), pattern(300), usize::MAX);
    assert_eq!(run_for(&mut bench, &mut client, 5_000), State::Closed);
    let segments = segments(bench.lan.take_tap());
    let fin = segments.iter().position(|segment| segment.fin && segment.direction == ToDevice);
    let rst = segments.iter().position(|segment| segment.rst && segment.direction == ToDevice);
    assert!(fin.is_some() && fin < rst, "FIN at {fin:?}, RST at {rst:?}");
}

#[test]
fn reset_after_the_hello_is_heard_before() {
    let mut bench = bench(broken(Trigger::FirstData(FromDevice), Teardown::Reset), answers(100));
    let mut client = Client::new(&mut bench.device, broker(), pattern(300), usize::MAX);
    assert_eq!(run_for(&mut bench, &mut client, 5_000), State::Closed);
    assert_eq!(bench.lan.service().received, pattern(300));
    assert!(client.received.is_empty());
}

#[test]
fn a_closed_port_and_a_filtered_one() {
    let refused = Listener { state: Port::Closed, ..Listener::service(PORT) };
    let dropped = Listener { state: Port::Dropped, ..Listener::service(PORT) };
    for (listeners, faults, expected) in [
        (vec![refused], Vec::new(), State::Closed),
        (vec![dropped], Vec::new(), State::SynSent),
        (vec![Listener::service(PORT)], broken(Trigger::Syn, Teardown::Reset), State::Closed),
        (vec![Listener::service(PORT)], broken(Trigger::Syn, Teardown::BlackHole), State::SynSent),
    ] {
        let mut bench = Bench::new(LanConfig { listeners, faults, ..config() }, 1, Scripted::default());
        let mut client = Client::new(&mut bench.device, broker(), Vec::new(), 1);
        assert_eq!(run_for(&mut bench, &mut client, 30_000), expected);
        let answers = segments(bench.lan.take_tap()).into_iter().filter(|segment| segment.direction == ToDevice);
        assert_eq!(answers.filter(|answer| answer.rst).count(), usize::from(expected == State::Closed));
        assert!(bench.lan.service().connected.is_empty());
    }
}

#[test]
fn only_the_first_attempt_is_refused() {
    let fault = Fault::Cut(Cut { when: Trigger::Syn, how: Teardown::Reset }).within(Scope::port(PORT).first(1));
    let mut bench = bench(vec![fault], says(5));
    let mut first = Client::new(&mut bench.device, broker(), Vec::new(), 5);
    assert_eq!(run_for(&mut bench, &mut first, 1_000), State::Closed);
    assert!(!first.was_open);
    let mut second = Client::new(&mut bench.device, broker(), Vec::new(), 5);
    run_for(&mut bench, &mut second, 2_000);
    assert_eq!(second.received, pattern(5));
    assert_eq!(bench.lan.service().connected, [(ConnectionId(2), broker())]);
}

#[test]
fn vanished_after_a_byte_and_the_next_connection_stands() {
    let fault = Fault::Cut(Cut { when: Trigger::Passed { direction: ToDevice, bytes: 700 }, how: Teardown::BlackHole });
    let mut bench = bench(vec![fault.within(Scope::port(PORT).first(1))], says(2_000));
    let mut first = Client::new(&mut bench.device, broker(), pattern(10), usize::MAX);
    assert_eq!(run_for(&mut bench, &mut first, 20_000), State::Established);
    assert_eq!(first.received, pattern(700));
    let broken_at = bench.lan.take_events().into_iter().find_map(|event| {
        let how = Teardown::BlackHole;
        (event.what == Happening::Cut { connection: ConnectionId(1), how }).then_some(event.at)
    });
    let tap = segments(bench.lan.take_tap());
    // What was on its way still arrives; then nothing, not even a reset in answer to the device's own packets.
    let later =
        tap.iter().filter(|segment| segment.direction == ToDevice && broken_at.is_none_or(|at| segment.at > at));
    assert_eq!(later.count(), 0);
    assert!(bench.lan.service().closed.is_empty(), "half-open: the service is not told");
    let mut second = Client::new(&mut bench.device, broker(), Vec::new(), 2_000);
    run_for(&mut bench, &mut second, 25_000);
    assert_eq!(second.received, pattern(2_000));
}

#[test]
fn a_nat_forgets_an_idle_connection() {
    let silence = Duration::from_secs(60);
    let mut bench = bench(broken(Trigger::Idle(silence), Teardown::BlackHole), says(10));
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
    run_for(&mut bench, &mut client, 50_000);
    // A sign of life, ten seconds early, starts the count again.
    bench.device.tcp(client.handle).send_slice(b"ping").unwrap();
    run_for(&mut bench, &mut client, 105_000);
    assert!(bench.lan.service().received == b"ping");
    run_for(&mut bench, &mut client, 115_000);
    bench.device.tcp(client.handle).send_slice(b"pong").unwrap();
    assert_eq!(run_for(&mut bench, &mut client, 125_000), State::Established);
    assert!(bench.lan.service().received == b"ping");
}

#[test]
fn one_byte_a_second() {
    let drip = Fault::Drip { bytes: 1, every: Duration::from_secs(1) };
    let mut bench = bench(vec![drip.into()], says(20));
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), 20);
    run_for(&mut bench, &mut client, 60_000);
    assert_eq!(client.received, pattern(20));
    let gaps = client.arrivals.windows(2).map(|pair| pair[1].0.since(pair[0].0));
    assert!(gaps.into_iter().all(|gap| gap == Duration::from_secs(1)));
    assert_eq!(client.arrivals.len(), 20);
}

#[test]
fn segments_of_one_byte() {
    let mut bench = bench(vec![Fault::Segment { bytes_max: 1 }.into()], says(3_000));
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), 3_000);
    run_for(&mut bench, &mut client, 60_000);
    assert_eq!(client.received, pattern(3_000));
    let segments = segments(bench.lan.take_tap());
    let down = segments.iter().filter(|segment| segment.direction == ToDevice && segment.payload_bytes > 0);
    assert!(down.clone().all(|segment| segment.payload_bytes == 1));
    assert_eq!(down.count(), 3_000);
}

#[test]
fn the_first_byte_of_the_answer_is_late() {
    for seconds in [5, 10, 20] {
        let stall = Fault::Stall { after_bytes: 0, pause: Duration::from_secs(seconds) };
        let mut bench = bench(vec![stall.into()], answers(3_000));
        let mut client = Client::new(&mut bench.device, broker(), pattern(200), 3_000);
        run_for(&mut bench, &mut client, 60_000);
        assert_eq!(client.received, pattern(3_000));
        let heard_at = bench.lan.service().received_at[0];
        assert_eq!(client.arrivals[0].0.since(heard_at), Duration::from_secs(seconds) + Duration::from_micros(100));
    }
}

#[test]
fn a_stall_in_the_middle_comes_after_its_byte() {
    let stall = Fault::Stall { after_bytes: 1_000, pause: Duration::from_secs(3) };
    let mut bench = bench(vec![stall.into()], says(3_000));
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), 3_000);
    run_for(&mut bench, &mut client, 60_000);
    assert_eq!(client.received, pattern(3_000));
    let early: usize = client.arrivals.iter().filter(|(at, _)| at.as_millis() < 3_000).map(|(_, count)| count).sum();
    assert_eq!(early, 1_000);
}

#[test]
fn one_garbled_byte_each_way() {
    let faults = [(ToDevice, 1_500, 0x01), (FromDevice, 7, 0x80)];
    let faults = faults.map(|(direction, at_byte, flip)| Fault::Garble { direction, at_byte, flip }.into());
    let mut bench = bench(faults.to_vec(), says(3_000));
    let mut client = Client::new(&mut bench.device, broker(), pattern(20), 3_000);
    run_for(&mut bench, &mut client, 60_000);
    let mut expected = pattern(3_000);
    expected[1_500] ^= 0x01;
    assert_eq!(client.received, expected);
    let mut expected = pattern(20);
    expected[7] ^= 0x80;
    assert_eq!(bench.lan.service().received, expected);
}

#[test]
fn a_service_that_stops_reading_closes_its_window() {
    let mut config = config();
    config.limits.window_bytes = 2_000;
    config.faults = vec![Fault::StopReading { after_bytes: 1_000 }.into()];
    let mut bench = Bench::new(config, 1, Scripted::default());
    let mut client = Client::new(&mut bench.device, broker(), pattern(50_000), usize::MAX);
    assert_eq!(run_for(&mut bench, &mut client, 60_000), State::Established);
    assert_eq!(bench.lan.service().received, pattern(1_000));
    // 1000 bytes read and 2000 in the window are acknowledged; the rest of what was written waits in the device.
    let device_buffer_bytes = 8 * 1024;
    let socket = bench.device.tcp(client.handle);
    assert_eq!(socket.send_queue(), device_buffer_bytes);
}

#[test]
fn the_actions_of_a_service_on_the_wire() {
    for (action, expected) in [
        (Action::Fin, State::CloseWait),
        (Action::Close, State::Closed),
        (Action::Reset, State::Closed),
        (Action::Vanish, State::Established),
    ] {
        let answer = vec![Action::Send(pattern(2_000)), action.clone()];
        let mut bench = bench(Vec::new(), Scripted { answer, ..Scripted::default() });
        let mut client = Client::new(&mut bench.device, broker(), pattern(10), usize::MAX);
        run_for(&mut bench, &mut client, 2_000);
        // Bytes sent before are not lost to what follows, even unacknowledged.
        let down: usize = segments(bench.lan.take_tap())
            .iter()
            .filter(|segment| segment.direction == ToDevice && segment.source_port == PORT)
            .map(|segment| segment.payload_bytes)
            .sum();
        assert_eq!(down, 2_000, "{action:?}");
        let _ = bench.device.tcp(client.handle).send_slice(b"more");
        assert_eq!(run_for(&mut bench, &mut client, 4_000), expected, "{action:?}");
    }
}

#[test]
fn a_service_that_changes_its_mind_resets_after_its_fin() {
    let answer = vec![Action::Send(pattern(10)), Action::Fin, Action::Reset];
    let mut bench = bench(Vec::new(), Scripted { answer, ..Scripted::default() });
    let mut client = Client::new(&mut bench.device, broker(), pattern(10), usize::MAX);
    assert_eq!(run_for(&mut bench, &mut client, 2_000), State::Closed);
    let down = segments(bench.lan.take_tap()).into_iter().filter(|segment| segment.direction == ToDevice);
    let ends: Vec<(bool, bool)> = down.map(|segment| (segment.fin, segment.rst)).filter(|end| end.0 || end.1).collect();
    assert_eq!(ends, [(true, false), (false, true)]);
}

#[test]
fn a_device_that_reboots_with_the_same_port_and_sequence_gets_in_again() {
    let mut bench = bench(Vec::new(), says(5));
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
    assert_eq!(run_for(&mut bench, &mut client, 1_000), State::Established);
    // The same seed, so the same ephemeral port and initial sequence number: to us, the old connection's SYN again.
    bench.device = device::Device::new(1_500);
    bench.lan.device_restarted();
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
    run_for(&mut bench, &mut client, 10_000);
    assert_eq!(client.received, pattern(5));
    assert_eq!(bench.lan.service().closed, [(ConnectionId(1), Close::Reset)]);
}

#[test]
fn what_happened_unobserved_happened_at_its_own_instant() {
    let stall = Fault::Stall { after_bytes: 0, pause: Duration::from_secs(5) };
    let mut bench = bench(vec![stall.into()], says(10));
    let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
    run_for(&mut bench, &mut client, 10);
    bench.lan.take_tap();
    // A driver that looks away for a minute: one retransmission timer and one stall later.
    bench.lan.poll(Instant::from_millis(60_000));
    let tap = segments(bench.lan.take_tap());
    let data = tap.iter().filter(|segment| segment.payload_bytes > 0);
    let seconds: Vec<u64> = data.map(|segment| segment.at.as_millis() / 1_000).collect();
    // RFC 6298: a second after the first transmission at 5 s, then after 2, 4, 8, 16 and 32 s more.
    assert_eq!(seconds, [5, 6, 8, 12, 20, 36]);
}

/// The service says where a message is; how the connection ends there is the network's.
#[test]
fn a_connection_is_cut_where_the_service_holds_still() {
    let connack = Message { direction: ToDevice, kind: MessageKind::Connack };
    let (awaited, other) = (Trigger::After(connack), Trigger::Before(connack));
    let greeting = vec![Action::Send(pattern(700)), Action::Reached(awaited), Action::Send(pattern(700))];
    for (when, received, state) in [(awaited, 700, State::Closed), (other, 1_400, State::Established)] {
        let service = Scripted { greeting: greeting.clone(), ..Scripted::default() };
        let mut bench = bench(broken(when, Teardown::Reset), service);
        let mut client = Client::new(&mut bench.device, broker(), Vec::new(), usize::MAX);
        assert_eq!(run_for(&mut bench, &mut client, 2_000), state, "{when:?}");
        assert_eq!(client.received.len(), received, "{when:?}");
    }
}

/// Whoever judges a run has to know whether what waits for its place ever came to it.
#[test]
fn faults_that_wait_for_their_place_tell_when_they_come_to_it() {
    let stall = |after_bytes| Fault::Stall { after_bytes, pause: Duration::from_secs(1) };
    let garble = |direction, at_byte| Fault::Garble { direction, at_byte, flip: 1 };
    let outage = |from_ms| Fault::Outage { from: Instant::from_millis(from_ms), until: None };
    for (fault, acts) in [
        (stall(1_000), true),
        (stall(3_000), false),
        (garble(ToDevice, 2_999), true),
        (garble(ToDevice, 3_000), false),
        (garble(FromDevice, 19), true),
        (garble(FromDevice, 20), false),
        (Fault::StopReading { after_bytes: 10 }, true),
        (Fault::StopReading { after_bytes: 21 }, false),
        (Fault::LoseNth { direction: ToDevice, nth: 1 }, true),
        (Fault::LoseNth { direction: ToDevice, nth: 500 }, false),
        (outage(0), true),
        (outage(50_000), false),
    ] {
        assert!(fault.waits(), "{fault:?}");
        let mut bench = bench(vec![fault.clone().into()], says(3_000));
        let mut client = Client::new(&mut bench.device, broker(), pattern(20), 3_000);
        run_for(&mut bench, &mut client, 40_000);
        let told: Vec<Happening> = bench.lan.take_events().into_iter().map(|event| event.what).collect();
        let told = told.iter().filter(|what| matches!(what, Happening::Enacted { .. })).count();
        assert_eq!(told, usize::from(acts), "{fault:?}");
    }
    assert!(!Fault::Segment { bytes_max: 1 }.waits() && !Fault::Lose { direction: ToDevice, per_mille: 1 }.waits());
}
