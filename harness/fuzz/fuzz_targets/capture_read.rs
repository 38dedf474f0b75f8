//! Capture files from anybody: whatever they hold, what is told about them obeys no terminal and has an end.
#![no_main]

use capture::{read, show};

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    if let Ok(transcript) = read(file, "") {
        let text = show(&transcript);
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
    }
});
