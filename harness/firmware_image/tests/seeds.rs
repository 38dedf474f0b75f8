//! The fuzzers' seeds, and what a few thousand changes make of them, on stable Rust: `harness/fuzz/seeds/firmware_image`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[allow(dead_code, reason = "parts are libFuzzer's alone")]
#[path = "../../fuzz/bodies/firmware_image.rs"]
mod body;

fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/firmware_image");
    let entries = fs::read_dir(folder).expect("the seeds are beside the fuzzers");
    let seed = |entry: fs::DirEntry| {
        let bytes = fs::read(entry.path()).expect("a file");
        (entry.file_name().into_string().expect("text"), bytes)
    };
    let mut seeds: Vec<_> = entries.map(|entry| seed(entry.expect("an entry"))).collect();
    seeds.sort();
    seeds
}

#[test]
fn of_the_seeds_those_boot_that_should() {
    let boots: BTreeSet<String> =
        seeds().into_iter().filter(|(name, bytes)| body::file(name, bytes)).map(|(name, _)| name).collect();
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

/// Random numbers, the same each time (Marsaglia, 2003).
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Words that arithmetic is afraid of.
const WORDS: [u32; 8] = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, u32::MAX - 15, 0x0100_0000, 0x1_0000];

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift) {
    // What counts lies at a few places of a flash.
    let places = [0, 24, 0x8000, 0x8020, 0xe000, 0x1_0000, 0x1_0018, bytes.len().saturating_sub(64)];
    let at = (places[random.below(places.len())] + random.below(64)).min(bytes.len());
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.splice(at..(at + 4).min(bytes.len()), WORDS[random.below(WORDS.len())].to_le_bytes()).for_each(drop),
        2 => bytes.splice(at..at, other[..other.len().min(64)].iter().copied()).for_each(drop),
        3 => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len()))),
        _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
    }
}

#[test]
fn whatever_is_changed_in_a_seed_is_taken_or_refused() {
    const CHANGED_PER_SEED: usize = 60;
    let (seeds, mut random) = (seeds(), Xorshift(0x5eed));
    for (name, seed) in &seeds {
        for _ in 0..CHANGED_PER_SEED {
            let mut bytes = seed.clone();
            for _ in 0..=random.below(4) {
                let other = &seeds[random.below(seeds.len())].1;
                change(&mut bytes, other, &mut random);
            }
            body::file(name, &bytes);
        }
    }
}
