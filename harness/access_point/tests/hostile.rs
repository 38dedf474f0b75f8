//! Stations that mean harm: whatever they send, nobody panics, nothing grows, and time goes on.

mod station;

use access_point::frame::{Elements, Ethernet, Header, RadiotapView, Rsn};
use access_point::security::eapol::KeyFrame;
use access_point::{Air, Description, OnAir, Rate};
use clock::{Duration, Instant};
use proptest::prelude::*;
use station::{STATION, Station, together};

fn on_air(at: Instant, frame: Vec<u8>) -> OnAir {
    OnAir { at, channel: 6, rate: Rate::SLOWEST, signal_dbm: -40, frame }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn parsers_take_anything(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Header::parse(&bytes).map(|header| header.ends());
        let _ = Elements(&bytes).count();
        let _ = Ethernet::parse(&bytes).map(Ethernet::to_bytes);
        let _ = RadiotapView::parse(&bytes);
        let _ = Rsn::parse(&bytes).map(|rsn| rsn.to_element());
        let _ = KeyFrame::parse(&bytes).map(|frame| frame.is_confirmed_by(&[0; 16]));
    }

    #[test]
    fn an_access_point_takes_any_frame_at_any_time(
        frames in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..120), 0u64..50_000), 0..40),
    ) {
        let mut air = Air::new(vec![Description::wpa2("shakedown", "correct horse")], 1).expect("a description");
        let mut now = Instant::ZERO;
        for (mut frame, after_us) in frames {
            now += Duration::from_micros(after_us);
            // Often enough for the access point, so that its body is looked at.
            if frame.len() >= 10 && frame[4] & 2 == 0 {
                frame[4..10].copy_from_slice(&[0x02, 0x53, 0x48, 0x44, 0, 1]);
            }
            air.receive(now, on_air(now, frame));
            while air.transmit().is_some() {}
            prop_assert!(air.poll_at(now).is_some_and(|at| at > now));
        }
    }

    #[test]
    fn a_handshake_survives_bytes_that_are_changed(at in 0usize..140, bit in 0u8..8) {
        let description = Description::wpa2("shakedown", "correct horse");
        let (mut air, mut station) = together(description, Station::new("shakedown", Some("correct horse")), 200);
        let mut frame = station.data([2, 0, 0, 0, 0, 9], 0x0800, &[0x45; 90], false);
        let at = at % frame.len();
        frame[at] ^= 1 << bit;
        let now = Instant::from_millis(200);
        air.receive(now, on_air(now, frame));
        air.poll(Instant::from_millis(210));
        // What CCMP authenticates was changed: nothing comes out, but for the few bits that it leaves out.
        if at >= 32 {
            prop_assert_eq!(air.take_ethernet(), None);
        }
    }
}

#[test]
fn a_thousand_stations_are_refused_and_not_remembered() {
    let mut air = Air::new(vec![Description::open("shakedown")], 1).expect("a description");
    let mut now = Instant::ZERO;
    for number in 0..1_000u16 {
        let mut frame = vec![0xb0, 0, 0, 0, 0x02, 0x53, 0x48, 0x44, 0, 1, 2, 0, 0, 0];
        frame.extend(number.to_be_bytes());
        frame.extend([0x02, 0x53, 0x48, 0x44, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0]);
        air.receive(now, on_air(now, frame));
        now += Duration::from_millis(1);
    }
    air.poll(now + Duration::from_secs(1));
    let refused = air.take_events().into_iter().filter(|event| event.what.to_string().contains("status 17")).count();
    assert_eq!(refused, 1_000 - 16);
    let mut taken = 0;
    while air.transmit().is_some() {
        taken += 1;
    }
    assert!(taken <= 256, "{taken}");
}

#[test]
fn a_station_that_never_takes_what_is_kept_for_it_costs_a_bounded_memory() {
    let (mut air, mut station) = together(Description::open("shakedown"), Station::new("shakedown", None), 200);
    let null = station.null(true);
    station.say(Instant::from_millis(200), null);
    station.live(&mut air, Instant::from_millis(200), Instant::from_millis(210));
    let frame = [&STATION[..], &[2, 0, 0, 0, 0, 9, 8, 0], &[0; 1_400]].concat();
    for _ in 0..1_000 {
        air.send_ethernet(Instant::from_millis(210), &frame);
    }
    let awake = station.null(false);
    station.say(Instant::from_millis(210), awake);
    station.live(&mut air, Instant::from_millis(210), Instant::from_millis(900));
    assert_eq!(station.heard.len(), 64);
}
