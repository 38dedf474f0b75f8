//! What is asked of `access_point`, whatever frame a station sends: no panic, nothing kept without bound, and time goes on.
//!
//! Run by libFuzzer (`fuzz_targets/access_point_*.rs`) and, over the seeds beside it, by `cargo test -p access_point`.

use access_point::frame::{Elements, Ethernet, Header, RadiotapView, Rsn};
use access_point::security::eapol::KeyFrame;
use access_point::{Air, Description, OnAir, Rate};
use clock::{Duration, Instant};

const ACCESS_POINT: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0, 1];

/// One frame, read by every parser, and heard twice by an open and by a secured access point: before anybody is associated,
/// and again by whoever has let its sender in. Whether it is a frame at all.
pub fn frame(bytes: &[u8]) -> bool {
    let _ = Elements(bytes).count();
    let _ = Ethernet::parse(bytes).map(Ethernet::to_bytes);
    let _ = RadiotapView::parse(bytes);
    let _ = Rsn::parse(bytes).map(|rsn| rsn.to_element());
    for at in [0, 24, 26, 32] {
        let rest = bytes.get(at..).unwrap_or_default();
        let _ = Elements(rest).count();
        let _ = KeyFrame::parse(rest).map(|frame| frame.is_confirmed_by(&[0; 16]));
    }
    // A key and no passphrase: nothing is derived for each frame.
    let key = "0123456789abcdef".repeat(4);
    for description in [Description::open("shakedown"), Description::wpa2("shakedown", &key)] {
        let Ok(mut air) = Air::new(vec![description], 1) else { continue };
        let mut now = Instant::ZERO;
        for frame in [bytes, &admission(bytes, 11), bytes, &admission(bytes, 0), bytes] {
            now += Duration::from_millis(3);
            let on_air = OnAir { at: now, channel: 6, rate: Rate::SLOWEST, signal_dbm: -40, frame: frame.to_vec() };
            air.receive(now, on_air);
            air.poll(now);
            let frames = std::iter::from_fn(|| air.transmit()).count();
            let ethernet = std::iter::from_fn(|| air.take_ethernet()).count();
            assert!(frames < 64 && ethernet < 64 && air.take_events().len() < 64, "one frame makes so much");
            assert!(air.poll_at(now).is_some_and(|at| at > now), "time goes on");
        }
        assert!(air.summary().len() < 64);
    }
    Header::parse(bytes).is_some()
}

/// Any frames at any times, for an access point with WPA2. Each turn: microseconds (two bytes), whether it is addressed to the
/// access point, a length, and as many bytes.
pub fn air(script: &[u8]) {
    // A key and no passphrase: nothing is derived for each script.
    let description = Description::wpa2("shakedown", &"0123456789abcdef".repeat(4));
    let Ok(mut air) = Air::new(vec![description], 1) else { return };
    let (mut now, mut rest) = (Instant::ZERO, script);
    while let [high, low, for_us, length, after @ ..] = rest {
        let (frame, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        now += Duration::from_micros(u16::from_be_bytes([*high, *low]).into());
        let mut frame = frame.to_vec();
        if for_us & 1 != 0 && frame.len() >= 10 {
            frame[4..10].copy_from_slice(&ACCESS_POINT);
        }
        air.receive(now, OnAir { at: now, channel: 6, rate: Rate::SLOWEST, signal_dbm: -40, frame });
        while air.transmit().is_some() {}
        while air.take_ethernet().is_some() {}
        assert!(air.poll_at(now).is_some_and(|at| at > now), "time goes on");
    }
}

/// The authentication (11) or association request (0) of whoever sent `bytes`.
fn admission(bytes: &[u8], subtype: u8) -> Vec<u8> {
    let station = bytes.get(10..16).unwrap_or(&[0x60, 0x55, 0xf9, 0, 0, 1]);
    let mut frame = vec![subtype << 4, 0, 0, 0];
    frame.extend(ACCESS_POINT);
    frame.extend(station);
    frame.extend(ACCESS_POINT);
    frame.extend([0x10, 0]);
    match subtype {
        11 => frame.extend([0, 0, 1, 0, 0, 0]),
        _ => frame.extend(*b"\x31\x04\x0a\x00\x00\x09shakedown\x01\x01\x82\x30\x14\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x02\x00\x00"),
    }
    frame
}
