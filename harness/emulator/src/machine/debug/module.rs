//! The debug module of a chip with one hart (RISC-V External Debug Support 0.13.2, chapter 3).
//!
//! Two data words and sixteen words of program buffer, as OpenOCD finds them on an ESP32-C3; memory through the system
//! bus; no authentication, or one that nobody passes. Every access is over when it is made, so nothing is ever busy.

use serde::{Deserialize, Serialize};

use super::abstract_command::AbstractCommands;
use super::system_bus::SystemBus;
use super::target::Target;

const DATA0: u32 = 0x04;
const DATA1: u32 = 0x05;
const DMCONTROL: u32 = 0x10;
const DMSTATUS: u32 = 0x11;
const HARTINFO: u32 = 0x12;
const ABSTRACTCS: u32 = 0x16;
const COMMAND: u32 = 0x17;
const ABSTRACTAUTO: u32 = 0x18;
const PROGBUF0: u32 = 0x20;
const PROGBUF15: u32 = 0x2f;
const SBCS: u32 = 0x38;
const SBADDRESS0: u32 = 0x39;
const SBDATA0: u32 = 0x3c;
const HALTSUM0: u32 = 0x40;

const CONTROL_HALT_REQUEST: u32 = 1 << 31;
const CONTROL_RESUME_REQUEST: u32 = 1 << 30;
const CONTROL_ACKNOWLEDGE_RESET: u32 = 1 << 28;
const CONTROL_SET_HALT_ON_RESET: u32 = 1 << 3;
const CONTROL_CLEAR_HALT_ON_RESET: u32 = 1 << 2;
const CONTROL_RESET: u32 = 1 << 1;
const CONTROL_ACTIVE: u32 = 1;

/// `dmstatus.version`: 0.13.
const STATUS_VERSION: u32 = 2;
const STATUS_HAS_HALT_ON_RESET: u32 = 1 << 5;
const STATUS_AUTHENTICATED: u32 = 1 << 7;
// Of the pairs "any" and "all" one hart sets both or none.
const STATUS_HALTED: u32 = 3 << 8;
const STATUS_RUNNING: u32 = 3 << 10;
const STATUS_UNAVAILABLE: u32 = 3 << 12;
const STATUS_RESUME_ACKNOWLEDGED: u32 = 3 << 16;
const STATUS_HAVE_RESET: u32 = 3 << 18;

/// `hartinfo`: two scratch registers; the data words are not shadowed in the hart's memory.
const HARTINFO_VALUE: u32 = 2 << 20;

/// A debug module.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DebugModule {
    /// Nobody can authenticate: it says so, and does nothing else.
    locked: bool,
    active: bool,
    halt_requested: bool,
    reset_asserted: bool,
    resume_acknowledged: bool,
    commands: AbstractCommands,
    bus: SystemBus,
}

impl DebugModule {
    /// A module; a locked one never authenticates.
    pub fn new(locked: bool) -> Self {
        Self { locked, ..Self::default() }
    }

    /// All as at power-on.
    pub fn power_on(&mut self) {
        *self = Self::new(self.locked);
    }

    /// Whether a debugger has switched it on.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Reads a word.
    pub fn read(&mut self, address: u32, target: &mut dyn Target) -> u32 {
        if self.locked {
            // Section 3.12: all reads as 0 but for this.
            return match address {
                DMCONTROL => u32::from(self.active),
                DMSTATUS => STATUS_VERSION,
                _ => 0,
            };
        }
        match address {
            DMCONTROL => u32::from(self.reset_asserted) << 1 | u32::from(self.active),
            DMSTATUS => self.status(target),
            HARTINFO => HARTINFO_VALUE,
            HALTSUM0 => u32::from(target.is_halted()),
            DATA0..=DATA1 => self.commands.read_data(address - DATA0, target),
            ABSTRACTCS => self.commands.status(),
            ABSTRACTAUTO => self.commands.automatic(),
            PROGBUF0..=PROGBUF15 => self.commands.read_program(address - PROGBUF0, target),
            SBCS => self.bus.status(),
            SBADDRESS0 => self.bus.address(),
            SBDATA0 => self.bus.read_data(target),
            _ => 0,
        }
    }

    /// Writes a word.
    pub fn write(&mut self, address: u32, value: u32, target: &mut dyn Target) {
        if self.locked {
            if address == DMCONTROL {
                self.active = value & CONTROL_ACTIVE != 0;
            }
            return;
        }
        if address == DMCONTROL {
            self.control(value, target);
            return;
        }
        if !self.active {
            return;
        }
        match address {
            DATA0..=DATA1 => self.commands.write_data(address - DATA0, value, target),
            ABSTRACTCS => self.commands.clear_error(value),
            COMMAND => self.commands.execute(value, target),
            ABSTRACTAUTO => self.commands.set_automatic(value),
            PROGBUF0..=PROGBUF15 => self.commands.write_program(address - PROGBUF0, value, target),
            SBCS => self.bus.set_control(value),
            SBADDRESS0 => self.bus.set_address(value, target),
            SBDATA0 => self.bus.write_data(value, target),
            _ => {}
        }
    }

    fn status(&self, target: &dyn Target) -> u32 {
        let hart = if self.reset_asserted {
            STATUS_UNAVAILABLE
        } else if target.is_halted() {
            STATUS_HALTED
        } else {
            STATUS_RUNNING
        };
        let resumed = if self.resume_acknowledged { STATUS_RESUME_ACKNOWLEDGED } else { 0 };
        let reset = if target.has_reset() { STATUS_HAVE_RESET } else { 0 };
        STATUS_VERSION | STATUS_HAS_HALT_ON_RESET | STATUS_AUTHENTICATED | hart | resumed | reset
    }

    fn control(&mut self, value: u32, target: &mut dyn Target) {
        if value & CONTROL_ACTIVE == 0 {
            target.halt_on_reset(false);
            self.power_on();
            return;
        }
        self.active = true;
        self.halt_requested = value & CONTROL_HALT_REQUEST != 0;
        if value & CONTROL_ACKNOWLEDGE_RESET != 0 {
            target.acknowledge_reset();
        }
        if value & CONTROL_CLEAR_HALT_ON_RESET != 0 {
            target.halt_on_reset(false);
        } else if value & CONTROL_SET_HALT_ON_RESET != 0 {
            target.halt_on_reset(true);
        }
        let released = self.reset_asserted && value & CONTROL_RESET == 0;
        self.reset_asserted = value & CONTROL_RESET != 0;
        if released {
            target.reset(self.halt_requested);
        }
        if self.reset_asserted {
            return;
        }
        if self.halt_requested {
            target.halt();
        } else if value & CONTROL_RESUME_REQUEST != 0 {
            target.resume();
            self.resume_acknowledged = true;
        }
    }
}
