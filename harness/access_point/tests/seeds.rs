//! The fuzzer's seeds, and what a few thousand changes make of them, on stable Rust: `harness/fuzz/seeds/access_point`, frames
//! of 802.11 as a driver, an access point and somebody who means harm send them.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/bodies/access_point.rs"]
mod body;

fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/access_point");
    let entries = fs::read_dir(folder).expect("the seeds are beside the fuzzers").map(|entry| entry.expect("an entry"));
    let mut seeds: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().expect("text"), fs::read(entry.path()).expect("a file")))
        .collect();
    seeds.sort();
    seeds
}

#[test]
fn seeds_are_frames_but_for_those_that_are_none() {
    let seeds = seeds();
    assert!(seeds.len() >= 40, "{}", seeds.len());
    let none: Vec<&str> =
        seeds.iter().filter(|(_, bytes)| !body::frame(bytes)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(none, ["empty.bin", "header_cut.bin", "protocol_version_3.bin", "qos_data_cut.bin"]);
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

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift) {
    let at = random.below(bytes.len() + 1);
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.iter_mut().skip(at).take(2).for_each(|byte| *byte = 0xff),
        2 => bytes.splice(at..at, other[..other.len().min(64)].iter().copied()).for_each(drop),
        3 => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len()))),
        _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
    }
}

#[test]
fn whatever_is_changed_in_a_seed_is_heard_or_passed_over() {
    const CHANGED_PER_SEED: usize = 60;
    let (seeds, mut random) = (seeds(), Xorshift(0x5eed));
    for (_, seed) in &seeds {
        for _ in 0..CHANGED_PER_SEED {
            let mut bytes = seed.clone();
            for _ in 0..=random.below(4) {
                let other = &seeds[random.below(seeds.len())].1;
                change(&mut bytes, other, &mut random);
            }
            body::frame(&bytes);
        }
    }
}
