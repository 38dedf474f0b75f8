//! The fuzzers' seeds, and what changes make of them, on stable Rust: for the tests of the crates whose fuzzers they are.

use std::fs;
use std::path::Path;

/// The seeds of a folder below `harness/fuzz/seeds`, with their names, in the order of these.
pub fn seeds(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let seed = |entry: fs::DirEntry| {
        let bytes = fs::read(entry.path()).expect("a file");
        (entry.file_name().into_string().expect("text"), bytes)
    };
    let mut seeds: Vec<_> = entries.map(|entry| seed(entry.expect("an entry"))).collect();
    seeds.sort();
    seeds
}

/// Random numbers, the same each time (Marsaglia, 2003).
pub struct Xorshift(u64);

impl Xorshift {
    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Gives `body` what one to four changes make of each seed, `per_seed` times; `change` may take from another seed.
pub fn changed(
    seeds: &[(String, Vec<u8>)],
    per_seed: usize,
    change: impl Fn(&mut Vec<u8>, &[u8], &mut Xorshift),
    body: impl Fn(&str, &[u8]),
) {
    let mut random = Xorshift(0x5eed);
    for (name, seed) in seeds {
        for _ in 0..per_seed {
            let mut bytes = seed.clone();
            for _ in 0..=random.below(4) {
                let other = &seeds[random.below(seeds.len())].1;
                change(&mut bytes, other, &mut random);
            }
            body(name, &bytes);
        }
    }
}

/// Changes a flash's content within 64 bytes from one of `places` on, where what counts lies: cut off, another of `words`, a part
/// of `other`, a gap, another bit.
#[allow(dead_code, reason = "each test file uses its part")]
pub fn change_flash(bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift, places: &[usize], words: &[u32]) {
    let at = (places[random.below(places.len())] + random.below(64)).min(bytes.len());
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.splice(at..(at + 4).min(bytes.len()), words[random.below(words.len())].to_le_bytes()).for_each(drop),
        2 => bytes.splice(at..at, other[..other.len().min(64)].iter().copied()).for_each(drop),
        3 => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len()))),
        _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
    }
}
