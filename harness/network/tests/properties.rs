//! What holds for every mix of faults.

mod device;

use clock::{Duration, Instant};
use device::{Bench, Client, PORT, Scripted, broker, broker_v6, config, pattern};
use network::Direction::{FromDevice, ToDevice};
use network::{Action, Cut, Direction, Fault, LanConfig, Listener, Teardown, Trigger};
use proptest::prelude::*;

fn packet_fault() -> impl Strategy<Value = Fault> {
    let direction = || prop_oneof![Just(FromDevice), Just(ToDevice)];
    let millis = || (0_u64..50).prop_map(Duration::from_millis);
    prop_oneof![
        (direction(), 0_u16..100).prop_map(|(direction, per_mille)| Fault::Lose { direction, per_mille }),
        (direction(), 1_u64..10).prop_map(|(direction, nth)| Fault::LoseNth { direction, nth }),
        (direction(), millis(), millis()).prop_map(|(direction, by, jitter)| Fault::Delay { direction, by, jitter }),
        (direction(), 0_u16..1_000).prop_map(|(direction, per_mille)| Fault::Duplicate { direction, per_mille }),
        (direction(), 0_u16..500, millis()).prop_map(|(direction, per_mille, by)| Fault::Reorder {
            direction,
            per_mille,
            by
        }),
        (direction(), 0_u16..100).prop_map(|(direction, per_mille)| Fault::FlipBit { direction, per_mille }),
        (1_usize..1_600).prop_map(|bytes_max| Fault::Segment { bytes_max }),
        (1_usize..1_600, millis()).prop_map(|(bytes, every)| Fault::Drip { bytes, every }),
        (0_u64..4_000, millis()).prop_map(|(after_bytes, pause)| Fault::Stall { after_bytes, pause }),
    ]
}

fn lan(faults: &[Fault], mtu_bytes: usize) -> LanConfig {
    let faults = faults.iter().cloned().map(Into::into).collect();
    LanConfig { faults, mtu_bytes, listeners: vec![Listener::service(PORT)], ..config() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mix_of_mendable_faults_loses_or_changes_a_byte(
        faults in prop::collection::vec(packet_fault(), 0..6),
        mtu_bytes in 576_usize..1_500,
        seed: u64,
        v6: bool,
    ) {
        let service = Scripted { echo: true, ..Scripted::default() };
        let mut bench = Bench::new(lan(&faults, mtu_bytes), seed, service);
        // Every packet of the device must fit the LAN's MTU; over TCP, the announced MSS sees to that.
        let to = if v6 { broker_v6() } else { broker() };
        let mut client = Client::new(&mut bench.device, to, pattern(6_000), 6_000);
        let ended = bench.run(Instant::from_millis(24 * 3_600_000), |device, _, now| client.act(device, now));
        prop_assert!(ended, "{} bytes came back", client.received.len());
        prop_assert_eq!(&client.received, &pattern(6_000));
        prop_assert_eq!(&bench.lan.service().received, &pattern(6_000));
    }

    #[test]
    fn a_stream_is_broken_at_the_byte_however_it_is_cut(
        sends in prop::collection::vec(1_usize..4_000, 1..8),
        at_permille in 1_u64..1_000,
        cuts in prop::collection::vec(packet_fault(), 0..2),
        direction in prop_oneof![Just(FromDevice), Just(ToDevice)],
        seed: u64,
    ) {
        let total: usize = sends.iter().sum();
        let bytes = (total as u64 * at_permille / 1_000).max(1);
        let mut faults = vec![Fault::Cut(Cut { when: Trigger::Passed { direction, bytes }, how: Teardown::Fin })];
        faults.extend(cuts);
        let mut rest = pattern(total);
        let greeting = sends.iter().map(|&count| Action::Send(rest.drain(..count).collect())).collect();
        let mut bench = Bench::new(lan(&faults, 1_500), seed, Scripted { greeting, ..Scripted::default() });
        let to_send = if direction == Direction::FromDevice { pattern(total) } else { Vec::new() };
        let mut client = Client::new(&mut bench.device, broker(), to_send, usize::MAX);
        bench.run(Instant::from_millis(3_600_000), |device, _, now| client.act(device, now));
        let passed = if direction == FromDevice { &bench.lan.service().received } else { &client.received };
        prop_assert_eq!(passed, &pattern(bytes as usize));
    }
}
