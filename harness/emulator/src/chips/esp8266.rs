//! The ESP8266: its memory, devices and mask ROM round one LX106.
//!
//! [`Esp8266::run_until`] advances the chip to an instant, or to something that its owner should see first: serial output, a
//! frame on the air, an [`Event`]. Idle time costs nothing.
//!
//! The ROM is a model (`rom`): it boots what lies in the flash, and firmware calls its functions. An ELF file is loaded
//! directly, as the ROM would leave the chip.

mod emulated;
mod loading;
mod map;
pub(crate) mod registers;
mod rom;
mod running;
mod snapshot;
mod soc;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use clock::Instant;

use crate::cores::lx106::{Cause, Lx106, callers, disassemble};
use crate::devices::esp8266::reset::ResetCause;
use crate::devices::espressif::time::instant_of;
use crate::machine::backtrace::{Backtrace, Method, Stands};
use crate::machine::chip::NextInstruction;
use crate::machine::event::Event;
use crate::machine::memory::{Access, Memory, Window};
use crate::machine::symbols::{Place, Symbols};
use crate::machine::time::Ticks;

pub use emulated::MODEL;
use loading::Boots;
use soc::Soc;

const DRAM: u32 = 0x3ffe_8000;
const DRAM_BYTES: u32 = 0x1_4000;
/// RAM that the ROM has its variables in, and where images begin their stack.
const ROM_RAM: u32 = 0x3fff_c000;
const ROM_RAM_BYTES: u32 = 0x4000;
const IRAM: u32 = 0x4010_0000;
const IRAM_BYTES: u32 = 0x1_0000;

/// Exceptions that are worth telling. Firmware lives by loads of less than a word from its flash, which it emulates.
const REPORTED: [Cause; 5] = [
    Cause::IllegalInstruction,
    Cause::LoadStoreAlignment,
    Cause::FetchProhibited,
    Cause::LoadProhibited,
    Cause::StoreProhibited,
];

/// What sets one chip apart from another.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the random numbers start.
    pub seed: u64,
    /// The last three octets of the factory MAC address; it begins with 18:FE:34.
    pub address_end: [u8; 3],
    /// How much flash there is, rounded up to 64 KiB.
    pub flash_bytes: u32,
}

impl Default for Config {
    /// Seed 0, 4 MiB of flash.
    fn default() -> Self {
        Self { seed: 0, address_end: [0x00, 0x00, 0x01], flash_bytes: chip::ESP8266.flash.size_bytes }
    }
}

/// An ESP8266.
pub struct Esp8266 {
    core: Lx106,
    memory: Memory,
    soc: Soc,
    /// What runs after a reset.
    boots: Boots,
    symbols: Option<Symbols>,
    events: Vec<Event>,
    halted: bool,
    told_events: usize,
    told_output: [usize; 2],
    told_radio_frames: usize,
    told_overflow: [u64; 2],
    told_exceptions: BTreeMap<(u32, u8), u32>,
}

/// What its core has translated is for chips that come.
impl Drop for Esp8266 {
    fn drop(&mut self) {
        self.core.hand_on(&mut self.memory);
    }
}

impl Esp8266 {
    /// A chip at power-on, without an image: nothing runs until there is one.
    pub fn new(config: &Config) -> Self {
        let mut memory = Memory::new();
        for (address, length, access) in [
            (DRAM, DRAM_BYTES, Access::READ_WRITE),
            (ROM_RAM, ROM_RAM_BYTES, Access::READ_WRITE),
            (IRAM, IRAM_BYTES, Access::READ_WRITE_EXECUTE),
        ] {
            let store = memory.add_store(length);
            let mapped = memory.map(Window { address, length, store, offset: 0, access });
            debug_assert!(mapped.is_ok(), "the map has whole pages");
        }
        let soc = Soc::new(config.seed, config.address_end, config.flash_bytes, &mut memory);
        let mut core = Lx106::new(loading::RESET_VECTOR);
        core.hook_range(rom::CODE);
        core.stop_at_exceptions(&REPORTED);
        Self {
            core,
            memory,
            soc,
            boots: Boots::Nothing,
            symbols: None,
            events: Vec::new(),
            halted: true,
            told_events: 0,
            told_output: [0; 2],
            told_radio_frames: 0,
            told_overflow: [0; 2],
            told_exceptions: BTreeMap::new(),
        }
    }

    /// The chip's present.
    pub fn now(&self) -> Instant {
        instant_of(self.now_ticks())
    }

    /// Who called whom, now.
    pub fn backtrace(&self) -> Backtrace {
        self.backtrace_at(self.core.pc(), Stands::Before)
    }

    /// The function that an address belongs to, and how far into it the address is.
    pub fn function_at(&self, address: u32) -> Option<(&str, u32)> {
        if rom::CODE.contains(&address) {
            return rom::name_of(address).map(|name| (name, 0));
        }
        self.symbols.as_ref()?.function_at(address)
    }

    /// The instruction that [`Self::step`] would execute.
    pub fn next_instruction(&self) -> NextInstruction {
        let address = self.core.pc();
        let mut bytes = [0; 4];
        // The last instruction of a region may be short.
        let readable = self.memory.read_slice(address, &mut bytes[..3]).is_ok()
            || self.memory.read_slice(address, &mut bytes[..2]).is_ok();
        let text = match rom::name_of(address) {
            Some(name) => format!("<{name}>"),
            _ if readable => disassemble(address, u32::from_le_bytes(bytes)),
            _ => "?".to_owned(),
        };
        let function = self.function_at(address).map(|(name, offset)| (name.to_owned(), offset));
        NextInstruction { at: self.now(), address, text, function, is_asleep: self.core.is_waiting() }
    }

    /// Somebody outside drives a pin, GPIO0 to GPIO15.
    pub fn drive_pin(&mut self, pin: u8, high: bool) {
        let now = self.now_ticks();
        self.soc.with_device(map::DeviceName::Gpio, now, |devices, registers| {
            devices.gpio.drive(pin & 15, high, registers);
        });
    }

    /// Somebody outside holds the converter's pin TOUT at so many millivolts; from 1,000 on it reads as full.
    pub fn drive_tout(&mut self, millivolts: u32) {
        self.soc.devices.sar.tout_mv = millivolts;
    }

    /// The level of every pin, GPIO0 in the lowest bit.
    pub fn pin_levels(&self) -> u32 {
        self.soc.devices.gpio.levels()
    }

    fn backtrace_at(&self, pc: u32, stands: Stands) -> Backtrace {
        let addresses = callers(&self.memory, pc, self.core.register(0), self.core.register(1));
        Backtrace::new(addresses, Method::StackScan, stands, |address| match &self.symbols {
            Some(symbols) if !rom::CODE.contains(&address) => symbols.places(address),
            _ => {
                let function = self.function_at(address).map(|(name, _)| name.to_owned());
                vec![Place { function, line: None, inlined: false }]
            }
        })
    }

    fn now_ticks(&self) -> Ticks {
        self.soc.clock.ticks(self.core.cycle())
    }

    /// UART0 and UART1.
    fn output_of(&mut self, uart: usize) -> &mut Vec<u8> {
        let devices = &mut self.soc.devices;
        let uart = if uart == 0 { &mut devices.uart0 } else { &mut devices.uart1 };
        &mut uart.line.output
    }
}
