//! MQTT packets, in whatever pieces they arrive: the same packets come out, and what is understood is understood for
//! good.
#![no_main]

use wire::mqtt::{Decoder, Packet, View};

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    let mut whole = Decoder::new(1_000);
    whole.extend(stream);
    let mut packets = vec![];
    while let Some(Ok(view)) = whole.next_packet() {
        if let Ok(packet) = Packet::parse(&view) {
            let mut again = vec![];
            packet.encode(&mut again).expect("it came from the wire");
            let again = View::new(again).expect("whole");
            assert_eq!(Packet::parse(&again), Ok(packet));
        }
        packets.push(view);
    }
    let mut piecewise = Decoder::new(1_000);
    let mut pieces = vec![];
    for byte in stream {
        piecewise.extend(&[*byte]);
        while let Some(Ok(view)) = piecewise.next_packet() {
            pieces.push(view);
        }
        assert!(piecewise.pending().len() <= 1_000);
    }
    assert_eq!(packets, pieces);
});
