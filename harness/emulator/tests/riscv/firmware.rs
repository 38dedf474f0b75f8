//! The released firmware, by threaded code, by host code and by the plain interpreter, in lock-step.

use chip::PortId;
use clock::Instant;
use emulator::Tier;
use emulator::esp32c3::{Config, Esp32c3};
use emulator::riscv::csr_number;

use crate::tiers::{has_back_end, run_until};

const IMAGE: &[u8] = include_bytes!("../../../../firmware-under-test/images/esp32c3_mbedtls.elf");
const SERIAL: PortId = PortId::new("usb");
const STEP_MICROS: u64 = 500;
const STEPS: u64 = 400;

fn chip(tier: Tier) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed: 0x5eed, ..Config::default() });
    chip.load_elf(IMAGE).expect("the released image is for this chip");
    chip.hart_mut().execute_by(tier);
    chip.hart_mut().compile_after(1);
    chip
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
        let said = [&mut fast, &mut plain].map(|chip| run_until(chip, SERIAL, deadline));
        assert_eq!(said[0], said[1], "serial output, step {step}");
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
