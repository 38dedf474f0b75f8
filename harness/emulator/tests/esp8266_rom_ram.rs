//! Firmware shares RAM with the ROM, and finds there what the silicon's ROM has put there. The model puts there what images were
//! seen to need; this looks for a load of what neither the model nor the firmware has written.
//!
//! The bare-metal program is tried where its compiler is installed, and images of others where
//! `SHAKEDOWN_ESP8266_IMAGES` names their files, separated by colons; behind an equals sign what one says that has no prompt.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

#[path = "support/lx106_program.rs"]
mod lx106_program;

use std::collections::BTreeSet;
use std::ops::Range;

use chip::PortId;
use clock::Instant;
use emulator::event::EventKind;
use emulator::lx106::{Opcode, decode};
use emulator::{EmulatedChip, Reset, Settings, model_of};
use firmware_image::FlashImage;
use lx106_program::program;

const ROM: Range<u32> = 0x4000_0000..0x4001_0000;
/// The ROM's variables; behind them is the stack.
const VARIABLES: Range<u32> = 0x3fff_c000..0x3fff_e000;
/// Variables that the model sets, or that are zero until something is done: handlers of exceptions and interrupts, the priority
/// of the task that runs, what to do when idle, which tasks are ready and their records, and UART0's description.
const ZERO_AT_FIRST: [Range<u32>; 4] =
    [0x3fff_c100..0x3fff_c280, 0x3fff_c6fc..0x3fff_c700, 0x3fff_dab0..0x3fff_dcd8, 0x3fff_de10..0x3fff_de40];

/// Which bytes of the ROM's variables somebody has written.
struct Watched {
    written: Vec<bool>,
    before: Vec<u8>,
    /// Loads of what nobody has: the instruction, and what it loads.
    found: BTreeSet<(u32, u32)>,
}

fn variables(chip: &dyn EmulatedChip) -> Vec<u8> {
    let mut bytes = vec![0; VARIABLES.len()];
    chip.read_memory(VARIABLES.start, &mut bytes).expect("it is RAM");
    bytes
}

impl Watched {
    /// What is not zero when firmware begins is the model's.
    fn new(chip: &dyn EmulatedChip) -> Self {
        let before = variables(chip);
        let mut written: Vec<bool> = before.iter().map(|byte| *byte != 0).collect();
        // A word or a text of which a part is zero.
        for n in 0..written.len() / 4 {
            if written[4 * n..4 * n + 4].iter().any(|byte| *byte) {
                written[4 * n..4 * n + 4].fill(true);
            }
        }
        for range in ZERO_AT_FIRST {
            written[(range.start - VARIABLES.start) as usize..(range.end - VARIABLES.start) as usize].fill(true);
        }
        Self { written, before, found: BTreeSet::new() }
    }

    /// Executes one instruction or ROM function.
    fn step(&mut self, chip: &mut dyn EmulatedChip) {
        let pc = chip.pc();
        if ROM.contains(&pc) {
            chip.step();
            let after = variables(chip);
            for (n, (before, after)) in self.before.iter().zip(&after).enumerate() {
                self.written[n] |= before != after;
            }
            self.before = after;
            return;
        }
        if let Some((address, bytes, is_load)) = access(chip, pc) {
            for at in (address..address.saturating_add(bytes)).filter(|at| VARIABLES.contains(at)) {
                let written = &mut self.written[(at - VARIABLES.start) as usize];
                if is_load && !*written {
                    self.found.insert((pc, address));
                }
                *written |= !is_load;
            }
            chip.step();
            if !is_load && VARIABLES.contains(&address) {
                self.before = variables(chip);
            }
            return;
        }
        chip.step();
    }
}

/// What the instruction at `pc` loads or stores, and how many bytes.
fn access(chip: &dyn EmulatedChip, pc: u32) -> Option<(u32, u32, bool)> {
    let mut bytes = [0; 4];
    let is_whole = chip.read_memory(pc, &mut bytes[..3]).is_ok() || chip.read_memory(pc, &mut bytes[..2]).is_ok();
    let bits = u32::from_le_bytes(bytes);
    let bits = if bits & 8 != 0 && bits & 0xf < 14 { bits & 0xffff } else { bits };
    let instruction = decode(bits).filter(|_| is_whole)?;
    let (length, is_load) = match instruction.opcode {
        Opcode::L8ui => (1, true),
        Opcode::L16ui | Opcode::L16si => (2, true),
        Opcode::L32i => (4, true),
        Opcode::S8i => (1, false),
        Opcode::S16i => (2, false),
        Opcode::S32i => (4, false),
        _ => return None,
    };
    Some((chip.register(instruction.s).wrapping_add_signed(instruction.immediate), length, is_load))
}

/// Runs it step by step, until it has said `text` or so many instructions are over; nothing may be amiss.
fn run(chip: &mut dyn EmulatedChip, text: &str, instructions_max: u64) -> String {
    let mut watched = Watched::new(chip);
    let mut said = Vec::new();
    while chip.instructions_retired() < instructions_max && !String::from_utf8_lossy(&said).contains(text) {
        for _ in 0..10_000 {
            watched.step(chip);
        }
        said.extend(chip.take_serial_output(PortId::new("uart0")));
        for event in chip.take_events() {
            let is_amiss = matches!(event.kind, EventKind::UnmodelledRomFunction { .. } | EventKind::Exception(_));
            assert!(!is_amiss, "{event:?}");
        }
    }
    let found: Vec<String> = watched.found.iter().map(|(pc, at)| format!("{pc:#x} loads {at:#x}")).collect();
    assert!(found.is_empty(), "nobody has written what is loaded: {found:#?}");
    String::from_utf8_lossy(&said).into_owned()
}

fn power_on(settings: &Settings) -> Box<dyn EmulatedChip> {
    (model_of(&chip::ESP8266).expect("it is emulated").power_on)(settings)
}

#[test]
fn the_bare_metal_program_loads_nothing_that_nobody_has_written() {
    let Some(elf) = program("esp8266", "devices") else { return };
    let mut chip = power_on(&Settings::default());
    chip.load_elf(&elf).expect("it is for this chip");
    let said = run(&mut *chip, "task 5", 40_000_000);
    assert!(said.contains("task 5"), "{said}");
}

/// So that it is known to find something: a load of a variable that no model writes.
#[test]
fn a_load_of_what_nobody_has_written_is_found() {
    // `l32i a3, a2, 0`, at the beginning of RAM for code.
    const CODE: u32 = 0x4010_0000;
    let mut chip = power_on(&Settings::default());
    chip.write_memory(CODE, &[0x32, 0x22, 0x00]).expect("it is RAM");
    let mut watched = Watched::new(&*chip);
    chip.set_pc(CODE);
    chip.set_register(2, VARIABLES.start + 0x1000);
    watched.step(&mut *chip);
    assert_eq!(watched.found.into_iter().collect::<Vec<_>>(), [(CODE, VARIABLES.start + 0x1000)]);
}

#[test]
fn images_load_nothing_that_nobody_has_written() {
    let Ok(images) = std::env::var("SHAKEDOWN_ESP8266_IMAGES") else {
        eprintln!("skipped: SHAKEDOWN_ESP8266_IMAGES names no image");
        return;
    };
    for word in images.split(':') {
        let (file, text) = word.split_once('=').unwrap_or((word, "> "));
        let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let image = FlashImage::esp8266(bytes).unwrap_or_else(|why| panic!("{file}: {why}"));
        let mut chip = power_on(&Settings { flash_bytes: Some(image.flash_bytes), ..Settings::default() });
        chip.set_flash_content(&image.content).expect("it fits");
        chip.boot_from_flash();
        chip.reset(Reset::PowerOn);
        let said = run(&mut *chip, text, 400_000_000);
        eprintln!("{file}: {} instructions, {}", chip.instructions_retired(), chip.now());
        assert!(said.contains(text) && chip.now() > Instant::ZERO, "{file}: {said}");
    }
}
