//! Bytes that somebody pasted, in whatever form: reading them ends, and what is found in them holds.
#![no_main]

use capture::similarity::Similarity;
use capture::{CutOffer, Offer, hexadecimal};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    match hexadecimal::blocks(&text) {
        Ok(blocks) => {
            for block in blocks {
                assert!(!block.bytes.is_empty() && block.bytes.len() <= hexadecimal::BYTES_MAX);
                if let Some(missing) = block.missing {
                    assert!(missing.to_string().chars().all(|character| !character.is_control()));
                }
                if let Ok(offer) = Offer::find(&block.bytes) {
                    assert_eq!(Similarity::between(&offer.hello, &offer.hello).distance, 0);
                    assert!(offer.message_bytes <= block.bytes.len());
                }
                if let Some(cut) = CutOffer::find(&block.bytes) {
                    assert!(cut.has_bytes < cut.wants_bytes && !cut.missing.is_empty());
                }
            }
        }
        Err(why) => assert!(why.to_string().chars().all(|character| !character.is_control())),
    }
});
