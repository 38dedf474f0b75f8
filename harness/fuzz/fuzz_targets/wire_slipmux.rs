//! Whatever comes down a serial line: bounded memory, and every frame that is understood can be sent again.
#![no_main]

use wire::slipmux::{Decoder, encode};

const FRAME_BYTES_MAX: usize = 128;

libfuzzer_sys::fuzz_target!(|line: &[u8]| {
    let mut decoder = Decoder::new(FRAME_BYTES_MAX);
    for &byte in line {
        if let Some(Ok(frame)) = decoder.push(byte) {
            let mut again = vec![];
            encode(&frame, &mut again);
            let mut fresh = Decoder::new(FRAME_BYTES_MAX);
            let read: Vec<_> = again.iter().filter_map(|&byte| fresh.push(byte)).collect();
            assert_eq!(read, [Ok(frame)]);
        }
        assert!(decoder.pending().len() <= FRAME_BYTES_MAX);
    }
    decoder.flush();
});
