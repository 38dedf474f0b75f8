//! What one hart of a process has drafted or compiled, another takes, if that would draft the same, and not otherwise: trace by
//! trace, or all that the first has handed on. Each test has one hart run a program, and then a second one that differs from it in one thing, at every instruction of the program: it
//! does what the plain interpreter does.
//!
//! Programs lie where no other test of the process executes anything: what they have drafted stays.

use emulator::Tier;
use emulator::memory::{Access, Memory, Store, Window};
use emulator::riscv::{Cause, Hart, Stop, csr_number};

use crate::host_code::{add_immediate, branch, load, register_form, store};
use crate::machine::{Devices, FLASH, RAM, RAM_ALIAS, memory};
use crate::tiers::has_back_end;

/// A page, before the end of which the program begins: it lies in two, and so does one of its instructions.
const PAGE: u32 = 0x4000;
const PAGE_BYTES: u32 = 0x400;
const PROGRAM: u32 = PAGE + PAGE_BYTES - 4 * 12 + 2;
const BEGIN: u32 = RAM + PROGRAM;
const DATA: u32 = RAM_ALIAS + 0x8000;
const CYCLES: u64 = 2500;
const FAST: [Tier; 2] = [Tier::ThreadedCode, Tier::HostCode];
const RETURN: u32 = 0x0000_8067;

/// A loop through both pages, with a call. Every instruction changes what follows.
fn program() -> Vec<u32> {
    vec![
        add_immediate(5, 5, 3),
        add_immediate(6, 6, 1),
        load(2, 7, 10, 0),
        register_form(0, 0, 7, 7, 5),
        store(2, 7, 10, 4),
        load(4, 12, 10, 5),
        register_form(0, 4, 13, 13, 12),
        0x0280_00ef, // jal ra, 17
        register_form(1, 0, 14, 7, 13),
        branch(0, 6, 0, 8), // never taken
        register_form(0x20, 0, 15, 15, 14),
        // In both pages.
        register_form(0, 5, 16, 15, 6),
        register_form(0, 4, 17, 17, 16),
        add_immediate(18, 18, 5),
        store(1, 17, 10, 8),
        register_form(0, 0, 5, 5, 18),
        branch(0, 0, 0, 4 * -16),
        register_form(1, 3, 19, 13, 7), // 17: a function
        add_immediate(20, 20, 7),
        register_form(0, 0, 13, 13, 20),
        RETURN,
    ]
}

/// What instruction `n` becomes, where it becomes something else.
const OTHER: u32 = 0x0014_8493; // addi x9, x9, 1

struct Machine {
    hart: Hart,
    memory: Memory,
    ram: Store,
    devices: Devices,
}

impl Machine {
    fn new(tier: Tier) -> Self {
        has_back_end();
        let (mut memory, ram) = memory();
        write(&mut memory, BEGIN, &program());
        let mut hart = Hart::new(BEGIN);
        hart.execute_by(tier);
        hart.compile_after(1);
        hart.stop_at_exceptions(&[Cause::InstructionAccessFault]);
        hart.set_register(10, DATA);
        Self { hart, memory, ram, devices: Devices::new() }
    }

    /// Until a cycle, or until something stops the hart.
    fn run(&mut self, until: u64) -> Stop {
        self.hart.run(&mut self.memory, &mut self.devices, until)
    }

    fn seen(&self) -> impl PartialEq + std::fmt::Debug {
        let registers: Vec<u32> = (0..32).map(|number| self.hart.register(number)).collect();
        (self.hart.pc(), self.hart.cycle(), self.hart.instructions_retired(), registers, self.devices.clone())
    }
}

fn write(memory: &mut Memory, at: u32, words: &[u32]) {
    for (n, word) in (0..).zip(words) {
        memory.write_word(at + 4 * n, *word).unwrap();
    }
}

/// The address of instruction `n`.
fn at(n: usize) -> u32 {
    BEGIN + 4 * n as u32
}

/// Has a hart draft the program, or compile it, and perhaps hand that on.
fn first(tier: Tier, hands_on: bool) {
    let mut machine = Machine::new(tier);
    for n in 1..20 {
        machine.run(n * 101);
    }
    assert!(tier != Tier::HostCode || !has_back_end() || machine.hart.host_code_count() > 0);
    if hands_on {
        machine.hart.hand_on(&mut machine.memory);
    }
}

/// Makes two machines that differ from all before in one thing; they do the same. The fast one.
fn second(what: &str, tier: Tier, differently: impl Fn(&mut Machine)) -> Machine {
    compare(what, tier, false, &differently);
    compare(what, tier, true, &differently)
}

fn compare(what: &str, tier: Tier, is_handed_on: bool, differently: &impl Fn(&mut Machine)) -> Machine {
    first(tier, is_handed_on);
    let [(stop, fast), (expected, plain)] = [tier, Tier::Interpreter].map(|tier| {
        let mut machine = Machine::new(tier);
        differently(&mut machine);
        (machine.run(CYCLES), machine)
    });
    assert_eq!((stop, fast.seen()), (expected, plain.seen()), "{tier:?}, {what}, handed on: {is_handed_on}");
    assert!(fast.memory.store_bytes(fast.ram) == plain.memory.store_bytes(plain.ram), "{tier:?}, {what}: memory");
    fast
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
        let mut machine = second("the same", tier, |_| {});
        assert!(machine.hart.shared_trace_count() > 0, "{}", machine.hart.shared_trace_count());
        // And taken once more after all was forgotten.
        let before = machine.hart.shared_trace_count();
        machine.hart.add_breakpoint(FLASH);
        machine.run(2 * CYCLES);
        assert!(machine.hart.shared_trace_count() > before);
    }
    let mut machine = Machine::new(Tier::HostCode);
    machine.run(200);
    assert!(!has_back_end() || machine.hart.host_code_count() > 0, "nothing need get hot again");
}

#[test]
fn what_is_handed_on_is_taken_at_once_and_by_one() {
    // Instructions that no other test executes, in traces of their own.
    let begin = RAM + PAGE + 11 * PAGE_BYTES;
    let traces = 20;
    let program: Vec<u32> = (0..traces).flat_map(|n| [add_immediate(5, 5, n), branch(0, 0, 0, 4)]).collect();
    for tier in FAST {
        let machine = || {
            let mut machine = Machine::new(tier);
            // So that this is the only one of its kind.
            machine.hart.add_hook(begin + 4 * program.len() as u32);
            write(&mut machine.memory, begin, &program);
            machine.hart.set_pc(begin);
            machine
        };
        let taken = |machine: &mut Machine| {
            machine.run(1);
            machine.hart.set_pc(begin);
            machine.run(1 + 96);
            machine.hart.shared_trace_count()
        };
        let mut one = machine();
        while one.hart.pc() != begin + 4 * program.len() as u32 {
            one.run(one.hart.cycle() + 200);
        }
        one.hart.hand_on(&mut one.memory);
        let all = taken(&mut machine());
        assert!(all >= traces as usize, "{tier:?}: {all}");
        // The next one finds what it comes by, and a region of host code has sixteen traces at most.
        let some = taken(&mut machine());
        assert!((1..=16).contains(&some), "{tier:?}: {some}");
    }
}

#[test]
fn another_instruction_is_another_trace() {
    at_every_instruction("another instruction", |machine, n| write(&mut machine.memory, at(n), &[OTHER]));
}

#[test]
fn what_was_taken_is_code() {
    at_every_instruction("rewritten later", |machine, n| {
        machine.run(500);
        // As a DMA engine does it, through the other address.
        write(&mut machine.memory, RAM_ALIAS + at(n) - RAM, &[OTHER]);
        // Where the taken trace begins: from anywhere else in the loop, there is another one.
        machine.hart.set_pc(BEGIN);
    });
}

/// The second hart has stored to the pages before they are code, and does so while they are.
#[test]
fn stores_to_what_was_taken_are_seen() {
    let call = [
        store(2, 0, 10, 0x180),
        add_immediate(8, 8, 1),
        0x0034_7f13,              // andi x30, x8, 3
        branch(1, 30, 0, 4 * -3), // three stores before each call
        0x0005_80e7,              // jalr ra, (x11)
        0x01f4_7f13,              // andi x30, x8, 31
        branch(1, 30, 0, 4 * -6), // seven calls before each change
        store(2, 22, 10, 0),
        register_form(0, 4, 22, 22, 23),
        branch(0, 0, 0, 4 * -9),
    ];
    // Without branches and calls, so that all of it is one trace; the last two lie in the next page.
    let function: Vec<u32> = (0..13).map(|n| add_immediate(5 + n % 3, 5 + n % 3, 1 << n.min(10))).collect();
    let begin = RAM + PAGE + PAGE_BYTES * 3 - 4 * 11;
    for n in 0..function.len() {
        for tier in FAST {
            let [fast, plain] = [Some(tier), None].map(|tier| {
                let run = |tier, cycles| {
                    let mut machine = Machine::new(tier);
                    write(&mut machine.memory, FLASH + PAGE, &call);
                    write(&mut machine.memory, begin, &function);
                    write(&mut machine.memory, begin + 4 * function.len() as u32, &[RETURN]);
                    let other = OTHER;
                    for (register, value) in [
                        (10, RAM_ALIAS + (begin - RAM) + 4 * n as u32),
                        (11, begin),
                        (22, other),
                        (23, other ^ function[n]),
                    ] {
                        machine.hart.set_register(register, value);
                    }
                    machine.hart.set_pc(FLASH + PAGE);
                    // The first store, before anything is code: it lets the next ones to its page through.
                    machine.run(1);
                    assert_eq!(machine.run(cycles), Stop::Deadline);
                    machine
                };
                // The second one takes what the first has drafted; the third, what the second has handed on before it changed
                // anything.
                if let Some(tier) = tier {
                    drop(run(tier, 2 * CYCLES));
                    let Machine { mut hart, mut memory, .. } = run(tier, 150);
                    hart.hand_on(&mut memory);
                }
                run(tier.unwrap_or(Tier::Interpreter), 2 * CYCLES)
            });
            assert!(plain.hart.register(9) > 0, "both versions were executed");
            assert_eq!(fast.seen(), plain.seen(), "{tier:?}, instruction {n}");
        }
    }
}

#[test]
fn a_breakpoint_of_the_second_stops_it() {
    at_every_instruction("breakpoint at", |machine, n| machine.hart.add_breakpoint(at(n)));
}

#[test]
fn a_breakpoint_of_the_first_cuts_only_its_own_traces() {
    // Instructions that no other test executes, one after the other.
    let begin = RAM + PAGE + 5 * PAGE_BYTES;
    let program: Vec<u32> = (0..20).map(|n| add_immediate(5, 5, n)).chain([branch(0, 0, 0, 4 * -20)]).collect();
    let run = |breakpoint: Option<u32>| {
        let mut machine = Machine::new(Tier::ThreadedCode);
        write(&mut machine.memory, begin, &program);
        machine.hart.set_pc(begin);
        // So that no other test has handed on anything.
        machine.hart.add_hook(begin - 4);
        if let Some(address) = breakpoint {
            machine.hart.add_breakpoint(address);
            assert_eq!(machine.run(CYCLES), Stop::Breakpoint { address });
        } else {
            assert_eq!(machine.run(CYCLES), Stop::Deadline);
        }
        machine.hart.shared_trace_count()
    };
    assert_eq!(run(Some(begin + 4 * 7)), 0);
    assert_eq!(run(Some(begin + 4 * 9)), 0, "it stops elsewhere");
    assert_eq!(run(None), 0, "it stops nowhere");
    assert_eq!(run(Some(begin + 4 * 7)), 1);
    assert!(run(None) > 0);
}

#[test]
fn protection_of_the_second_binds_it() {
    // Machine mode may not execute these four bytes: entry 0, four bytes, locked.
    at_every_instruction("not to be executed:", |machine, n| {
        machine.hart.set_csr(csr_number::PMPADDR0, at(n) >> 2);
        machine.hart.set_csr(csr_number::PMPCFG0, 0x93);
    });
    // User mode may execute what is before.
    at_every_instruction("user mode, from", |machine, n| {
        machine.hart.set_csr(csr_number::PMPADDR0, at(n) >> 2);
        machine.hart.set_csr(csr_number::PMPADDR0 + 1, u32::MAX >> 2);
        machine.hart.set_csr(csr_number::PMPCFG0, 0x0b0f);
        // `mret` goes there.
        machine.hart.set_csr(csr_number::MEPC, BEGIN);
        machine.hart.set_csr(csr_number::MSTATUS, 0);
        write(&mut machine.memory, FLASH + PAGE, &[0x3020_0073]);
        machine.hart.set_pc(FLASH + PAGE);
    });
}

#[test]
fn what_machine_mode_hands_on_is_not_for_user_mode() {
    // Without an entry of PMP, user mode may execute nothing, and machine mode everything.
    let in_user_mode = |tier| {
        let mut machine = Machine::new(tier);
        machine.hart.set_csr(csr_number::MEPC, BEGIN);
        machine.hart.set_csr(csr_number::MSTATUS, 0);
        write(&mut machine.memory, FLASH + PAGE, &[0x3020_0073]); // mret
        machine.hart.set_pc(FLASH + PAGE);
        // Machine mode executes this one, and has no time for a trace.
        machine.run(1);
        (machine.run(CYCLES), machine)
    };
    let (expected, plain) = in_user_mode(Tier::Interpreter);
    assert!(matches!(expected, Stop::Exception { pc: BEGIN, .. }), "{expected:?}");
    for tier in FAST {
        first(tier, true);
        let (stop, machine) = in_user_mode(tier);
        assert_eq!((stop, machine.seen()), (expected, plain.seen()), "{tier:?}");
    }
}

/// A page of RAM as the second hart has it.
fn show(machine: &mut Machine, page: u32, access: Option<Access>) {
    let address = RAM + page;
    match access {
        Some(access) => {
            let window = Window { address, length: PAGE_BYTES, store: machine.ram, offset: page, access };
            machine.memory.map(window).unwrap();
        }
        None => machine.memory.unmap(address, PAGE_BYTES).unwrap(),
    }
}

#[test]
fn windows_of_the_second_are_its_own() {
    for page in [PAGE, PAGE + PAGE_BYTES] {
        for access in [None, Some(Access::READ_WRITE), Some(Access::READ)] {
            for tier in FAST {
                let machine = second(&format!("{page:#x} as {access:?}"), tier, |machine| show(machine, page, access));
                assert!(machine.hart.cycle() < CYCLES, "it cannot be executed");
            }
        }
    }
}

#[test]
fn what_could_not_be_read_is_not_shared() {
    // Ends in a page that the first hart cannot execute: as much as it has drafted is nobody else's.
    let begin = RAM + PAGE + 8 * PAGE_BYTES - 4 * 8;
    let program: Vec<u32> = (0..20).map(|n| add_immediate(5, 5, n)).chain([branch(0, 0, 0, 4 * -20)]).collect();
    let run = |access| {
        let mut machine = Machine::new(Tier::ThreadedCode);
        write(&mut machine.memory, begin, &program);
        show(&mut machine, PAGE + 8 * PAGE_BYTES, Some(access));
        machine.hart.set_pc(begin);
        machine.hart.add_hook(begin - 4);
        machine.run(CYCLES);
        (machine.hart.cycle() == CYCLES, machine.hart.shared_trace_count())
    };
    assert_eq!(run(Access::READ), (false, 0));
    assert_eq!(run(Access::READ_EXECUTE), (true, 0));
    let (goes_on, count) = run(Access::READ_EXECUTE);
    assert!(goes_on && count > 0);
}
