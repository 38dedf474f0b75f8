//! Every scenario on every stack, against its reviewed snapshot; and the packets that are kept against theirs.
//!
//! The same as `cargo xtask hil`, through `rstest` and `insta`: this is what `cargo test` runs. One test
//! for each file, so that they run side by side and have names; inside, one stack after the other.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use board::{Boots, Emulated, Tier};
use rstest::rstest;
use runner::builds::Builds;
use runner::mosquitto;
use runner::stack::{self, Applicability, Stack};
use runner::trial::{self, Trial, Tried};
use runner::{bench, controls, packets};
use scenario::Scenario;
use scenario::library;
use snapshot::not_applicable::Record;
use snapshot::{Agreement, Place};

/// The seed of the reviewed runs.
const SEED: u64 = 0x5eed;

static ROOT: LazyLock<PathBuf> = LazyLock::new(support::root);

/// All chips of these tests have host code where that can be: so it is tried in every scenario on every stack.
static STACKS: LazyLock<Vec<Stack>> = LazyLock::new(|| {
    host_code::install();
    stack::known(&ROOT).unwrap_or_else(|why| panic!("the released stacks: {why}"))
});

/// How the stacks' images boot, once for all scenarios.
static BOOTS: LazyLock<Arc<Boots>> = LazyLock::new(Boots::new);

fn captures() -> PathBuf {
    ROOT.join("captures")
}

/// Lock-step over whole handshakes: what host code does, threaded code and the plain interpreter do again, to the byte and
/// to the nanosecond.
#[rstest]
#[case::tls13("versions/tls13_only", "esp32c3_mbedtls")]
#[case::tls12("versions/tls12_only", "esp32c3_mbedtls")]
#[case::rsa("certificate/rsa2048_chain", "esp32c3_mbedtls")]
#[case::lx106_tls12("versions/tls12_only", "esp8266_bearssl")]
#[case::lx106_rsa("certificate/rsa2048_chain", "esp8266_bearssl")]
fn the_plain_interpreter_tells_the_same_story(#[case] name: &str, #[case] stack: &str) {
    let file = ROOT.join("scenarios").join(format!("{name}.toml"));
    let text = fs::read_to_string(&file).expect("the scenario exists");
    let scenario = Scenario::parse(name, name, &text).unwrap_or_else(|error| panic!("{error}"));
    let stack = STACKS.iter().find(|known| known.name == stack).expect("it is released");
    let run = |mut board: Emulated| {
        let evidence = bench::run(&scenario, stack, &mut board, SEED).expect("the bench does its part");
        assert!(board.instructions_retired() > 10_000_000, "this was no handshake");
        evidence.pcapng
    };
    let chip = || Emulated::of(stack.chip(), SEED).expect("it is emulated");
    let plain = run(chip().executed_by(Tier::Interpreter));
    for tier in [Tier::ThreadedCode, Tier::HostCode, Tier::HostCode] {
        // The second run with host code has it from its first instruction on.
        assert!(run(chip().executed_by(tier)) == plain, "{name}: {tier:?} and the plain interpreter differ");
    }
}

/// Stacks meet the certificates of a scenario that were minted for the first of them: they are what would be minted, whichever
/// scenarios came in between, and whether they are still kept or not.
#[test]
fn certificates_that_are_kept_are_those_that_are_minted() {
    let mut scenarios = library::read(&ROOT.join("scenarios")).expect("our own scenarios are good");
    scenarios.retain(|scenario| scenario.name.starts_with("identity/") || scenario.name.starts_with("validity/"));
    assert!(scenarios.len() > 40, "{}", scenarios.len());
    let backwards = scenarios.iter().rev();
    for (scenario, seed) in
        scenarios.iter().map(|scenario| (scenario, 1)).chain(backwards.flat_map(|one| [(one, 1), (one, 2)]))
    {
        let kept = bench::mint(scenario, seed).expect("it can be minted");
        let fresh = pki::mint(&scenario.pki, seed, scenario.date()).expect("it can be minted");
        let der = |minted: &pki::Minted| minted.certificates.values().map(|one| one.der.clone()).collect::<Vec<_>>();
        assert_eq!(der(&kept), der(&fresh), "{} with seed {seed}", scenario.name);
    }
}

#[rstest]
fn happens_as_reviewed(#[files("../../scenarios/**/*.toml")] file: PathBuf) {
    let below = file.strip_prefix(ROOT.join("scenarios")).expect("rstest found it there").with_extension("");
    let name = below.to_str().expect("scenario names are ASCII").replace('\\', "/");
    let text = fs::read_to_string(&file).expect("rstest found it");
    let scenario = Scenario::parse(&name, &file.display().to_string(), &text).unwrap_or_else(|error| panic!("{error}"));
    // All of them are heard, even if one fails; why it does is on standard error.
    let failed: Vec<&str> = STACKS
        .iter()
        .filter(|stack| catch_unwind(AssertUnwindSafe(|| happens_as_reviewed_on(&scenario, stack))).is_err())
        .map(|stack| stack.name.as_str())
        .collect();
    assert!(failed.is_empty(), "{name} is otherwise on {}", failed.join(", "));
}

fn happens_as_reviewed_on(scenario: &Scenario, stack: &Stack) {
    let name = &scenario.name;
    let on = format!("{name} on {}", stack.name);
    let place = Place::new(&captures(), name, &stack.name);
    if stack.applicability(scenario) != Applicability::Applies {
        assert!(!place.snapshot().exists(), "{on}: it is not run, and yet there is a snapshot");
        return;
    }
    if let Some(build) = stack.is_missing() {
        let name = if stack.is_product() { "products" } else { stack.name.as_str() };
        let is_required = controls::tools::is_required(name) && !stack.is_given();
        assert!(!is_required, "{on}: not there: {build}");
        return eprintln!("{on}: not run: {build}");
    }
    if scenario.broker.real.is_some() {
        let mut board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
        return happens_with_a_real_broker_as_reviewed(scenario, stack, &mut board, &place);
    }
    let trial = trial::on_emulator(scenario, stack, SEED, &BOOTS);
    let Trial { judged, .. } = trial.unwrap_or_else(|why| panic!("{on}: {why}"));
    let record = Record::read(&captures(), &stack.name).unwrap_or_else(|error| panic!("{on}: {error}"));
    assert_eq!(judged.not_applicable(), record.reason(name), "{on}: what it says it cannot do");
    if judged.not_applicable().is_some() {
        assert!(!place.snapshot().exists(), "{on}: it cannot do this, and yet there is a snapshot");
        return;
    }
    assert!(judged.account.leaked_bytes.is_none_or(|bytes| bytes == 0), "{on}: {:?}", judged.account.leaked_bytes);
    assert_eq!(judged.account.says_nothing(), None, "{on}");
    // The run's own words; of its numbers, those that agree with the reviewed ones are the reviewed ones.
    let text = place.settled(&judged.transcript).unwrap_or_else(|error| panic!("{on}: {error}"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(place.folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(name);
    settings.bind(|| insta::assert_snapshot!(place.snapshot_name(), text));

    // The bench's own reader of snapshots agrees with insta's.
    let agreement = place.compare(&judged.transcript).unwrap_or_else(|error| panic!("{on}: {error}"));
    assert_eq!(agreement, Agreement::Same, "{on}");
}

/// Of such a run only the class of the outcome is the same every time.
fn happens_with_a_real_broker_as_reviewed(scenario: &Scenario, stack: &Stack, board: &mut Emulated, place: &Place) {
    let on = format!("{} on {}", scenario.name, stack.name);
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let met = mosquitto::meet(scenario, stack, board, SEED, controls::today(), folder.path())
        .unwrap_or_else(|why| panic!("{on}: {why}"));
    let judged = match met.judged(scenario, stack, board, SEED).unwrap_or_else(|why| panic!("{on}: {why}")) {
        Tried::Run(trial) => trial.judged,
        Tried::NotApplicable(why) => return eprintln!("{on}: not run: {why}"),
    };
    let agreement = place.compare(&mosquitto::essence(&stack.name, &judged.account)).expect("it is there");
    assert_eq!(agreement, Agreement::Same, "{}", judged.transcript);
}

#[test]
fn whatever_is_excused_exists() {
    let scenarios = library::read(&ROOT.join("scenarios")).unwrap_or_else(|why| panic!("{why}"));
    let mut complaints = Vec::new();
    for scenario in &scenarios {
        for entry in scenario.applies.iter().filter_map(|applies| applies.stacks.as_ref()).flatten() {
            let entry_means = |stack: &Stack| match entry.strip_suffix('*') {
                Some(beginning) => stack.name.starts_with(beginning),
                None => stack.name == *entry,
            };
            if !STACKS.iter().any(entry_means) {
                complaints.push(format!("{}: `[applies]` names `{entry}`, which is no stack", scenario.name));
            }
        }
    }
    for stack in STACKS.iter() {
        for entry in stack.entries() {
            if !scenarios.iter().any(|scenario| runner::dialect::covers(entry, &scenario.name)) {
                complaints.push(format!("{}: its dialect names `{entry}`, which is no scenario", stack.name));
            }
        }
        let record = Record::read(&captures(), &stack.name).unwrap_or_else(|error| panic!("{error}"));
        for (excused, _) in record.excuses() {
            if !scenarios.iter().any(|scenario| scenario.name == excused) {
                complaints.push(format!("{}: on record is `{excused}`, which is no scenario", stack.name));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The stack whose packets are kept of a scenario.
fn stack_of_the_packets(scenario: &Scenario) -> Option<&'static Stack> {
    packets::stack_of(scenario, &STACKS, &|stack| {
        Record::read(&captures(), &stack.name).is_ok_and(|record| record.reason(&scenario.name).is_some())
    })
}

/// And those that somebody has given by hand: the packets of all that they were asked are kept.
fn stacks_of_the_packets(scenario: &Scenario) -> impl Iterator<Item = &'static Stack> + use<> {
    stack_of_the_packets(scenario).into_iter().chain(STACKS.iter().filter(|stack| stack.is_given()))
}

/// Snapshots and captures of scenarios or stacks that are gone would be taken for evidence.
#[test]
fn nothing_is_captured_that_is_not_run() {
    let scenarios = library::read(&ROOT.join("scenarios")).unwrap_or_else(|why| panic!("{why}"));
    let mut wanted: BTreeSet<PathBuf> = BTreeSet::new();
    for scenario in &scenarios {
        let place = |stack: &Stack| Place::new(&captures(), &scenario.name, &stack.name);
        wanted.extend(STACKS.iter().map(|stack| place(stack).snapshot()));
        wanted.extend(stacks_of_the_packets(scenario).map(|stack| place(stack).capture()));
    }
    let mut found = Vec::new();
    let mut folders = vec![captures()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("snap" | "pcapng") if folder != captures() => found.push(path),
                _ => {}
            }
        }
    }
    // Controls are no stacks: programs of the host, which may not be installed here.
    let is_control = |path: &Path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(".control_"));
    let stray: Vec<String> = found
        .iter()
        .filter(|path| !wanted.contains(*path) && !is_control(path))
        .map(|path| path.display().to_string())
        .collect();
    assert!(!found.is_empty() && stray.is_empty(), "of no scenario or stack:\n{}", stray.join("\n"));
}

/// Packets are written when their snapshot is, and so they tell what it tells, whichever build they are of. Nobody
/// else notices if somebody takes a snapshot as right, and forgets the packets.
#[test]
fn the_packets_that_are_kept_tell_what_their_snapshots_tell() {
    let scenarios = library::read(&ROOT.join("scenarios")).unwrap_or_else(|why| panic!("{why}"));
    let mut complaints = Vec::new();
    let mut told = 0;
    let pairs =
        scenarios.iter().flat_map(|scenario| stacks_of_the_packets(scenario).map(move |stack| (scenario, stack)));
    for (scenario, stack) in pairs {
        let place = Place::new(&captures(), &scenario.name, &stack.name);
        let Some(reviewed) = place.reviewed().unwrap_or_else(|error| panic!("{}: {error}", scenario.name)) else {
            continue;
        };
        let Ok(pcapng) = fs::read(place.capture()) else {
            complaints.push(format!("{}: there are none", place.capture().display()));
            continue;
        };
        let recording = capture::read(&pcapng, "").unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
        let comment = recording.comment.unwrap_or_default();
        if !comment.contains(&format!("image {} ", stack.firmware.name)) || !comment.contains(" sha256 ") {
            complaints.push(format!("{}: they do not say which build they are of", place.capture().display()));
        }
        if let Some(why) = packets::otherwise(&pcapng, scenario, &reviewed).unwrap_or_else(|error| Some(error.message))
        {
            complaints.push(format!("{}: this is not what the snapshot tells:\n{why}", place.capture().display()));
        }
        told += 1;
    }
    assert!(complaints.is_empty(), "`cargo xtask hil … --accept` writes them:\n{}", complaints.join("\n"));
    assert!(told > 300, "only {told} were compared");
}

/// What the snapshots say that they were recorded with is what is released.
#[test]
fn the_builds_on_record_are_the_released_ones() {
    let on_record =
        Builds::read(&captures()).unwrap_or_else(|why| panic!("{why}")).expect("captures/BUILDS.toml is there");
    let now = Builds::of(STACKS.iter(), SEED);
    assert_eq!(on_record, now, "`cargo xtask hil --board esp32c3 --accept` runs everything, and takes what differs");
}
