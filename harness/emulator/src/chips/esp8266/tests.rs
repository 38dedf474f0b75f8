//! The chip as a whole: boot, resets, snapshots, and that nothing that firmware writes breaks it.

mod eboot;

use chip::PortId;
use clock::Instant;

use super::map::MAP;
use super::*;
use crate::cores::lx106::Bus;
use crate::machine::access::Width;
use crate::machine::chip::{EmulatedChip, Pause, Reset};
use crate::machine::event::EventKind;
use crate::machine::random::Random;
use crate::machine::snapshot::Snapshot;

/// An image of the first format: one segment, with its checksum.
fn image(address: u32, code: &[u8]) -> Vec<u8> {
    let mut image = vec![0xe9, 1, 2, 0x40];
    image.extend(address.to_le_bytes());
    image.extend(address.to_le_bytes());
    image.extend((code.len() as u32).to_le_bytes());
    image.extend(code);
    let checksum = code.iter().fold(0xef, |sum, byte| sum ^ byte);
    image.resize(image.len() | 15, 0);
    image.push(checksum);
    image
}

/// Stores a word to a register, as an instruction would.
fn store(chip: &mut Esp8266, address: u32, value: u32) {
    let cycle = chip.core.cycle();
    chip.soc.store(&mut chip.memory, address, Width::Word, value, cycle).expect("it is a register");
}

/// Loads a word from a register, as an instruction would.
fn load(chip: &mut Esp8266, address: u32) -> u32 {
    let cycle = chip.core.cycle();
    chip.soc.load(&mut chip.memory, address, Width::Word, cycle).expect("it is a register")
}

fn chip_with(flash: &[u8]) -> Esp8266 {
    let mut chip = Esp8266::new(&Config::default());
    chip.set_flash_content(flash).expect("it fits");
    chip.boot_from_flash();
    EmulatedChip::reset(&mut chip, Reset::PowerOn);
    chip
}

/// `1: j 1b`
const FOR_EVER: [u8; 4] = [0x06, 0xff, 0xff, 0];

#[test]
fn the_rom_loads_an_image_and_says_so() {
    let mut chip = chip_with(&image(IRAM, &FOR_EVER));
    assert_eq!(chip.core.pc(), IRAM);
    while chip.now() < Instant::from_millis(40) {
        chip.run_until(Instant::from_millis(40));
    }
    let said = String::from_utf8(chip.take_serial_output(PortId::new("uart0"))).expect("it is text");
    assert!(said.contains("rst cause:1, boot mode:(3,7)\r\n\r\nload 0x40100000, len 4"), "{said}");
}

#[test]
fn what_the_rom_does_not_take_is_told() {
    let reason = |flash: &[u8]| {
        let mut chip = chip_with(flash);
        let pause =
            std::iter::repeat_with(|| chip.run_until(Instant::from_millis(1_000))).find(|p| *p != Pause::SerialOutput);
        assert_eq!(pause, Some(Pause::Event));
        match chip.take_events().pop().map(|event| event.kind) {
            Some(EventKind::NothingToBoot { reason }) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(&[]), "it begins with 0xff, and an image with 0xe9");
    assert_eq!(reason(&[0xe9, 0]), "its header says 0 segments; there are 1 to 16");
    let mut bad = image(IRAM, &FOR_EVER);
    bad[16] ^= 1;
    assert!(reason(&bad).contains("its checksum is"));
    let lost = reason(&image(0x2000_0000, &FOR_EVER));
    assert_eq!(lost, "a segment of 4 bytes is for 0x20000000, where there is no RAM");
    let long = [&[0xe9, 1, 0, 0, 0, 0, 0x10, 0x40, 0, 0, 0x10, 0x40][..], &[0xff; 4]].concat();
    assert!(reason(&long).contains("4294967295 bytes"));
}

#[test]
fn a_reset_by_software_keeps_what_the_rtc_keeps_and_a_watchdog_says_so() {
    let mut chip = chip_with(&image(IRAM, &FOR_EVER));
    store(&mut chip, 0x6000_1100, 0x1234_5678);
    store(&mut chip, 0x6000_0014, 50);
    store(&mut chip, 0x6000_0700, 1 << 31);
    while chip.run_until(Instant::from_millis(10)) != Pause::Event {}
    assert_eq!(chip.take_events()[0].kind.to_string(), "reset: software");
    assert_eq!(load(&mut chip, 0x6000_1100), 0x1234_5678);
    assert_ne!(load(&mut chip, 0x6000_0014), 50);
    assert_eq!(load(&mut chip, 0x6000_0714) & 7, 2);
    // Two stages of 819 microseconds.
    store(&mut chip, 0x6000_0900, 1);
    while chip.run_until(Instant::from_millis(100)) != Pause::Event {}
    let event = chip.take_events().remove(0);
    assert_eq!((event.kind.to_string(), event.kind.is_fault()), ("reset: hardware watchdog".to_owned(), true));
    EmulatedChip::reset(&mut chip, Reset::PowerOn);
    assert_eq!(load(&mut chip, 0x6000_1100), 0);
}

/// The first pause that is not for a byte on its way out.
fn past_what_is_sent(chip: &mut Esp8266, until: Instant) -> Pause {
    loop {
        let pause = chip.run_until(until);
        if pause != Pause::SerialOutput {
            return pause;
        }
    }
}

/// The words of Espressif's SDKs, from 1.4.0 to 3.0.1.
#[test]
fn deep_sleep_ends_when_the_counter_comes_to_the_alarm_and_keeps_what_the_rtc_keeps() {
    let mut chip = chip_with(&image(IRAM, &FOR_EVER));
    store(&mut chip, 0x6000_1100, 0x1234_5678);
    chip.memory.write_word(DRAM + 0x100, 0x1234_5678).expect("it is RAM");
    // A short sleep before it, which is not deep.
    store(&mut chip, 0x6000_0744, 4);
    store(&mut chip, 0x6000_0718, 8);
    store(&mut chip, 0x6000_0708, 1 << 20);
    while chip.now() < Instant::from_millis(40) {
        chip.run_until(Instant::from_millis(40));
    }
    assert!(chip.take_events().is_empty());
    let counter = load(&mut chip, 0x6000_071c);
    store(&mut chip, 0x6000_0744, 0x20);
    store(&mut chip, 0x6000_0704, counter + 173_913);
    store(&mut chip, 0x6000_0708, 1 << 20);
    let retired = chip.instructions_retired();
    assert_eq!(past_what_is_sent(&mut chip, Instant::from_millis(500)), Pause::Deadline);
    assert!(chip.instructions_retired() <= retired + 1, "nothing runs");
    assert_eq!(past_what_is_sent(&mut chip, Instant::FAR_FUTURE), Pause::Event);
    let slept_us = (chip.now() - Instant::from_millis(40)).as_micros();
    // The counter had been in its present state for a part of its period, of 5.75 microseconds.
    assert!((999_994..=1_000_001).contains(&slept_us), "{slept_us} us");
    assert_eq!(chip.take_events()[0].kind.to_string(), "reset: end of deep sleep");
    assert_eq!(load(&mut chip, 0x6000_1100), 0x1234_5678);
    assert_eq!(load(&mut chip, 0x6000_0714) & 7, 2, "as the reset pin");
    assert_eq!(chip.memory.read_word(DRAM + 0x100), Ok(0), "RAM had no power");
    // Without an alarm it is the reset pin that ends it.
    store(&mut chip, 0x6000_0718, 0);
    store(&mut chip, 0x6000_0744, 0x20);
    store(&mut chip, 0x6000_0708, 1 << 20);
    assert_eq!(past_what_is_sent(&mut chip, Instant::FAR_FUTURE), Pause::Asleep);
    EmulatedChip::reset(&mut chip, Reset::Debugger);
    let soon = chip.now() + clock::Duration::from_millis(1);
    assert_eq!(past_what_is_sent(&mut chip, soon), Pause::Deadline, "it boots");
}

#[test]
fn the_first_timer_raises_the_nmi_where_dport_says_so_and_what_is_off_waits() {
    let mut chip = chip_with(&image(IRAM, &FOR_EVER));
    store(&mut chip, 0x3ff0_0000, 0xe);
    // FRC1 on, by 16; ten counts, then round.
    store(&mut chip, 0x6000_0608, 1 << 7 | 1 << 2);
    store(&mut chip, 0x6000_0600, 10);
    let nmi = |chip: &mut Esp8266| {
        let cycle = chip.core.cycle();
        chip.soc.interrupts(cycle).edges >> 14 & 1
    };
    chip.core.skip_to(chip.core.cycle() + 1_000);
    assert_eq!(nmi(&mut chip), 0, "the SDK's handler switches it off when it begins");
    store(&mut chip, 0x3ff0_0000, 0xf);
    assert_eq!(nmi(&mut chip), 1, "and on when it ends");
    assert_eq!(nmi(&mut chip), 0);
}

/// Bit-banged, as firmware has it: both lines open-drain with a pull-up, and a device that holds the data line down.
#[test]
fn a_device_on_two_open_drain_pins_is_heard_bit_by_bit() {
    const SDA: u32 = 4;
    const SCL: u32 = 5;
    let mut chip = chip_with(&image(IRAM, &FOR_EVER));
    for pin in [SDA, SCL] {
        store(&mut chip, 0x6000_0328 + 4 * pin, 1 << 2);
        store(&mut chip, 0x6000_0304, 1 << pin);
        store(&mut chip, 0x6000_0310, 1 << pin);
    }
    let mut heard = 0;
    for bit in (0..8).rev() {
        store(&mut chip, 0x6000_0308, 1 << SCL);
        assert_eq!(chip.pin_levels() >> SCL & 1, 0);
        chip.drive_pin(SDA as u8, 0xa5 >> bit & 1 != 0);
        store(&mut chip, 0x6000_0304, 1 << SCL);
        heard = heard << 1 | load(&mut chip, 0x6000_0318) >> SDA & 1;
    }
    assert_eq!(heard, 0xa5);
    // Nobody holds it: a byte that is sent is what the lines show.
    chip.drive_pin(SDA as u8, true);
    store(&mut chip, 0x6000_0308, 1 << SDA);
    assert_eq!(chip.pin_levels() >> SDA & 1, 0);
}

#[test]
fn the_window_shows_the_megabyte_that_is_chosen() {
    let mut chip = Esp8266::new(&Config { flash_bytes: 4 << 20, ..Config::default() });
    let mut flash = vec![0; 4 << 20];
    for megabyte in 0..4 {
        flash[(megabyte << 20) + 8] = 0xa0 + megabyte as u8;
    }
    chip.set_flash_content(&flash).expect("it fits");
    for (control, shown) in [(1 << 8, 0xa0), (1 << 8 | 1 << 25, 0xa1), (1 << 8 | 1 << 16, 0xa2)] {
        chip.soc.store(&mut chip.memory, 0x3ff0_000c, Width::Word, control, 0).expect("it is a register");
        assert_eq!(chip.memory.read_word(0x4020_0008), Ok(shown));
    }
    chip.soc.store(&mut chip.memory, 0x3ff0_000c, Width::Word, 0, 0).expect("it is a register");
    assert!(chip.memory.read_word(0x4020_0008).is_err(), "the cache is off");
}

#[test]
fn who_goes_on_from_a_snapshot_does_the_same() {
    // waiti 0; j back: with an FRC2 alarm that nobody handles, the core wakes for ever.
    let state = |chip: &Esp8266| (chip.core.pc(), chip.core.cycle(), chip.core.instructions_retired());
    let mut straight = chip_with(&image(IRAM, &FOR_EVER));
    while straight.now() < Instant::from_millis(3) {
        straight.run_until(Instant::from_millis(3));
    }
    let kept = Snapshot::from_bytes(&straight.snapshot().to_bytes()).expect("what was just written");
    let mut other = Esp8266::new(&Config { seed: 77, ..Config::default() });
    other.restore(&kept).expect("a snapshot of such a chip");
    for chip in [&mut straight, &mut other] {
        while chip.now() < Instant::from_millis(20) {
            chip.run_until(Instant::from_millis(20));
        }
    }
    assert_eq!(state(&straight), state(&other));
    let uart0 = PortId::new("uart0");
    assert_eq!(straight.take_serial_output(uart0), other.take_serial_output(uart0));
    assert_eq!(straight.soc.random_word(), other.soc.random_word());
}

/// Whatever firmware writes wherever, the model goes on: no panic, and the interrupt lines can be asked for.
#[test]
fn no_sequence_of_accesses_breaks_the_devices() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut memory = Memory::new();
        let mut soc = Soc::new(seed, [0; 3], 1 << 20, &mut memory);
        let mut cycle = 0;
        let rows: Vec<_> = MAP.iter().filter(|row| map::is_register(row.base)).collect();
        for _ in 0..3_000 {
            let row = rows[random.next_word() as usize % rows.len()];
            let width = [Width::Byte, Width::Half, Width::Word, Width::Word][random.next_word() as usize % 4];
            let address = (row.base + random.next_word() % row.size) & !(width.bytes() - 1);
            let word = random.next_word();
            let value = if word.is_multiple_of(2) { 1 << (word >> 27) } else { word };
            if word & 0x100 == 0 {
                assert!(soc.store(&mut memory, address, width, value, cycle).is_ok());
            } else {
                assert!(soc.load(&mut memory, address, width, cycle).is_ok());
            }
            if let Some(cause) = soc.take_requested_reset() {
                soc.reset(cause, cycle, &mut memory);
            }
            cycle += u64::from(random.next_word() >> (12 + random.next_word() % 20));
            let now = soc.clock.ticks(cycle);
            soc.settle_radio(&mut memory, now);
            soc.interrupts(cycle);
            assert!(soc.next_event_cycle(cycle) > cycle, "an event that is due has happened");
        }
    }
}
