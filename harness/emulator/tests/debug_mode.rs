//! The chip in debug mode: why it is entered, what it keeps, what a reset leaves of it.

use clock::Instant;
use emulator::debug::{DebugModule, Target};
use emulator::esp32c3::{Config, Esp32c3, EventKind, Pause, ResetCause};
use emulator::riscv::Width;

const RAM: u32 = 0x4038_0000;
const DATA: u32 = 0x3fc9_0000;
const RESET_VECTOR: u32 = 0x4000_0000;

const DCSR: u16 = 0x7b0;
const DPC: u16 = 0x7b1;
const TSELECT: u16 = 0x7a0;
const TDATA1: u16 = 0x7a1;
const TDATA2: u16 = 0x7a2;
const X10: u16 = 0x100a;
const X11: u16 = 0x100b;

const EBREAK: u32 = 0x0010_0073;
/// `addi a0, a0, 1`
const INCREMENT: u32 = 0x0015_0513;
/// `sw a0, 0(a1)`
const STORE: u32 = 0x00a5_a023;
/// `csrw tdata1, zero`
const CLEAR_TRIGGER: u32 = 0x7a10_1073;
/// `j .`
const FOREVER: u32 = 0x0000_006f;

/// A chip that a debugger has halted before this code.
fn halted_before(code: &[u32]) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config::default());
    chip.halt();
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    chip.write_memory(RAM, &bytes).expect("RAM");
    write(&mut chip, DPC, RAM);
    write(&mut chip, X11, DATA);
    chip
}

fn read(chip: &mut Esp32c3, register: u16) -> u32 {
    chip.read_register(register).expect("the hart has it").expect("a register")
}

fn write(chip: &mut Esp32c3, register: u16, value: u32) {
    assert_eq!(chip.write_register(register, value), Ok(true), "{register:#x}");
}

fn run(chip: &mut Esp32c3) -> Pause {
    chip.resume();
    chip.run_until(chip.now() + clock::Duration::from_micros(10))
}

/// `dcsr.cause`.
fn cause(chip: &mut Esp32c3) -> u32 {
    read(chip, DCSR) >> 6 & 7
}

#[test]
fn a_debugger_that_asks_for_it_gets_the_breaks_and_the_firmware_gets_the_others() {
    let mut chip = halted_before(&[INCREMENT, EBREAK]);
    assert_eq!(cause(&mut chip), 3, "halted by request");
    let control = read(&mut chip, DCSR);
    write(&mut chip, DCSR, control | 1 << 15);
    assert_eq!(run(&mut chip), Pause::Deadline);
    assert!(chip.is_halted());
    assert_eq!((cause(&mut chip), read(&mut chip, DPC), read(&mut chip, X10)), (1, RAM + 4, 1));
    write(&mut chip, DCSR, control);
    assert_eq!(run(&mut chip), Pause::Event);
    assert!(!chip.is_halted());
    assert!(matches!(chip.take_events().remove(0).kind, EventKind::Exception { .. }));
}

#[test]
fn one_step_is_one_instruction() {
    let mut chip = halted_before(&[INCREMENT, INCREMENT, FOREVER]);
    let control = read(&mut chip, DCSR);
    write(&mut chip, DCSR, control | 1 << 2);
    chip.resume();
    assert!(chip.is_halted());
    assert_eq!((cause(&mut chip), read(&mut chip, DPC), read(&mut chip, X10)), (4, RAM + 4, 1));
}

#[test]
fn a_debuggers_trigger_stops_before_the_store_and_firmware_cannot_take_it_away() {
    const DEBUGGERS_STORE_IN_MACHINE_MODE: u32 = 2 << 28 | 1 << 27 | 1 << 12 | 1 << 6 | 1 << 1;
    let mut chip = halted_before(&[CLEAR_TRIGGER, INCREMENT, STORE, FOREVER]);
    write(&mut chip, TSELECT, 3);
    write(&mut chip, TDATA2, DATA);
    write(&mut chip, TDATA1, DEBUGGERS_STORE_IN_MACHINE_MODE);
    assert_eq!(run(&mut chip), Pause::Deadline);
    assert!(chip.is_halted());
    assert_eq!((cause(&mut chip), read(&mut chip, DPC)), (2, RAM + 8));
    assert_eq!(chip.read_bus(DATA, Width::Word), Ok(0), "it has not been stored");
    // In debug mode no trigger fires, and the debugger can take it away.
    assert_eq!(chip.execute(&[STORE, EBREAK]), Ok(()));
    assert_eq!(chip.read_bus(DATA, Width::Word), Ok(1));
    write(&mut chip, TDATA1, 2 << 28);
    assert_eq!(run(&mut chip), Pause::Deadline);
    assert!(!chip.is_halted());
}

#[test]
fn programs_run_up_to_their_break_and_raise_nothing() {
    let mut chip = halted_before(&[FOREVER]);
    write(&mut chip, X10, 6);
    // Two instructions in one word, compressed: c.addi a0, 1; c.nop.
    assert_eq!(chip.execute(&[0x0001_0505, INCREMENT, EBREAK, INCREMENT]), Ok(()));
    assert_eq!(read(&mut chip, X10), 8);
    // Without an end, with a jump, with a bad address, with an encoding that is none.
    write(&mut chip, X11, 0x1000);
    for program in [vec![INCREMENT], vec![FOREVER, EBREAK], vec![STORE, EBREAK], vec![u32::MAX, EBREAK]] {
        assert!(chip.execute(&program).is_err(), "{program:x?}");
    }
    assert_eq!(read(&mut chip, DPC), RAM);
    assert_eq!(chip.take_events(), []);
}

#[test]
fn time_passes_in_debug_mode_and_nothing_is_executed() {
    let mut chip = halted_before(&[INCREMENT, FOREVER]);
    let before = chip.instructions_retired();
    assert_eq!(chip.run_until(Instant::from_millis(700)), Pause::Deadline);
    assert_eq!((chip.now(), chip.instructions_retired()), (Instant::from_millis(700), before));
    assert_eq!(chip.run_until(Instant::FAR_FUTURE), Pause::Asleep, "or for ever, if nobody resumes it");
}

#[test]
fn resets_leave_a_halted_hart_halted_and_power_on_does_not() {
    const RTC_OPTIONS0: u32 = 0x6000_8000;
    let mut chip = halted_before(&[FOREVER]);
    chip.acknowledge_reset();
    // What probe-rs writes to reset this chip's digital core.
    assert_eq!(chip.write_bus(RTC_OPTIONS0, Width::Word, 0x9c00_a000), Ok(()));
    assert!(chip.is_halted() && chip.has_reset());
    assert_eq!((cause(&mut chip), read(&mut chip, DPC)), (5, RESET_VECTOR));
    chip.acknowledge_reset();
    Target::reset(&mut chip, false);
    assert!(!chip.is_halted() && chip.has_reset());
    chip.halt_on_reset(true);
    Esp32c3::reset(&mut chip, ResetCause::SoftwareSystem);
    assert!(chip.is_halted(), "as the debugger had asked");
    Esp32c3::reset(&mut chip, ResetCause::PowerOn);
    assert!(!chip.is_halted(), "nobody has asked yet");
}

#[test]
fn a_debugger_without_pins_keeps_its_breaks_over_a_reset() {
    let mut chip = halted_before(&[EBREAK]);
    chip.resume();
    chip.attach_debugger(true);
    Esp32c3::reset(&mut chip, ResetCause::UsbJtag);
    chip.hart_mut().set_pc(RAM);
    chip.halt();
    assert_eq!(run(&mut chip), Pause::Breakpoint);
    chip.attach_debugger(false);
    assert_eq!(chip.run_until(chip.now() + clock::Duration::from_micros(10)), Pause::Event, "an exception again");
}

/// Whatever a debugger writes to the debug module, in whatever order: no panic, and a reset makes the chip usable again.
#[test]
fn no_debugger_breaks_the_chip() {
    const REGISTERS: [u32; 16] =
        [0x04, 0x05, 0x10, 0x10, 0x11, 0x16, 0x17, 0x17, 0x18, 0x20, 0x21, 0x38, 0x39, 0x39, 0x3c, 0x3c];
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    for _ in 0..20 {
        let mut chip = halted_before(&[INCREMENT, STORE, FOREVER]);
        let mut module = DebugModule::new(false);
        module.write(0x10, 1, &mut chip);
        for _ in 0..400 {
            let register = REGISTERS[random() as usize % REGISTERS.len()];
            let telling = [
                random(),
                1 << (random() % 32) | 1,
                // Commands for registers, with and without the program.
                2 << 20
                    | 1 << 17
                    | random() & 5 << 16
                    | [0x1000, 0x7a0, 0x7b0, 0x300][random() as usize % 4]
                    | random() & 31,
                // Accesses of all kinds, and addresses at the edges.
                random() & 0x1f_8000,
                [u32::MAX - 3, RAM, DATA, 0x6000_8000, 0x600c_5000, RESET_VECTOR][random() as usize % 6] ^ random() & 3,
            ];
            let value = telling[random() as usize % telling.len()];
            match random() % 4 {
                0 => drop(module.read(register, &mut chip)),
                1 => drop(chip.run_until(chip.now() + clock::Duration::from_micros(3))),
                _ => module.write(register, value, &mut chip),
            }
            chip.take_events();
        }
        Esp32c3::reset(&mut chip, ResetCause::PowerOn);
        let mut module = DebugModule::new(false);
        for value in [1, 1 << 31 | 1] {
            module.write(0x10, value, &mut chip);
        }
        assert_eq!(module.read(0x11, &mut chip) >> 8 & 3, 3, "halted");
    }
}
