//! The smallest chip that shows all that a hart can meet: RAM under two addresses, flash, a device with an alarm.

use emulator::memory::{Access, Memory, Store, Window};
use emulator::riscv::{Bus, BusFault, Width};

pub const RAM: u32 = 0x4038_0000;
/// The same RAM on the data bus.
pub const RAM_ALIAS: u32 = 0x3fc8_0000;
pub const RAM_BYTES: u32 = 0x1_0000;
pub const FLASH: u32 = 0x4200_0000;
/// The same flash on the data bus.
pub const FLASH_ALIAS: u32 = 0x3c00_0000;
pub const FLASH_BYTES: u32 = 0x1_0000;
/// Loads give a number made of the cycle; a store of `n` arms the alarm to go off in `n % 1024` cycles.
pub const ALARM: u32 = 0x6000_0000;
/// A store silences the alarm.
pub const SILENCE: u32 = 0x6000_0004;
/// A store of `n` writes it to RAM at `4 * (n % 0x2000)`, as a DMA engine would.
pub const TRANSFER: u32 = 0x6000_0008;

pub fn memory() -> (Memory, Store) {
    let mut memory = Memory::new();
    let ram = memory.add_store(RAM_BYTES);
    let flash = memory.add_store(FLASH_BYTES);
    for (address, length, store, access) in [
        (RAM, RAM_BYTES, ram, Access::READ_WRITE_EXECUTE),
        (RAM_ALIAS, RAM_BYTES, ram, Access::READ_WRITE),
        (FLASH, FLASH_BYTES, flash, Access::READ_EXECUTE),
        (FLASH_ALIAS, FLASH_BYTES, flash, Access::READ),
    ] {
        memory.map(Window { address, length, store, offset: 0, access }).unwrap();
    }
    (memory, ram)
}

/// The devices of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    pub alarm_cycle: u64,
    pub line: u8,
    /// What was stored, and when.
    pub log: Vec<(u32, u32, u64)>,
}

impl Devices {
    pub fn new() -> Self {
        Self { alarm_cycle: u64::MAX, line: 7, log: Vec::new() }
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
            ALARM => {
                self.alarm_cycle = cycle + u64::from(value % 1024);
                self.line = (value >> 10 & 31) as u8;
            }
            SILENCE => self.alarm_cycle = u64::MAX,
            TRANSFER => memory.write_word(RAM + 4 * (value % 0x2000), value).unwrap(),
            _ => return Err(BusFault),
        }
        self.log.push((address, value, cycle));
        Ok(())
    }

    fn interrupt(&mut self, cycle: u64) -> Option<u8> {
        (cycle >= self.alarm_cycle).then_some(self.line)
    }

    fn next_event_cycle(&mut self, cycle: u64) -> u64 {
        if cycle < self.alarm_cycle { self.alarm_cycle } else { u64::MAX }
    }
}
