//! The released firmware, by threaded code, by host code and by the plain interpreter, in lock-step.

use chip::PortId;
use clock::Instant;
use emulator::esp8266::{Config, Esp8266};
use emulator::lx106::special_register as sr;
use emulator::{Debuggee as _, EmulatedChip as _, Tier};

use crate::tiers::{has_back_end, run_until};

const IMAGE: &[u8] = include_bytes!("../../../../firmware-under-test/images/esp8266_bearssl.elf");
const UART0: PortId = PortId::new("uart0");
const STEP_MICROS: u64 = 500;
const STEPS: u64 = 400;

const COMPARED: [u8; 12] = [
    sr::SAR,
    sr::PS,
    sr::EPC1,
    sr::EPC3,
    sr::EXCSAVE1,
    sr::EXCCAUSE,
    sr::EXCVADDR,
    sr::INTERRUPT,
    sr::INTENABLE,
    sr::CCOUNT,
    sr::CCOMPARE0,
    sr::VECBASE,
];

fn chip(tier: Tier) -> Esp8266 {
    let mut chip = Esp8266::new(&Config { seed: 0x5eed, ..Config::default() });
    chip.load_elf(IMAGE).expect("the released image is for this chip");
    chip.execute_by(tier);
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
    let mut said = Vec::new();
    for step in 1..=STEPS {
        let deadline = Instant::from_micros(step * STEP_MICROS);
        let (ours, theirs) = (run_until(&mut fast, UART0, deadline), run_until(&mut plain, UART0, deadline));
        assert_eq!(ours, theirs, "serial output, step {step}");
        said.extend(ours);
        assert_eq!((fast.pc(), fast.now()), (plain.pc(), plain.now()), "step {step}");
        assert_eq!(fast.instructions_retired(), plain.instructions_retired(), "step {step}");
        for number in 0..16 {
            assert_eq!(fast.register(number), plain.register(number), "a{number}, step {step}");
        }
        for number in COMPARED {
            let [ours, theirs] = [&fast, &plain].map(|chip| chip.system_register(number.into()));
            assert_eq!(ours, theirs, "special register {number}, step {step}");
        }
    }
    // It got somewhere: far enough to say hello and wait for an answer.
    assert!(String::from_utf8_lossy(&said).contains(r#""report":"hello""#));
    assert!(fast.snapshot().to_bytes() == plain.snapshot().to_bytes(), "a snapshot has the same state");
}
