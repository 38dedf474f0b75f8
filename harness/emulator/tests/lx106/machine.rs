//! The smallest chip that shows all that the core can meet: instruction RAM with a second address, a window to flash that can
//! show something else, data RAM, a device with an alarm.

use emulator::Tier;
use emulator::access::Width;
use emulator::lx106::{Bus, BusFault, InterruptLines, Lx106, special_register as sr};
use emulator::memory::{Access, Memory, Store, Window};

use crate::program::{RFE, RFI_2, addi, j, movi, rsr, s32i, slli, wsr};

/// RAM on the instruction bus.
pub const CODE: u32 = 0x4010_0000;
/// The same RAM on the data bus, as no ESP8266 has it.
pub const ALIAS: u32 = 0x3ffa_0000;
/// What shows one of two programs.
pub const FLASH: u32 = 0x4020_0000;
pub const DATA: u32 = 0x3ffe_8000;
const BYTES: u32 = 0x2000;
/// Where programs begin in their memories; literals may lie before.
pub const PROGRAM: u32 = 0x400;
pub const VECTORS: u32 = 0x4014_0000;

/// Loads give a number made of the cycle; a store of `n` makes input 9 rise in `n % 1024` cycles.
pub const ALARM: u32 = 0x6000_0000;
/// A store of `n` shows one of the programs for it in the window to flash, or nothing, by `n % 3`.
pub const SWAP: u32 = 0x6000_0004;
/// A store of `n` writes it to the RAM at `4 * (n % 0x200)`, as a DMA engine would.
pub const TRANSFER: u32 = 0x6000_0008;
/// The handler of interrupts stores something here.
const HANDLED: u32 = 0x6000_0010;
/// Nobody answers.
pub const MISSING: u32 = 0x1000;

/// The devices of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    pub alarm_cycle: u64,
    pub handled: u32,
    /// What was stored, and when.
    pub log: Vec<(u32, u32, u64)>,
    shown: usize,
    stores: [Store; 2],
}

impl Devices {
    fn show(&self, memory: &mut Memory) {
        let Some(&store) = self.stores.get(self.shown) else {
            return memory.unmap(FLASH, BYTES).expect("it is whole pages");
        };
        let window = Window { address: FLASH, length: BYTES, store, offset: 0, access: Access::READ_EXECUTE };
        memory.map(window).expect("it is whole pages");
    }
}

impl Bus for Devices {
    fn load(&mut self, _: &mut Memory, address: u32, _: Width, cycle: u64) -> Result<u32, BusFault> {
        match address & !3 {
            ALARM => Ok((cycle as u32).wrapping_mul(0x9e37_79b1)),
            _ => Err(BusFault),
        }
    }

    fn store(&mut self, memory: &mut Memory, address: u32, _: Width, value: u32, cycle: u64) -> Result<(), BusFault> {
        match address & !3 {
            ALARM => self.alarm_cycle = cycle + u64::from(value % 1024),
            SWAP => {
                self.shown = (value % 3) as usize;
                self.show(memory);
            }
            TRANSFER => memory.write_word(CODE + 4 * (value % 0x200), value).expect("it is mapped"),
            HANDLED => {
                self.handled += 1;
                return Ok(());
            }
            _ => return Err(BusFault),
        }
        self.log.push((address, value, cycle));
        Ok(())
    }

    fn interrupts(&mut self, cycle: u64) -> InterruptLines {
        let rises = cycle >= self.alarm_cycle;
        if rises {
            self.alarm_cycle = u64::MAX;
        }
        InterruptLines { levels: 0, edges: u32::from(rises) << 9 }
    }

    fn next_event_cycle(&mut self, cycle: u64) -> u64 {
        if cycle < self.alarm_cycle { self.alarm_cycle } else { u64::MAX }
    }
}

pub struct Machine {
    pub core: Lx106,
    pub memory: Memory,
    pub devices: Devices,
    /// Of code and of data.
    pub kept: [Store; 2],
}

/// All that can be seen of a machine.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pc: u32,
    cycle: u64,
    retired: u64,
    registers: Vec<u32>,
    special: Vec<Option<u32>>,
    pub devices: Devices,
    memory: Vec<Vec<u8>>,
}

impl Machine {
    /// A core before the first program, which lies in RAM; the others lie in the flash. Interrupts of level 1 are possible.
    pub fn new(programs: &[Vec<u8>; 3], tier: Tier) -> Self {
        let mut memory = Memory::new();
        let [code, first, second, data, vectors] = [(); 5].map(|()| memory.add_store(BYTES));
        for (address, store, access) in [
            (CODE, code, Access::READ_WRITE_EXECUTE),
            (ALIAS, code, Access::READ_WRITE),
            (DATA, data, Access::READ_WRITE),
            (VECTORS, vectors, Access::READ_EXECUTE),
        ] {
            memory.map(Window { address, length: BYTES, store, offset: 0, access }).expect("it is whole pages");
        }
        for (store, program) in [code, first, second].into_iter().zip(programs) {
            memory.write_store(store, PROGRAM, program);
        }
        for (offset, instructions) in handlers() {
            let bytes: Vec<u8> = instructions.iter().flat_map(|bits| bits.to_le_bytes()[..3].to_vec()).collect();
            memory.write_store(vectors, offset, &bytes);
        }
        let devices = Devices { alarm_cycle: u64::MAX, handled: 0, log: Vec::new(), shown: 0, stores: [first, second] };
        devices.show(&mut memory);
        let mut core = Lx106::new(CODE + PROGRAM);
        core.execute_by(tier);
        // Threaded code until time runs out in a trace for the first time, host code from then on.
        core.compile_after(1);
        core.set_special(sr::VECBASE, VECTORS);
        core.set_special(sr::PS, 0x20);
        Self { core, memory, devices, kept: [code, data] }
    }

    pub fn seen(&self) -> Seen {
        let Self { core, memory, devices, kept } = self;
        Seen {
            pc: core.pc(),
            cycle: core.cycle(),
            retired: core.instructions_retired(),
            registers: (0..16).map(|number| core.register(number)).collect(),
            special: (0..=255).map(|number| core.special(number)).collect(),
            devices: devices.clone(),
            memory: kept.iter().map(|store| memory.store_bytes(*store).to_vec()).collect(),
        }
    }
}

impl Seen {
    /// What differs, as text.
    pub fn difference(&self, other: &Self) -> String {
        let memory = self.memory.iter().zip(&other.memory).map(|(a, b)| a.iter().zip(b).position(|(a, b)| a != b));
        let special = (0..256).filter(|&number| self.special[number] != other.special[number]);
        format!(
            "pc {:#x} {:#x}, cycle {} {}, retired {} {}, memory at {:x?}, special {:?}, devices equal {}\n{:x?}\n{:x?}",
            self.pc,
            other.pc,
            self.cycle,
            other.cycle,
            self.retired,
            other.retired,
            memory.collect::<Vec<_>>(),
            special.collect::<Vec<_>>(),
            self.devices == other.devices,
            self.registers,
            other.registers
        )
    }
}

/// By their offset from the vectors: `break` is gone past; an interrupt is counted, cleared, and comes again.
fn handlers() -> Vec<(u32, Vec<u32>)> {
    let past_break =
        vec![wsr(sr::EXCSAVE2, 0), rsr(sr::EPC2, 0), addi(0, 0, 3), wsr(sr::EPC2, 0), rsr(sr::EXCSAVE2, 0), RFI_2];
    let interrupt = vec![
        wsr(sr::EXCSAVE1, 0),
        movi(0, 3),
        slli(0, 0, 29),
        s32i(0, 0, HANDLED & 0xff),
        movi(0, 0xfff),
        wsr(sr::INTCLEAR, 0),
        rsr(sr::CCOMPARE0, 0),
        addi(0, 0, 127),
        wsr(sr::CCOMPARE0, 0),
        rsr(sr::EXCSAVE1, 0),
        RFE,
    ];
    vec![
        (0x10, vec![j(0x10, 0x200)]),
        (0x30, vec![j(0x30, 0x300)]),
        (0x50, vec![j(0x50, 0x300)]),
        (0x200, past_break),
        (0x300, interrupt),
    ]
}
