//! An access point, with stations that mean harm: any frames at any times, and the parsers that read them.
#![no_main]

use access_point::{Air, Description, OnAir, Rate};
use clock::{Duration, Instant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frames: Vec<(u16, bool, Vec<u8>)>| {
    let Ok(mut air) = Air::new(vec![Description::wpa2("shakedown", "correct horse")], 1) else { return };
    let mut now = Instant::ZERO;
    for (after_us, for_us, mut frame) in frames {
        now += Duration::from_micros(u64::from(after_us));
        if for_us && frame.len() >= 10 {
            frame[4..10].copy_from_slice(&[0x02, 0x53, 0x48, 0x44, 0, 1]);
        }
        air.receive(now, OnAir { at: now, channel: 6, rate: Rate::SLOWEST, signal_dbm: -40, frame });
        while air.transmit().is_some() {}
        while air.take_ethernet().is_some() {}
        assert!(air.poll_at(now).is_some_and(|at| at > now), "time goes on");
    }
});
