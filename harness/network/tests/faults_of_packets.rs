//! What a network does to packets, TCP must mend: the same bytes arrive, only later.

mod device;

use clock::{Duration, Instant};
use device::{Bench, Client, Scripted, broker, config, pattern};
use network::Direction::{FromDevice, ToDevice};
use network::{Direction, Fault, Happening, LanConfig, Scope, Tapped};

const BYTES: usize = 100_000;

/// A hundred kilobytes to an echo and back through `faults`; what passed the line, and how long it took.
fn transfer(config: LanConfig, seed: u64) -> (Vec<Tapped>, Instant) {
    let service = Scripted { echo: true, ..Scripted::default() };
    let mut bench = Bench::new(config, seed, service);
    let mut client = Client::new(&mut bench.device, broker(), pattern(BYTES), BYTES);
    let ended = bench.run(Instant::from_millis(3_600_000), |device, _, now| client.act(device, now));
    assert!(ended, "{} bytes of {BYTES} came back within an hour", client.received.len());
    assert_eq!(client.received, pattern(BYTES));
    assert_eq!(bench.lan.service().received, pattern(BYTES));
    (bench.lan.take_tap(), bench.now)
}

fn with(faults: &[Fault]) -> LanConfig {
    LanConfig { faults: faults.iter().cloned().map(Into::into).collect(), ..config() }
}

fn both_ways(fault: impl Fn(Direction) -> Fault) -> LanConfig {
    with(&[fault(FromDevice), fault(ToDevice)])
}

fn packets(tap: &[Tapped], direction: Direction) -> usize {
    tap.iter().filter(|tapped| tapped.direction == direction).count()
}

#[test]
fn loss() {
    let (sound, _) = transfer(config(), 1);
    let (lossy, _) = transfer(both_ways(|direction| Fault::Lose { direction, per_mille: 50 }), 1);
    assert!(packets(&lossy, FromDevice) > packets(&sound, FromDevice), "the device sent nothing again");
}

#[test]
fn the_loss_of_one_packet() {
    // The third packet of the device is the first with data: SYN, ACK, data.
    let config = with(&[Fault::LoseNth { direction: FromDevice, nth: 3 }]);
    let (tap, ended) = transfer(config, 1);
    let (sound, ended_soundly) = transfer(self::config(), 1);
    assert!(packets(&tap, FromDevice) > packets(&sound, FromDevice));
    assert!(ended > ended_soundly);
}

#[test]
fn delay_with_jitter_never_reorders() {
    let delay =
        |direction| Fault::Delay { direction, by: Duration::from_millis(40), jitter: Duration::from_millis(30) };
    let (tap, _) = transfer(both_ways(delay), 1);
    let sequences: Vec<u32> = tap
        .iter()
        .filter(|tapped| tapped.direction == ToDevice && tapped.packet.len() > 60)
        .map(|tapped| u32::from_be_bytes([24, 25, 26, 27].map(|index: usize| tapped.packet[index])))
        .collect();
    assert!(sequences.windows(2).all(|pair| pair[0].wrapping_sub(pair[1]) as i32 <= 0));
    // SYN up, SYN-ACK down: each late by 40 to 70 ms.
    let syn_ack = tap.iter().find(|tapped| tapped.direction == ToDevice).map(|tapped| tapped.at.as_micros());
    assert!(syn_ack.is_some_and(|at| (80_100..=140_100).contains(&at)), "{syn_ack:?}");
}

#[test]
fn duplication() {
    let (sound, _) = transfer(config(), 1);
    let (doubled, _) = transfer(with(&[Fault::Duplicate { direction: ToDevice, per_mille: 1_000 }]), 1);
    assert!(packets(&doubled, ToDevice) >= 2 * packets(&sound, ToDevice));
}

#[test]
fn reordering() {
    let reorder = |direction| Fault::Reorder { direction, per_mille: 200, by: Duration::from_micros(900) };
    let (tap, _) = transfer(both_ways(reorder), 1);
    let sequences: Vec<u32> = tap
        .iter()
        .filter(|tapped| tapped.direction == ToDevice && tapped.packet.len() > 60)
        .map(|tapped| u32::from_be_bytes([24, 25, 26, 27].map(|index: usize| tapped.packet[index])))
        .collect();
    assert!(sequences.windows(2).any(|pair| pair[0].wrapping_sub(pair[1]) as i32 > 0), "nothing was overtaken");
}

#[test]
fn flipped_bits_are_caught_by_checksums() {
    transfer(both_ways(|direction| Fault::FlipBit { direction, per_mille: 50 }), 1);
}

#[test]
fn an_mtu_of_576() {
    let (tap, _) = transfer(LanConfig { mtu_bytes: 576, ..config() }, 1);
    assert_eq!(tap.iter().map(|tapped| tapped.packet.len()).max(), Some(576));
}

#[test]
fn everything_at_once() {
    let faults = [FromDevice, ToDevice].into_iter().flat_map(|direction| {
        [
            Fault::Lose { direction, per_mille: 20 },
            Fault::Duplicate { direction, per_mille: 20 },
            Fault::Reorder { direction, per_mille: 20, by: Duration::from_millis(3) },
            Fault::FlipBit { direction, per_mille: 20 },
            Fault::Delay { direction, by: Duration::from_millis(5), jitter: Duration::from_millis(5) },
        ]
    });
    transfer(with(&faults.collect::<Vec<_>>()), 1);
}

#[test]
fn an_outage_ends() {
    let (from, until) = (Instant::from_millis(1), Instant::from_millis(20_000));
    let (tap, ended) = transfer(with(&[Fault::Outage { from, until: Some(until) }]), 1);
    assert!(ended > until);
    let during = |tapped: &&Tapped| tapped.at > from && tapped.at < until && tapped.direction == ToDevice;
    assert_eq!(tap.iter().find(during), None);
}

#[test]
fn long_packets_of_one_port_fall_into_a_hole() {
    let hole = Fault::LoseLongerThan { direction: FromDevice, bytes: 100 };
    let mut bench = Bench::new(
        LanConfig { faults: vec![hole.within(Scope::port(device::PORT))], ..config() },
        1,
        Scripted::default(),
    );
    let mut client = Client::new(&mut bench.device, broker(), pattern(500), 1);
    assert!(!bench.run(Instant::from_millis(30_000), |device, _, now| client.act(device, now)));
    assert!(client.was_open);
    assert!(bench.lan.service().received.is_empty());
    let lost = Happening::Lost { direction: FromDevice, bytes: 540 };
    assert!(bench.lan.take_events().iter().filter(|event| event.what == lost).count() > 2);
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_the_same_instants() {
    let config = || both_ways(|direction| Fault::Lose { direction, per_mille: 50 });
    let (first, _) = transfer(config(), 7);
    let (second, _) = transfer(config(), 7);
    let (other, _) = transfer(config(), 8);
    assert!(first == second);
    assert!(first != other);
}

#[test]
fn how_often_the_lan_is_polled_changes_nothing() {
    let run = |needless_polls| {
        let delay = Fault::Delay { direction: ToDevice, by: Duration::ZERO, jitter: Duration::from_millis(9) };
        let drip = Fault::Drip { bytes: 700, every: Duration::from_micros(333) };
        let loss = Fault::Lose { direction: ToDevice, per_mille: 30 };
        let service = Scripted { echo: true, ..Scripted::default() };
        let mut bench = Bench::new(with(&[loss, delay, drip]), 3, service);
        bench.needless_polls = needless_polls;
        let mut client = Client::new(&mut bench.device, broker(), pattern(20_000), 20_000);
        assert!(bench.run(Instant::from_millis(600_000), |device, _, now| client.act(device, now)));
        (bench.lan.take_tap(), bench.lan.take_events())
    };
    assert!(run(false) == run(true));
}

#[test]
fn what_a_fault_hits_does_not_hang_on_its_place() {
    let lose = Fault::Lose { direction: ToDevice, per_mille: 50 };
    let harmless = [
        Fault::LoseLongerThan { direction: FromDevice, bytes: 65_535 },
        Fault::Lose { direction: FromDevice, per_mille: 0 },
        Fault::Segment { bytes_max: 65_535 },
    ];
    let alone = transfer(with(std::slice::from_ref(&lose)), 1);
    let last: Vec<Fault> = harmless.iter().chain([&lose]).cloned().collect();
    let first: Vec<Fault> = [&lose].into_iter().chain(&harmless).cloned().collect();
    assert_eq!(transfer(with(&last), 1), alone);
    assert_eq!(transfer(with(&first), 1), alone);
    assert_ne!(transfer(with(std::slice::from_ref(&lose)), 2), alone, "another seed loses others");
}
