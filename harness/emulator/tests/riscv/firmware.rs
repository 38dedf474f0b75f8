//! The released firmware, by threaded code, by host code and by the plain interpreter, in lock-step.

use clock::Instant;
use emulator::Tier;
use emulator::esp32c3::{Config, Esp32c3, Pause, SerialPort};
use emulator::riscv::csr_number;

use crate::host_code::has_back_end;

const IMAGE: &[u8] = include_bytes!("../../../../firmware-under-test/images/esp32c3_mbedtls.elf");
const STEP_MICROS: u64 = 500;
const STEPS: u64 = 400;

fn chip(tier: Tier) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed: 0x5eed, ..Config::default() });
    chip.load_elf(IMAGE).expect("the released image is for this chip");
    chip.hart_mut().execute_by(tier);
    chip.hart_mut().compile_after(1);
    chip
}

fn run_until(chip: &mut Esp32c3, deadline: Instant) -> Vec<u8> {
    let mut said = Vec::new();
    loop {
        let pause = chip.run_until(deadline);
        said.extend(chip.take_serial_output(SerialPort::UsbSerialJtag));
        match pause {
            Pause::Deadline => return said,
            Pause::SerialOutput => {}
            other => panic!("{other:?} {:#?}", chip.take_events()),
        }
    }
}

#[test]
fn the_released_image_boots_alike_by_threaded_code() {
    boots_alike_by(Tier::ThreadedCode);
}

#[test]
fn the_released_image_boots_alike_by_host_code() {
    has_back_end();
    boots_alike_by(Tier::HostCode);
}

fn boots_alike_by(tier: Tier) {
    let (mut fast, mut plain) = (chip(tier), chip(Tier::Interpreter));
    let mut host_code_max = 0;
    for step in 1..=STEPS {
        let deadline = Instant::from_micros(step * STEP_MICROS);
        assert_eq!(run_until(&mut fast, deadline), run_until(&mut plain, deadline), "serial output, step {step}");
        let (ours, theirs) = (fast.hart(), plain.hart());
        host_code_max = host_code_max.max(ours.host_code_count());
        assert_eq!((ours.pc(), ours.cycle()), (theirs.pc(), theirs.cycle()), "pc and cycle, step {step}");
        assert_eq!(ours.instructions_retired(), theirs.instructions_retired(), "step {step}");
        for number in 0..32 {
            assert_eq!(ours.register(number), theirs.register(number), "x{number}, step {step}");
        }
        for csr in csr_number::MSTATUS..=csr_number::TCONTROL {
            assert_eq!(ours.csr(csr), theirs.csr(csr), "CSR {csr:#x}, step {step}");
        }
    }
    assert!(tier != Tier::HostCode || !has_back_end() || host_code_max > 2, "{host_code_max}");
    // It got somewhere: far enough to say hello and wait for an answer.
    assert!(plain.hart().instructions_retired() > 100_000);
}
