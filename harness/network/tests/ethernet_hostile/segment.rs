//! An Ethernet at which somebody plays frames of any kind; the fuzzer does so too.

use clock::{Duration, Instant};
use network::{AddressFault, Lease, Segment, SegmentConfig};

/// Frames that the Ethernet may have for the device at a time, and events that nobody has taken.
const FRAMES_MAX: usize = 256;
const EVENTS_MAX: usize = 1_024;

/// No address and no field of these protocols has this value; the fuzzer's dictionary has it.
pub const NEXT: [u8; 4] = *b"next";

/// Plays a script: a frame as it stands, or several with [`NEXT`] between them, and behind that an octet with the time until the
/// next, in units of 100 µs.
pub fn play_script(script: &[u8]) {
    let mut frames = Vec::new();
    let (mut pause, mut rest) = (0, script);
    while let Some(at) = rest.windows(NEXT.len()).position(|four| four == NEXT) {
        frames.push((pause, rest[..at].to_vec()));
        rest = &rest[at + NEXT.len()..];
        pause = rest.split_off_first().map_or(0, |hundreds| 100 * u16::from(*hundreds));
    }
    frames.push((pause, rest.to_vec()));
    play(&frames);
}

/// Plays frames, each so many microseconds after the one before. Nothing panics, what waits stays bounded, and a router's
/// answer is never to itself.
pub fn play(frames: &[(u16, Vec<u8>)]) {
    for faults in [vec![], vec![AddressFault::AddressTaken {}, AddressFault::DhcpLate { by_ms: 5, times: None }]] {
        let mut segment = Segment::new(config(faults));
        let mut now = Instant::ZERO;
        for (after_us, frame) in frames {
            now += Duration::from_micros(u64::from(*after_us));
            if let Some(packet) = segment.receive(now, frame) {
                assert!(packet.len() < frame.len(), "a packet is shorter than its frame");
                segment.send_ip(now, &packet);
            }
        }
        let mut sent = 0;
        while let Some(at) = segment.poll_at() {
            now = now.max(at);
            while let Some(frame) = segment.transmit(now) {
                assert_ne!(frame[..6], config(Vec::new()).router_mac, "the router speaks to itself");
                sent += 1;
            }
        }
        assert!(sent <= FRAMES_MAX, "{sent} frames have waited");
        assert!(segment.take_events().len() <= EVENTS_MAX);
    }
}

fn config(faults: Vec<AddressFault>) -> SegmentConfig {
    let [router, device, names] = [1, 2, 53].map(|host| std::net::Ipv4Addr::new(192, 0, 2, host));
    SegmentConfig {
        router_mac: [0x02, 0x53, 0x48, 0x44, 0x01, 0x01],
        addresses: vec![router.into(), names.into(), std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()],
        lease: Lease {
            address: device,
            prefix_bits: 24,
            router,
            name_servers: vec![names],
            seconds: 60,
            mtu_bytes: Some(576),
        },
        faults,
    }
}
