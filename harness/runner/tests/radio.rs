//! The image with Espressif's driver, where it is built: runs that go on from where others have joined are the same to the
//! byte, and whatever register the driver touches is one that the map knows.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use board::{Boots, Emulated, Gravity};
use runner::stack::{self, Stack};
use runner::{bench, controls, trial};
use scenario::Scenario;
use scenario::library;

const SEED: u64 = 0x5eed;

static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists"));

/// The stack, unless its image is not built.
fn radio() -> Option<Stack> {
    let stacks = stack::known(&ROOT).unwrap_or_else(|why| panic!("{why}"));
    let stack = stacks.into_iter().find(|stack| stack.name == "esp32c3_wifi").expect("it is known");
    let Some(build) = stack.is_missing() else { return Some(stack) };
    assert!(!controls::tools::is_required(&stack.name), "not built: {build}");
    terminal::errln!("not run: {build}");
    None
}

fn scenarios(names: &[&str]) -> Vec<Scenario> {
    let all = library::read(&ROOT.join("scenarios")).unwrap_or_else(|why| panic!("{why}"));
    let named = |name: &&str| all.iter().find(|one| one.name == **name).unwrap_or_else(|| panic!("no {name}")).clone();
    names.iter().map(named).collect()
}

/// Transcript, packets, and the instructions that were executed here.
fn run(scenario: &Scenario, stack: &Stack, boots: Option<&Arc<Boots>>) -> (String, Vec<u8>, u64) {
    let board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
    let mut board = match boots {
        Some(boots) => board.booting_from(Arc::clone(boots)),
        None => board,
    };
    let trial = trial::on(&mut board, scenario, stack, SEED).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    (trial.judged.transcript, trial.pcapng, board.instructions_executed())
}

/// Where nothing is wrong with the air, joining is done once; where something is, the boot.
#[test]
fn a_run_that_goes_on_from_where_another_has_joined_is_the_same_to_the_byte() {
    let Some(stack) = radio() else { return };
    let boots = Boots::new();
    let scenarios = scenarios(&[
        "wifi/message_3_lost_once",
        "versions/tls13_only",
        "validity/expired_leaf",
        "wifi/wrong_passphrase",
        "wifi/mtu_576",
        "versions/tls12_only",
        "wifi/weak_signal",
    ]);
    let mut spared = Vec::new();
    for scenario in scenarios {
        let cold = run(&scenario, &stack, None);
        let warm = run(&scenario, &stack, Some(&boots));
        assert_eq!(warm.0, cold.0, "{}", scenario.name);
        assert!(warm.1 == cold.1, "{}: other packets", scenario.name);
        spared.push((scenario.name, 100 * (cold.2 - warm.2) / cold.2));
    }
    let of = |name: &str| spared.iter().find(|(other, _)| other == name).map_or(0, |(_, percent)| *percent);
    assert!(of("validity/expired_leaf") >= 50 && of("versions/tls12_only") >= 50, "{spared:?}");
    assert!(of("wifi/wrong_passphrase") > 0, "{spared:?}");
    assert!(boots.len() >= 2, "a boot, and a network that was joined");
}

/// Joined, secured, lost and joined again, asleep and awake: the driver touches no register that the map does not know.
#[test]
fn no_register_is_touched_that_is_not_modelled() {
    let Some(stack) = radio() else { return };
    let names = [
        "versions/tls13_only",
        "certificate/rsa4096_chain",
        "wifi/open_where_wpa2_was_expected",
        "wifi/power_save",
        "wifi/weak_signal",
        "wifi/channel_switch_announced",
        "wifi/group_key_renewed",
        "wifi/access_point_returns_after_a_minute",
    ];
    for scenario in scenarios(&names) {
        let mut board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
        let evidence = bench::run(&scenario, &stack, &mut board, SEED).unwrap_or_else(|why| panic!("{why}"));
        assert!(!evidence.pcapng.is_empty());
        let unknown: Vec<_> = evidence.incidents.iter().filter(|one| one.gravity == Gravity::Unmodelled).collect();
        assert!(unknown.is_empty(), "{}: {unknown:#?}", scenario.name);
    }
}
