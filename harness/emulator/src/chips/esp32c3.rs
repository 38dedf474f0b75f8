//! The ESP32-C3: its memory, devices and mask ROM round one hart.
//!
//! [`Esp32c3::run_until`] advances the chip to an instant, or to something that its owner should see first: serial
//! output, an [`Event`]. Idle time costs nothing. [`Esp32c3::map`] prints what is modelled and what is not.
//!
//! A debugger reaches the chip by its JTAG pins ([`Esp32c3::jtag_rise`]), as probe-rs and OpenOCD do.
//!
//! An image is loaded, or booted from the flash, as the second-stage bootloader leaves the chip: segments in RAM, flash
//! pages shown, PLL running, RTC watchdog armed. The milliseconds that ROM and bootloader take on a board (about 300)
//! are not spent.

mod bootable;
mod debugging;
mod emulated;
mod flash_state;
mod loading;
mod map;
pub(crate) mod registers;
mod rom;
mod running;
mod snapshot;
mod soc;
mod source;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use clock::Instant;

use crate::cores::riscv::{Cause, Hart, Stack, disassemble};
use crate::machine::debug::Transport;
use crate::machine::memory::{Access, Memory, NotDirect, PAGE_BYTES as WINDOW_BYTES, Store, Window};
use crate::machine::rtt::Rtt;

pub use crate::devices::espressif::efuse::{Fuses, Revision};
pub use crate::devices::espressif::reset::ResetCause;
pub use crate::machine::backtrace::{Backtrace, Frame, Method};
pub use crate::machine::chip::{JtagAccess, NextInstruction, Pause, RadioFrame, Rom};
pub use crate::machine::event::{Event, EventKind};
pub use crate::machine::image::ImageError;
pub use crate::machine::symbols::SourceLine;
pub use emulated::MODEL;

use crate::devices::espressif::time::{Ticks, instant_of};
use crate::machine::backtrace::Stands;
use crate::machine::image::Image;
use crate::machine::symbols::{Place, Symbols};
use debugging::Debugging;
use loading::Boots;
use map::DeviceName;
use soc::Soc;

const SRAM1: u32 = 0x6_0000;
const DRAM: u32 = 0x3fc8_0000;
const IRAM: u32 = 0x4038_0000;
const ICACHE_RAM: u32 = 0x4037_c000;
const ICACHE_RAM_BYTES: u32 = 0x4000;
const RTC_FAST: u32 = 0x5000_0000;
const RTC_FAST_BYTES: u32 = 0x2000;
const ROM_CODE_BYTES: u32 = 0x6_0000;
const ROM_DATA: u32 = 0x3ff0_0000;
const ROM_DATA_BYTES: u32 = 0x2_0000;

/// Exceptions that are worth telling. Environment calls are how some firmware yields.
const REPORTED: [Cause; 7] = [
    Cause::InstructionAccessFault,
    Cause::IllegalInstruction,
    Cause::Breakpoint,
    Cause::LoadAddressMisaligned,
    Cause::LoadAccessFault,
    Cause::StoreAddressMisaligned,
    Cause::StoreAccessFault,
];

/// What sets one chip apart from another.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the random numbers start.
    pub seed: u64,
    /// The chip's version. esp-hal calls functions that the ROM has since v0.3.
    pub revision: Revision,
    /// The factory MAC address, as it is written: the first byte first.
    pub mac: [u8; 6],
    /// How much flash there is, rounded up to 64 KiB.
    pub flash_bytes: u32,
    /// The mask ROM.
    pub rom: Rom,
    /// What its eFuses leave of JTAG.
    pub jtag: JtagAccess,
}

impl Default for Config {
    /// Seed 0, revision v0.4, an Espressif address, 4 MiB of flash, the ROM modelled.
    fn default() -> Self {
        Self {
            seed: 0,
            revision: Revision { major: 0, minor: 4 },
            mac: [0x60, 0x55, 0xf9, 0x00, 0x00, 0x01],
            flash_bytes: chip::ESP32C3.flash.size_bytes,
            rom: Rom::Modelled,
            jtag: JtagAccess::Open,
        }
    }
}

/// A serial port of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SerialPort {
    /// The USB-Serial-JTAG controller's serial port.
    UsbSerialJtag,
    /// UART0, the ROM's console.
    Uart0,
    /// UART1.
    Uart1,
}

/// An ESP32-C3.
pub struct Esp32c3 {
    hart: Hart,
    memory: Memory,
    soc: Soc,
    /// What runs after a reset.
    boots: Boots,
    /// The JTAG port; away only while it acts.
    jtag: Option<Box<Transport>>,
    debugging: Debugging,
    symbols: Option<Symbols>,
    /// The names in a real ROM.
    rom_symbols: Option<Symbols>,
    /// Why the ROM's ELF file could not be read.
    rom_error: Option<ImageError>,
    /// Where a real ROM keeps the first values of its variables.
    rom_data: Option<rom::InitialData>,
    /// Where the firmware's panic handler begins.
    panic_entries: BTreeSet<u32>,
    /// What the firmware leaves in its RAM for a debug probe.
    rtt: Rtt,
    /// When that is looked at next, if there is any.
    rtt_due: Ticks,
    events: Vec<Event>,
    halted: bool,
    rom_is_modelled: bool,
    told_events: usize,
    told_output: [usize; 3],
    told_radio_frames: usize,
    told_overflow: [u64; 2],
    told_exceptions: BTreeMap<(u32, u8), u32>,
}

/// What its hart has translated is for chips that come.
impl Drop for Esp32c3 {
    fn drop(&mut self) {
        self.hart.hand_on(&mut self.memory);
    }
}

impl Esp32c3 {
    /// A chip at power-on, without an image: nothing runs until one is loaded.
    ///
    /// That the bytes of [`Rom::Elf`] are not an ELF file is reported by [`Self::load_elf`].
    pub fn new(config: Config) -> Self {
        let mut memory = Memory::new();
        let sram = memory.add_store(SRAM1);
        let icache = memory.add_store(ICACHE_RAM_BYTES);
        let rtc_fast = memory.add_store(RTC_FAST_BYTES);
        show(&mut memory, DRAM, SRAM1, sram, Access::READ_WRITE);
        show(&mut memory, IRAM, SRAM1, sram, Access::READ_WRITE_EXECUTE);
        show(&mut memory, ICACHE_RAM, ICACHE_RAM_BYTES, icache, Access::READ_WRITE_EXECUTE);
        show(&mut memory, RTC_FAST, RTC_FAST_BYTES, rtc_fast, Access::READ_WRITE_EXECUTE);
        let mut hart = Hart::new(loading::RESET_VECTOR);
        hart.stop_at_exceptions(&REPORTED);
        let (mut rom_symbols, mut rom_error, mut rom_data) = (None, None, None);
        let rom_is_modelled = match &config.rom {
            Rom::Modelled => {
                hart.hook_range(rom::CODE);
                let tables = memory.add_store(rom::TABLES_BYTES);
                show(&mut memory, rom::TABLES, rom::TABLES_BYTES, tables, Access::READ);
                true
            }
            Rom::Elf(elf) => {
                let code = memory.add_store(ROM_CODE_BYTES);
                let data = memory.add_store(ROM_DATA_BYTES);
                show(&mut memory, rom::CODE.start, ROM_CODE_BYTES, code, Access::READ_EXECUTE);
                show(&mut memory, ROM_DATA, ROM_DATA_BYTES, data, Access::READ);
                let segments = Image::parse_rom(elf).map(|image| image.segments);
                let segments = segments.unwrap_or_else(|error| {
                    rom_error = Some(error);
                    Vec::new()
                });
                for segment in segments {
                    // Sections outside of ROM and RAM are of no use to anybody.
                    let _ = memory.write_slice(segment.address, &segment.bytes);
                }
                rom_data = rom::InitialData::find(elf);
                if let Some(data) = rom_data {
                    data.put_behind_code(&mut memory);
                }
                rom_symbols = Some(Symbols::new(elf));
                false
            }
        };
        Self {
            hart,
            memory,
            soc: Soc::new(config.seed, config.revision, config.mac, config.flash_bytes),
            boots: Boots::Nothing,
            jtag: Some(Box::new(debugging::transport(config.jtag))),
            debugging: Debugging::new(),
            symbols: None,
            rom_symbols,
            rom_error,
            rom_data,
            panic_entries: BTreeSet::new(),
            rtt: Rtt::default(),
            rtt_due: 0,
            events: Vec::new(),
            halted: true,
            rom_is_modelled,
            told_events: 0,
            told_output: [0; 3],
            told_radio_frames: 0,
            told_overflow: [0; 2],
            told_exceptions: BTreeMap::new(),
        }
    }

    /// What the model has of the chip, a line for each stretch of addresses.
    pub fn map() -> String {
        crate::machine::map::printed(map::MAP)
    }

    /// The chip's present.
    pub fn now(&self) -> Instant {
        instant_of(self.now_ticks())
    }

    /// The host sends bytes to a port.
    ///
    /// USB is flow-controlled: bytes wait until the chip has room. A UART paces them by its baud rate, and loses what
    /// arrives while its FIFO of 128 bytes is full.
    pub fn serial_input(&mut self, port: SerialPort, bytes: &[u8]) {
        let now = self.now_ticks();
        let name = match port {
            SerialPort::UsbSerialJtag => DeviceName::UsbSerialJtag,
            SerialPort::Uart0 => DeviceName::Uart0,
            SerialPort::Uart1 => DeviceName::Uart1,
        };
        self.soc.with_device(name, now, |devices, registers| match port {
            SerialPort::UsbSerialJtag => devices.usb.host_sends(bytes, now),
            SerialPort::Uart0 => devices.uart0.line_sends(bytes, registers, now),
            SerialPort::Uart1 => devices.uart1.line_sends(bytes, registers, now),
        });
    }

    /// What the chip has sent over a port since the last call.
    pub fn take_serial_output(&mut self, port: SerialPort) -> Vec<u8> {
        self.told_output[port as usize] = 0;
        std::mem::take(self.output_of(port))
    }

    /// A frame reaches the chip's antenna. It may begin now or a little later.
    pub fn radio_input(&mut self, frame: RadioFrame) {
        let now = self.now_ticks();
        self.soc.devices.wifi_mac.antenna.hear(frame, now);
    }

    /// The frames that have left the chip's antenna since the last call. The last may not have begun yet.
    pub fn take_radio_output(&mut self) -> Vec<RadioFrame> {
        self.told_radio_frames = 0;
        std::mem::take(&mut self.soc.devices.wifi_mac.antenna.output)
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.told_events = 0;
        std::mem::take(&mut self.events)
    }

    /// Who called whom, now.
    pub fn backtrace(&self) -> Backtrace {
        self.backtrace_at(self.hart.pc(), Stands::Before)
    }

    /// The function that an address belongs to, and how far into it the address is.
    pub fn function_at(&self, address: u32) -> Option<(&str, u32)> {
        if rom::CODE.contains(&address) {
            return match &self.rom_symbols {
                Some(symbols) => symbols.function_at(address),
                None => rom::functions().get(&address).map(|name| (*name, 0)),
            };
        }
        self.symbols.as_ref()?.function_at(address)
    }

    /// The instruction that [`Self::step`] would execute.
    pub fn next_instruction(&self) -> NextInstruction {
        let address = self.hart.pc();
        let mut bytes = [0; 4];
        // The last instruction of a region may be short.
        let readable = self.memory.read_slice(address, &mut bytes).is_ok()
            || self.memory.read_slice(address, &mut bytes[..2]).is_ok();
        let text = match rom::functions().get(&address) {
            Some(name) if self.rom_is_modelled => format!("<{name}>"),
            _ if readable => disassemble(address, u32::from_le_bytes(bytes)),
            _ => "?".to_string(),
        };
        let function = self.function_at(address).map(|(name, offset)| (name.to_string(), offset));
        NextInstruction { at: self.now(), address, text, function, is_asleep: self.hart.is_asleep() }
    }

    /// Instructions retired since power-on. ROM functions that are modelled count none.
    pub fn instructions_retired(&self) -> u64 {
        self.hart.instructions_retired()
    }

    /// Bytes of memory that this chip holds on the host: RAM, ROM, the flash pages that hold something, and registers.
    pub fn memory_bytes(&self) -> usize {
        self.memory.footprint_bytes() + self.soc.footprint_bytes()
    }

    /// Somebody outside drives a pin. A pin that nobody drives reads what its pull says, and high without one.
    pub fn drive_pin(&mut self, pin: u8, high: bool) {
        let now = self.now_ticks();
        self.soc.with_device(DeviceName::Gpio, now, |devices, registers| devices.gpio.drive(pin, high, registers));
    }

    /// Somebody outside puts a voltage at a pin with a converter, GPIO0 to GPIO5; they are at ground otherwise.
    pub fn set_analog_input(&mut self, pin: u8, millivolts: u16) {
        self.soc.devices.sar_adc.set_input(pin, millivolts);
    }

    /// What is burnt into the chip's eFuses.
    pub fn fuses(&self) -> &Fuses {
        self.soc.devices.efuse.fuses()
    }

    /// Burns eFuses, as a factory or an earlier run did: bits that are burnt stay so.
    pub fn burn_fuses(&mut self, more: &Fuses) {
        let now = self.now_ticks();
        self.soc.with_device(DeviceName::Efuse, now, |devices, registers| devices.efuse.burn(more, registers));
    }

    /// The level of every pin, GPIO0 in the lowest bit.
    pub fn pin_levels(&self) -> u32 {
        self.soc.devices.gpio.levels()
    }

    /// The hart: registers, program counter, CSRs.
    pub fn hart(&self) -> &Hart {
        &self.hart
    }

    /// The hart, for a debugger to change.
    pub fn hart_mut(&mut self) -> &mut Hart {
        &mut self.hart
    }

    /// Reads memory as a debugger does: RAM, ROM and flash, not devices.
    ///
    /// # Errors
    /// If an address is not memory.
    pub fn read_memory(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
        self.memory.read_slice(address, bytes)
    }

    /// Writes memory as a debugger does.
    ///
    /// # Errors
    /// If an address is not memory.
    pub fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), NotDirect> {
        self.memory.write_slice(address, bytes)
    }

    /// With a debugger attached, `ebreak` stops the chip instead of raising an exception.
    pub fn attach_debugger(&mut self, attached: bool) {
        self.debugging.without_pins = attached;
        self.settle_breaks();
    }

    fn backtrace_at(&self, pc: u32, stands: Stands) -> Backtrace {
        let mut registers = [0; 32];
        for (n, register) in registers.iter_mut().enumerate() {
            *register = self.hart.register(n as u8);
        }
        let stack = Stack { memory: &self.memory, symbols: self.symbols.as_ref() };
        let (addresses, method) = stack.unwind(pc, stands, registers);
        Backtrace::new(addresses, method, stands, |address| match &self.symbols {
            Some(symbols) if !rom::CODE.contains(&address) => symbols.places(address),
            _ => {
                let function = self.function_at(address).map(|(name, _)| name.to_string());
                vec![Place { function, line: None, inlined: false }]
            }
        })
    }

    fn now_ticks(&self) -> Ticks {
        self.soc.clock.ticks(self.hart.cycle())
    }

    fn output_of(&mut self, port: SerialPort) -> &mut Vec<u8> {
        match port {
            SerialPort::UsbSerialJtag => &mut self.soc.devices.usb.output,
            SerialPort::Uart0 => &mut self.soc.devices.uart0.line.output,
            SerialPort::Uart1 => &mut self.soc.devices.uart1.line.output,
        }
    }
}

fn show(memory: &mut Memory, address: u32, length: u32, store: Store, access: Access) {
    debug_assert!(address.is_multiple_of(WINDOW_BYTES));
    let shown = memory.map(Window { address, length, store, offset: 0, access });
    debug_assert!(shown.is_ok(), "the chip's own windows fit");
}
