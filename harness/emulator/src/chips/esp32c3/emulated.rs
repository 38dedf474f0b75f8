//! The ESP32-C3 as one chip of several: what [`EmulatedChip`] asks of it.

use chip::{Chip, ESP32C3, PortId};
use clock::Instant;

use crate::machine::access::AccessKind;
use crate::machine::chip::{
    Debuggee, EmulatedChip, JtagPins, KeptStateError, Model, RadioFrame, Reset, Settings, Tier,
};
use crate::machine::memory::NotDirect;
use crate::machine::snapshot::{Snapshot, SnapshotError};

use super::{Backtrace, Config, Esp32c3, Event, ImageError, NextInstruction, Pause, ResetCause, SerialPort};

/// The ESP32-C3.
pub static MODEL: Model = Model {
    chip: &ESP32C3,
    power_on: |settings| Box::new(Esp32c3::new(settings.into())),
    map: Esp32c3::map,
    takes_rom: true,
    unmodelled_rom_call: Esp32c3::unmodelled_rom_call,
};

impl From<&Settings> for Config {
    fn from(settings: &Settings) -> Self {
        let Settings { seed, flash_bytes, rom, jtag } = settings.clone();
        let usual = Self::default();
        Self { seed, flash_bytes: flash_bytes.unwrap_or(usual.flash_bytes), rom, jtag, ..usual }
    }
}

impl SerialPort {
    /// The port that `chip` calls so.
    fn of(port: PortId) -> Option<Self> {
        [Self::UsbSerialJtag, Self::Uart0, Self::Uart1].into_iter().find(|known| known.id() == port)
    }

    /// What `chip` calls it.
    pub fn id(self) -> PortId {
        PortId::new(match self {
            Self::UsbSerialJtag => "usb",
            Self::Uart0 => "uart0",
            Self::Uart1 => "uart1",
        })
    }
}

impl EmulatedChip for Esp32c3 {
    fn chip(&self) -> &'static Chip {
        &ESP32C3
    }

    fn now(&self) -> Instant {
        Self::now(self)
    }

    fn run_until(&mut self, deadline: Instant) -> Pause {
        Self::run_until(self, deadline)
    }

    fn reset(&mut self, reset: Reset) {
        let cause = match reset {
            Reset::PowerOn => ResetCause::PowerOn,
            Reset::Debugger => ResetCause::UsbJtag,
        };
        Self::reset(self, cause);
    }

    fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError> {
        Self::load_elf(self, elf)
    }

    fn boot_from_flash(&mut self) {
        Self::boot_from_flash(self);
    }

    fn flash_content(&self) -> Vec<u8> {
        Self::flash_content(self)
    }

    fn set_flash_content(&mut self, content: &[u8]) -> Result<(), ImageError> {
        Self::set_flash_content(self, content)
    }

    fn kept_state(&self) -> Vec<u8> {
        self.flash_state()
    }

    fn set_kept_state(&mut self, state: &[u8]) -> Result<(), KeptStateError> {
        self.set_flash_state(state)
    }

    fn know_symbols(&mut self, elf: &[u8]) {
        Self::know_symbols(self, elf);
    }

    fn serial_input(&mut self, port: PortId, bytes: &[u8]) {
        if let Some(port) = SerialPort::of(port) {
            Self::serial_input(self, port, bytes);
        }
    }

    fn take_serial_output(&mut self, port: PortId) -> Vec<u8> {
        if port == chip::RTT {
            return self.rtt.take_output();
        }
        SerialPort::of(port).map_or_else(Vec::new, |port| Self::take_serial_output(self, port))
    }

    fn radio_input(&mut self, frame: RadioFrame) {
        Self::radio_input(self, frame);
    }

    fn take_radio_output(&mut self) -> Vec<RadioFrame> {
        Self::take_radio_output(self)
    }

    fn take_events(&mut self) -> Vec<Event> {
        Self::take_events(self)
    }

    fn instructions_retired(&self) -> u64 {
        Self::instructions_retired(self)
    }

    fn memory_bytes(&self) -> usize {
        Self::memory_bytes(self)
    }

    fn execute_by(&mut self, tier: Tier) {
        self.hart.execute_by(tier);
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

    fn jtag(&mut self) -> Option<&mut dyn JtagPins> {
        Some(self)
    }
}

impl JtagPins for Esp32c3 {
    fn rise(&mut self, tms: bool, tdi: bool) {
        self.jtag_rise(tms, tdi);
    }

    fn tdo(&self) -> bool {
        self.jtag_tdo()
    }

    fn reset(&mut self) {
        self.jtag_reset();
    }
}

impl Debuggee for Esp32c3 {
    fn step(&mut self) -> Pause {
        Self::step(self)
    }

    fn pc(&self) -> u32 {
        self.hart.pc()
    }

    fn set_pc(&mut self, pc: u32) {
        self.hart.set_pc(pc);
    }

    fn register(&self, number: u8) -> u32 {
        self.hart.register(number)
    }

    fn set_register(&mut self, number: u8, value: u32) {
        self.hart.set_register(number, value);
    }

    fn system_register(&self, number: u16) -> Option<u32> {
        self.hart.csr(number)
    }

    fn set_system_register(&mut self, number: u16, value: u32) -> bool {
        self.hart.set_csr(number, value)
    }

    /// Memory; and registers of devices, which are looked at without the effects of reading them.
    fn read_memory(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
        self.memory.read_slice_or(address, bytes, |at| self.soc.peek(at, self.now_ticks()))
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), NotDirect> {
        Self::write_memory(self, address, bytes)
    }

    fn add_breakpoint(&mut self, address: u32) {
        self.hart.add_breakpoint(address);
    }

    fn remove_breakpoint(&mut self, address: u32) {
        self.hart.remove_breakpoint(address);
    }

    fn add_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.hart.add_watchpoint(address, length, kind);
    }

    fn remove_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.hart.remove_watchpoint(address, length, kind);
    }

    fn attach_debugger(&mut self, attached: bool) {
        Self::attach_debugger(self, attached);
    }

    fn is_in_debug_mode(&self) -> bool {
        Self::is_in_debug_mode(self)
    }

    fn backtrace(&self) -> Backtrace {
        Self::backtrace(self)
    }

    fn next_instruction(&self) -> NextInstruction {
        Self::next_instruction(self)
    }
}
