//! The Arduino core's own boot loader, in images of others: `SHAKEDOWN_ESP8266_EBOOT` names two, separated by a colon. The first
//! is booted, and the second copied to its place by a command in the RTC's memory, as an update does it. A second one that is
//! compressed (`.bin.gz`) is unpacked on the way.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use chip::PortId;
use clock::Instant;

use super::super::map::DeviceName;
use super::super::{Config, Esp8266};
use crate::machine::chip::{EmulatedChip as _, Pause, Reset};

/// Where the command lies in the RTC's memory, and of how many words it is.
const COMMAND: u32 = 0x200;
const WORDS: usize = 32;
/// Where what was downloaded lies.
const DOWNLOADED: usize = 0x10_0000;

fn command(length_bytes: u32) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    // Magic, copy, from, to, length.
    words[..5].copy_from_slice(&[0xeb00_1000, 1, DOWNLOADED as u32, 0, length_bytes]);
    let mut crc = u32::MAX;
    for octet in words[..WORDS - 1].iter().flat_map(|word| word.to_le_bytes()) {
        crc ^= u32::from(octet) << 24;
        for _ in 0..8 {
            crc = crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    words[WORDS - 1] = crc;
    words
}

fn said_until(chip: &mut Esp8266, text: &str, limit: Instant) -> String {
    let mut said = Vec::new();
    while chip.now() < limit && !String::from_utf8_lossy(&said).contains(text) {
        let pause = chip.run_until(limit);
        assert!(pause != Pause::Halted, "{:?}: {}", chip.take_events(), String::from_utf8_lossy(&said));
        said.extend(chip.take_serial_output(PortId::new("uart0")));
        chip.take_radio_output();
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn the_arduino_core_s_boot_loader_copies_an_update() {
    let Ok(files) = std::env::var("SHAKEDOWN_ESP8266_EBOOT") else {
        eprintln!("skipped: SHAKEDOWN_ESP8266_EBOOT names no images");
        return;
    };
    let (first, second) = files.split_once(':').expect("two images with a colon between them");
    let read = |file: &str| std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (first, second) = (read(first), read(second));
    let mut content = first.clone();
    assert!(content.len() <= DOWNLOADED, "the first image is too long");
    content.resize(DOWNLOADED, 0xff);
    content.extend(&second);
    let mut chip = Esp8266::new(&Config::default());
    chip.set_flash_content(&content).expect("they fit");
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    let said = said_until(&mut chip, "~ld", Instant::from_millis(500));
    assert!(said.contains("~ld"), "{said}");
    for (n, word) in command(second.len() as u32).into_iter().enumerate() {
        chip.soc.registers(DeviceName::RtcMemory).set(COMMAND + 4 * n as u32, word);
    }
    chip.reset(Reset::Debugger);
    let said = said_until(&mut chip, "\nld", Instant::from_millis(120_000));
    eprintln!("{} at {}", said.replace('\r', ""), chip.now());
    assert!(said.contains("@cp:0") && said.contains("\nld"), "{said}");
    let now = chip.flash_content();
    assert!(now[..first.len()] != first, "it is as it was");
    let is_compressed = second.starts_with(&[0x1f, 0x8b]);
    assert!(is_compressed || now[..second.len()] == second, "it was not copied whole");
}
