//! Bytes that somebody pasted, in whatever form: reading them ends, and what is found in them holds.
#![no_main]

use capture::likeness::Likeness;
use capture::{Offer, hexadecimal};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    match hexadecimal::read(&text) {
        Ok(bytes) => {
            assert!(!bytes.is_empty());
            if let Ok(offer) = Offer::find(&bytes) {
                assert_eq!(Likeness::between(&offer.hello, &offer.hello).distance, 0);
                assert!(offer.message_bytes <= bytes.len());
            }
        }
        Err(why) => assert!(why.to_string().chars().all(|character| !character.is_control())),
    }
});
