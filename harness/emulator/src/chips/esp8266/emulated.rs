//! The ESP8266 as one chip of several: what [`EmulatedChip`] asks of it.

use chip::{Chip, ESP8266, PortId};
use clock::Instant;

use super::map::{DeviceName, MAP};
use super::{Config, Esp8266, ResetCause};
use crate::machine::access::AccessKind;
use crate::machine::backtrace::Backtrace;
use crate::machine::chip::{
    Debuggee, EmulatedChip, JtagPins, Model, NextInstruction, Pause, RadioFrame, Reset, Settings, Tier,
};
use crate::machine::event::Event;
use crate::machine::image::{Image, ImageError};
use crate::machine::map;
use crate::machine::memory::NotDirect;
use crate::machine::snapshot::{Snapshot, SnapshotError};
use crate::machine::symbols::Symbols;

/// The ESP8266.
pub static MODEL: Model = Model {
    chip: &ESP8266,
    power_on: |settings| Box::new(Esp8266::new(&settings.into())),
    map: || map::printed(MAP),
    takes_rom: false,
    // There is no ROM but the modelled one: what it does not have is told when it is called.
    unmodelled_rom_call: |elf| Image::parse(&ESP8266, elf).map(|_| None),
};

impl From<&Settings> for Config {
    fn from(settings: &Settings) -> Self {
        let usual = Self::default();
        Self { seed: settings.seed, flash_bytes: settings.flash_bytes.unwrap_or(usual.flash_bytes), ..usual }
    }
}

/// Which UART a port is.
fn uart_of(port: PortId) -> Option<usize> {
    ["uart0", "uart1"].into_iter().position(|name| PortId::new(name) == port)
}

impl EmulatedChip for Esp8266 {
    fn chip(&self) -> &'static Chip {
        &ESP8266
    }

    fn now(&self) -> Instant {
        Self::now(self)
    }

    fn run_until(&mut self, deadline: Instant) -> Pause {
        Self::run_until(self, deadline)
    }

    fn reset(&mut self, reset: Reset) {
        self.start(match reset {
            Reset::PowerOn => ResetCause::PowerOn,
            Reset::Debugger => ResetCause::External,
        });
    }

    fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError> {
        Self::load_elf(self, elf)
    }

    fn boot_from_flash(&mut self) {
        Self::boot_from_flash(self);
    }

    fn flash_content(&self) -> Vec<u8> {
        self.soc.flash.content(&self.memory)
    }

    fn set_flash_content(&mut self, content: &[u8]) -> Result<(), ImageError> {
        Self::set_flash_content(self, content)
    }

    fn know_symbols(&mut self, elf: &[u8]) {
        self.symbols = Some(Symbols::new(elf));
    }

    fn serial_input(&mut self, port: PortId, bytes: &[u8]) {
        let now = self.now_ticks();
        let name = match uart_of(port) {
            Some(0) => DeviceName::Uart0,
            Some(_) => DeviceName::Uart1,
            None => return,
        };
        self.soc.with_device(name, now, |devices, registers| {
            let uart = if name == DeviceName::Uart0 { &mut devices.uart0 } else { &mut devices.uart1 };
            uart.line_sends(bytes, registers, now);
        });
    }

    fn take_serial_output(&mut self, port: PortId) -> Vec<u8> {
        let Some(uart) = uart_of(port) else { return Vec::new() };
        self.told_output[uart] = 0;
        std::mem::take(self.output_of(uart))
    }

    fn radio_input(&mut self, frame: RadioFrame) {
        let now = self.now_ticks();
        self.soc.devices.wifi_mac.antenna.hear(frame, now);
    }

    fn take_radio_output(&mut self) -> Vec<RadioFrame> {
        self.told_radio_frames = 0;
        std::mem::take(&mut self.soc.devices.wifi_mac.antenna.output)
    }

    fn take_events(&mut self) -> Vec<Event> {
        self.told_events = 0;
        std::mem::take(&mut self.events)
    }

    fn instructions_retired(&self) -> u64 {
        self.core.instructions_retired()
    }

    fn memory_bytes(&self) -> usize {
        self.memory.footprint_bytes() + self.soc.footprint_bytes()
    }

    fn execute_by(&mut self, tier: Tier) {
        self.core.execute_by(tier);
    }

    fn map(&self) -> String {
        (MODEL.map)()
    }

    fn snapshot(&self) -> Option<Snapshot> {
        Some(Self::snapshot(self))
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        Self::restore(self, snapshot)
    }

    /// The chip's JTAG pins are not modelled.
    fn jtag(&mut self) -> Option<&mut dyn JtagPins> {
        None
    }
}

impl Debuggee for Esp8266 {
    fn step(&mut self) -> Pause {
        Self::step(self)
    }

    fn pc(&self) -> u32 {
        self.core.pc()
    }

    fn set_pc(&mut self, pc: u32) {
        self.core.set_pc(pc);
    }

    fn register(&self, number: u8) -> u32 {
        self.core.register(number)
    }

    fn set_register(&mut self, number: u8, value: u32) {
        self.core.set_register(number, value);
    }

    fn system_register(&self, number: u16) -> Option<u32> {
        self.core.special(u8::try_from(number).ok()?)
    }

    fn set_system_register(&mut self, number: u16, value: u32) -> bool {
        u8::try_from(number).is_ok_and(|number| self.core.set_special(number, value))
    }

    /// Memory; and registers of devices, which are looked at without the effects of reading them.
    fn read_memory(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
        self.memory.read_slice_or(address, bytes, |at| self.soc.peek(at, self.now_ticks()))
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), NotDirect> {
        self.memory.write_slice(address, bytes)
    }

    fn add_breakpoint(&mut self, address: u32) {
        self.core.add_breakpoint(address);
    }

    fn remove_breakpoint(&mut self, address: u32) {
        self.core.remove_breakpoint(address);
    }

    fn add_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.core.add_watchpoint(address, length, kind);
    }

    fn remove_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.core.remove_watchpoint(address, length, kind);
    }

    fn attach_debugger(&mut self, attached: bool) {
        self.core.stop_at_break(attached);
    }

    fn is_in_debug_mode(&self) -> bool {
        false
    }

    fn backtrace(&self) -> Backtrace {
        Self::backtrace(self)
    }

    fn next_instruction(&self) -> NextInstruction {
        Self::next_instruction(self)
    }
}
