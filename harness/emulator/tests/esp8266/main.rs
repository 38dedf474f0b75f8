//! Bare-metal programs for the ESP8266, one for each device of its map, in `programs/esp8266`: what each says is held against
//! what the technical reference and the flash's data sheet say.
//!
//! The built programs lie beside their sources, so that nobody needs a compiler for another chip to run these tests;
//! `tests/programs/esp8266/build` builds them again with Debian's `gcc-xtensa-lx106`. Where that is installed, a test sees
//! whether they are what their sources say. Where `SHAKEDOWN_REQUIRED_TOOLS` names it, it is missed.

mod boot_loaders;
mod built;
mod devices;
mod image;
mod radio;

use chip::PortId;
use clock::Instant;
use emulator::esp8266::{Config, Esp8266};
use emulator::event::EventKind;
use emulator::snapshot::Snapshot;
use emulator::{EmulatedChip, Settings, model_of};

/// The programs, by their names.
macro_rules! programs {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../programs/esp8266/", $name, ".elf")))),*]
    };
}

const PROGRAMS: &[(&str, &[u8])] = programs![
    "application",
    "boot_copy",
    "boot_halves",
    "devices",
    "dport",
    "frc",
    "gpio",
    "memory",
    "rtc",
    "sleep",
    "soft_ap",
    "spi",
    "station",
    "storage",
    "uart",
    "watchdog",
    "wdev",
];

const UART0: PortId = PortId::new("uart0");
const UART1: PortId = PortId::new("uart1");

fn power_on() -> Box<dyn EmulatedChip> {
    let model = model_of(&chip::ESP8266).expect("it is emulated");
    (model.power_on)(&Settings::default())
}

fn elf_of(name: &str) -> &'static [u8] {
    PROGRAMS.iter().find(|(known, _)| *known == name).expect("a program").1
}

/// A chip at the beginning of a program.
fn chip_with(name: &str) -> Esp8266 {
    let elf = elf_of(name);
    let mut chip = Esp8266::new(&Config::default());
    chip.load_elf(elf).expect("it is for this chip");
    chip
}

/// What UART0 says until then, and how many resets there were. Anything else that the chip has to tell is a mistake of the
/// program's, or of the chip's.
fn said_with_resets(chip: &mut dyn EmulatedChip, until_ms: u64) -> (String, usize) {
    let until = Instant::from_millis(until_ms);
    let mut said = Vec::new();
    while chip.now() < until {
        chip.run_until(until);
        said.extend(chip.take_serial_output(UART0));
    }
    let events = chip.take_events();
    let resets = events.iter().filter(|event| matches!(event.kind, EventKind::Reset { .. })).count();
    assert_eq!(resets, events.len(), "{events:?}");
    (String::from_utf8(said).expect("it is text").replace('\r', ""), resets)
}

/// What UART0 says until then, without a reset.
fn said(chip: &mut dyn EmulatedChip, until_ms: u64) -> String {
    let (said, resets) = said_with_resets(chip, until_ms);
    assert_eq!(resets, 0, "{said}");
    said
}

/// An interrupt every 20 milliseconds, with a task behind it.
const EXPECTED: &str = "\
flash says flash
delay is right
erase takes 45 ms
flash 11223344 ddeeff00
and wraps 10203040
flash id 1640ef
pin 1 0
random differs
task 1 cafe
task 2 cafe
task 3 cafe
task 4 cafe
task 5 cafe
";

#[test]
fn the_rom_s_functions_bring_devices_exceptions_and_tasks_together() {
    assert_eq!(said(&mut chip_with("devices"), 150), EXPECTED);
}

#[test]
fn who_goes_on_from_a_snapshot_anywhere_says_the_same() {
    for cut_ms in [1, 3, 30, 60, 75, 100] {
        let mut first = chip_with("devices");
        let mut text = said(&mut first, cut_ms);
        let kept = first.snapshot().to_bytes();
        let mut second = power_on();
        second.restore(&Snapshot::from_bytes(&kept).expect("what was just written")).expect("of such a chip");
        text.push_str(&said(&mut *second, 150));
        assert_eq!(text, EXPECTED, "cut at {cut_ms} ms");
    }
}
