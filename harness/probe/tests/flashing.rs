//! The flashing process against emulated boards: probe-rs attaches, loads its own flash algorithm, runs it on the
//! emulated CPU, verifies, resets, and the chip boots what lies in its flash.
#![cfg(unix)]

mod bench;

use bench::{Bench, CHIP, LONG, image, power_on};
use board::flasher::Operation;
use clock::Instant;
use emulator::{EmulatedChip, Pause, Reset, Settings};

fn settings() -> Settings {
    Settings { seed: 0x5eed, ..Settings::default() }
}

/// What the firmware says in the second after its reset, and when.
fn said(chip: &mut dyn EmulatedChip) -> Vec<(Instant, Vec<u8>)> {
    let port = CHIP.bench_port().expect("firmware speaks on it");
    let mut said = Vec::new();
    loop {
        match chip.run_until(Instant::from_millis(1_000)) {
            Pause::Deadline => return said,
            Pause::SerialOutput => said.push((chip.now(), chip.take_serial_output(port))),
            other => panic!("{other:?} {:#?}", chip.take_events()),
        }
    }
}

#[test]
fn a_released_image_is_written_verified_and_does_as_if_it_had_been_loaded() {
    let bench = Bench::new(&settings());
    let mut flasher = Bench::attach(&bench.socket).unwrap_or_else(|fault| panic!("{fault}"));
    let mut steps = Vec::new();
    flasher.flash(&image(), LONG, &mut |step| steps.push(step)).unwrap_or_else(|fault| panic!("{fault}"));
    for operation in [Operation::Erase, Operation::Program, Operation::Verify] {
        let last = steps.iter().rfind(|step| step.operation == operation).unwrap_or_else(|| panic!("{operation:?}"));
        assert_eq!(Some(last.done_bytes), last.total_bytes, "{operation:?} comes to its end");
    }
    drop(flasher);
    let chip = bench.chip();
    assert!(chip.is_in_debug_mode(), "halted in reset");
    let mut flashed = power_on(&settings());
    flashed.set_flash_content(&chip.flash_content()).expect("a flash of the same size");
    flashed.boot_from_flash();
    flashed.reset(Reset::PowerOn);
    let mut direct = power_on(&settings());
    direct.load_elf(&std::fs::read(image()).expect("the released image")).expect("an image for this chip");
    assert_eq!(said(&mut *flashed), said(&mut *direct), "to the nanosecond");
}

#[test]
fn after_a_reset_the_chip_runs_and_after_an_erasure_it_has_nothing_to_run() {
    let bench = Bench::new(&settings());
    let mut flasher = Bench::attach(&bench.socket).unwrap_or_else(|fault| panic!("{fault}"));
    flasher.flash(&image(), LONG, &mut |_| {}).unwrap_or_else(|fault| panic!("{fault}"));
    flasher.reset(LONG).unwrap_or_else(|fault| panic!("{fault}"));
    drop(flasher);
    let Bench { socket, .. } = &bench;
    let socket = socket.clone();
    // Another process finds the chip as the first has left it.
    let mut flasher = Bench::attach(&socket).unwrap_or_else(|fault| panic!("{fault}"));
    flasher.reattach(LONG).unwrap_or_else(|fault| panic!("{fault}"));
    flasher.erase(LONG).unwrap_or_else(|fault| panic!("{fault}"));
    drop(flasher);
    let mut chip = bench.chip();
    assert!(chip.flash_content().is_empty());
    assert!(chip.instructions_retired() > 1_000_000, "the firmware has run");
    chip.reset(Reset::PowerOn);
    assert_eq!(chip.run_until(chip.now()), Pause::Event, "nothing to boot");
}
