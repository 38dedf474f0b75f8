//! A device that means harm can make the LAN neither panic nor grow.

mod device;

#[path = "device/hostile.rs"]
mod hostile_device;

use hostile_device::play;
use proptest::prelude::*;

/// A SYN, then an ACK of whatever came.
fn handshake(port: u8) -> [u8; 12] {
    [4, port & 0xc0, 0x02, 0, 0, 100, 4, port & 0xc0, 0x10, 0, 0, 100]
}

#[test]
fn the_scripts_reach_connections() {
    let script: Vec<u8> = [0].into_iter().chain(handshake(0)).chain(handshake(0x40)).collect();
    assert_eq!(play(&script), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_device_sends(script in prop::collection::vec(any::<u8>(), 0..600)) {
        play(&script);
    }

    /// Mostly well-formed handshakes, so that what is odd meets connections that stand.
    #[test]
    fn odd_packets_in_the_middle_of_connections(
        faults in prop::collection::vec(any::<[u8; 3]>(), 0..4),
        steps in prop::collection::vec((0_u8..3, any::<[u8; 6]>(), prop::collection::vec(any::<u8>(), 0..40)), 1..40),
    ) {
        let mut script = vec![faults.len() as u8];
        script.extend(faults.as_flattened());
        script.extend(handshake(0));
        for (kind, fields, payload) in steps {
            match kind {
                0 => script.extend(handshake(fields[0])),
                // Data in order.
                1 => {
                    script.extend([4, fields[0] & 0xc0, 0x18, 0, payload.len() as u8]);
                    script.extend(&payload);
                    script.push(50);
                }
                // Anything.
                _ => {
                    script.push(4);
                    script.extend(fields);
                    script.extend(&payload);
                }
            }
        }
        play(&script);
    }
}
