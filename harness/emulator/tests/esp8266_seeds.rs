//! The fuzzers' seeds of what an ESP8266 finds in its flash and hears, and what changes make of them, on stable Rust:
//! `harness/fuzz/seeds/esp8266_flash`, and the frames of `harness/fuzz/seeds/access_point`.

#[path = "../../fuzz/bodies/esp8266.rs"]
mod body;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::{Xorshift, seeds};

/// Words that arithmetic is afraid of, and addresses of a few places of the map.
const WORDS: [u32; 12] = [
    0,
    1,
    0x7fff_ffff,
    0x8000_0000,
    u32::MAX,
    u32::MAX - 15,
    0x3ff0_000c,
    0x3ff2_0004,
    0x3fff_c714,
    0x4000_0080,
    0x4010_fffc,
    0x6000_0708,
];

#[test]
fn of_the_seeds_those_are_images_that_should_be() {
    let none: Vec<String> =
        seeds("esp8266_flash").into_iter().filter(|(_, bytes)| !body::flash(bytes)).map(|(name, _)| name).collect();
    assert_eq!(none, ["empty.bin", "erased.bin", "half_alone.bin", "segment_over_registers.bin"]);
}

/// Header, first segments, and code: what counts lies in the first pages, and behind a boot loader.
fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift) {
    let places = [0, 8, 16, 0x100, 0x1000, 0x1010];
    replay::change_flash(bytes, other, random, &places, &WORDS);
    mend_checksum(bytes);
}

/// Otherwise the ROM boots hardly any of what was changed.
fn mend_checksum(bytes: &mut [u8]) {
    let word = |at: usize| bytes.get(at..at + 4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    let count = bytes.get(1).copied().unwrap_or(0);
    let (mut at, mut sum) = (8, 0xef);
    for _ in 0..count {
        let Some(length) = word(at + 4).map(|length| length as usize) else { return };
        let Some(segment) = bytes.get(at + 8..(at + 8).saturating_add(length)) else { return };
        sum = segment.iter().fold(sum, |sum, byte| sum ^ byte);
        at += 8 + length;
    }
    if let Some(byte) = bytes.get_mut(at | 15) {
        *byte = sum;
    }
}

#[test]
fn whatever_is_changed_in_a_flash_boots_or_is_refused() {
    const CHANGED_PER_SEED: usize = 12;
    replay::changed(&seeds("esp8266_flash"), CHANGED_PER_SEED, change, |_, bytes| {
        body::flash(bytes);
    });
}

#[test]
fn whatever_is_on_the_air_is_heard_or_passed_over() {
    const CHANGED_PER_SEED: usize = 3;
    let seeds = seeds("access_point");
    seeds.iter().for_each(|(_, bytes)| body::air(bytes));
    let change = |bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift| {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.iter_mut().skip(at).take(2).for_each(|byte| *byte = 0xff),
            2 => bytes.splice(at..at, other.iter().copied()).for_each(drop),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
        }
    };
    replay::changed(&seeds, CHANGED_PER_SEED, change, |_, bytes| body::air(bytes));
}
