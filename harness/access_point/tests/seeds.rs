//! The fuzzer's seeds, and what a few thousand changes make of them, on stable Rust: `harness/fuzz/seeds/access_point`, frames
//! of 802.11 as a driver, an access point and somebody who means harm send them.

#[path = "../../fuzz/bodies/access_point.rs"]
mod body;
#[path = "../../fuzz/replay.rs"]
mod replay;

use replay::{Xorshift, seeds};

#[test]
fn seeds_are_frames_but_for_those_that_are_none() {
    let seeds = seeds("access_point");
    assert!(seeds.len() >= 40, "{}", seeds.len());
    let none: Vec<&str> =
        seeds.iter().filter(|(_, bytes)| !body::frame(bytes)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(none, ["empty.bin", "header_cut.bin", "protocol_version_3.bin", "qos_data_cut.bin"]);
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
fn stations_that_mean_harm_come_and_go() {
    let seeds = seeds("access_point_air");
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|(_, script)| body::air(script));
    replay::changed(&seeds, 200, change, |_, script| body::air(script));
}

#[test]
fn whatever_is_changed_in_a_seed_is_heard_or_passed_over() {
    const CHANGED_PER_SEED: usize = 60;
    replay::changed(&seeds("access_point"), CHANGED_PER_SEED, change, |_, bytes| {
        body::frame(bytes);
    });
}
