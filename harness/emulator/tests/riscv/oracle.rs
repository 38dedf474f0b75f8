//! Instruction semantics against CKB-VM (Nervos, MIT), an independent implementation of RV32IMC.
//!
//! It has neither CSRs nor traps: where it reports an error, the hart must raise an exception.

use ckb_vm::decoder::{Decoder, build_decoder};
use ckb_vm::instructions::execute;
use ckb_vm::machine::VERSION2;
use ckb_vm::{
    CoreMachine, DefaultCoreMachine, DefaultMachine, DefaultMachineBuilder, ISA_IMC, Memory as _, SparseMemory,
    SupportMachine,
};
use emulator::memory::{Access, Memory, Window};
use emulator::riscv::{Bus, BusFault, Cause, Hart, Stop, Width};

use crate::random::{Random, Registers, compressed_instruction, full_instruction};

/// All memory of both: from zero on, everything allowed.
const MEMORY_BYTES: u32 = 0x10_0000;
const CODE: u32 = 0x1_0000;
const DATA: u32 = 0x8_0000;
const DATA_BYTES: u32 = 0x2000;

struct Nothing;

impl Bus for Nothing {
    fn load(&mut self, _: &mut Memory, _: u32, _: Width, _: u64) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    fn store(&mut self, _: &mut Memory, _: u32, _: Width, _: u32, _: u64) -> Result<(), BusFault> {
        Err(BusFault)
    }

    fn interrupt(&mut self, _: u64) -> Option<u8> {
        None
    }

    fn next_event_cycle(&mut self, _: u64) -> u64 {
        u64::MAX
    }
}

/// CKB-VM, one instruction at a time.
struct Oracle {
    machine: DefaultMachine<DefaultCoreMachine<u32, SparseMemory<u32>>>,
    decoder: Decoder,
}

impl Oracle {
    fn new() -> Self {
        let core = DefaultCoreMachine::new_with_memory(ISA_IMC, VERSION2, u64::MAX, MEMORY_BYTES as usize);
        let machine = DefaultMachineBuilder::new(core).build();
        Self { machine, decoder: build_decoder::<u32>(ISA_IMC, VERSION2) }
    }

    fn set_pc(&mut self, pc: u32) {
        self.machine.update_pc(pc);
        self.machine.commit_pc();
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        self.machine.memory_mut().store_bytes(u64::from(address), bytes).unwrap();
        self.decoder.reset_instructions_cache();
    }

    fn read(&mut self, address: u32, length: u32) -> Vec<u8> {
        self.machine.memory_mut().load_bytes(u64::from(address), u64::from(length)).unwrap().to_vec()
    }

    /// `false` if the instruction cannot be executed.
    fn step(&mut self) -> bool {
        let pc = u64::from(*self.machine.pc());
        match self.decoder.decode(self.machine.memory_mut(), pc) {
            Ok(instruction) => execute(instruction, &mut self.machine).is_ok(),
            Err(_) => false,
        }
    }
}

fn memory() -> Memory {
    let mut memory = Memory::new();
    let store = memory.add_store(MEMORY_BYTES);
    let access = Access::READ_WRITE_EXECUTE;
    memory.map(Window { address: 0, length: MEMORY_BYTES, store, offset: 0, access }).unwrap();
    memory
}

fn hart() -> Hart {
    let mut hart = Hart::new(CODE);
    hart.stop_at_exceptions(&[
        Cause::InstructionAccessFault,
        Cause::IllegalInstruction,
        Cause::LoadAddressMisaligned,
        Cause::LoadAccessFault,
        Cause::StoreAddressMisaligned,
        Cause::StoreAccessFault,
    ]);
    hart
}

/// Executes single instructions on both, from the same state.
struct Pair {
    oracle: Oracle,
    hart: Hart,
    memory: Memory,
    legal: u32,
}

impl Pair {
    fn new() -> Self {
        Self { oracle: Oracle::new(), hart: hart(), memory: memory(), legal: 0 }
    }

    fn set_register(&mut self, number: u8, value: u32) {
        self.hart.set_register(number, value);
        self.oracle.machine.set_register(usize::from(number), self.hart.register(number));
    }

    fn check(&mut self, bits: u32) {
        self.memory.write_word(CODE, bits).unwrap();
        self.oracle.write(CODE, &bits.to_le_bytes());
        self.hart.set_pc(CODE);
        self.oracle.set_pc(CODE);
        let before: Vec<u32> = (0..32).map(|number| self.hart.register(number)).collect();
        let executed = self.oracle.step();
        let stop = self.hart.step(&mut self.memory, &mut Nothing);
        let context = || format!("{}, {before:x?}", emulator::riscv::disassemble(CODE, bits));
        if !executed {
            assert!(matches!(stop, Some(Stop::Exception { .. })), "only the oracle refuses {}", context());
            // It is allowed to have changed registers by then.
            for (number, &value) in before.iter().enumerate() {
                self.oracle.machine.set_register(number, value);
            }
            return;
        }
        self.legal += 1;
        assert_eq!(stop, None, "only the hart refuses {}", context());
        assert_eq!(self.hart.pc(), *self.oracle.machine.pc(), "pc after {}", context());
        for number in 0..32u8 {
            let theirs = self.oracle.machine.registers()[usize::from(number)];
            assert_eq!(self.hart.register(number), theirs, "x{number} after {}", context());
        }
    }

    fn check_data(&mut self) {
        let mut ours = vec![0; DATA_BYTES as usize];
        self.memory.read_slice(DATA, &mut ours).unwrap();
        assert!(ours == self.oracle.read(DATA, DATA_BYTES), "memory differs");
    }
}

/// Not for CKB-VM: system calls, breakpoints, CSRs, fences; and where it is wrong: shifts by 32 and
/// more, reserved on RV32, it executes. QEMU is asked about these.
fn is_skipped(bits: u32) -> bool {
    let compressed_shift = bits & 0xf803 == 0x9001 || bits & 0xf003 == 0x1002;
    let full_shift = bits & 0x0200_307f == 0x0200_1013;
    matches!(bits & 0x7f, 0x73 | 0x0f) || bits & 0xffff == 0x9002 || compressed_shift || full_shift
}

#[test]
fn every_compressed_encoding() {
    let mut pair = Pair::new();
    for round in 0..4u64 {
        let mut random = Random(round);
        for bits in (0..=0xffffu32).filter(|bits| bits & 3 != 3 && !is_skipped(*bits)) {
            if bits % 64 == 0 {
                for number in 1..32 {
                    // Once with what loads and stores can use, once with corner cases.
                    let pointer = DATA + 0x800 + random.below(0x1000);
                    let value = if round.is_multiple_of(2) { pointer } else { random.operand() };
                    pair.set_register(number, value);
                }
            }
            pair.check(bits);
        }
        pair.check_data();
    }
    // How many of the 49151 are legal is the manual's: the opcode map of RV32C without floating point.
    assert!(pair.legal > 4 * 25_000, "{}", pair.legal);
}

#[test]
fn every_full_encoding() {
    const ALL: [u32; 32] = {
        let mut all = [0; 32];
        let mut i = 0;
        while i < 32 {
            all[i] = i as u32;
            i += 1;
        }
        all
    };
    let registers = Registers { free: &ALL, pointers: &ALL };
    let mut pair = Pair::new();
    let mut random = Random(7);
    for round in 0..200_000 {
        if round % 16 == 0 {
            for number in 1..32 {
                let pointer = DATA + 0x800 + random.below(0x1000);
                let value = if round % 32 == 0 { pointer } else { random.operand() };
                pair.set_register(number, value);
            }
        }
        let bits = if round % 4 == 0 { random.word() | 3 } else { full_instruction(&mut random, &registers) };
        if !is_skipped(bits) {
            pair.check(bits);
        }
    }
    pair.check_data();
    assert!(pair.legal > 100_000, "{}", pair.legal);
}

/// Whole programs at once, so that the fast path runs them.
#[test]
fn programs() {
    const REGISTERS: Registers = Registers {
        free: &[0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 31],
        pointers: &[3, 4],
    };
    const PROGRAM_BYTES: usize = 0x200;
    let mut longest = 0;
    for seed in 0..1500 {
        let mut random = Random(seed);
        let mut program = Vec::new();
        while program.len() < PROGRAM_BYTES {
            if random.one_in(3) {
                program.extend(compressed_instruction(&mut random).to_le_bytes());
            } else {
                program.extend(full_instruction(&mut random, &REGISTERS).to_le_bytes());
            }
        }
        let mut pair = Pair::new();
        pair.memory.write_slice(CODE, &program).unwrap();
        pair.oracle.write(CODE, &program);
        for number in 1..32 {
            let value = if number < 5 { DATA + 0x800 + random.below(0x1000) } else { random.operand() };
            pair.set_register(number, value);
        }
        pair.oracle.set_pc(CODE);
        let mut instructions = 0;
        loop {
            let pc = *pair.oracle.machine.pc();
            if instructions == 500 || !(CODE..CODE + PROGRAM_BYTES as u32).contains(&pc) {
                break;
            }
            let bits = pair.memory.read_word(pc).unwrap();
            let before = pair.oracle.machine.registers().to_vec();
            if is_skipped(bits) {
                break;
            }
            if !pair.oracle.step() {
                pair.oracle.set_pc(pc);
                for (number, value) in before.into_iter().enumerate() {
                    pair.oracle.machine.set_register(number, value);
                }
                break;
            }
            instructions += 1;
        }
        longest = longest.max(instructions);
        let Pair { oracle, mut hart, mut memory, .. } = pair;
        let stop = hart.run(&mut memory, &mut Nothing, instructions);
        assert_eq!(stop, Stop::Deadline, "seed {seed}");
        assert_eq!(hart.pc(), *oracle.machine.pc(), "seed {seed}");
        for number in 0..32u8 {
            let theirs = oracle.machine.registers()[usize::from(number)];
            assert_eq!(hart.register(number), theirs, "x{number}, seed {seed}, {instructions} instructions");
        }
        let mut pair = Pair { oracle, hart, memory, legal: 0 };
        pair.check_data();
    }
    assert_eq!(longest, 500);
}
