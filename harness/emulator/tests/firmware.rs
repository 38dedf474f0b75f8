//! The released firmware image on the emulated chip.

#[path = "support/gdb_wire.rs"]
mod gdb_wire;

use clock::{Duration, Instant};
use emulator::esp32c3::{Config, Esp32c3, Pause, ResetCause, Rom, SerialPort};
use emulator::gdb::{self, Ended};
use gdb_wire::Wire;

const IMAGE: &[u8] = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");

fn chip(rom: Rom) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed: 0x5eed, rom, ..Config::default() });
    chip.load_elf(IMAGE).expect("the released image is for this chip");
    chip
}

/// What the firmware says until then. Nothing else may happen.
fn said(chip: &mut Esp32c3, until: Instant, slice: Duration) -> Vec<u8> {
    let mut said = Vec::new();
    let mut deadline = chip.now();
    while deadline < until {
        deadline = (deadline + slice).min(until);
        loop {
            let pause = chip.run_until(deadline);
            said.extend(chip.take_serial_output(SerialPort::UsbSerialJtag));
            match pause {
                Pause::Deadline => break,
                Pause::SerialOutput => {}
                other => panic!("{other:?} {:#?}", chip.take_events()),
            }
        }
    }
    said
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

#[test]
fn it_boots_and_says_hello_touching_nothing_unmodelled() {
    let mut chip = chip(Rom::Modelled);
    let said = said(&mut chip, Instant::from_millis(3_000), Duration::from_secs(3));
    assert!(contains(&said, b"\"report\":\"hello\""), "{}", String::from_utf8_lossy(&said));
    assert_eq!(chip.take_events(), []);
}

#[test]
fn idle_time_costs_nothing() {
    let mut chip = chip(Rom::Modelled);
    said(&mut chip, Instant::from_millis(1_000), Duration::from_secs(1));
    let before = chip.instructions_retired();
    said(&mut chip, Instant::from_millis(61_000), Duration::from_secs(60));
    // A minute is 4800 million cycles of the slowest clock that it runs at.
    let spent = chip.instructions_retired() - before;
    assert!(spent < 10_000_000, "{spent}");
}

#[test]
fn a_run_does_not_depend_on_how_it_is_cut() {
    let run = |slice| {
        let mut chip = chip(Rom::Modelled);
        let until = Instant::from_millis(50);
        let said = said(&mut chip, until, slice);
        (said, chip.instructions_retired(), chip.now())
    };
    let whole = run(Duration::from_secs(1));
    for slice_us in [7, 333, 10_001] {
        assert!(run(Duration::from_micros(slice_us)) == whole, "slices of {slice_us} us");
    }
}

#[test]
fn a_reset_starts_it_again() {
    let mut chip = chip(Rom::Modelled);
    let first = said(&mut chip, Instant::from_millis(500), Duration::from_secs(1));
    chip.reset(ResetCause::PowerOn);
    let second = said(&mut chip, Instant::from_millis(1_000), Duration::from_secs(1));
    assert!(contains(&first, b"hello") && contains(&second, b"hello"));
}

#[test]
fn a_backtrace_names_the_functions_that_called() {
    let mut chip = chip(Rom::Modelled);
    said(&mut chip, Instant::from_millis(500), Duration::from_secs(1));
    let backtrace = chip.backtrace();
    let named =
        |name: &str| backtrace.frames.iter().any(|frame| frame.function.as_deref().is_some_and(|f| f.contains(name)));
    assert!(named("sleep"), "{backtrace}");
}

#[test]
fn a_damaged_image_is_refused_or_runs_but_does_not_panic() {
    // SplitMix64 chooses where to damage it.
    let mut state = 7u64;
    let mut next = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)) as usize % below
    };
    for round in 0..60 {
        let mut image = IMAGE.to_vec();
        // The headers at the beginning and the section table at the end are where a parser can be led astray.
        let reach = [52 + 32 * 12, 4096, image.len()][round % 3];
        for _ in 0..1 + next(8) {
            let at = if round % 2 == 0 { next(reach) } else { image.len() - 1 - next(reach) };
            image[at] = next(256) as u8;
        }
        let mut chip = Esp32c3::new(Config::default());
        if chip.load_elf(&image).is_ok() {
            for _ in 0..20 {
                if chip.run_until(Instant::from_millis(2)) != Pause::Event {
                    break;
                }
                chip.take_events();
            }
            assert!(chip.backtrace().frames.len() < 500);
        }
    }
}

#[test]
fn gdb_stops_it_at_a_breakpoint_steps_and_detaches() {
    let mut chip = chip(Rom::Modelled);
    let entry = chip.hart().pc();
    // Somewhere that is certain to be reached: where the chip is after 500 instructions.
    let mut ahead = self::chip(Rom::Modelled);
    for _ in 0..500 {
        ahead.step();
    }
    let there = ahead.hart().pc();
    assert_ne!(there, entry);
    let set = format!("Z0,{there:x},2");
    let clear = format!("z0,{there:x},2");
    let mut wire = Wire::new(&["?", &set, "c", "p20", "s", &clear, "D"]);
    let mut pauses = 0;
    let ended = gdb::serve(&mut chip, &mut wire, &mut |_| pauses += 1).expect("a session that ends well");
    assert_eq!(ended, Ended::Detached);
    let answers = String::from_utf8_lossy(&wire.received).into_owned();
    assert!(answers.contains("swbreak:;"), "{answers}");
    // Register 0x20 is the program counter, as little-endian bytes.
    let pc: String = there.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(answers.contains(&format!("${pc}#")), "{answers}");
    assert!(pauses > 0);
    // It runs on as if nobody had looked.
    let said = said(&mut chip, Instant::from_millis(100), Duration::from_secs(1));
    assert!(contains(&said, b"hello"), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn gdb_that_goes_away_is_an_error_and_not_a_panic() {
    let mut chip = chip(Rom::Modelled);
    let mut wire = Wire::new(&["?"]);
    assert!(gdb::serve(&mut chip, &mut wire, &mut |_| ()).is_err());
}
