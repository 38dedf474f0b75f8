//! What the core's owner sees: stops, exceptions, interrupts, sleep.

use emulator::access::Width;
use emulator::lx106::{Bus, BusFault, Cause, Exception, InterruptLines, Lx106, Stop, special_register as sr};
use emulator::memory::{Access, Memory, Window};

use crate::program::{CODE_STORE, j, place, rsr, wsr};

/// Inputs that change at cycles, and a register at 0x6000_0000 that lowers all levels.
#[derive(Default)]
struct Lines {
    levels_from: u64,
    levels: u32,
    edges_at: u64,
    edges: u32,
}

impl Bus for Lines {
    fn load(&mut self, _: &mut Memory, address: u32, _: Width, _: u64) -> Result<u32, BusFault> {
        if address == 0x6000_0000 { Ok(7) } else { Err(BusFault) }
    }

    fn store(&mut self, _: &mut Memory, address: u32, _: Width, _: u32, _: u64) -> Result<(), BusFault> {
        if address != 0x6000_0000 {
            return Err(BusFault);
        }
        self.levels = 0;
        Ok(())
    }

    fn interrupts(&mut self, cycle: u64) -> InterruptLines {
        let edges = if cycle >= self.edges_at { std::mem::take(&mut self.edges) } else { 0 };
        InterruptLines { levels: if cycle >= self.levels_from { self.levels } else { 0 }, edges }
    }

    fn next_event_cycle(&mut self, cycle: u64) -> u64 {
        let later = |at: u64, what: u32| if what != 0 && at > cycle { at } else { u64::MAX };
        later(self.levels_from, self.levels).min(later(self.edges_at, self.edges))
    }
}

const NOP: u32 = 0x00_20f0;
const WAITI_0: u32 = 0x00_7000;
const RFE: u32 = 0x00_3000;
const RFI_3: u32 = 0x00_3310;
const VECTORS: u32 = CODE_STORE + 0x400;

/// A core before `program`, with interrupts of level 1 possible and vectors that return at once.
fn machine(program: &[u32]) -> (Lx106, Memory) {
    let mut image = vec![0; 0x1000];
    place(&mut image, CODE_STORE, program);
    place(&mut image, VECTORS + 0x20, &[RFI_3]);
    place(&mut image, VECTORS + 0x50, &[RFE]);
    let mut memory = Memory::new();
    let store = memory.add_store(0x1000);
    let access = Access::READ_WRITE_EXECUTE;
    memory.map(Window { address: CODE_STORE, length: 0x1000, store, offset: 0, access }).expect("it is whole pages");
    memory.write_slice(CODE_STORE, &image).expect("it is mapped");
    let mut core = Lx106::new(CODE_STORE);
    core.set_special(sr::VECBASE, VECTORS);
    core.set_special(sr::PS, 0x20);
    (core, memory)
}

#[test]
fn a_level_interrupts_while_it_is_high_and_wakes_a_sleeper() {
    let (mut core, mut memory) = machine(&[WAITI_0, NOP]);
    core.set_special(sr::INTENABLE, 1 << 5);
    let mut bus = Lines { levels_from: 1_000, levels: 1 << 5, ..Lines::default() };
    assert_eq!(core.run(&mut memory, &mut bus, 500), Stop::WaitForInterrupt);
    core.skip_to(500);
    core.add_breakpoint(VECTORS + 0x50);
    assert_eq!(core.run(&mut memory, &mut bus, 5_000), Stop::Breakpoint { address: VECTORS + 0x50 });
    assert_eq!(core.cycle(), 1_000);
    assert_eq!(core.special(sr::EXCCAUSE), Some(Cause::Level1Interrupt as u32));
    assert_eq!(core.special(sr::EPC1), Some(CODE_STORE + 3), "behind the instruction that sleeps");
    assert_eq!(core.special(sr::PS), Some(0x30));
    // The handler returns without lowering the line.
    core.step(&mut memory, &mut bus);
    assert_eq!(core.run(&mut memory, &mut bus, 5_000), Stop::Breakpoint { address: VECTORS + 0x50 });
    bus.levels = 0;
    core.step(&mut memory, &mut bus);
    assert_eq!(core.step(&mut memory, &mut bus), None);
    assert_eq!(core.pc(), CODE_STORE + 6);
}

#[test]
fn an_edge_is_pending_until_it_is_cleared() {
    let (mut core, mut memory) = machine(&[wsr(sr::INTCLEAR, 2), rsr(sr::INTERRUPT, 3)]);
    let mut bus = Lines { edges: 1 << 9 | 1 << 3, ..Lines::default() };
    core.set_register(2, 1 << 9);
    core.step(&mut memory, &mut bus);
    assert_eq!(
        core.special(sr::INTERRUPT),
        Some(0),
        "an edge of a level-sensitive input is none, the other is cleared"
    );
    bus.edges = 1 << 9;
    core.step(&mut memory, &mut bus);
    assert_eq!(core.register(3), 1 << 9);
}

#[test]
fn nothing_masks_the_nmi() {
    let (mut core, mut memory) = machine(&[NOP, NOP]);
    core.set_special(sr::PS, 0x3f);
    let mut bus = Lines { edges: 1 << 14, ..Lines::default() };
    core.add_breakpoint(VECTORS + 0x20);
    assert_eq!(core.run(&mut memory, &mut bus, 10), Stop::Breakpoint { address: VECTORS + 0x20 });
    assert_eq!((core.special(sr::EPC3), core.special(sr::EPS3)), (Some(CODE_STORE), Some(0x3f)));
    core.step(&mut memory, &mut bus);
    assert_eq!((core.pc(), core.special(sr::PS)), (CODE_STORE, Some(0x3f)));
}

#[test]
fn the_cycle_counter_reaches_the_comparator_again_and_again() {
    let (mut core, mut memory) = machine(&[j(CODE_STORE, CODE_STORE)]);
    core.set_special(sr::INTENABLE, 1 << 6);
    core.set_special(sr::CCOMPARE0, 100);
    core.add_breakpoint(VECTORS + 0x50);
    let mut bus = Lines::default();
    assert_eq!(core.run(&mut memory, &mut bus, 1_000), Stop::Breakpoint { address: VECTORS + 0x50 });
    assert_eq!(core.special(sr::CCOUNT), Some(100));
    core.set_special(sr::CCOMPARE0, 250);
    assert_eq!(core.special(sr::INTERRUPT), Some(0), "a new comparison takes the interrupt back");
    core.step(&mut memory, &mut bus);
    assert_eq!(core.run(&mut memory, &mut bus, 1_000), Stop::Breakpoint { address: VECTORS + 0x50 });
    assert_eq!(core.special(sr::CCOUNT), Some(250));
}

/// `l8ui a2, a3, 0` and its kin.
const L8UI: u32 = 0x00_0322;
const L16UI: u32 = 0x00_1322;
const S8I: u32 = 0x00_4322;
const L32I: u32 = 0x00_2322;

#[test]
fn loads_and_stores_raise_what_the_wires_say() {
    let cases = [
        (L8UI, CODE_STORE, Some(Cause::LoadStoreError)),
        (S8I, CODE_STORE, Some(Cause::LoadStoreError)),
        (L32I, CODE_STORE, None),
        (L16UI, 0x3ffe_8001, Some(Cause::LoadStoreAlignment)),
        (L32I, CODE_STORE + 2, Some(Cause::LoadStoreAlignment)),
        (L32I, 0x1000, Some(Cause::LoadProhibited)),
        (S8I, 0x1000, Some(Cause::StoreProhibited)),
        (L8UI, 0x6000_0000, None),
    ];
    for (bits, address, cause) in cases {
        let (mut core, mut memory) = machine(&[bits]);
        core.set_register(3, address);
        core.stop_at_exceptions(&[
            Cause::LoadStoreError,
            Cause::LoadStoreAlignment,
            Cause::LoadProhibited,
            Cause::StoreProhibited,
        ]);
        let stop = core.step(&mut memory, &mut Lines::default());
        let expected = cause.map(|cause| Stop::Exception { exception: Exception { cause, address }, pc: CODE_STORE });
        assert_eq!(stop, expected, "{bits:#x} at {address:#x}");
        if cause.is_some() {
            assert_eq!(core.special(sr::EXCVADDR), Some(address));
            assert_eq!(core.register(2), 0, "nothing has happened");
        }
    }
}

#[test]
fn an_exception_in_a_handler_goes_to_the_double_vector() {
    let (mut core, mut memory) = machine(&[0, 0]);
    core.step(&mut memory, &mut Lines::default());
    assert_eq!(core.pc(), VECTORS + 0x50);
    core.set_pc(CODE_STORE + 3);
    core.step(&mut memory, &mut Lines::default());
    assert_eq!((core.pc(), core.special(sr::DEPC)), (VECTORS + 0x70, Some(CODE_STORE + 3)));
    assert_eq!(core.special(sr::EPC1), Some(CODE_STORE), "the first is not forgotten");
}

/// A run that is cut anywhere gives the same state at the same cycle.
#[test]
fn results_do_not_depend_on_how_a_run_is_cut() {
    let run = |cuts: &[u64]| {
        let (mut core, mut memory) = machine(&[NOP, WAITI_0, NOP, j(CODE_STORE + 9, CODE_STORE)]);
        core.set_special(sr::INTENABLE, 1 << 6);
        core.set_special(sr::CCOMPARE0, 777);
        let mut bus = Lines::default();
        for until in cuts.iter().copied().chain([2_000]) {
            while core.cycle() < until {
                if core.run(&mut memory, &mut bus, until) == Stop::WaitForInterrupt {
                    core.skip_to(until);
                }
            }
        }
        (core.pc(), core.instructions_retired(), core.special(sr::EPC1), core.special(sr::PS))
    };
    let whole = run(&[]);
    assert_eq!(run(&[1, 2, 3, 500, 776, 777, 778, 1_000]), whole);
    assert_eq!(run(&(0..2_000).collect::<Vec<_>>()), whole);
}
