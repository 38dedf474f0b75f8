//! The mask ROM, modelled: its functions run natively when the program counter reaches their published addresses.
//!
//! A function reads its arguments from the registers, as the RISC-V calling convention lays them, does what the ROM's
//! code does to memory and devices, and returns. It costs as many cycles as its `cost` says: close to what the real
//! code takes (a test compares), and a function of its arguments only. Functions that wait (a delay, a UART that
//! drains) let time pass up to the next event and are called again, so interrupts arrive as they would.
//!
//! A function that is not modelled stops the chip and is reported by its name.

mod arithmetic;
mod calls;
mod checksum;
mod inflate;
mod memory;
mod real;
mod services;
mod strings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::cores::riscv::{Bus, Hart, Width};
use crate::machine::memory::Memory;

use super::soc::Soc;
use crate::devices::espressif::time::Ticks;

pub(crate) use calls::first_unmodelled;
pub(crate) use inflate::Inflaters;
pub(crate) use real::InitialData;
pub(crate) use services::initialise;

/// Where the ROM's code is.
pub(crate) const CODE: core::ops::Range<u32> = 0x4000_0000..0x4006_0000;

/// Where the ROM of v0.3 to v1.0 has the tables by which its start-up code fills its variables, 0x4005_9200 to
/// 0x4005_9590. Flash loaders go by them too. The modelled functions have no variables but [`initialise`]'s: the tables
/// are there, and say that there is nothing to fill.
pub(crate) const TABLES: u32 = 0x4005_9000;
/// How long the pages are in which they lie.
pub(crate) const TABLES_BYTES: u32 = 0x800;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has returned, having taken this many cycles.
    Return { cycles: u64 },
    /// It waits: call again at this time or at the next event.
    WaitUntil(Ticks),
    /// It goes on at another address of the ROM.
    Continue { address: u32, cycles: u64 },
    /// It accessed memory that is not there.
    Fault { address: u32, store: bool },
    /// The model does not have it.
    Unmodelled,
}

/// An address that a function could not access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadAddress {
    address: u32,
    store: bool,
}

impl From<BadAddress> for Outcome {
    fn from(fault: BadAddress) -> Self {
        Self::Fault { address: fault.address, store: fault.store }
    }
}

/// The machine as a ROM function sees it.
pub(crate) struct Machine<'a> {
    pub hart: &'a mut Hart,
    pub memory: &'a mut Memory,
    pub soc: &'a mut Soc,
    /// The function that is running has reached registers and memory, and no device.
    pub is_apart: bool,
}

/// A ROM function.
pub(crate) type Function = fn(&mut Machine<'_>) -> Result<u64, BadAddress>;

/// The ROM's functions by address, as its linker scripts name them.
pub(crate) fn functions() -> &'static BTreeMap<u32, &'static str> {
    static FUNCTIONS: OnceLock<BTreeMap<u32, &'static str>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let lines = include_str!("rom/functions.txt").lines();
        lines
            .filter_map(|line| {
                let (address, name) = line.split_once(' ')?;
                Some((u32::from_str_radix(address, 16).ok()?, name))
            })
            .collect()
    })
}

/// A function that the model has.
#[derive(Clone, Copy)]
pub(crate) struct Native {
    pub function: Function,
    /// Whether it reaches registers and memory alone, unless an address that it is given is a device's.
    pub is_apart: bool,
}

/// The functions that the model has, by the address at which they are called.
pub(crate) struct Natives {
    first: u32,
    by_slot: Vec<Option<Native>>,
}

impl Natives {
    /// The table of all.
    pub fn get() -> &'static Self {
        static NATIVES: OnceLock<Natives> = OnceLock::new();
        NATIVES.get_or_init(|| {
            let addresses: BTreeMap<&str, u32> = functions().iter().map(|(address, name)| (*name, *address)).collect();
            let mut by_slot = vec![None; 0x2000 / 4];
            let all = [
                (memory::FUNCTIONS, true),
                (strings::FUNCTIONS, true),
                (arithmetic::FUNCTIONS, true),
                (checksum::FUNCTIONS, true),
                (inflate::FUNCTIONS, false),
                (services::FUNCTIONS, false),
            ];
            for (functions, is_apart) in all {
                for &(name, function) in functions {
                    let slot = addresses.get(name).map(|address| (address - CODE.start) as usize / 4);
                    if let Some(slot) = slot.and_then(|slot| by_slot.get_mut(slot)) {
                        *slot = Some(Native { function, is_apart });
                    }
                }
            }
            Self { first: CODE.start, by_slot }
        })
    }

    /// The function at `address`.
    pub fn function(&self, address: u32) -> Option<Native> {
        let slot = address.checked_sub(self.first)? / 4;
        if address.is_multiple_of(4) { self.by_slot.get(slot as usize).copied().flatten() } else { None }
    }
}

/// Runs the function at the hart's program counter.
pub(crate) fn call(machine: &mut Machine<'_>) -> Outcome {
    let address = machine.hart.pc();
    if let Some(Native { function, is_apart }) = Natives::get().function(address) {
        machine.is_apart = is_apart;
        return match function(machine) {
            Ok(cycles) => Outcome::Return { cycles },
            Err(fault) => fault.into(),
        };
    }
    services::call_blocking(machine, address)
}

impl<'a> Machine<'a> {
    /// The machine that these are.
    pub fn new(hart: &'a mut Hart, memory: &'a mut Memory, soc: &'a mut Soc) -> Self {
        Self { hart, memory, soc, is_apart: false }
    }

    /// Argument `n` of the call, a word.
    pub fn argument(&self, n: u8) -> u32 {
        self.hart.register(10 + n)
    }

    /// Arguments `n` and `n + 1`, a double word.
    pub fn argument_pair(&self, n: u8) -> u64 {
        u64::from(self.argument(n)) | u64::from(self.argument(n + 1)) << 32
    }

    /// The call's result, a word.
    pub fn set_result(&mut self, value: u32) {
        self.hart.set_register(10, value);
    }

    /// The call's result, a double word.
    pub fn set_result_pair(&mut self, value: u64) {
        self.hart.set_register(10, value as u32);
        self.hart.set_register(11, (value >> 32) as u32);
    }

    /// Reads as the hart's loads do: memory, or a device.
    pub fn read_bytes(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), BadAddress> {
        if self.memory.read_slice(address, bytes).is_ok() {
            return Ok(());
        }
        self.is_apart = false;
        for (n, byte) in bytes.iter_mut().enumerate() {
            let address = address.wrapping_add(n as u32);
            let cycle = self.hart.cycle();
            let mut one = [0];
            *byte = match self.memory.read_slice(address, &mut one) {
                Ok(()) => one[0],
                Err(_) => self
                    .soc
                    .load(self.memory, address, Width::Byte, cycle)
                    .map_err(|_| BadAddress { address, store: false })? as u8,
            };
        }
        Ok(())
    }

    /// Writes as the hart's stores do: memory that can be written, or a device.
    pub fn write_bytes(&mut self, address: u32, bytes: &[u8]) -> Result<(), BadAddress> {
        let last = address.saturating_add(bytes.len().saturating_sub(1) as u32);
        if is_writable(address) && is_writable(last) && self.memory.write_slice(address, bytes).is_ok() {
            return Ok(());
        }
        self.is_apart = false;
        for (n, byte) in bytes.iter().enumerate() {
            let address = address.wrapping_add(n as u32);
            if is_writable(address) && self.memory.write_slice(address, &[*byte]).is_ok() {
                continue;
            }
            let cycle = self.hart.cycle();
            self.soc
                .store(self.memory, address, Width::Byte, u32::from(*byte), cycle)
                .map_err(|_| BadAddress { address, store: true })?;
        }
        Ok(())
    }

    /// A byte of memory.
    pub fn read_byte(&mut self, address: u32) -> Result<u8, BadAddress> {
        let mut byte = [0];
        self.read_bytes(address, &mut byte)?;
        Ok(byte[0])
    }

    /// A word of memory.
    pub fn read_word(&mut self, address: u32) -> Result<u32, BadAddress> {
        let mut word = [0; 4];
        self.read_bytes(address, &mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    /// Sets a word of memory.
    pub fn write_word(&mut self, address: u32, value: u32) -> Result<(), BadAddress> {
        self.write_bytes(address, &value.to_le_bytes())
    }

    /// `length` bytes of memory. Refuses what cannot be there, so that a wild length does not cost the host memory.
    pub fn read_vec(&mut self, address: u32, length: u32) -> Result<Vec<u8>, BadAddress> {
        const LARGEST: u32 = 0x80_0000;
        if length > LARGEST {
            return Err(BadAddress { address: address.wrapping_add(LARGEST), store: false });
        }
        let mut bytes = vec![0; length as usize];
        self.read_bytes(address, &mut bytes)?;
        Ok(bytes)
    }
}

/// RAM, in any of its views.
pub(crate) fn is_writable(address: u32) -> bool {
    matches!(address, 0x3fc8_0000..=0x3fcd_ffff | 0x4037_c000..=0x403d_ffff | 0x5000_0000..=0x5000_1fff)
}
