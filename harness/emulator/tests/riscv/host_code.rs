//! Host code in lock-step with the plain interpreter: a deadline and an interrupt at every instruction of a loop that does
//! everything, accesses that it must leave to others, code that rewrites itself.

use emulator::Tier;
use emulator::memory::{Memory, Store};
use emulator::riscv::{Hart, Stop, csr_number};

use crate::machine::{ALARM, Devices, RAM, RAM_ALIAS, SILENCE, memory};
use crate::tiers::has_back_end;

const DATA: u32 = RAM_ALIAS + 0x8000;
const VECTOR: u32 = RAM + 0xf000;
const CYCLES: u64 = 1200;

pub fn register_form(funct7: u32, funct3: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
}

pub fn add_immediate(rd: u32, rs1: u32, immediate: i32) -> u32 {
    (immediate as u32) << 20 | rs1 << 15 | rd << 7 | 0x13
}

pub fn load(funct3: u32, rd: u32, rs1: u32, offset: i32) -> u32 {
    (offset as u32) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x03
}

pub fn store(funct3: u32, rs2: u32, rs1: u32, offset: i32) -> u32 {
    let offset = offset as u32;
    (offset >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (offset & 31) << 7 | 0x23
}

pub fn branch(funct3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let offset = offset as u32;
    let bits =
        (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3f) << 25 | (offset >> 1 & 0xf) << 8 | (offset >> 11 & 1) << 7;
    bits | rs2 << 20 | rs1 << 15 | funct3 << 12 | 0x63
}

/// A loop in a loop, with a call, over memory: x10 walks up by an odd number of bytes every fourth round of the outer loop,
/// so that accesses are misaligned, and cross pages; x11 reaches the devices now and then.
fn everything() -> Vec<u32> {
    let mut words = vec![
        add_immediate(5, 0, 7),           // 0: outer: x5 = 7
        add_immediate(6, 6, 1),           // 1: x6 += 1
        load(2, 7, 10, 0),                // 2: inner: lw x7, (x10)
        register_form(0, 0, 7, 7, 6),     // 3: x7 += x6
        store(2, 7, 10, 4),               // 4: sw x7, 4(x10)
        load(0, 8, 10, 5),                // 5: lb
        load(5, 12, 10, 6),               // 6: lhu
        store(1, 12, 10, 8),              // 7: sh
        store(0, 8, 10, 3),               // 8: sb
        register_form(1, 1, 13, 7, 8),    // 9: mulh
        register_form(1, 3, 14, 7, 8),    // 10: mulhu
        register_form(1, 4, 15, 7, 8),    // 11: div
        register_form(1, 7, 16, 13, 12),  // 12: remu
        register_form(0, 3, 17, 14, 13),  // 13: sltu
        register_form(0x20, 5, 18, 7, 6), // 14: sra
        register_form(0, 4, 19, 18, 15),  // 15: xor
        add_immediate(5, 5, -1),          // 16
    ];
    words.push(branch(1, 5, 0, 4 * (2 - 17))); // 17: bne x5, x0, inner
    words.push(register_form(0, 7, 20, 6, 21)); // 18: and x20, x6, x21 (3)
    words.push(branch(1, 20, 0, 12)); // 19: bne x20, x0, 22
    words.push(add_immediate(10, 10, 13)); // 20
    words.push(store(2, 22, 11, 0)); // 21: a device is told
    words.push(load(2, 23, 11, 0)); // 22: a device is asked
    words.push(0x0080_00ef); // 23: jal ra, 25
    words.push(branch(0, 0, 0, 4 * (0 - 24))); // 24: beq x0, x0, outer
    words.push(register_form(0, 0, 24, 24, 7)); // 25: a leaf function
    words.push(0x0000_8067); // 26: ret
    words
}

struct Machine {
    hart: Hart,
    memory: Memory,
    ram: Store,
    devices: Devices,
}

impl Machine {
    fn new(program: &[u32], tier: Tier) -> Self {
        has_back_end();
        let (mut memory, ram) = memory();
        let mut write = |at: u32, words: &[u32]| {
            for (n, word) in words.iter().enumerate() {
                memory.write_word(at + 4 * n as u32, *word).unwrap();
            }
        };
        write(RAM, program);
        // The handler counts in x30 and silences the alarm: `addi x30, x30, 1`, `lui x31, …`, `sw x0, 4(x31)`, `mret`.
        write(
            VECTOR + 4 * 7,
            &[add_immediate(30, 30, 1), 0x6000_0fb7, store(2, 0, 31, (SILENCE - ALARM) as i32), 0x3020_0073],
        );
        let mut hart = Hart::new(RAM);
        hart.execute_by(tier);
        hart.compile_after(1);
        hart.set_csr(csr_number::MTVEC, VECTOR);
        hart.set_csr(csr_number::MSTATUS, 0x1888);
        for (register, value) in [(10, DATA + 0x3c0), (11, ALARM), (21, 3), (22, 7 << 10 | 300)] {
            hart.set_register(register, value);
        }
        Self { hart, memory, ram, devices: Devices::new() }
    }

    fn run(&mut self, until: u64) {
        while self.hart.cycle() < until {
            assert_eq!(self.hart.run(&mut self.memory, &mut self.devices, until), Stop::Deadline);
        }
    }

    fn seen(&self) -> impl PartialEq + std::fmt::Debug {
        let registers: Vec<u32> = (0..32).map(|number| self.hart.register(number)).collect();
        let csrs: Vec<_> = (0x300..0x345).map(|number| self.hart.csr(number)).collect();
        (self.hart.pc(), self.hart.cycle(), self.hart.instructions_retired(), registers, csrs, self.devices.clone())
    }

    fn check(&self, other: &Self, what: &str) {
        assert_eq!(self.seen(), other.seen(), "{what}");
        assert!(self.memory.store_bytes(self.ram) == other.memory.store_bytes(other.ram), "{what}: memory");
    }
}

/// Has the program's loops compiled, so that whoever runs it next has host code from the first instruction on.
fn compile(program: &[u32]) {
    let mut machine = Machine::new(program, Tier::HostCode);
    for n in 1..40 {
        machine.run(n * 101);
    }
    assert!(!has_back_end() || machine.hart.host_code_count() > 0);
}

#[test]
fn a_deadline_at_every_instruction() {
    let program = everything();
    compile(&program);
    let mut plain = Machine::new(&program, Tier::Interpreter);
    for until in 1..CYCLES {
        plain.run(until);
        // From the beginning, so that all before the deadline is host code.
        let mut host = Machine::new(&program, Tier::HostCode);
        host.run(until);
        host.check(&plain, &format!("until cycle {until}"));
        assert!(!has_back_end() || until < 300 || host.hart.host_code_count() > 0);
    }
    for slice in [97, 98, 101, 128, 255] {
        let (mut host, mut plain) = (Machine::new(&program, Tier::HostCode), Machine::new(&program, Tier::Interpreter));
        for n in 1..=CYCLES / slice {
            host.run(n * slice);
            plain.run(n * slice);
            host.check(&plain, &format!("slices of {slice}, number {n}"));
        }
    }
}

#[test]
fn an_interrupt_at_every_instruction() {
    let mut program = everything();
    // Nobody but the test sets the alarm.
    program[21] = add_immediate(0, 0, 0);
    compile(&program);
    for alarm in 1..CYCLES {
        let [host, plain] = [Tier::HostCode, Tier::Interpreter].map(|tier| {
            let mut machine = Machine::new(&program, tier);
            machine.devices.alarm_cycle = alarm;
            machine.run(CYCLES + 200);
            machine
        });
        assert_eq!(plain.hart.register(30), 1, "the alarm at cycle {alarm} went off");
        host.check(&plain, &format!("alarm at cycle {alarm}"));
    }
}

#[test]
fn code_that_rewrites_itself() {
    // x6 counts; every round stores the word in x9 or the one in x8 over the `addi` at RAM + 4, through the other address.
    let program = [
        add_immediate(6, 6, 1),
        add_immediate(7, 7, 1),        // becomes addi x7, x7, 2, and this again
        register_form(0, 7, 12, 6, 5), // x12 = x6 & 31
        branch(1, 12, 0, 4 * -3),      // round and round
        store(2, 9, 10, 4),
        register_form(0, 4, 9, 9, 8), // x9 ^= x8
        branch(0, 0, 0, 4 * -6),
    ];
    let new = |tier| {
        let mut machine = Machine::new(&program, tier);
        let (one, two) = (add_immediate(7, 7, 1), add_immediate(7, 7, 2));
        for (register, value) in [(5, 31), (8, one ^ two), (9, two), (10, RAM_ALIAS)] {
            machine.hart.set_register(register, value);
        }
        machine
    };
    for slice in [113, 500, 6000] {
        let (mut host, mut plain) = (new(Tier::HostCode), new(Tier::Interpreter));
        for n in 1..=6000 / slice {
            host.run(n * slice);
            plain.run(n * slice);
            host.check(&plain, &format!("slices of {slice}, number {n}"));
        }
        // Both versions of the instruction were executed.
        assert!(!plain.hart.register(7).is_multiple_of(plain.hart.register(6)));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_page_is_for_writing_and_for_executing() {
    compile(&everything());
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let access: Vec<&str> = maps.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert!(access.iter().all(|access| !access.starts_with("rwx") && !access.starts_with("-wx")), "{maps}");
    // Host code is in memory that belongs to no file.
    let is_host_code = |line: &str| line.contains(" r-xp ") && line.contains(" 00:00 0 ") && !line.contains('[');
    assert!(!has_back_end() || maps.lines().any(is_host_code), "{maps}");
}
