//! What firmware leaves in its RAM for a debug probe is heard without one: `programs/defmt_rtt` logs with defmt over RTT.

use clock::Instant;
use emulator::{EmulatedChip, Pause, Settings};

const PROGRAM: &[u8] = include_bytes!("programs/defmt_rtt.elf");
/// More than it takes.
const LIMIT: Instant = Instant::from_millis(200);

fn chip() -> Box<dyn EmulatedChip> {
    let model = emulator::model_of(&chip::ESP32C3).expect("it is emulated");
    let mut chip = (model.power_on)(&Settings::default());
    chip.load_elf(PROGRAM).expect("a program for this chip");
    chip
}

/// What it says until the limit, if somebody looks after each `slice_ns`.
fn said(chip: &mut dyn EmulatedChip, slice_ns: u64) -> String {
    let mut said = Vec::new();
    while chip.now() < LIMIT {
        let deadline = Instant::from_nanos(chip.now().as_nanos() + slice_ns).min(LIMIT);
        chip.run_until(deadline);
        said.extend(chip.take_serial_output(chip::RTT));
    }
    String::from_utf8(said).expect("text")
}

#[test]
fn frames_of_defmt_become_lines() {
    let said = said(&mut *chip(), u64::MAX / 2);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "0.000 INFO connecting to broker.test:8883",
            "0.001 DEBUG heap 40960 bytes, nonce [01, fe]",
            "0.002 WARN Timeout after 2.5 s",
            "0.003 ERROR handshake: Alert { level: 2, description: 42 }",
            "0.004 ERROR handshake: Peer(bad certificate)",
            "0.005 TRACE sample 0 of 400",
        ]
    );
    assert_eq!(lines[404..], ["0.404 TRACE sample 399 of 400", "0.405 done"], "nothing is lost between two looks");
}

#[test]
fn what_is_said_does_not_hang_on_when_somebody_looks() {
    let whole = said(&mut *chip(), u64::MAX / 2);
    assert_eq!(said(&mut *chip(), 77_777), whole);
    let mut first = chip();
    let mut begun = Vec::new();
    while first.now() < Instant::from_millis(10) {
        first.run_until(Instant::from_millis(10));
        begun.extend(first.take_serial_output(chip::RTT));
    }
    let mut second = chip();
    second.restore(&first.snapshot().expect("it has snapshots")).expect("a snapshot of this chip");
    let rest = said(&mut *second, u64::MAX / 2);
    assert_eq!(String::from_utf8(begun).expect("text") + &rest, whole);
}

#[test]
fn the_owner_is_told_when_there_is_something_to_hear() {
    let mut chip = chip();
    assert_eq!(chip.run_until(LIMIT), Pause::SerialOutput);
    assert!(chip.now() <= Instant::from_millis(2), "{}", chip.now());
    assert!(chip.take_serial_output(chip::RTT).starts_with(b"0.000 INFO connecting"));
}
