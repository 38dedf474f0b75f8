//! Every scenario on the emulated board, against its reviewed snapshot and its committed capture.
//!
//! The same as `cargo xtask hil --board esp32c3`, through `rstest` and `insta`: this is what `cargo test` runs.

use std::fs;
use std::path::{Path, PathBuf};

use board::{Board as _, Emulated};
use rstest::rstest;
use runner::released::Firmware;
use runner::snapshot::{Agreement, Place};
use runner::{bench, judge};
use scenario::Scenario;

/// The seed of the reviewed runs.
const SEED: u64 = 0x5eed;

/// Lock-step over whole handshakes: what the fast path did when the capture was committed, the plain interpreter does
/// again, to the byte and to the nanosecond.
#[rstest]
fn the_plain_interpreter_tells_the_same_story(
    #[values("versions/tls13_only", "versions/tls12_only", "certificate/rsa2048_chain")] name: &str,
) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists");
    let file = root.join("scenarios").join(format!("{name}.toml"));
    let text = fs::read_to_string(&file).expect("the scenario exists");
    let scenario = Scenario::parse(name, name, &text).unwrap_or_else(|error| panic!("{error}"));
    let firmware = Firmware::find(&root, None).expect("the released image is committed");
    let image = firmware.image();
    let mut board = Emulated::new(SEED).interpreted();
    let evidence = bench::run(&scenario, &image, &mut board, SEED).expect("the bench does its part");
    let place = Place::new(&root.join("captures"), name, &firmware.name);
    assert!(fs::read(place.capture()).expect("it is committed") == evidence.pcapng, "{name}: the two paths differ");
    assert!(board.instructions_retired() > 10_000_000, "this was no handshake");
}

#[rstest]
fn happens_as_reviewed(#[files("../../scenarios/**/*.toml")] file: PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists");
    let scenarios = root.join("scenarios");
    let below = file.strip_prefix(&scenarios).expect("rstest found it there").with_extension("");
    let name = below.to_str().expect("scenario names are ASCII").replace('\\', "/");
    let text = fs::read_to_string(&file).expect("rstest found it");
    let scenario = Scenario::parse(&name, &file.display().to_string(), &text).unwrap_or_else(|error| panic!("{error}"));

    let firmware = Firmware::find(&root, None).expect("the released image is committed");
    let image = firmware.image();
    let mut board = Emulated::new(SEED);
    let evidence = bench::run(&scenario, &image, &mut board, SEED).expect("the bench does its part");
    let judged =
        judge::judge(&scenario, &firmware, &board.target(), SEED, &evidence).expect("our own capture can be read");

    let place = Place::new(&root.join("captures"), &name, &firmware.name);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(place.folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(&name);
    settings.bind(|| insta::assert_snapshot!(place.snapshot_name(), judged.transcript));

    // The bench's own reader of snapshots agrees with insta's.
    assert_eq!(place.compare(&judged.transcript).expect("it is there"), Agreement::Same);
    let committed = fs::read(place.capture()).expect("each snapshot has its capture: run `cargo xtask hil … --accept`");
    assert!(
        committed == evidence.pcapng,
        "{} is not byte for byte what this run captured ({} and {} bytes)",
        place.capture().display(),
        committed.len(),
        evidence.pcapng.len()
    );
}
