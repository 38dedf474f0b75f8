//! Threaded code and host code against the plain interpreter: whatever a program does, and however its run is cut, nothing
//! differs.

use emulator::Tier;
use emulator::memory::{Memory, Store};
use emulator::riscv::{Cause, Hart, Stop, csr_number};

use crate::machine::{ALARM, Devices, FLASH, FLASH_ALIAS, RAM, RAM_ALIAS, SILENCE, memory};
use crate::random::{Random, Registers, compressed_instruction, full_instruction};
use crate::tiers::has_back_end;

const PROGRAM_BYTES: u32 = 0x400;
const VECTOR: u32 = RAM + 0xf000;
const CYCLES: u64 = 6000;
/// Random programs get caught in loops: this often they are set free.
const EPOCH_CYCLES: u64 = 300;
/// Compiling takes much longer than running these programs.
const HOST_CODE_SEEDS: u64 = 60;

const REGISTERS: Registers =
    Registers { free: &[0, 1, 2, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 31], pointers: &[3, 4, 9, 17, 18, 19, 20] };

const ALL_CAUSES: [Cause; 9] = [
    Cause::InstructionAccessFault,
    Cause::IllegalInstruction,
    Cause::Breakpoint,
    Cause::LoadAddressMisaligned,
    Cause::LoadAccessFault,
    Cause::StoreAddressMisaligned,
    Cause::StoreAccessFault,
    Cause::EnvironmentCallFromUser,
    Cause::EnvironmentCallFromMachine,
];

#[derive(Debug)]
struct Outcome {
    /// Not compared: how many traces were host code at the end of the epoch that had most of them.
    host_code_max: usize,
    seen: Seen,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    stops: Vec<(Stop, u64)>,
    registers: Vec<u32>,
    pc: u32,
    cycle: u64,
    retired: u64,
    csrs: Vec<Option<u32>>,
    devices: Devices,
    ram: Vec<u8>,
}

fn csr_instruction(random: &mut Random) -> u32 {
    let csr = match random.below(12) {
        0..5 => csr_number::MSTATUS,
        5 => csr_number::MSCRATCH,
        6 => csr_number::MEPC,
        7 => csr_number::PMPCFG0,
        8 => csr_number::PMPADDR0 + random.below(4) as u16,
        9 => csr_number::TDATA1,
        10 => csr_number::TDATA2,
        _ => csr_number::TCONTROL,
    };
    let funct3 = random.choose(&[1, 2, 3, 5, 6, 7]);
    let rd = random.choose(REGISTERS.free);
    u32::from(csr) << 20 | random.below(32) << 15 | funct3 << 12 | rd << 7 | 0x73
}

fn program(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < PROGRAM_BYTES as usize {
        let bits = match random.below(60) {
            0..20 => {
                bytes.extend(compressed_instruction(random).to_le_bytes());
                continue;
            }
            20 => csr_instruction(random),
            21 => random.choose(&[0x0000_0073, 0x0010_0073, 0x3020_0073, 0x1050_0073, 0x0000_100f, 0x0ff0_000f]),
            // A store to or a load from a device.
            22 => random.below(4) << 9 | random.below(32) << 20 | 17 << 15 | 2 << 12 | 0x23,
            23 => 17 << 15 | 2 << 12 | random.choose(REGISTERS.free) << 7 | 0x03,
            24 => random.word(),
            // `jalr` by a pointer.
            25 => random.choose(&[18, 19]) << 15 | random.choose(&[0, 1, 5]) << 7 | 0x67,
            _ => full_instruction(random, &REGISTERS),
        };
        bytes.extend(bits.to_le_bytes());
    }
    bytes
}

/// Puts registers back that keep the program going, and moves on from whatever stopped it.
fn set_right(hart: &mut Hart, seed: u64) {
    let mut random = Random(seed ^ hart.cycle());
    for number in REGISTERS.free {
        hart.set_register(*number as u8, random.operand());
    }
    let code = random.below(PROGRAM_BYTES) & !1;
    let pointers = [
        (3, RAM + 0x8000 + random.below(0x1000)),
        (4, RAM_ALIAS + 0x8000 + (random.below(0x1000) & !3)),
        (9, FLASH_ALIAS + random.below(0x1000)),
        (17, ALARM),
        (18, RAM + code),
        (19, FLASH + code),
        (20, if random.one_in(4) { RAM_ALIAS + code } else { RAM + 0x9000 }),
    ];
    for (number, value) in pointers {
        hart.set_register(number, value);
    }
    let pc = match random.below(4) {
        0 => FLASH + (random.below(PROGRAM_BYTES) & !1),
        1 => RAM + (random.below(PROGRAM_BYTES) & !1),
        _ => hart.csr(csr_number::MEPC).unwrap().wrapping_add(2),
    };
    hart.set_pc(pc);
    hart.set_csr(csr_number::MSTATUS, 0x1888);
}

fn play(seed: u64, tier: Tier, mut slice: impl FnMut() -> u64) -> Outcome {
    let mut random = Random(seed);
    let (mut memory, ram): (Memory, Store) = memory();
    memory.write_slice(RAM, &program(&mut random)).unwrap();
    memory.write_slice(FLASH, &program(&mut random)).unwrap();
    for line in 0..32 {
        // Silence the alarm; x31 is nobody's pointer.
        for (i, word) in [0x6000_0fb7, 0x000f_a223, 0x3020_0073].into_iter().enumerate() {
            memory.write_word(VECTOR + 0x100 + 4 * i as u32, word).unwrap();
        }
        let offset = 0x100 - 4 * line;
        memory.write_word(VECTOR + 4 * line, (offset & 0x7fe) << 20 | (offset >> 11 & 1) << 20 | 0x6f).unwrap();
    }
    let mut hart = Hart::new(RAM);
    hart.execute_by(tier);
    // Threaded code until time runs out in a trace for the first time, host code from then on.
    hart.compile_after(1);
    hart.stop_at_exceptions(&ALL_CAUSES);
    hart.set_csr(csr_number::MTVEC, VECTOR);
    if seed.is_multiple_of(2) {
        // User mode may do everything; otherwise it may do nothing.
        hart.set_csr(csr_number::PMPADDR15, u32::MAX);
        hart.set_csr(csr_number::PMPCFG3, 0x1f00_0000);
    }
    set_right(&mut hart, seed);
    hart.set_pc(RAM);
    for _ in 0..8 {
        hart.add_hook(RAM + (random.below(PROGRAM_BYTES) & !1));
    }

    let mut devices = Devices::new();
    let mut stops = Vec::new();
    let mut host_code_max = 0;
    while hart.cycle() < CYCLES {
        let epoch_end = (hart.cycle() / EPOCH_CYCLES + 1) * EPOCH_CYCLES;
        let until = (hart.cycle() + slice()).min(epoch_end);
        let stop = hart.run(&mut memory, &mut devices, until);
        host_code_max = host_code_max.max(hart.host_code_count());
        match stop {
            Stop::Deadline | Stop::WaitForInterrupt => {
                hart.skip_to(until);
                if until == epoch_end {
                    set_right(&mut hart, seed);
                }
            }
            Stop::Hook { address } => {
                stops.push((Stop::Hook { address }, hart.cycle()));
                hart.skip_to(hart.cycle() + 1);
                hart.set_pc(address + 2);
            }
            other => {
                stops.push((other, hart.cycle()));
                set_right(&mut hart, seed);
            }
        }
    }
    let seen = Seen {
        stops,
        registers: (0..32).map(|number| hart.register(number)).collect(),
        pc: hart.pc(),
        cycle: hart.cycle(),
        retired: hart.instructions_retired(),
        csrs: (0x300..0x7a6).map(|number| hart.csr(number)).collect(),
        devices,
        ram: memory.store_bytes(ram).to_vec(),
    };
    Outcome { host_code_max, seen }
}

#[test]
fn threaded_code_does_what_the_plain_interpreter_does() {
    let mut lengths = Random(1);
    let (mut causes, mut interrupts) = (0, 0);
    for seed in 0..400 {
        let plain = play(seed, Tier::Interpreter, || 1).seen;
        interrupts += plain.devices.log.iter().filter(|(address, ..)| *address == SILENCE).count();
        for (stop, _) in &plain.stops {
            if let Stop::Exception { exception, .. } = stop {
                causes |= 1 << exception.cause as u32;
            }
        }
        compare(seed, &plain, &play(seed, Tier::ThreadedCode, || CYCLES).seen);
        compare(seed, &plain, &play(seed, Tier::ThreadedCode, || 1 + u64::from(lengths.below(400))).seen);
    }
    // The programs were worth it: every cause of an exception occurred, and the alarm went off.
    assert_eq!(causes, ALL_CAUSES.iter().fold(0, |mask, &cause| mask | 1 << cause as u32));
    assert!(interrupts > 100, "{interrupts}");
}

#[test]
fn host_code_does_what_the_plain_interpreter_does() {
    let has_back_end = has_back_end();
    let mut lengths = Random(2);
    let mut host_code = 0;
    for seed in 0..HOST_CODE_SEEDS {
        let plain = play(seed, Tier::Interpreter, || 1).seen;
        // What the first run compiles, the second has from its first cycle on.
        for _ in 0..2 {
            let sliced = play(seed, Tier::HostCode, || 97 + u64::from(lengths.below(400)));
            compare(seed, &plain, &sliced.seen);
            let whole = play(seed, Tier::HostCode, || CYCLES);
            compare(seed, &plain, &whole.seen);
            host_code += whole.host_code_max;
        }
    }
    assert!(!has_back_end || host_code > 2 * HOST_CODE_SEEDS as usize, "{host_code}");
}

fn compare(seed: u64, plain: &Seen, other: &Seen) {
    assert!(other == plain, "seed {seed}: {}", difference(plain, other));
}

fn difference(plain: &Seen, fast: &Seen) -> String {
    if let Some(i) = (0..plain.stops.len().max(fast.stops.len())).find(|&i| plain.stops.get(i) != fast.stops.get(i)) {
        return format!("stop {i}: plain {:?}, fast {:?}", plain.stops.get(i), fast.stops.get(i));
    }
    let ram = plain.ram.iter().zip(&fast.ram).position(|(a, b)| a != b);
    format!(
        "pc {:#x} {:#x}, cycle {} {}, retired {} {}, ram at {ram:x?}, devices equal {}, csrs equal {}\n{:x?}\n{:x?}",
        plain.pc,
        fast.pc,
        plain.cycle,
        fast.cycle,
        plain.retired,
        fast.retired,
        plain.devices == fast.devices,
        plain.csrs == fast.csrs,
        plain.registers,
        fast.registers
    )
}
