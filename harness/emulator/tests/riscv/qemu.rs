//! Lock-step with QEMU's riscv32, where it is installed: the state before every instruction is compared.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use emulator::riscv::{Cause, Hart, Instruction, Stop, csr_number, decode, disassemble};

use crate::kernel::{Kernel, RAM, elf_path};
use crate::random::{Random, Registers, compressed_instruction, full_instruction};

/// QEMU 7.2 or later, logging the processor's state before each instruction.
struct Qemu {
    child: Child,
    log: BufReader<ChildStderr>,
    line: String,
}

/// Names in QEMU's log and their values.
type State = HashMap<String, u32>;

impl Qemu {
    /// `None`, with the reason printed, where there is no QEMU.
    fn start(option: &str, file: &Path) -> Option<Self> {
        let child = Command::new("qemu-system-riscv32")
            .args(["-M", "virt", "-m", "16M", "-display", "none", "-serial", "none", "-monitor", "none"])
            .args(["-singlestep", "-d", "cpu,nochain"])
            .args(if option == "-kernel" { &["-bios", "none"][..] } else { &[] })
            .arg(option)
            .arg(file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                eprintln!("skipped: qemu-system-riscv32 does not start: {error}");
                return None;
            }
        };
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        Some(Self { child, log, line: String::new() })
    }

    /// The next state; `None` at the end of the log.
    fn next(&mut self) -> Option<State> {
        let mut state = State::new();
        loop {
            self.line.clear();
            if self.log.read_line(&mut self.line).expect("the log is text") == 0 {
                return None;
            }
            let mut words = self.line.split_ascii_whitespace();
            while let (Some(name), Some(value)) = (words.next(), words.next()) {
                let name = name.split('/').next().unwrap_or(name);
                if let Ok(value) = u32::from_str_radix(value, 16) {
                    state.insert(name.to_owned(), value);
                }
            }
            if state.contains_key("x31") {
                return Some(state);
            }
        }
    }

    /// The state before the instruction at `pc`.
    fn reach(&mut self, pc: u32) -> State {
        loop {
            let state = self.next().expect("QEMU gets there");
            if state["pc"] == pc {
                return state;
            }
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Steps through `kernel` beside QEMU, from `RAM`, for so many instructions or to the end of QEMU's log.
fn walk(qemu: &mut Qemu, kernel: &mut Kernel, instructions: u32, what: &str) -> u32 {
    let hart = &mut kernel.hart;
    // QEMU fetches before it logs, so it logs nothing for instructions that it cannot fetch.
    hart.stop_at_exceptions(&[Cause::InstructionAccessFault]);
    let first = qemu.reach(RAM);
    for number in 1..32u8 {
        hart.set_register(number, first[&format!("x{number}")]);
    }
    let mut last = String::from("nothing");
    for executed in 0..instructions {
        let pc = hart.pc();
        let bits = kernel.memory.read_word(pc).unwrap_or(0);
        if !matches!(hart.step(&mut kernel.memory, &mut kernel.exit), Some(Stop::Exception { .. })) {
            last = format!("{pc:#x}: {} ({bits:#010x})", disassemble(pc, bits));
        }
        let Some(state) = qemu.next() else { return executed };
        while hart.pc() != state["pc"] && hart.csr(csr_number::MCAUSE) == Some(Cause::InstructionAccessFault as u32) {
            hart.step(&mut kernel.memory, &mut kernel.exit);
        }
        let context = || format!("{what}, after {executed} instructions, the last {last}");
        assert_eq!(hart.pc(), state["pc"], "pc: {}", context());
        for number in 0..32u8 {
            let theirs = state[&format!("x{number}")];
            assert_eq!(hart.register(number), theirs, "x{number}: {}", context());
        }
        for (csr, name) in [
            (csr_number::MEPC, "mepc"),
            (csr_number::MCAUSE, "mcause"),
            (csr_number::MTVAL, "mtval"),
            (csr_number::MSCRATCH, "mscratch"),
        ] {
            let theirs = state[name];
            // What a breakpoint leaves in `mtval` is up to the implementation.
            let free = name == "mtval" && state["mcause"] == Cause::Breakpoint as u32;
            assert!(
                free || hart.csr(csr) == Some(theirs),
                "{name}: ours {:x?}, {theirs:#x}: {}",
                hart.csr(csr),
                context()
            );
        }
    }
    instructions
}

#[test]
fn the_kernel() {
    let Some(mut qemu) = Qemu::start("-kernel", &elf_path()) else { return };
    let mut kernel = Kernel::load();
    assert_eq!(walk(&mut qemu, &mut kernel, 20_000, "kernel"), 20_000);
}

/// Pointers, which no random instruction writes: to data, to data, to code.
const DATA_POINTERS: [u32; 3] = [2, 8, 9];
const CODE_POINTER: u32 = 5;
const IMAGE_BYTES: usize = 0x8000;
const CODE_BYTES: usize = 0x4000;
const REGISTERS: Registers = Registers {
    free: &[0, 1, 3, 4, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 30, 31],
    pointers: &DATA_POINTERS,
};

/// Whether an instruction, so far into the image, keeps a random program inside the memory that both machines have.
fn is_tame(at: usize, bits: u32) -> bool {
    let Some(decoded) = decode(bits) else { return true };
    let stays = |offset: i32| (0..CODE_BYTES as isize).contains(&(at as isize + offset as isize));
    let writes = |rd: u8| !DATA_POINTERS.contains(&u32::from(rd)) && u32::from(rd) != CODE_POINTER;
    match decoded.instruction {
        Instruction::Load { rd, rs1, .. } => writes(rd) && DATA_POINTERS.contains(&u32::from(rs1)),
        Instruction::Store { rs1, .. } => DATA_POINTERS.contains(&u32::from(rs1)),
        Instruction::JumpRegister { rd, rs1, .. } => writes(rd) && u32::from(rs1) == CODE_POINTER,
        // QEMU makes an illegal instruction of what it cannot fetch.
        Instruction::Branch { offset, .. } => stays(offset),
        Instruction::Jump { rd, offset } => writes(rd) && stays(offset),
        Instruction::LoadUpper { rd, .. }
        | Instruction::AddUpperToPc { rd, .. }
        | Instruction::AluImmediate { rd, .. }
        | Instruction::Alu { rd, .. } => writes(rd),
        Instruction::Csr { .. } | Instruction::CsrImmediate { .. } => false,
        Instruction::WaitForInterrupt | Instruction::MachineReturn => false,
        _ => true,
    }
}

fn addi(rd: u32, rs1: u32, immediate: u32) -> u32 {
    (immediate & 0xfff) << 20 | rs1 << 15 | rd << 7 | 0x13
}

/// Loads a constant in two instructions.
fn constant(rd: u32, value: u32) -> [u32; 2] {
    let low = value & 0xfff;
    [value.wrapping_sub((low ^ 0x800).wrapping_sub(0x800)) | rd << 7 | 0x37, addi(rd, rd, low)]
}

/// A program of random instructions, with a handler that skips what traps.
fn image(seed: u64) -> Vec<u8> {
    // Out of reach of everything but traps: QEMU objects to a second `mret`, to user mode.
    const HANDLER: u32 = RAM + 0x7f00;
    const CODE: u32 = RAM + 0x400;
    const DATA: u32 = RAM + 0x4000;
    const SCRATCH: u32 = csr_number::MSCRATCH as u32;
    let mut random = Random(seed);
    let csrrw = |csr: u32, rd: u32, rs1: u32| csr << 20 | rs1 << 15 | 1 << 12 | rd << 7 | 0x73;
    let csrrs = |csr: u32, rd: u32| csr << 20 | 2 << 12 | rd << 7 | 0x73;
    let mut start = Vec::new();
    start.extend(constant(1, HANDLER));
    start.push(csrrw(csr_number::MTVEC.into(), 0, 1));
    for number in 1..32 {
        let value = match number {
            CODE_POINTER => CODE + 0x400,
            _ if DATA_POINTERS.contains(&number) => DATA + 0x800 + random.below(0x1000),
            _ => random.operand(),
        };
        start.extend(constant(number, value));
    }
    start.push((CODE - RAM - 4 * start.len() as u32) << 20 | 0x6f);

    // The middle of the program takes over if it strays: skip two bytes of what traps, go to the pointer if lost.
    let handler = [
        csrrw(SCRATCH, 31, 31),
        csrrs(csr_number::MCAUSE.into(), 31),
        addi(31, 31, u32::MAX),
        4 << 8 | 31 << 15 | 1 << 12 | 0x63, // bnez t6, the entry after next
        csrrw(csr_number::MEPC.into(), 0, CODE_POINTER),
        csrrs(csr_number::MEPC.into(), 31),
        addi(31, 31, 2),
        csrrw(csr_number::MEPC.into(), 0, 31),
        csrrw(SCRATCH, 31, 31),
        0x3020_0073,
    ];
    let mut bytes = vec![0; 0x400];
    let place = |bytes: &mut [u8], at: usize, words: &[u32]| {
        for (i, word) in words.iter().enumerate() {
            bytes[at + 4 * i..][..4].copy_from_slice(&word.to_le_bytes());
        }
    };
    place(&mut bytes, 0, &start);
    while bytes.len() < 0xc00 {
        let bits = match random.below(40) {
            0..16 => u32::from(compressed_instruction(&mut random)),
            16 => {
                csrrw(SCRATCH, random.choose(REGISTERS.free), random.below(32))
                    | random.choose(&[0, 1, 2, 4, 5, 6]) << 12
            }
            17 => random.choose(&[0x0000_0073, 0x0010_0073, 0x0000_100f, 0x0ff0_000f, 0x8330_000f]),
            18 => CODE_POINTER << 15 | random.below(0x100) << 22 | random.choose(&[0, 1, 6]) << 7 | 0x67,
            // Shifts with a reserved bit, among others.
            19 => full_instruction(&mut random, &REGISTERS) | 1 << 25,
            _ => full_instruction(&mut random, &REGISTERS),
        };
        let is_csr = bits & 0x7f == 0x73 && bits >> 20 == SCRATCH;
        if !(is_csr || is_tame(bytes.len(), bits)) {
            continue;
        }
        let length = if bits & 3 == 3 { 4 } else { 2 };
        bytes.extend(&bits.to_le_bytes()[..length]);
    }
    bytes.resize(IMAGE_BYTES, 0);
    place(&mut bytes, (HANDLER - RAM) as usize, &handler);
    bytes
}

#[test]
fn random_programs() {
    const INSTRUCTIONS: u32 = 1500;
    let folder = std::env::temp_dir();
    for seed in 0..10 {
        let image = image(seed);
        let file = folder.join(format!("shakedown-lock-step-{}-{seed}.bin", std::process::id()));
        std::fs::write(&file, &image).expect("the folder for temporary files is writable");
        let qemu = Qemu::start("-bios", &file);
        let Some(mut qemu) = qemu else {
            std::fs::remove_file(&file).expect("it was written");
            return;
        };
        let mut kernel = Kernel::load();
        kernel.memory.write_slice(RAM, &image).unwrap();
        kernel.hart = Hart::new(RAM);
        let executed = walk(&mut qemu, &mut kernel, INSTRUCTIONS, &format!("seed {seed}"));
        std::fs::remove_file(&file).expect("it was written");
        assert_eq!(executed, INSTRUCTIONS);
    }
}
