//! PMP, debug triggers, watchpoints, and memory that changes under code that was already decoded.

use emulator::Tier;
use emulator::memory::{Access, Memory, Window};
use emulator::riscv::{AccessKind, Cause, Exception, Hart, Privilege, Stop, csr_number};

use crate::machine::{Devices, FLASH, FLASH_ALIAS, RAM, RAM_ALIAS, memory};
use crate::tiers::has_back_end;

const DATA: u32 = RAM_ALIAS + 0x8000;
const HANDLER: u32 = RAM + 0xf000;
/// Long enough for the fast path to run most of it.
const CYCLES: u64 = 1000;

// `sw a0, 0(a1)`, `addi a1, a1, 4`, `j` back to the store: fills memory upwards from a1.
const FILL: [u32; 3] = [0x00a5_a023, 0x0045_8593, 0xff9f_f06f];
// The same with loads to a2.
const SUM: [u32; 3] = [0x0005_a603, 0x0045_8593, 0xff9f_f06f];

struct Chip {
    hart: Hart,
    memory: Memory,
    devices: Devices,
}

impl Chip {
    /// Threaded code runs it.
    fn threaded(program: &[u32]) -> Self {
        let mut chip = Self::new(program);
        chip.hart.execute_by(Tier::ThreadedCode);
        chip
    }

    /// Host code runs it: the loops of the program have been compiled when it begins.
    fn host_code(program: &[u32]) -> Self {
        has_back_end();
        let mut before = Self::new(program);
        before.hart.compile_after(1);
        for _ in 0..4 {
            before.run(100);
        }
        Self::new(program)
    }

    fn new(program: &[u32]) -> Self {
        let (mut memory, _) = memory();
        for (i, word) in program.iter().enumerate() {
            memory.write_word(RAM + 4 * i as u32, *word).unwrap();
        }
        let mut hart = Hart::new(RAM);
        hart.set_csr(csr_number::MTVEC, HANDLER);
        hart.stop_at_exceptions(&[
            Cause::InstructionAccessFault,
            Cause::Breakpoint,
            Cause::LoadAccessFault,
            Cause::StoreAccessFault,
            Cause::LoadAddressMisaligned,
        ]);
        hart.set_register(10, 0x5555_5555);
        hart.set_register(11, DATA);
        Self { hart, memory, devices: Devices::new() }
    }

    fn run(&mut self, cycles: u64) -> Stop {
        let until = self.hart.cycle() + cycles;
        self.hart.run(&mut self.memory, &mut self.devices, until)
    }

    /// Runs into an exception: its cause, `mtval`, and how far the program's pointer had come.
    fn fails(&mut self) -> (Cause, u32, u32) {
        match self.run(CYCLES) {
            Stop::Exception { exception: Exception { cause, value }, .. } => (cause, value, self.hart.register(11)),
            other => panic!("{other:?}"),
        }
    }
}

/// Each test by threaded code and by host code.
macro_rules! on_each_tier {
    ($($name:ident)*) => {
        mod threaded {
            $(#[test] fn $name() { super::$name(super::Chip::threaded); })*
        }
        mod host_code {
            $(#[test] fn $name() { super::$name(super::Chip::host_code); })*
        }
    };
}

on_each_tier! {
    a_locked_region_binds_machine_mode
    user_mode_may_only_what_pmp_grants
    a_trigger_guards_the_stack
    an_execute_trigger_stops_the_instruction
    a_watchpoint_reports_the_access_after_it
    misaligned_accesses_are_carried_out
    rewritten_code_takes_effect_at_once
    sleep_ends_at_an_interrupt_that_is_not_taken
}

fn a_locked_region_binds_machine_mode(new: fn(&[u32]) -> Chip) {
    // As esp-hal does: top-of-range entries, locked. Here: nothing above DATA + 0x234 may be written.
    let mut chip = new(&FILL);
    chip.hart.set_csr(csr_number::PMPADDR0, (DATA + 0x234) >> 2);
    chip.hart.set_csr(csr_number::PMPADDR0 + 1, (DATA + 0x1000) >> 2);
    // pmp1cfg: locked, top of range, read only.
    chip.hart.set_csr(csr_number::PMPCFG0, 0x8900);
    assert_eq!(chip.fails(), (Cause::StoreAccessFault, DATA + 0x234, DATA + 0x234));
    assert_eq!(chip.memory.read_word(DATA + 0x230), Ok(0x5555_5555));
    assert_eq!(chip.memory.read_word(DATA + 0x234), Ok(0));
    // A lock holds until reset, and takes the bottom of its range with it.
    chip.hart.set_csr(csr_number::PMPCFG0, 0);
    chip.hart.set_csr(csr_number::PMPADDR0, 0);
    assert_eq!(chip.hart.csr(csr_number::PMPCFG0), Some(0x8900));
    assert_eq!(chip.hart.csr(csr_number::PMPADDR0), Some((DATA + 0x234) >> 2));
    chip.hart.reset(RAM);
    assert_eq!(chip.hart.csr(csr_number::PMPCFG0), Some(0));
}

fn user_mode_may_only_what_pmp_grants(new: fn(&[u32]) -> Chip) {
    let mut chip = new(&SUM);
    // Entry 0: 256 bytes of data, readable. Entry 1: the first 4 KiB of code, executable.
    chip.hart.set_csr(csr_number::PMPADDR0, (DATA >> 2) | 0x1f);
    chip.hart.set_csr(csr_number::PMPADDR0 + 1, (RAM >> 2) | 0x1ff);
    chip.hart.set_csr(csr_number::PMPCFG0, 0x1c19);
    // `mret` to user mode, from a place that it may not execute.
    chip.memory.write_word(RAM + 0x2000, 0x3020_0073).unwrap();
    chip.hart.set_csr(csr_number::MEPC, RAM);
    chip.hart.set_csr(csr_number::MSTATUS, 0);
    chip.hart.set_pc(RAM + 0x2000);
    assert_eq!(chip.run(2), Stop::Deadline);
    assert_eq!(chip.hart.privilege(), Privilege::User);
    assert_eq!(chip.fails(), (Cause::LoadAccessFault, DATA + 0x100, DATA + 0x100));
    assert_eq!(chip.hart.privilege(), Privilege::Machine);
    // The trap came from user mode.
    assert_eq!(chip.hart.csr(csr_number::MSTATUS).unwrap() & 0x1800, 0);
}

fn a_trigger_guards_the_stack(new: fn(&[u32]) -> Chip) {
    // esp-hal's `set_watchpoint`: trigger 0, a store to a naturally aligned word, machine mode.
    let mut chip = new(&FILL);
    chip.hart.set_csr(csr_number::TSELECT, 0);
    chip.hart.set_csr(csr_number::TCONTROL, 1 << 3);
    chip.hart.set_csr(csr_number::TDATA1, 2 << 28 | 1 << 7 | 1 << 6 | 1 << 1);
    chip.hart.set_csr(csr_number::TDATA2, (DATA + 0x404) | 1);
    assert_eq!(chip.fails(), (Cause::Breakpoint, DATA + 0x404, DATA + 0x404));
    assert_eq!(chip.memory.read_word(DATA + 0x404), Ok(0), "it fires before the store");
    // In the handler it is off, as the trap moved its enable away.
    assert_eq!(chip.hart.csr(csr_number::TCONTROL), Some(1 << 7));
    // A page that was open to the fast path closes when the trigger moves there.
    chip.hart.set_csr(csr_number::TCONTROL, 1 << 3);
    chip.hart.set_csr(csr_number::TDATA2, (DATA + 0x204) | 1);
    chip.hart.set_register(11, DATA);
    chip.hart.set_pc(RAM);
    assert_eq!(chip.fails(), (Cause::Breakpoint, DATA + 0x204, DATA + 0x204));
}

fn an_execute_trigger_stops_the_instruction(new: fn(&[u32]) -> Chip) {
    let mut chip = new(&FILL);
    assert_eq!(chip.run(300), Stop::Deadline);
    chip.hart.set_csr(csr_number::TCONTROL, 1 << 3);
    chip.hart.set_csr(csr_number::TDATA1, 2 << 28 | 1 << 6 | 1 << 2);
    chip.hart.set_csr(csr_number::TDATA2, RAM + 4);
    let (cause, value, _) = chip.fails();
    assert_eq!((cause, value), (Cause::Breakpoint, RAM + 4));
}

fn a_watchpoint_reports_the_access_after_it(new: fn(&[u32]) -> Chip) {
    let mut chip = new(&FILL);
    assert_eq!(chip.run(90), Stop::Deadline);
    chip.hart.set_register(11, DATA);
    chip.hart.add_watchpoint(DATA + 0x102, 1, AccessKind::Store);
    assert_eq!(chip.run(CYCLES), Stop::Watchpoint { address: DATA + 0x100, kind: AccessKind::Store });
    assert_eq!(chip.memory.read_word(DATA + 0x100), Ok(0x5555_5555));
    assert_eq!(chip.hart.pc(), RAM + 4);
    chip.hart.remove_watchpoint(DATA + 0x102, 1, AccessKind::Store);
    chip.hart.set_register(11, DATA);
    assert_eq!(chip.run(CYCLES), Stop::Deadline);
}

fn misaligned_accesses_are_carried_out(new: fn(&[u32]) -> Chip) {
    // `lw a2, 0(a1)`; `sw a2, 0(a3)`: inside a page, across pages, across the end of memory.
    let mut chip = new(&[0x0005_a603, 0x00c6_a023]);
    for (from, to) in [(DATA + 1, DATA + 0x203), (DATA + 0x3fe, DATA + 0x7ff), (DATA + 2, DATA + 0xbfd)] {
        chip.memory.write_slice(from, &[0x11, 0x22, 0x33, 0x44]).unwrap();
        for _ in 0..2 {
            chip.hart.set_register(11, from);
            chip.hart.set_register(13, to);
            chip.hart.set_pc(RAM);
            chip.hart.add_breakpoint(RAM + 8);
            assert_eq!(chip.run(CYCLES), Stop::Breakpoint { address: RAM + 8 });
            assert_eq!(chip.memory.read_word(to), Ok(0x4433_2211));
        }
    }
    let end = RAM_ALIAS + 0x1_0000;
    chip.hart.set_register(11, end - 2);
    chip.hart.set_pc(RAM);
    assert_eq!(chip.fails(), (Cause::LoadAddressMisaligned, end - 2, end - 2));
}

fn rewritten_code_takes_effect_at_once(new: fn(&[u32]) -> Chip) {
    // A loop that counts in a2, until a store through the other address turns its `addi a2, a2, 1` into an `ebreak`.
    let mut chip = new(&[0x0016_0613, 0xffdf_f06f]); // addi a2, a2, 1; j back
    assert_eq!(chip.run(CYCLES), Stop::Deadline);
    assert_eq!(chip.hart.register(12), CYCLES as u32 / 2);
    chip.memory.write_slice(RAM_ALIAS, &0x0026_0613u32.to_le_bytes()).unwrap(); // addi a2, a2, 2
    assert_eq!(chip.run(CYCLES), Stop::Deadline);
    assert_eq!(chip.hart.register(12), 3 * CYCLES as u32 / 2);

    // The guest does it itself: after 200 rounds the `beq` falls through to `sw a4, 0(a5)`, onto the loop's first word.
    let mut chip = new(&[
        0x0016_0613, // addi a2, a2, 1
        0xfed6_1ee3, // bne a2, a3, RAM
        0x00e7_a023, // sw a4, 0(a5)
        0xff5f_f06f, // j RAM
    ]);
    chip.hart.set_register(13, 200);
    chip.hart.set_register(14, 0x0010_0073); // ebreak
    chip.hart.set_register(15, RAM_ALIAS);
    let (cause, value, _) = chip.fails();
    assert_eq!((cause, value), (Cause::Breakpoint, RAM));
    assert_eq!(chip.hart.register(12), 200);
}

#[test]
fn remapped_flash_is_executed_and_read() {
    let (mut memory, ram) = memory();
    let flash = memory.add_store(0x2_0000);
    // Two pages of flash: `addi a2, a2, 1; j back` and `addi a2, a2, 16; j back`, with a word of data behind each.
    for (offset, step, data) in [(0, 1, 0xaaaa_u32), (0x1_0000, 16, 0xbbbb)] {
        let words = [0x0006_0613 | step << 20, 0x0085_a683, 0xff9f_f06f]; // lw a3, 8(a1)
        for (i, word) in words.iter().enumerate() {
            memory.write_store(flash, offset + 4 * i as u32, &u32::to_le_bytes(*word));
        }
        memory.write_store(flash, offset + 0x108, &data.to_le_bytes());
    }
    let show = |memory: &mut Memory, offset| {
        for (address, access) in [(FLASH, Access::READ_EXECUTE), (FLASH_ALIAS, Access::READ)] {
            memory.map(Window { address, length: 0x1_0000, store: flash, offset, access }).unwrap();
        }
    };
    show(&mut memory, 0);
    let mut hart = Hart::new(FLASH);
    hart.set_register(11, FLASH_ALIAS + 0x100);
    let mut devices = Devices::new();
    assert_eq!(hart.run(&mut memory, &mut devices, 3000), Stop::Deadline);
    assert_eq!((hart.register(12), hart.register(13)), (1000, 0xaaaa));
    show(&mut memory, 0x1_0000);
    assert_eq!(hart.run(&mut memory, &mut devices, 6000), Stop::Deadline);
    assert_eq!((hart.register(12), hart.register(13)), (17_000, 0xbbbb));
    assert_eq!(memory.store_bytes(ram)[0], 0);
}

fn sleep_ends_at_an_interrupt_that_is_not_taken(new: fn(&[u32]) -> Chip) {
    // `wfi` with interrupts off goes on behind it.
    let mut chip = new(&[0x1050_0073, 0x0010_0613, 0x0000_006f]);
    chip.devices.alarm_cycle = 500;
    assert_eq!(chip.run(CYCLES), Stop::Deadline);
    assert_eq!(chip.hart.register(12), 1);
    assert_eq!(chip.hart.instructions_retired(), 1 + CYCLES - 500);
}
