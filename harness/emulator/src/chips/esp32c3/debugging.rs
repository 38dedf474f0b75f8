//! The chip under a debugger at its JTAG pins: the hart's debug mode, and what a debug module does to the chip.
//!
//! While the hart is in debug mode time passes, and devices, watchdogs among them, go on. A reset of the digital core
//! that a debugger asks for by RTC_CNTL's register leaves a halted hart halted, at its reset vector: probe-rs's sequence
//! for this chip relies on it.

use serde::{Deserialize, Serialize};

use crate::cores::riscv::{Bus, Privilege, Stop, Width, csr_number};
use crate::machine::debug::{DebugModule, HaltCause, Target, Transport, Unavailable};

use super::{Esp32c3, JtagAccess, Pause, ResetCause, rom};

/// What the chip's port calls itself: part 5 of Espressif (JEP106 bank 13, 0x12).
const IDCODE: u32 = 0x0000_5c25;

/// Debug registers (RISC-V External Debug Support 0.13.2, section 4.8).
const DCSR: u16 = 0x7b0;
const DPC: u16 = 0x7b1;
const DSCRATCH0: u16 = 0x7b2;
const DSCRATCH1: u16 = 0x7b3;
/// General registers, as abstract commands number them.
const X0: u16 = 0x1000;
const X31: u16 = 0x101f;

/// `dcsr.xdebugver`: 0.13.
const DCSR_VERSION: u32 = 4 << 28;
const DCSR_BREAK_IN_MACHINE_MODE: u32 = 1 << 15;
const DCSR_BREAK_IN_USER_MODE: u32 = 1 << 12;
const DCSR_STEP_INTERRUPTS: u32 = 1 << 11;
const DCSR_CAUSE_SHIFT: u32 = 6;
const DCSR_STEP: u32 = 1 << 2;
const DCSR_PRIVILEGE: u32 = 3;
const DCSR_WRITABLE: u32 =
    DCSR_BREAK_IN_MACHINE_MODE | DCSR_BREAK_IN_USER_MODE | DCSR_STEP_INTERRUPTS | DCSR_STEP | DCSR_PRIVILEGE;

/// The hart's debug mode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Debugging {
    /// The hart is in debug mode.
    pub(super) halted: bool,
    /// A debugger that needs no pins takes every `ebreak`: gdb.
    pub(super) without_pins: bool,
    has_reset: bool,
    halt_on_reset: bool,
    control: u32,
    scratch: [u32; 2],
}

impl Debugging {
    pub(super) const fn new() -> Self {
        Self {
            halted: false,
            without_pins: false,
            has_reset: true,
            halt_on_reset: false,
            control: control_at_reset(),
            scratch: [0; 2],
        }
    }

    /// The hart has been reset; whether it is to stay in, or to enter, debug mode.
    pub(super) fn note_reset(&mut self) -> bool {
        self.has_reset = true;
        self.halted |= self.halt_on_reset;
        self.control = control_at_reset();
        self.halted
    }

    /// Whether `ebreak` enters debug mode. The two modes are not told apart.
    const fn breaks(&self) -> bool {
        self.control & (DCSR_BREAK_IN_MACHINE_MODE | DCSR_BREAK_IN_USER_MODE) != 0
    }
}

/// `dcsr` out of reset: no `ebreak` enters debug mode.
const fn control_at_reset() -> u32 {
    DCSR_PRIVILEGE
}

/// The chip's JTAG port.
pub(super) fn transport(access: JtagAccess) -> Transport {
    let locked = access == JtagAccess::Locked;
    Transport::new(IDCODE, access == JtagAccess::FusedOff, DebugModule::new(locked))
}

impl Esp32c3 {
    /// TCK rises at the chip's JTAG port. What the debugger asks for thereby has happened when this comes back.
    pub fn jtag_rise(&mut self, tms: bool, tdi: bool) {
        let Some(mut port) = self.jtag.take() else { return };
        port.rise(tms, tdi, self);
        self.jtag = Some(port);
    }

    /// TDO of the chip's JTAG port, between two edges of TCK.
    pub fn jtag_tdo(&self) -> bool {
        self.jtag.as_ref().is_none_or(|port| port.tdo())
    }

    /// TRST.
    pub fn jtag_reset(&mut self) {
        if let Some(port) = &mut self.jtag {
            port.reset();
        }
    }

    /// At power-on nobody has asked for anything yet.
    pub(super) fn forget_debugger(&mut self) {
        let without_pins = self.debugging.without_pins;
        self.debugging = Debugging { without_pins, ..Debugging::new() };
        self.hart.suspend_triggers(false);
        if let Some(port) = &mut self.jtag {
            port.power_on();
        }
    }

    /// Whether a debugger has halted the hart.
    pub fn is_in_debug_mode(&self) -> bool {
        self.debugging.halted
    }

    /// The hart enters debug mode.
    pub(super) fn enter_debug_mode(&mut self, cause: HaltCause) {
        let privilege = if self.hart.privilege() == Privilege::Machine { 3 } else { 0 };
        let debugging = &mut self.debugging;
        debugging.halted = true;
        debugging.control =
            debugging.control & DCSR_WRITABLE & !DCSR_PRIVILEGE | (cause as u32) << DCSR_CAUSE_SHIFT | privilege;
        // A sleeping hart wakes, and a chip that could not go on may be told by the debugger where to.
        let pc = self.hart.pc();
        self.hart.set_pc(pc);
        self.hart.suspend_triggers(true);
        self.halted = false;
    }

    /// What a stop of the hart is to a debugger at the port; `false` if nothing.
    pub(super) fn debugger_takes(&mut self, stop: Stop) -> bool {
        let cause = match stop {
            Stop::EnvironmentBreak if self.debugging.breaks() => HaltCause::EnvironmentBreak,
            Stop::Trigger => HaltCause::Trigger,
            _ => return false,
        };
        self.enter_debug_mode(cause);
        true
    }

    fn set_debug_control(&mut self, value: u32) {
        let cause = self.debugging.control & 7 << DCSR_CAUSE_SHIFT;
        let control = value & DCSR_WRITABLE | cause;
        // There are two modes: what is not the user's is the machine's.
        self.debugging.control = if control & DCSR_PRIVILEGE == 0 { control } else { control | DCSR_PRIVILEGE };
        self.settle_breaks();
    }

    /// Lets the hart stop at `ebreak` if a debugger wants that.
    pub(super) fn settle_breaks(&mut self) {
        self.hart.stop_at_environment_break(self.debugging.breaks() || self.debugging.without_pins);
    }

    fn step_in_debug_mode(&mut self) {
        let in_rom = self.rom_is_modelled && rom::CODE.contains(&self.hart.pc());
        if in_rom || self.debugging.control & DCSR_STEP_INTERRUPTS != 0 {
            let _ = self.step();
        } else if let Some(stop) = self.hart.step_uninterrupted(&mut self.memory, &mut self.soc) {
            let (limit, until_cycle) = (self.soc.next_event(), self.hart.cycle());
            let pause = self.after(stop, limit, until_cycle);
            debug_assert!(!matches!(pause, Some(Pause::Deadline)));
        }
        // Unless the instruction itself did.
        if !self.debugging.halted {
            self.enter_debug_mode(HaltCause::Step);
        }
    }
}

impl Target for Esp32c3 {
    fn is_halted(&self) -> bool {
        self.debugging.halted
    }

    fn halt(&mut self) {
        if !self.debugging.halted {
            self.enter_debug_mode(HaltCause::Request);
        }
    }

    fn resume(&mut self) {
        if !std::mem::take(&mut self.debugging.halted) {
            return;
        }
        self.hart.suspend_triggers(false);
        self.hart.set_privilege_of_debugger(self.debugging.control & DCSR_PRIVILEGE != 0);
        if self.debugging.control & DCSR_STEP != 0 {
            self.step_in_debug_mode();
        }
    }

    fn reset(&mut self, halt: bool) {
        self.debugging.halted = halt;
        self.start(ResetCause::UsbJtag);
    }

    fn has_reset(&self) -> bool {
        self.debugging.has_reset
    }

    fn acknowledge_reset(&mut self) {
        self.debugging.has_reset = false;
    }

    fn halt_on_reset(&mut self, halt: bool) {
        self.debugging.halt_on_reset = halt;
    }

    fn read_register(&mut self, number: u16) -> Result<Option<u32>, Unavailable> {
        Ok(Some(match number {
            X0..=X31 => self.hart.register((number - X0) as u8),
            DCSR => DCSR_VERSION | self.debugging.control,
            DPC => self.hart.pc(),
            DSCRATCH0 | DSCRATCH1 => self.debugging.scratch[usize::from(number - DSCRATCH0)],
            0..X0 => {
                let cycle = self.hart.cycle();
                self.hart.csr(number).or_else(|| self.soc.csr_read(number, cycle)).ok_or(Unavailable)?
            }
            _ => return Ok(None),
        }))
    }

    fn write_register(&mut self, number: u16, value: u32) -> Result<bool, Unavailable> {
        const READ_ONLY: u16 = csr_number::MVENDORID >> 10;
        match number {
            X0..=X31 => self.hart.set_register((number - X0) as u8, value),
            DCSR => self.set_debug_control(value),
            DPC => self.hart.set_pc(value),
            DSCRATCH0 | DSCRATCH1 => self.debugging.scratch[usize::from(number - DSCRATCH0)] = value,
            0..X0 => {
                let cycle = self.hart.cycle();
                let exists = number >> 10 != READ_ONLY
                    && (self.hart.set_csr_in_debug_mode(number, value) || self.soc.csr_write(number, value, cycle));
                return if exists { Ok(true) } else { Err(Unavailable) };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn execute(&mut self, program: &[u32]) -> Result<(), Unavailable> {
        let result = self.hart.execute_program(&mut self.memory, &mut self.soc, program);
        self.settle_owner_matters();
        result.map_err(|_| Unavailable)
    }

    fn read_bus(&mut self, address: u32, width: Width) -> Result<u32, Unavailable> {
        let mut bytes = [0; 4];
        let length = width.bytes() as usize;
        if self.memory.read_slice(address, &mut bytes[..length]).is_ok() {
            return Ok(u32::from_le_bytes(bytes));
        }
        let cycle = self.hart.cycle();
        let value = self.soc.load(&mut self.memory, address, width, cycle).map_err(|_| Unavailable);
        self.settle_owner_matters();
        value
    }

    fn write_bus(&mut self, address: u32, width: Width, value: u32) -> Result<(), Unavailable> {
        let bytes = value.to_le_bytes();
        let length = width.bytes() as usize;
        if rom::is_writable(address) {
            return self.memory.write_slice(address, &bytes[..length]).map_err(|_| Unavailable);
        }
        let cycle = self.hart.cycle();
        let result = self.soc.store(&mut self.memory, address, width, value, cycle).map_err(|_| Unavailable);
        self.settle_owner_matters();
        result
    }
}
