//! A bare-metal program for the ESP8266, built with Debian's `gcc-xtensa-lx106`, tries each device.
//!
//! Without that compiler these tests say so and pass. Where `SHAKEDOWN_REQUIRED_TOOLS` names it, it is missed.

#[path = "support/lx106_program.rs"]
mod lx106_program;

use chip::PortId;
use clock::Instant;
use emulator::snapshot::Snapshot;
use emulator::{EmulatedChip, Settings, model_of};
use lx106_program::program;

fn chip_with(elf: &[u8]) -> Box<dyn EmulatedChip> {
    let mut chip = power_on();
    chip.load_elf(elf).expect("it is for this chip");
    chip
}

fn power_on() -> Box<dyn EmulatedChip> {
    let model = model_of(&chip::ESP8266).expect("it is emulated");
    (model.power_on)(&Settings::default())
}

/// What UART0 says until then.
fn said(chip: &mut dyn EmulatedChip, until_ms: u64) -> String {
    let until = Instant::from_millis(until_ms);
    let mut said = Vec::new();
    while chip.now() < until {
        chip.run_until(until);
        said.extend(chip.take_serial_output(PortId::new("uart0")));
    }
    let events = chip.take_events();
    assert!(events.is_empty(), "{events:?}");
    String::from_utf8(said).expect("it is text")
}

/// What the data sheets say, and what comes of an alarm every 20 milliseconds.
const EXPECTED: &str = "\
flash says flash\r
delay is right\r
erase takes 45 ms\r
flash 11223344 ddeeff00\r
and wraps 10203040\r
flash id 1640ef\r
pin 1 0\r
random differs\r
task 1 cafe\r
task 2 cafe\r
task 3 cafe\r
task 4 cafe\r
task 5 cafe\r
";

#[test]
fn every_device_does_what_its_data_sheet_says() {
    let Some(elf) = program("esp8266", "devices") else { return };
    assert_eq!(said(&mut *chip_with(&elf), 150), EXPECTED);
}

#[test]
fn who_goes_on_from_a_snapshot_anywhere_says_the_same() {
    let Some(elf) = program("esp8266", "devices") else { return };
    for cut_ms in [1, 3, 30, 60, 75, 100] {
        let mut first = chip_with(&elf);
        let mut text = said(&mut *first, cut_ms);
        let kept = first.snapshot().expect("the chip has snapshots").to_bytes();
        let mut second = power_on();
        second.restore(&Snapshot::from_bytes(&kept).expect("what was just written")).expect("of such a chip");
        text.push_str(&said(&mut *second, 150));
        assert_eq!(text, EXPECTED, "cut at {cut_ms} ms");
    }
}
