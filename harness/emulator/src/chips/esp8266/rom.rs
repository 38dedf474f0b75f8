//! The mask ROM, modelled: its functions run natively when the program counter reaches their published addresses.
//!
//! Each was written from its name and from what firmware needs of it; nothing of the ROM's text is here. A function reads its
//! arguments from registers and stack, as the call0 ABI lays them, and returns. What it does takes time, roughly as long as
//! the real code takes.
//!
//! Some functions call firmware: handlers of exceptions and interrupts, tasks, what prints a character. They go on when
//! firmware returns, at addresses in the ROM that are nobody's ([`continuations`]). What they have to remember until then lies
//! on the guest's stack, so it nests, and a snapshot has it.
//!
//! A function that is not modelled stops the chip and is reported by its name, with its caller.

mod analog;
mod arithmetic;
mod boot;
mod console;
mod continuations;
mod crypto;
mod descriptors;
mod exceptions;
mod flash;
mod memory;
mod services;
mod strings;
mod tasks;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::cores::lx106::{Bus, Lx106};
use crate::machine::access::Width;
use crate::machine::memory::{Memory, NotDirect};
use crate::machine::time::Ticks;

use super::map::is_register;
use super::soc::Soc;
use crate::devices::esp8266::reset::ResetCause;

pub(crate) use boot::{boot, enter};
pub(crate) use variables::initialise;

/// Where the ROM's code is.
pub(crate) const CODE: core::ops::Range<u32> = 0x4000_0000..0x4001_0000;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has returned, having taken this many cycles.
    Return { cycles: u64 },
    /// It waits: call again at this time or at the next event.
    WaitUntil(Ticks),
    /// It goes on at another address: in the ROM, or in firmware that it calls.
    Continue { address: u32, cycles: u64 },
    /// It sleeps until an interrupt, and goes on at another address of the ROM then.
    Sleep { then: u32 },
    /// It resets the chip.
    Reset(ResetCause),
    /// It never returns: an exception that nobody handles.
    Halt,
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

/// The machine as a ROM function sees it.
pub(crate) struct Machine<'a> {
    pub core: &'a mut Lx106,
    pub memory: &'a mut Memory,
    pub soc: &'a mut Soc,
}

/// A ROM function.
pub(crate) type Function = fn(&mut Machine<'_>) -> Result<Outcome, BadAddress>;

/// Registers of the call0 ABI.
const LINK: u8 = 0;
const STACK: u8 = 1;
const FIRST_ARGUMENT: u8 = 2;
const ARGUMENT_REGISTERS: u8 = 6;
/// No string, and nothing that is copied, is longer: more than there is memory.
const LENGTH_MAX: u32 = 0x10_0000;

impl Machine<'_> {
    /// An argument: six are in registers, the others on the stack.
    fn argument(&self, n: u8) -> u32 {
        if n < ARGUMENT_REGISTERS {
            return self.core.register(FIRST_ARGUMENT + n);
        }
        let at = self.core.register(STACK).wrapping_add(4 * u32::from(n - ARGUMENT_REGISTERS));
        self.memory.read_word(at).unwrap_or(0)
    }

    fn set_result(&mut self, value: u32) {
        self.core.set_register(FIRST_ARGUMENT, value);
    }

    /// A double, a 64-bit integer: the low word first.
    fn set_wide_result(&mut self, value: u64) {
        self.core.set_register(FIRST_ARGUMENT, value as u32);
        self.core.set_register(FIRST_ARGUMENT + 1, (value >> 32) as u32);
    }

    fn wide_argument(&self, n: u8) -> u64 {
        u64::from(self.argument(n)) | u64::from(self.argument(n + 1)) << 32
    }

    fn now(&self) -> Ticks {
        self.soc.clock.ticks(self.core.cycle())
    }

    /// Reads memory; the driver of the radio has registers of its MAC copied too.
    fn read_bytes(&self, address: u32, bytes: &mut [u8]) -> Result<(), BadAddress> {
        if !is_register(address) {
            let bad = |missing: NotDirect| BadAddress { address: missing.address, store: false };
            return self.memory.read_slice(address, bytes).map_err(bad);
        }
        for (at, byte) in (address..).zip(bytes) {
            let word = self.soc.peek(at, self.now()).ok_or(BadAddress { address: at, store: false })?;
            *byte = word.to_le_bytes()[(at & 3) as usize];
        }
        Ok(())
    }

    fn read_vec(&self, address: u32, length: u32) -> Result<Vec<u8>, BadAddress> {
        if length > LENGTH_MAX {
            return Err(BadAddress { address, store: false });
        }
        let mut bytes = vec![0; length as usize];
        self.read_bytes(address, &mut bytes)?;
        Ok(bytes)
    }

    fn read_byte(&self, address: u32) -> Result<u8, BadAddress> {
        let mut byte = [0];
        self.read_bytes(address, &mut byte)?;
        Ok(byte[0])
    }

    fn read_word(&self, address: u32) -> Result<u32, BadAddress> {
        self.memory.read_word(address).map_err(|missing| BadAddress { address: missing.address, store: false })
    }

    /// Writes to RAM, or to registers; the window that shows the flash is neither.
    fn write_bytes(&mut self, address: u32, bytes: &[u8]) -> Result<(), BadAddress> {
        let Some(last) = (bytes.len() as u32).checked_sub(1) else { return Ok(()) };
        if is_register(address) {
            return self.write_registers(address, bytes);
        }
        let bad = BadAddress { address, store: true };
        for at in [address, address.wrapping_add(last)] {
            self.memory.locate(at).filter(|(_, access)| access.write).ok_or(bad)?;
        }
        self.memory.write_slice(address, bytes).map_err(|_| bad)
    }

    /// By words, as far as they are whole.
    fn write_registers(&mut self, address: u32, bytes: &[u8]) -> Result<(), BadAddress> {
        let cycle = self.core.cycle();
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32);
            let (width, value) = match bytes[done..].first_chunk::<4>() {
                Some(word) if at.is_multiple_of(4) => (Width::Word, u32::from_le_bytes(*word)),
                _ => (Width::Byte, bytes[done].into()),
            };
            let stored = self.soc.store(self.memory, at, width, value, cycle);
            stored.map_err(|_| BadAddress { address: at, store: true })?;
            done += width.bytes() as usize;
        }
        Ok(())
    }

    fn write_word(&mut self, address: u32, value: u32) -> Result<(), BadAddress> {
        self.write_bytes(address, &value.to_le_bytes())
    }

    /// The bytes of a string without its end.
    fn text(&self, address: u32, limit: u32) -> Result<Vec<u8>, BadAddress> {
        let mut bytes = Vec::new();
        for n in 0..limit.min(LENGTH_MAX) {
            match self.read_byte(address.wrapping_add(n))? {
                0 => break,
                byte => bytes.push(byte),
            }
        }
        Ok(bytes)
    }

    fn load_register(&mut self, address: u32) -> u32 {
        let cycle = self.core.cycle();
        self.soc.load(self.memory, address, Width::Word, cycle).unwrap_or(0)
    }

    fn store_register(&mut self, address: u32, value: u32) {
        let cycle = self.core.cycle();
        // All addresses here are registers, which answer.
        let _ = self.soc.store(self.memory, address, Width::Word, value, cycle);
    }

    /// Returns zero after so many cycles, in which interrupts arrive.
    fn busy(&mut self, cycles: u64) -> Outcome {
        self.core.set_register(FIRST_ARGUMENT, u32::try_from(cycles).unwrap_or(u32::MAX));
        self.core.set_register(FIRST_ARGUMENT + 1, self.core.cycle() as u32);
        Outcome::Continue { address: continuations::BUSY, cycles: 4 }
    }

    /// The same for a time by the clock.
    fn busy_for(&mut self, ticks: Ticks) -> Outcome {
        let cycles = ticks.div_ceil(self.soc.clock.ticks_per_cycle());
        self.busy(cycles)
    }

    /// Calls firmware, and goes on at `then` when it returns.
    fn call(&mut self, address: u32, then: u32, cycles: u64) -> Outcome {
        self.core.set_register(LINK, then);
        Outcome::Continue { address, cycles }
    }
}

/// How a function ends that has nothing to wait for.
#[allow(clippy::unnecessary_wraps, reason = "it is what functions give")]
fn returned(cycles: u64) -> Result<Outcome, BadAddress> {
    Ok(Outcome::Return { cycles })
}

/// A function of which firmware needs nothing but that it returns zero.
fn zero(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.set_result(0);
    returned(20)
}

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

/// Where the function called `name` is; zero, where there is none, if there is none.
fn address_of(name: &str) -> u32 {
    functions().iter().find(|(_, known)| **known == name).map_or(0, |(address, _)| *address)
}

/// What the function at `address` is called.
pub(crate) fn name_of(address: u32) -> Option<&'static str> {
    let continuation = continuations::ALL.iter().find(|(at, _, _)| *at == address);
    functions().get(&address).copied().or(continuation.map(|(_, name, _)| *name))
}

/// Everything that is modelled, by name.
const MODELLED: [&[(&str, Function)]; 12] = [
    analog::FUNCTIONS,
    arithmetic::FUNCTIONS,
    boot::FUNCTIONS,
    console::FUNCTIONS,
    crypto::FUNCTIONS,
    descriptors::FUNCTIONS,
    exceptions::FUNCTIONS,
    flash::FUNCTIONS,
    memory::FUNCTIONS,
    services::FUNCTIONS,
    strings::FUNCTIONS,
    tasks::FUNCTIONS,
];

fn natives() -> &'static BTreeMap<u32, Function> {
    static NATIVES: OnceLock<BTreeMap<u32, Function>> = OnceLock::new();
    NATIVES.get_or_init(|| {
        let by_name: BTreeMap<&str, Function> = MODELLED.into_iter().flatten().copied().collect();
        let named = functions().iter().filter_map(|(address, name)| Some((*address, *by_name.get(name)?)));
        named.chain(continuations::ALL.iter().map(|(address, _, function)| (*address, *function))).collect()
    })
}

/// Calls the function at the program counter.
pub(crate) fn call(machine: &mut Machine<'_>) -> Outcome {
    let Some(function) = natives().get(&machine.core.pc()) else { return Outcome::Unmodelled };
    function(machine).unwrap_or_else(|bad| Outcome::Fault { address: bad.address, store: bad.store })
}
