//! The fast path in lock-step with the plain interpreter: a deadline and an interrupt at every instruction of a loop that does
//! everything, code that rewrites itself, literals that change or are watched.

use emulator::Tier;
use emulator::access::AccessKind;
use emulator::lx106::{Cause, Stop, special_register as sr};

use crate::machine::{ALARM, ALIAS, CODE, DATA, FLASH, Machine, PROGRAM, SWAP};
use crate::program::{access, addi, j, l32r, movi, s32i, slli, srli, wsr};
use crate::tiers::has_back_end;

const CYCLES: u64 = 1200;
const BEGIN: u32 = CODE + PROGRAM;
const NOP: u32 = 0x00_20f0;
const RET: u32 = 0x00_0080;
const FAST: [Tier; 2] = [Tier::ThreadedCode, Tier::HostCode];

/// Where instruction `n` of a program is: all are long ones.
const fn at(n: u32) -> u32 {
    BEGIN + 3 * n
}

/// Three registers: `operation` is `op2` and `op1` of the encoding.
pub const fn rst(operation: u32, r: u32, s: u32, t: u32) -> u32 {
    operation << 16 | r << 12 | s << 8 | t << 4
}

pub const fn extui(r: u32, t: u32, shift: u32, bits: u32) -> u32 {
    rst(0x04 | (bits - 1) << 4 | shift >> 4, r, shift & 15, t)
}

const fn ssai(amount: u32) -> u32 {
    0x40_4000 | (amount & 15) << 8 | amount >> 4 << 4
}

const fn bnez(s: u32, n: u32, to: u32) -> u32 {
    (at(to).wrapping_sub(at(n) + 4) & 0xfff) << 12 | s << 8 | 0x56
}

/// `kind` is field `r`.
const fn branch(kind: u32, s: u32, t: u32, n: u32, to: u32) -> u32 {
    (at(to).wrapping_sub(at(n) + 4) & 0xff) << 16 | kind << 12 | s << 8 | t << 4 | 7
}

const fn bltui(s: u32, constant: u32, n: u32, to: u32) -> u32 {
    (at(to).wrapping_sub(at(n) + 4) & 0xff) << 16 | constant << 12 | s << 8 | 0xb6
}

const fn call0(n: u32, to: u32) -> u32 {
    (at(to).wrapping_sub((at(n) & !3) + 4) >> 2 & 0x3_ffff) << 6 | 5
}

/// A loop in a loop, with calls, over memory: `a10` walks up, over pages; `a11` reaches the devices now and then.
fn everything() -> Vec<u32> {
    let mut code = vec![
        movi(5, 7),                   // 0: outer
        addi(6, 6, 1),                // 1
        access(2, 7, 10, 0),          // 2: inner: l32i
        rst(0x80, 7, 7, 6),           // add
        s32i(7, 10, 4),               // 4
        access(0, 8, 10, 5),          // l8ui
        access(9, 9, 10, 3),          // 6: l16si
        access(5, 9, 10, 4),          // s16i
        access(4, 8, 10, 11),         // 8: s8i
        rst(0xa0, 12, 7, 8),          // addx4
        rst(0xf0, 13, 9, 12),         // 10: subx8
        extui(14, 13, 9, 7),          // 11
        ssai(13),                     // 12
        rst(0x81, 15, 13, 12),        // src
        0x40_1000 | 14 << 8,          // 14: ssl
        rst(0xa1, 2, 15, 0),          // sll
        0x40_0000 | 8 << 8,           // 16: ssr
        rst(0xb1, 3, 0, 2),           // sra
        rst(0x81, 3, 3, 2),           // 18: src
        rst(0x83, 4, 3, 14),          // moveqz
        rst(0xa3, 4, 2, 3),           // 20: movltz
        rst(0x82, 4, 4, 7),           // mull
        rst(0xc1, 4, 4, 3),           // 22: mul16u
        rst(0x60, 12, 1, 4),          // abs
        0x40_e000 | 4 << 8 | 13 << 4, // 24: nsa
        0x40_f000 | 4 << 8 | 14 << 4, // nsau
        addi(5, 5, 0xff),             // 26
        bnez(5, 27, 2),               // 27: inner
        branch(0x6, 6, 0, 28, 31),    // bbci 0: every other round
        addi(10, 10, 52),             // 29
        s32i(6, 11, 0),               // 30: the alarm is set
        bltui(14, 4, 31, 33),         // 31
        access(2, 9, 11, 0),          // 32: a device is asked
        call0(33, 40),                // 33
        branch(0x8, 6, 10, 34, 36),   // bany
        NOP,                          // 35
        call0(36, 40),                // 36
        branch(0x0, 8, 9, 37, 38),    // bnone, to the next
        j(at(38), at(0)),             // 38
        NOP,                          // 39
        rst(0x80, 1, 1, 7),           // 40: a function
        srli(1, 1, 1),                // 41
        RET,                          // 42
    ];
    code.push(slli(1, 1, 1));
    code
}

fn machine(program: &[u32], tier: Tier) -> Machine {
    let bytes: Vec<u8> = program.iter().flat_map(|bits| bits.to_le_bytes()[..3].to_vec()).collect();
    let mut machine = Machine::new(&[bytes.clone(), bytes, Vec::new()], tier);
    machine.core.set_special(sr::INTENABLE, 1 << 9);
    for (register, value) in [(10, DATA + 0x3c0), (11, ALARM)] {
        machine.core.set_register(register, value);
    }
    machine
}

fn run(machine: &mut Machine, until: u64) {
    while machine.core.cycle() < until {
        let stop = machine.core.run(&mut machine.memory, &mut machine.devices, until);
        assert_eq!(stop, Stop::Deadline);
    }
}

/// Runs both to each multiple of `cycles` below `slices`: they are the same at each.
fn in_slices([fast, plain]: [&mut Machine; 2], cycles: u64, slices: u64, tier: Tier) {
    for n in 1..slices {
        run(fast, cycles * n);
        run(plain, cycles * n);
        check(fast, plain, &format!("{tier:?}, slice {n}"));
    }
}

fn check(fast: &Machine, plain: &Machine, what: &str) {
    let (fast, plain) = (fast.seen(), plain.seen());
    assert!(fast == plain, "{what}: {}", plain.difference(&fast));
}

/// Has the program's loops compiled, so that whoever runs it next has host code from the first instruction on.
fn compile(program: &[u32]) {
    let has_back_end = has_back_end();
    let mut machine = machine(program, Tier::HostCode);
    for n in 1..40 {
        run(&mut machine, n * 101);
    }
    assert!(!has_back_end || machine.core.host_code_count() > 0);
}

#[test]
fn a_deadline_at_every_instruction() {
    let program = everything();
    compile(&program);
    for tier in FAST {
        let mut plain = machine(&program, Tier::Interpreter);
        for until in 1..CYCLES {
            run(&mut plain, until);
            // From the beginning, so that all before the deadline is fast.
            let mut fast = machine(&program, tier);
            run(&mut fast, until);
            check(&fast, &plain, &format!("{tier:?}, until cycle {until}"));
        }
        for slice in [97, 98, 101, 128, 255] {
            let (mut fast, mut plain) = (machine(&program, tier), machine(&program, Tier::Interpreter));
            for n in 1..=CYCLES / slice {
                run(&mut fast, n * slice);
                run(&mut plain, n * slice);
                check(&fast, &plain, &format!("{tier:?}, slices of {slice}, number {n}"));
            }
        }
    }
}

#[test]
fn an_interrupt_at_every_instruction() {
    let mut program = everything();
    // Nobody but the test sets the alarm.
    program[30] = NOP;
    compile(&program);
    for tier in FAST {
        for cycle in 1..CYCLES {
            for by_timer in [false, true] {
                let [fast, plain] = [tier, Tier::Interpreter].map(|tier| {
                    let mut machine = machine(&program, tier);
                    if by_timer {
                        machine.core.set_special(sr::INTENABLE, 1 << 6);
                        machine.core.set_special(sr::CCOMPARE0, cycle as u32);
                    } else {
                        machine.devices.alarm_cycle = cycle;
                    }
                    run(&mut machine, CYCLES + 100);
                    machine
                });
                assert!(plain.devices.handled > 0, "the interrupt at cycle {cycle} was taken");
                check(&fast, &plain, &format!("{tier:?}, interrupt at cycle {cycle}, by the timer {by_timer}"));
            }
        }
    }
}

#[test]
fn code_that_rewrites_itself() {
    // Every 32 rounds the four bytes at a8 change between two versions, of which one adds 1 to a7 and the other 2; every round
    // something else is stored to the same page.
    let program = [
        addi(6, 6, 1),
        addi(7, 7, 1),
        s32i(6, 8, 0xfc),
        extui(12, 6, 0, 5),
        bnez(12, 4, 0),
        s32i(9, 8, 0),
        rst(0x30, 9, 9, 10),
        j(at(7), at(0)),
    ];
    // The word at 4: the end of the second instruction, with its immediate, and the beginning of the third.
    let upper = |second: u32| second >> 8 | (program[2] & 0xffff) << 16;
    let (one, two) = (addi(7, 7, 1), addi(7, 7, 2));
    // By words through both addresses, and by the half that is nobody's beginning.
    let s16i = access(5, 9, 8, 0);
    for tier in FAST {
        for (through, store) in [(CODE, program[5]), (ALIAS, program[5]), (ALIAS, s16i)] {
            let mut program = program;
            program[5] = store;
            for slice in [113, 500, 6000] {
                let [mut fast, mut plain] = [tier, Tier::Interpreter].map(|tier| {
                    let mut machine = machine(&program, tier);
                    for (register, value) in
                        [(8, through + PROGRAM + 4), (9, upper(two)), (10, upper(one) ^ upper(two))]
                    {
                        machine.core.set_register(register, value);
                    }
                    machine
                });
                for n in 1..=6000 / slice {
                    run(&mut fast, n * slice);
                    run(&mut plain, n * slice);
                    check(&fast, &plain, &format!("{tier:?} through {through:#x}, slices of {slice}, number {n}"));
                }
                // Both versions of the instruction were executed.
                assert!(!plain.core.register(7).is_multiple_of(plain.core.register(6)));
            }
        }
    }
}

/// A loop that adds a literal from before the program to `a7`.
fn adds_literal() -> Vec<u32> {
    vec![l32r(5, at(0), BEGIN - 4), rst(0x80, 7, 7, 5), addi(6, 6, 1), j(at(3), at(0))]
}

#[test]
fn a_literal_is_what_memory_holds() {
    for tier in FAST {
        let [mut fast, mut plain] = [tier, Tier::Interpreter].map(|tier| machine(&adds_literal(), tier));
        for (n, value) in (1..).zip([3, 5, 0, u32::MAX]) {
            for machine in [&mut fast, &mut plain] {
                // By a debugger through one address, and by a DMA engine through another.
                let through = if n % 2 == 0 { CODE } else { ALIAS };
                machine.memory.write_word(through + PROGRAM - 4, value).expect("it is mapped");
                run(machine, 1000 * n);
            }
            check(&fast, &plain, &format!("{tier:?}, literal {value:#x}"));
        }
        // LITBASE moves literals elsewhere.
        for machine in [&mut fast, &mut plain] {
            machine.core.set_special(sr::LITBASE, (CODE + 0x1000) | 1);
            machine.memory.write_word(CODE + 0x1000 - 4, 77).expect("it is mapped");
            run(machine, 5000);
        }
        check(&fast, &plain, &format!("{tier:?}, LITBASE"));
    }
}

#[test]
fn a_watched_literal_stops_as_a_load() {
    for tier in FAST {
        let mut machine = machine(&adds_literal(), tier);
        run(&mut machine, 1000);
        machine.core.add_watchpoint(BEGIN - 4, 4, AccessKind::Load);
        let stop = machine.core.run(&mut machine.memory, &mut machine.devices, 2000);
        assert_eq!(stop, Stop::Watchpoint { address: BEGIN - 4, kind: AccessKind::Load }, "{tier:?}");
        assert_eq!((machine.core.cycle(), machine.core.pc()), (1001, at(1)));
        machine.core.remove_watchpoint(BEGIN - 4, 4, AccessKind::Load);
        run(&mut machine, 2000);
    }
}

#[test]
fn breakpoints_stop_at_any_instruction_of_a_trace() {
    let program = everything();
    compile(&program);
    for tier in FAST {
        for n in 0..38 {
            let [fast, plain] = [tier, Tier::Interpreter].map(|tier| {
                let mut machine = machine(&program, tier);
                // The first round is past where a trace of it was made.
                run(&mut machine, 300);
                machine.core.add_breakpoint(at(n));
                let stop = machine.core.run(&mut machine.memory, &mut machine.devices, 3000);
                (stop, machine)
            });
            assert_eq!(fast.0, plain.0, "{tier:?}, instruction {n}");
            check(&fast.1, &plain.1, &format!("{tier:?}, instruction {n}"));
        }
    }
}

#[test]
fn a_window_that_shows_something_else_is_other_code() {
    // Each round closes the window to the flash, shows one program or the other in it, calls that, and reads of it.
    let shown = |amount: u32| vec![addi(7, 7, amount), RET];
    let program = [
        extui(4, 6, 0, 1),
        s32i(5, 11, 0),
        s32i(4, 11, 0),
        0xc0 | 12 << 8,
        access(2, 9, 12, 0),
        rst(0x80, 8, 8, 9),
        addi(6, 6, 1),
        j(at(7), at(0)),
    ];
    let bytes = |code: &[u32]| code.iter().flat_map(|bits| bits.to_le_bytes()[..3].to_vec()).collect::<Vec<u8>>();
    for tier in FAST {
        let [fast, plain] = [tier, Tier::Interpreter].map(|tier| {
            let mut machine = Machine::new(&[bytes(&program), bytes(&shown(1)), bytes(&shown(16))], tier);
            for (register, value) in [(5, 2), (11, SWAP), (12, FLASH + PROGRAM)] {
                machine.core.set_register(register, value);
            }
            run(&mut machine, 10 * 500);
            machine
        });
        assert_eq!(plain.core.register(7), 250 * 17);
        check(&fast, &plain, &format!("{tier:?}"));
    }
}

/// Shifts go by what SAR was set to, and not by what the register holds by then that it was set by.
#[test]
fn a_register_that_sar_was_set_by_changes() {
    let program = [
        addi(4, 4, 3),
        0x40_1000 | 4 << 8, // ssl
        addi(4, 4, 5),
        rst(0xa1, 5, 4, 0),
        rst(0x80, 6, 6, 5),
        0x40_0000 | 4 << 8, // ssr
        addi(4, 4, 7),
        rst(0x91, 5, 0, 4),
        rst(0x80, 6, 6, 5),
        rst(0xb1, 5, 0, 6),
        rst(0x80, 7, 7, 5),
        j(at(11), at(0)),
    ];
    for tier in FAST {
        let [mut fast, mut plain] = [tier, Tier::Interpreter].map(|tier| machine(&program, tier));
        in_slices([&mut fast, &mut plain], 107, 50, tier);
    }
}

/// All that SAR can hold: shifts by more than 32 are what the plain interpreter says.
#[test]
fn shifts_by_all_that_sar_can_hold() {
    let program = [
        addi(4, 4, 1),
        wsr(sr::SAR, 4),
        rst(0x81, 5, 6, 7), // src
        rst(0x80, 8, 8, 5),
        rst(0x91, 5, 0, 7), // srl
        rst(0x30, 8, 8, 5),
        rst(0xa1, 5, 7, 0), // sll
        rst(0x80, 8, 8, 5),
        rst(0xb1, 5, 0, 7), // sra
        rst(0x30, 8, 8, 5),
        rst(0x93, 8, 6, 5), // movnez
        rst(0xb3, 7, 8, 6), // movgez
        j(at(12), at(0)),
    ];
    compile(&program);
    for tier in FAST {
        let [mut fast, mut plain] = [tier, Tier::Interpreter].map(|tier| {
            let mut machine = machine(&program, tier);
            for (register, value) in [(6, 0x8765_4321), (7, 0x9abc_def0)] {
                machine.core.set_register(register, value);
            }
            machine
        });
        in_slices([&mut fast, &mut plain], 113, 200, tier);
    }
}

/// A loop is hot with accesses that are good, and then its pointer changes.
#[test]
fn accesses_that_are_exceptions_are_exceptions_in_a_hot_loop() {
    const ALL: [Cause; 2] = [Cause::LoadStoreError, Cause::LoadStoreAlignment];
    let has_back_end = has_back_end();
    // Field `r` of an access, and its width.
    for (kind, width) in [(0, 1), (1, 2), (9, 2), (2, 4), (4, 1), (5, 2), (6, 4)] {
        // The page of code is read by words as well.
        let program = [access(2, 9, 10, 0), access(kind, 5, 4, 0), addi(6, 6, 1), j(at(3), at(0))];
        for (pointer, cause) in [(CODE, ALL[0]), (DATA + 0x101, ALL[1])] {
            // Words may be loaded from there, and bytes lie anywhere.
            let expected = if cause == ALL[0] { width < 4 } else { width > 1 };
            for tier in FAST {
                let [fast, plain] = [tier, Tier::Interpreter].map(|tier| {
                    let mut machine = machine(&program, tier);
                    machine.core.stop_at_exceptions(&ALL);
                    machine.core.set_register(4, DATA);
                    machine.core.set_register(10, CODE);
                    (1..20).for_each(|n| run(&mut machine, 101 * n));
                    assert!(tier != Tier::HostCode || !has_back_end || machine.core.host_code_count() > 0);
                    machine.core.set_register(4, pointer);
                    (machine.core.run(&mut machine.memory, &mut machine.devices, 3000), machine)
                });
                let what = format!("{tier:?}, access {kind} at {pointer:#x}");
                assert_eq!(fast.0, plain.0, "{what}");
                let raised = matches!(fast.0, Stop::Exception { exception, .. } if exception.cause == cause);
                assert_eq!(raised, expected, "{what}: {:?}", fast.0);
                check(&fast.1, &plain.1, &what);
            }
        }
    }
}
