//! The fuzzers' seeds, and what a few thousand changes make of them, on stable Rust: `harness/fuzz/seeds/firmware_image`.

use std::collections::BTreeSet;

#[allow(dead_code, reason = "parts are libFuzzer's alone")]
#[path = "../../fuzz/bodies/firmware_image.rs"]
mod body;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::{Xorshift, seeds};

#[test]
fn of_the_seeds_those_boot_that_should() {
    let boots: BTreeSet<String> = seeds("firmware_image")
        .into_iter()
        .filter(|(name, bytes)| body::file(name, bytes))
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "application_loaded_by_rom.bin",
        "merged.bin",
        "merged_description_steers_a_terminal.bin",
        "merged_label_steers_a_terminal.bin",
        "merged_otadata_names_slot_1.bin",
        // As the bootloader would: it starts itself again.
        "merged_partition_is_the_bootloader.bin",
        "merged_slot_1_is_damaged.bin",
        "merged_table_without_md5.bin",
    ];
    assert_eq!(boots, expected.map(str::to_owned).into());
}

/// Words that arithmetic is afraid of.
const WORDS: [u32; 8] = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, u32::MAX - 15, 0x0100_0000, 0x1_0000];

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift) {
    // What counts lies at a few places of a flash.
    let places = [0, 24, 0x8000, 0x8020, 0xe000, 0x1_0000, 0x1_0018, bytes.len().saturating_sub(64)];
    replay::change_flash(bytes, other, random, &places, &WORDS);
}

#[test]
fn whatever_is_changed_in_a_seed_is_taken_or_refused() {
    const CHANGED_PER_SEED: usize = 60;
    replay::changed(&seeds("firmware_image"), CHANGED_PER_SEED, change, |name, bytes| {
        body::file(name, bytes);
    });
}
