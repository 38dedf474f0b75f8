//! The fuzzers' seeds, and what a few hundred changes make of each, on stable Rust: `harness/fuzz/seeds`. Those of
//! `access_point`, `firmware_image` and `network` are with these crates.

use std::fs;
use std::path::Path;

use rstest::rstest;

#[path = "../../fuzz/bodies/strangers.rs"]
mod body;
#[path = "../../fuzz/bodies/broker.rs"]
mod broker_body;
#[path = "../../fuzz/bodies/parsers.rs"]
mod parsers;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::Xorshift;

/// What parsers are afraid of.
const WORDS: [&[u8]; 10] = [
    b"",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x1b[31m",
    b"99999999999999999999",
    b"-1",
    b"[[",
    b"\"",
    b"\n",
    b"\xe2\x80\xae",
];

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Xorshift) {
    let at = random.below(bytes.len() + 1);
    let word = WORDS[random.below(WORDS.len())];
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => bytes.splice(at..(at + 4).min(bytes.len()), word.iter().copied()).for_each(drop),
        2 => bytes.splice(at..at, word.iter().copied()).for_each(drop),
        3 => bytes.splice(at..at, other[..other.len().min(64)].iter().copied()).for_each(drop),
        4 => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len()))),
        _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
    }
}

#[rstest]
fn whatever_is_changed_in_a_seed_is_taken_or_refused(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)] kind: usize,
) {
    let (name, body) = body::ALL[kind];
    // A chip is powered on for each of these.
    let changed_per_seed = if ["elf", "remote_bitbang", "gdb", "image_trust"].contains(&name) { 40 } else { 400 };
    let seeds = replay::seeds(&format!("strangers/{name}"));
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|(_, seed)| body(seed));
    replay::changed(&seeds, changed_per_seed, change, |_, bytes| body(bytes));
}

#[rstest]
fn whatever_is_changed_in_a_seed_is_parsed_or_refused(#[values(0, 1, 2, 3, 4, 5, 6, 7)] kind: usize) {
    let (name, body) = parsers::ALL[kind];
    let seeds = replay::seeds(name);
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|(_, seed)| body(seed));
    replay::changed(&seeds, 400, change, |_, bytes| body(bytes));
}

#[test]
fn whatever_a_device_says_to_a_broker_has_an_end() {
    let seeds = replay::seeds("broker_connection");
    seeds.iter().for_each(|(_, seed)| broker_body::connection(seed));
    replay::changed(&seeds, 400, change, |_, bytes| broker_body::connection(bytes));
}

/// What libFuzzer alone compiles, in the night and with another compiler, nobody notices when it breaks.
#[test]
fn no_target_has_code_of_its_own() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for file in fs::read_dir(fuzz.join("fuzz_targets")).expect("the targets") {
        let file = file.expect("an entry").path();
        let text = fs::read_to_string(&file).expect("text");
        let code = text.lines().filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("#["));
        assert!(code.count() <= 9, "{}: into a body, which tests run too", file.display());
        let bodies: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("#[path = \"")).collect();
        let is_shared = |path: &&str| path.starts_with("../bodies/") || path.contains("/tests/");
        assert!(!bodies.is_empty() && bodies.iter().all(is_shared), "{}", file.display());
    }
}

/// Each kind has a target of libFuzzer's, and no folder of seeds is nobody's.
#[test]
fn every_kind_has_its_target_and_its_seeds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("the fuzzers' manifest");
    for (name, _) in body::ALL {
        let target = fuzz.join(format!("fuzz_targets/strangers_{name}.rs"));
        let text = fs::read_to_string(&target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
        assert!(text.contains(&format!("strangers::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("name = \"strangers_{name}\"")), "{name}");
    }
    let folders = fs::read_dir(fuzz.join("seeds/strangers")).expect("the seeds").count();
    assert_eq!(folders, body::ALL.len());
    for (name, _) in parsers::ALL {
        let target = fuzz.join(format!("fuzz_targets/{name}.rs"));
        let text = fs::read_to_string(&target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
        assert!(text.contains(&format!("parsers::{name}(bytes)")), "{name}");
    }
}

/// libFuzzer ends with an error at a line that it does not understand: each is a comment, or a word in quotation marks, with
/// `\\`, `\"` and `\xAB` in it (its documentation, "Dictionaries").
#[test]
fn each_dictionary_is_a_targets_and_can_be_read() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let entry = |line: &str| -> Option<usize> {
        let mut rest = line.strip_prefix('"')?.strip_suffix('"')?;
        let mut length = 0;
        while let Some(one) = rest.chars().next() {
            rest = &rest[one.len_utf8()..];
            rest = match one {
                '"' => return None,
                '\\' if rest.starts_with(['\\', '"']) => &rest[1..],
                '\\' => {
                    let digits = rest.strip_prefix('x')?.get(..2)?;
                    u8::from_str_radix(digits, 16).ok()?;
                    &rest[3..]
                }
                _ => rest,
            };
            length += 1;
        }
        Some(length)
    };
    let mut count = 0;
    for file in fs::read_dir(fuzz.join("dictionaries")).expect("the dictionaries") {
        let file = file.expect("an entry").path();
        let target = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(fuzz.join(format!("fuzz_targets/{target}.rs")).is_file(), "{target}");
        for line in fs::read_to_string(&file).expect("text").lines().filter(|line| !line.starts_with('#')) {
            assert!(entry(line).is_some_and(|length| length > 0), "{}: {line}", file.display());
        }
        count += 1;
    }
    assert!(count >= 10, "{count}");
}
