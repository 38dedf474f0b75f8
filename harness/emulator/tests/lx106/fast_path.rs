//! Threaded code and host code against the plain interpreter: whatever a program does, and however its run is cut, nothing
//! differs. Programs are random instructions of all opcodes, without a care where they lead and what they access.

use std::collections::BTreeMap;

use emulator::Tier;
use emulator::access::AccessKind;
use emulator::lx106::{Cause, Lx106, Opcode, Stop, decode, special_register as sr};

use crate::machine::{self, ALARM, ALIAS, CODE, DATA, FLASH, MISSING, Machine, PROGRAM, SWAP, TRANSFER, VECTORS};
use crate::program::{RARE, RARE_NARROW};
use crate::random::Random;
use crate::tiers::has_back_end;

const PROGRAM_BYTES: u32 = 0x400;
const SEEDS: u64 = 300;
const CYCLES: u64 = 6000;
/// Random programs get caught in loops: this often they are set free.
const EPOCH_CYCLES: u64 = 300;
/// Compiling takes much longer than running these programs.
const HOST_CODE_SEEDS: u64 = 60;
/// The edge that the alarm is, and the comparator.
const INTERRUPTS: u32 = 1 << 9 | 1 << 6;

const ALL_CAUSES: [Cause; 7] = [
    Cause::IllegalInstruction,
    Cause::Syscall,
    Cause::LoadStoreError,
    Cause::LoadStoreAlignment,
    Cause::FetchProhibited,
    Cause::LoadProhibited,
    Cause::StoreProhibited,
];

/// Registers that point to something.
const POINTERS: [u8; 7] = [1, 2, 3, 4, 5, 12, 13];

/// As [`RARE`]: what programs do not survive that are held against QEMU.
const RAREST: [(u32, u32); 5] = [
    (0xff_ffff, 0x00_3000),
    (0xff_ffff, 0x00_3200),
    (0xff_f0ff, 0x00_3010),
    (0xff_ffff, 0x00_5100),
    (0xff_f0ff, 0x00_7000),
];

/// How often each opcode was chosen.
type Counts = BTreeMap<String, u32>;

/// An instruction of any kind; what was chosen rarely comes first.
fn instruction(random: &mut Random, counts: &mut Counts) -> Vec<u8> {
    const CANDIDATES: u32 = 6;
    let mut best: Option<(u32, String, Vec<u8>)> = None;
    let mut candidates = 0;
    while candidates < CANDIDATES {
        let mut bits = random.word() & 0xff_ffff;
        match random.below(6) {
            0 | 1 => {
                let from = random.choose(&[&RARE_NARROW[..], &RARE, &RARE, &RAREST]);
                let (mask, fixed) = random.choose(from);
                bits = bits & !mask | fixed;
            }
            // What computes something of two registers.
            2 | 3 => bits = bits & !0x0f_000f | random.choose(&[0, 0, 0x1_0000, 0x2_0000, 0x3_0000]),
            _ => {}
        }
        let Some(decoded) = decode(bits) else { continue };
        let is_access = matches!(bits & 0xf, 2 | 8 | 9);
        if is_access && !random.one_in(4) {
            bits = bits & !0xf00 | u32::from(random.choose(&POINTERS)) << 8;
        } else if decoded.opcode == Opcode::L32r && !random.one_in(4) {
            // Not far before.
            bits |= 0xff_0000;
        }
        candidates += 1;
        let name = format!("{:?}.{}", decoded.opcode, decoded.length);
        let count = counts.get(&name).copied().unwrap_or(0);
        if best.as_ref().is_none_or(|(least, ..)| count < *least) {
            best = Some((count, name, bits.to_le_bytes()[..usize::from(decoded.length)].to_vec()));
        }
    }
    let (_, name, bytes) = best.expect("there were candidates");
    *counts.entry(name).or_default() += 1;
    bytes
}

fn program(random: &mut Random, counts: &mut Counts) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < PROGRAM_BYTES as usize {
        bytes.extend(instruction(random, counts));
    }
    bytes.truncate(PROGRAM_BYTES as usize);
    bytes
}

/// Puts registers back that keep the program going, and moves on from whatever stopped it.
fn set_right(core: &mut Lx106, seed: u64) {
    let mut random = Random(seed ^ core.cycle());
    for number in 0..16 {
        core.set_register(number, random.operand());
    }
    let code = PROGRAM + random.below(PROGRAM_BYTES);
    let values = [
        DATA + random.below(0x1000),
        DATA + (random.below(0x1000) & !3),
        random.choose(&[ALARM, ALARM, SWAP, TRANSFER, MISSING]),
        CODE + (code & !3),
        random.choose(&[ALIAS + code, FLASH + (code & !3), DATA + 0xffe]),
        CODE + code,
        FLASH + code,
    ];
    for (number, value) in POINTERS.into_iter().zip(values) {
        core.set_register(number, value);
    }
    core.set_register(0, CODE + PROGRAM + random.below(PROGRAM_BYTES));
    core.set_special(sr::VECBASE, VECTORS);
    core.set_special(sr::PS, 0x20);
    core.set_special(sr::LITBASE, if random.one_in(4) { CODE + 0x1001 } else { 0 });
    core.set_special(sr::INTENABLE, INTERRUPTS);
    core.set_special(sr::INTCLEAR, u32::MAX);
    let ccount = core.special(sr::CCOUNT).expect("it can be read");
    core.set_special(sr::CCOMPARE0, ccount.wrapping_add(random.below(600)));
    let base = if random.one_in(3) { FLASH } else { CODE };
    core.set_pc(base + PROGRAM + random.below(PROGRAM_BYTES));
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Why runs ended, and what the core held then: `a0` to `a15`, SAR and the cycle.
    stops: Vec<(Stop, [u32; 17], u64)>,
    machine: machine::Seen,
}

struct Outcome {
    /// Not compared: how many traces were host code at the end of the epoch that had most of them.
    host_code_max: usize,
    seen: Seen,
}

/// Programs for RAM and for both sides of the flash.
type Programs = [Vec<u8>; 3];

fn play(seed: u64, programs: &Programs, tier: Tier, mut slice: impl FnMut() -> u64) -> Outcome {
    let mut random = Random(seed);
    let mut machine = Machine::new(programs, tier);
    let core = &mut machine.core;
    core.stop_at_exceptions(&ALL_CAUSES);
    core.stop_at_break(seed.is_multiple_of(2));
    for _ in 0..8 {
        core.add_hook(CODE + PROGRAM + random.below(PROGRAM_BYTES));
    }
    if seed.is_multiple_of(3) {
        core.add_watchpoint(DATA + 0x400, 0x40, AccessKind::Store);
        core.add_watchpoint(CODE + PROGRAM + 0x80, 0x40, AccessKind::Load);
    }
    set_right(core, seed);
    core.set_pc(CODE + PROGRAM);
    let held = |core: &Lx106| {
        let special = core.special(sr::SAR).expect("it can be read");
        std::array::from_fn(|n| if n < 16 { core.register(n as u8) } else { special })
    };
    let mut stops = Vec::new();
    let mut host_code_max = 0;
    while core.cycle() < CYCLES {
        let epoch_end = (core.cycle() / EPOCH_CYCLES + 1) * EPOCH_CYCLES;
        let until = (core.cycle() + slice()).min(epoch_end);
        let stop = core.run(&mut machine.memory, &mut machine.devices, until);
        host_code_max = host_code_max.max(core.host_code_count());
        match stop {
            Stop::Deadline | Stop::WaitForInterrupt => {
                core.skip_to(until);
                if until == epoch_end {
                    stops.push((stop, held(core), until));
                    set_right(core, seed);
                }
                continue;
            }
            _ => stops.push((stop, held(core), core.cycle())),
        }
        match stop {
            Stop::Hook { address } => core.set_pc(address + 3),
            Stop::Watchpoint { .. } => {}
            _ => set_right(core, seed),
        }
        core.skip_to(core.cycle() + 1);
    }
    Outcome { host_code_max, seen: Seen { stops, machine: machine.seen() } }
}

/// Programs for so many seeds, over every opcode.
fn programs(seeds: u64) -> Vec<Programs> {
    let mut counts = Counts::new();
    let random = |seed: u64| Random(seed ^ 0x5eed << 32);
    let programs = (0..seeds).map(|seed| {
        let mut random = random(seed);
        [(); 3].map(|()| program(&mut random, &mut counts))
    });
    let programs = programs.collect();
    let rare: Vec<_> = counts.iter().filter(|(_, count)| **count < seeds as u32).collect();
    assert!(rare.is_empty() && counts.len() > 85, "{}: {rare:?}", counts.len());
    programs
}

#[test]
fn threaded_code_does_what_the_plain_interpreter_does() {
    let mut lengths = Random(1);
    let (mut causes, mut handled, mut told, mut watched) = (0, 0, 0, 0);
    for (seed, programs) in (0..).zip(&programs(SEEDS)) {
        let plain = play(seed, programs, Tier::Interpreter, || 1).seen;
        told += plain.machine.devices.log.len();
        handled += plain.machine.devices.handled;
        for (stop, ..) in &plain.stops {
            match stop {
                Stop::Exception { exception, .. } => causes |= 1_u64 << exception.cause as u32,
                Stop::Watchpoint { .. } => watched += 1,
                _ => {}
            }
        }
        compare(seed, &plain, &play(seed, programs, Tier::ThreadedCode, || CYCLES).seen);
        compare(seed, &plain, &play(seed, programs, Tier::ThreadedCode, || 97 + u64::from(lengths.below(400))).seen);
    }
    // The programs were worth it: every cause of an exception occurred, and so did interrupts.
    assert_eq!(causes, ALL_CAUSES.iter().fold(0, |mask, &cause| mask | 1 << cause as u32));
    assert!(handled > 1000 && told > 200 && watched > 100, "{handled} {told} {watched}");
}

#[test]
fn host_code_does_what_the_plain_interpreter_does() {
    let has_back_end = has_back_end();
    let mut lengths = Random(2);
    let mut host_code = 0;
    for (seed, programs) in (0..).zip(&programs(HOST_CODE_SEEDS)) {
        let plain = play(seed, programs, Tier::Interpreter, || 1).seen;
        // What the first run compiles, the second has from its first cycle on.
        for _ in 0..2 {
            let sliced = play(seed, programs, Tier::HostCode, || 97 + u64::from(lengths.below(400)));
            compare(seed, &plain, &sliced.seen);
            let whole = play(seed, programs, Tier::HostCode, || CYCLES);
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
    let stops = plain.stops.len().max(fast.stops.len());
    match (0..stops).find(|&i| plain.stops.get(i) != fast.stops.get(i)) {
        Some(i) => format!("stop {i}: plain {:x?}, fast {:x?}", plain.stops.get(i), fast.stops.get(i)),
        None => plain.machine.difference(&fast.machine),
    }
}
