//! A chip: the boot of a released image to its first byte, and what it costs to keep a chip and to go back to it.

use std::hint::black_box;

use board::{Board as _, Emulated};
use clock::Instant;
use emulator::esp32c3::{Config, Esp32c3, Pause, SerialPort};
use runner::stack::Stack;

use crate::measured::{Measured, ms, shortest, us};
use crate::{SEED, stack};

const TURNS: u32 = 20;
/// A firmware that has said nothing until then says nothing.
const SILENT: Instant = Instant::from_millis(10_000);
/// Long after its first word.
const BOOTED: Instant = Instant::from_millis(400);

pub fn measure(measured: &mut Measured) {
    let stack = stack("esp32c3_mbedtls");
    measured.put("boot_threaded_ms", ms(shortest(TURNS, || boots(&stack))));

    let mut chip = booted(&stack);
    let kept = chip.snapshot();
    measured.put("snapshot_threaded_us", us(shortest(TURNS, || drop(black_box(chip.snapshot())))));
    let mut later = chip.now();
    let took = shortest(TURNS, || {
        chip.restore(&kept).expect("it is this chip that was kept");
        later = chip.now();
    });
    assert_eq!(later, booted(&stack).now(), "it goes on from where it was kept");
    assert_eq!(chip.snapshot().to_bytes(), kept.to_bytes(), "a chip that went back is the one that was kept");
    measured.put("restore_threaded_us", us(took));
    measured.put("snapshot_size_threaded_kib", kept.size_bytes() as f64 / 1024.0);
}

/// From power-on to the first byte on the serial line.
fn boots(stack: &Stack) {
    let mut board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
    board.flash(stack.image()).expect("the released image fits");
    board.reset().expect("an emulated chip can be reset");
    loop {
        let heard = board.listen(SILENT).expect("an emulated chip can be heard");
        if !heard.ports.is_empty() {
            return;
        }
        assert!(heard.at < SILENT, "the image says nothing");
    }
}

fn booted(stack: &Stack) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed: SEED, ..Config::default() });
    chip.load_elf(&stack.firmware.bytes).expect("the released image is for this chip");
    while matches!(chip.run_until(BOOTED), Pause::SerialOutput | Pause::Event) {
        let _ = (chip.take_events(), chip.take_serial_output(SerialPort::UsbSerialJtag));
    }
    chip
}
