//! What one core of a process has drafted or compiled, another takes, if that would draft the same, and not otherwise: trace by
//! trace, or all that the first has handed on. Each test has one core run a program, and then a second one that differs from it in one thing, at every instruction of the program: it
//! does what the plain interpreter does.
//!
//! Programs lie where no other test of the process executes anything: what they have drafted stays.

use emulator::Tier;
use emulator::access::AccessKind;
use emulator::lx106::{Cause, Stop, special_register as sr};
use emulator::memory::{Access, Window};

use crate::lock_step::{extui, rst};
use crate::machine::{ALIAS, CODE, DATA, Machine};
use crate::program::{access, addi, j, l32r, s32i, srli};
use crate::tiers::has_back_end;

const PAGE_BYTES: u32 = 0x400;
/// A page, before the end of which the program begins: it lies in two, and so does one of its instructions.
const PAGE: u32 = 0x1800;
const BEGIN: u32 = CODE + PAGE + PAGE_BYTES - 3 * 8 - 1;
/// Three literals, in the page before the program's.
const LITERALS: u32 = CODE + PAGE - 0x10;
const CYCLES: u64 = 2500;
const FAST: [Tier; 2] = [Tier::ThreadedCode, Tier::HostCode];
const RET: u32 = 0x00_0080;

/// The address of instruction `n`: all are long ones.
const fn at(n: usize) -> u32 {
    BEGIN + 3 * n as u32
}

/// A loop through both pages, with literals. Every instruction changes what follows.
fn program() -> Vec<u32> {
    let literal = |register: u32, n: usize, place: u32| l32r(register, at(n), LITERALS + 4 * place);
    vec![
        addi(5, 5, 3),
        literal(6, 1, 0),
        rst(0x80, 7, 7, 6), // add
        access(2, 8, 10, 0),
        rst(0x80, 8, 8, 5),
        s32i(8, 10, 4),
        literal(9, 6, 2),
        rst(0x30, 12, 12, 9), // xor
        // In both pages.
        addi(13, 13, 7),
        rst(0x82, 14, 13, 7), // mull
        extui(15, 14, 5, 9),
        literal(6, 11, 1),
        rst(0x80, 2, 2, 6),
        srli(3, 15, 2),
        rst(0x80, 4, 4, 3),
        access(5, 4, 10, 6), // s16i
        j(at(16), at(0)),
    ]
}

/// What instruction `n` becomes, where it becomes something else.
const OTHER: u32 = addi(11, 11, 1);

fn bytes(instructions: &[u32]) -> Vec<u8> {
    instructions.iter().flat_map(|bits| bits.to_le_bytes()[..3].to_vec()).collect()
}

fn write(machine: &mut Machine, address: u32, bytes: &[u8]) {
    machine.memory.write_slice(address, bytes).expect("it is mapped");
}

fn machine(tier: Tier) -> Machine {
    has_back_end();
    let mut machine = Machine::new(&[Vec::new(), Vec::new(), Vec::new()], tier);
    write(&mut machine, BEGIN, &bytes(&program()));
    for (place, literal) in (0..).zip([0x1234_5678_u32, 3, 0x8000_0001]) {
        write(&mut machine, LITERALS + 4 * place, &literal.to_le_bytes());
    }
    machine.core.set_register(10, DATA);
    machine.core.set_pc(BEGIN);
    machine.core.stop_at_exceptions(&[Cause::FetchProhibited, Cause::LoadProhibited, Cause::LoadStoreError]);
    machine
}

/// Until a cycle, or until something stops the core.
fn run(machine: &mut Machine, until: u64) -> Stop {
    machine.core.run(&mut machine.memory, &mut machine.devices, until)
}

/// Has a core draft the program, or compile it, and perhaps hand that on.
fn first(tier: Tier, hands_on: bool) {
    let mut machine = machine(tier);
    for n in 1..20 {
        run(&mut machine, n * 101);
    }
    assert!(tier != Tier::HostCode || !has_back_end() || machine.core.host_code_count() > 0);
    if hands_on {
        machine.core.hand_on(&mut machine.memory);
    }
}

/// Makes two machines that differ from all before in one thing; they do the same. The fast one, and why it stopped.
fn second(what: &str, tier: Tier, differently: impl Fn(&mut Machine)) -> (Stop, Machine) {
    compare(what, tier, false, &differently);
    compare(what, tier, true, &differently)
}

fn compare(what: &str, tier: Tier, is_handed_on: bool, differently: &impl Fn(&mut Machine)) -> (Stop, Machine) {
    first(tier, is_handed_on);
    let [(stop, fast), (expected, plain)] = [tier, Tier::Interpreter].map(|tier| {
        let mut machine = machine(tier);
        differently(&mut machine);
        (run(&mut machine, CYCLES), machine)
    });
    let (seen, expected_seen) = (fast.seen(), plain.seen());
    assert_eq!(stop, expected, "{tier:?}, {what}");
    assert!(seen == expected_seen, "{tier:?}, {what}: {}", expected_seen.difference(&seen));
    (stop, fast)
}

/// One thing that is different, for each instruction and tier.
fn at_every_instruction(what: &str, differently: impl Fn(&mut Machine, usize)) {
    for n in 0..program().len() {
        for tier in FAST {
            second(&format!("{what} {n}"), tier, |machine| differently(machine, n));
        }
    }
}

#[test]
fn what_is_the_same_is_taken() {
    for tier in FAST {
        let (_, mut machine) = second("the same", tier, |_| {});
        let before = machine.core.shared_trace_count();
        assert!(before > 0);
        // And taken once more after all was forgotten.
        machine.core.add_breakpoint(DATA);
        run(&mut machine, 2 * CYCLES);
        assert!(machine.core.shared_trace_count() > before);
    }
    let mut machine = machine(Tier::HostCode);
    run(&mut machine, 200);
    assert!(!has_back_end() || machine.core.host_code_count() > 0, "nothing need get hot again");
}

#[test]
fn another_instruction_is_another_trace() {
    at_every_instruction("another instruction", |machine, n| write(machine, at(n), &bytes(&[OTHER])));
}

#[test]
fn what_was_taken_is_code() {
    at_every_instruction("rewritten later", |machine, n| {
        run(machine, 500);
        // As a DMA engine does it, through the other address.
        write(machine, ALIAS + at(n) - CODE, &bytes(&[OTHER]));
        // Where the taken trace begins: from anywhere else in the loop, there is another one.
        machine.core.set_pc(BEGIN);
    });
}

#[test]
fn a_breakpoint_of_the_second_stops_it() {
    at_every_instruction("breakpoint at", |machine, n| machine.core.add_breakpoint(at(n)));
}

#[test]
fn literals_of_the_second_are_its_own() {
    for place in 0..3 {
        for later in [false, true] {
            for tier in FAST {
                second(&format!("literal {place}, later: {later}"), tier, |machine| {
                    if later {
                        run(machine, 500);
                    }
                    write(machine, ALIAS + LITERALS - CODE + 4 * place, &[0x55; 4]);
                    machine.core.set_pc(BEGIN);
                });
            }
        }
    }
}

#[test]
fn a_literal_that_the_second_watches_is_a_load() {
    for place in 0..3 {
        for tier in FAST {
            let address = LITERALS + 4 * place;
            let (stop, _) = second(&format!("literal {place} is watched"), tier, |machine| {
                machine.core.add_watchpoint(address, 4, AccessKind::Load);
            });
            assert_eq!(stop, Stop::Watchpoint { address, kind: AccessKind::Load });
        }
    }
}

#[test]
fn literals_that_the_second_has_elsewhere_are_found_there() {
    for tier in FAST {
        second("LITBASE", tier, |machine| {
            machine.core.set_special(sr::LITBASE, (CODE + 0x1000) | 1);
            // The offsets are those from the program counter.
            for n in [1, 6, 11] {
                let back = ((at(n) + 3) & !3) - LITERALS;
                for place in 0..3 {
                    let literal = CODE + 0x1000 - back + 4 * place;
                    write(machine, literal, &(n as u32 + 17 * place).to_le_bytes());
                }
            }
        });
    }
}

/// A page of RAM as the second core has it.
fn show(machine: &mut Machine, page: u32, access: Option<Access>) {
    let address = CODE + page;
    match access {
        Some(access) => {
            let store = machine.kept[0];
            let window = Window { address, length: PAGE_BYTES, store, offset: page, access };
            machine.memory.map(window).expect("it is whole pages");
        }
        None => machine.memory.unmap(address, PAGE_BYTES).expect("it is whole pages"),
    }
}

#[test]
fn windows_of_the_second_are_its_own() {
    const EXECUTE: Access = Access { read: false, write: false, execute: true };
    // Literals lie in the first page, and the program in the others.
    for page in [PAGE - PAGE_BYTES, PAGE, PAGE + PAGE_BYTES] {
        for access in [None, Some(Access::READ), Some(EXECUTE)] {
            for tier in FAST {
                let what = format!("{page:#x} as {access:?}");
                let (stop, _) = second(&what, tier, |machine| show(machine, page, access));
                let is_literals = page < PAGE;
                let goes_on = access == Some(if is_literals { Access::READ } else { EXECUTE });
                assert_eq!(stop == Stop::Deadline, goes_on, "{what}: {stop:?}");
            }
        }
    }
}

#[test]
fn what_could_not_be_read_is_not_shared() {
    // Instructions that no other test executes: the last ones in a page that the first core cannot execute.
    let begin = CODE + 0x1000 - 3 * 8;
    let program: Vec<u32> = (0..12).map(|n| addi(5, 5, n)).chain([RET]).collect();
    let run = |access| {
        let mut machine = machine(Tier::ThreadedCode);
        write(&mut machine, begin, &bytes(&program));
        show(&mut machine, 0x1000, Some(access));
        machine.core.set_pc(begin);
        // So that no other test has handed on anything.
        machine.core.add_hook(begin - 4);
        machine.core.set_register(0, begin);
        (run(&mut machine, CYCLES) == Stop::Deadline, machine.core.shared_trace_count())
    };
    assert_eq!(run(Access::READ), (false, 0));
    assert_eq!(run(Access::READ_EXECUTE), (true, 0));
    let (goes_on, count) = run(Access::READ_EXECUTE);
    assert!(goes_on && count > 0);
}
