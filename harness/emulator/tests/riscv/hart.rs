//! What the hart's owner sees: stops, traps, sleep, protection.

use emulator::memory::{Access, Memory, Window};
use emulator::riscv::{Bus, BusFault, Cause, Exception, Hart, Stop, Width};

const RAM: u32 = 0x4038_0000;

/// An alarm that raises line 7 from `alarm_cycle` on, and a register at 0x6000_0000 that silences it.
struct Alarm {
    alarm_cycle: u64,
}

impl Bus for Alarm {
    fn load(&mut self, _: &mut Memory, _: u32, _: Width, cycle: u64) -> Result<u32, BusFault> {
        Ok(cycle as u32)
    }

    fn store(&mut self, _: &mut Memory, address: u32, _: Width, _: u32, _: u64) -> Result<(), BusFault> {
        if address != 0x6000_0000 {
            return Err(BusFault);
        }
        self.alarm_cycle = u64::MAX;
        Ok(())
    }

    fn interrupt(&mut self, cycle: u64) -> Option<u8> {
        (cycle >= self.alarm_cycle).then_some(7)
    }

    fn next_event_cycle(&mut self, cycle: u64) -> u64 {
        if cycle < self.alarm_cycle { self.alarm_cycle } else { u64::MAX }
    }
}

const SILENT: Alarm = Alarm { alarm_cycle: u64::MAX };

fn chip(program: &[u32]) -> (Memory, Hart) {
    let mut memory = Memory::new();
    let store = memory.add_store(0x1000);
    let window = Window { address: RAM, length: 0x1000, store, offset: 0, access: Access::READ_WRITE_EXECUTE };
    memory.map(window).unwrap();
    for (i, word) in program.iter().enumerate() {
        memory.write_word(RAM + 4 * i as u32, *word).unwrap();
    }
    (memory, Hart::new(RAM))
}

#[test]
fn sleeps_until_the_alarm_and_takes_the_vector() {
    let (mut memory, mut hart) = chip(&[
        0x3004_6073, // csrsi mstatus, 8
        0x1050_0073, // wfi
        0x0010_0513, // li a0, 1
        0x0000_006f, // j .
    ]);
    hart.set_csr(0x305, RAM + 0x100);
    let handler = RAM + 0x100 + 4 * 7;
    memory.write_word(handler, 0x6000_0337).unwrap(); // lui t1, 0x60000
    memory.write_word(handler + 4, 0x0003_2023).unwrap(); // sw zero, 0(t1)
    memory.write_word(handler + 8, 0x3020_0073).unwrap(); // mret
    let mut bus = Alarm { alarm_cycle: 1000 };

    assert_eq!(hart.run(&mut memory, &mut bus, 500), Stop::WaitForInterrupt);
    assert_eq!(hart.cycle(), 2);
    hart.skip_to(500);
    assert_eq!(hart.run(&mut memory, &mut bus, 2000), Stop::Deadline);
    assert_eq!(hart.register(10), 1);
    assert_eq!(hart.csr(0x342), Some(0x8000_0007));
    assert_eq!(hart.csr(0x341), Some(RAM + 8));
    assert_eq!(hart.instructions_retired(), 1002);
}

#[test]
fn an_unanswered_store_traps_with_its_address() {
    let (mut memory, mut hart) = chip(&[
        0x6000_1337, // lui t1, 0x60001
        0x0003_2023, // sw zero, 0(t1)
    ]);
    hart.set_csr(0x305, RAM + 0x100);
    hart.stop_at_exceptions(&[Cause::StoreAccessFault]);
    let exception = Exception { cause: Cause::StoreAccessFault, value: 0x6000_1000 };
    assert_eq!(hart.run(&mut memory, &mut { SILENT }, 100), Stop::Exception { exception, pc: RAM + 4 });
    assert_eq!((hart.pc(), hart.csr(0x341)), (RAM + 0x100, Some(RAM + 4)));
    // The handler is zeroes, which are illegal.
    let exception = Exception { cause: Cause::IllegalInstruction, value: 0 };
    assert_eq!(hart.run(&mut memory, &mut { SILENT }, 100), Stop::DoubleFault { exception, pc: RAM + 0x100 });
}

#[test]
fn hooks_and_breakpoints_stop_before_their_instruction() {
    let (mut memory, mut hart) = chip(&[0x0010_0513, 0x0020_0513, 0x0030_0513]); // li a0, 1; li a0, 2; li a0, 3
    hart.add_hook(RAM + 4);
    hart.add_breakpoint(RAM + 8);
    assert_eq!(hart.run(&mut memory, &mut { SILENT }, 100), Stop::Hook { address: RAM + 4 });
    assert_eq!(hart.register(10), 1);
    assert_eq!(hart.step(&mut memory, &mut { SILENT }), None);
    assert_eq!(hart.run(&mut memory, &mut { SILENT }, 100), Stop::Breakpoint { address: RAM + 8 });
    assert_eq!(hart.register(10), 2);
}
