//! Whatever a board says on a line that damages it: no panic, and nothing held back beyond a frame.
#![no_main]

use network::{Direction, SerialFault, SerialLine};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let fault = SerialFault::FlipRate { direction: Direction::FromDevice, per_million: 10_000 };
    let mut whole = SerialLine::new(vec![fault.clone()], 1);
    let mut cut = SerialLine::new(vec![fault], 1);
    let mut heard = whole.hear(bytes);
    heard.extend(whole.fall_silent());
    let mut piecewise: Vec<_> = bytes.iter().flat_map(|&byte| cut.hear(&[byte])).collect();
    piecewise.extend(cut.fall_silent());
    assert_eq!(heard, piecewise);
});
