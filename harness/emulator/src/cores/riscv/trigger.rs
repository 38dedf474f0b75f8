//! Debug triggers that raise breakpoint exceptions (the RISC-V debug specification 0.13, chapter "Trigger Module", and
//! the ESP32-C3's technical reference manual, section 1.7).
//!
//! Eight address/data match triggers. esp-hal guards the bottom of the stack with one. A debugger's triggers (`dmode`)
//! enter debug mode, and firmware cannot change them.

use serde::{Deserialize, Serialize};

use super::trap::Privilege;

const TRIGGER_COUNT: u32 = 8;

const LOAD: u32 = 1 << 0;
const STORE: u32 = 1 << 1;
const EXECUTE: u32 = 1 << 2;
const USER: u32 = 1 << 3;
const MACHINE: u32 = 1 << 6;
const MATCH_SHIFT: u32 = 7;
const ACTION_MASK: u32 = 0xf << 12;
/// `action`: enter debug mode.
const ACTION_DEBUG: u32 = 1 << 12;
const MATCH_MASK: u32 = 0xf << MATCH_SHIFT;
const MATCH_NATURALLY_ALIGNED: u32 = 1 << MATCH_SHIFT;
const HIT: u32 = 1 << 20;
/// `dmode`: only a debugger may change the trigger.
const DEBUGGERS: u32 = 1 << 27;
const TYPE_ADDRESS_MATCH: u32 = 2 << 28;

/// `tcontrol.mte`: triggers raise exceptions in machine mode too.
const MACHINE_ENABLE: u32 = 1 << 3;
/// `tcontrol.mpte`: what `mte` was before the last trap.
const MACHINE_PREVIOUS_ENABLE: u32 = 1 << 7;

/// What the hart is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    Load,
    Store,
    Execute,
}

impl Occasion {
    const fn bit(self) -> u32 {
        match self {
            Self::Load => LOAD,
            Self::Store => STORE,
            Self::Execute => EXECUTE,
        }
    }
}

/// What a trigger that fires does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It raises a breakpoint exception.
    Exception,
    /// It enters debug mode.
    Debug,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Trigger {
    control: u32,
    address: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Triggers {
    selected: u32,
    triggers: [Trigger; TRIGGER_COUNT as usize],
    control: u32,
    /// The occasions of all triggers together.
    armed: u32,
    /// The hart is in debug mode: none fires.
    suspended: bool,
}

impl Triggers {
    pub(super) const fn new() -> Self {
        Self {
            selected: 0,
            triggers: [Trigger { control: TYPE_ADDRESS_MATCH, address: 0 }; TRIGGER_COUNT as usize],
            control: 0,
            armed: 0,
            suspended: false,
        }
    }

    /// In debug mode no trigger fires.
    pub(super) fn suspend(&mut self, suspended: bool) {
        self.suspended = suspended;
    }

    pub(super) fn selected(&self) -> u32 {
        self.selected
    }

    /// `tselect` holds only numbers of triggers that exist.
    pub(super) fn select(&mut self, value: u32) {
        if value < TRIGGER_COUNT {
            self.selected = value;
        }
    }

    pub(super) fn data1(&self) -> u32 {
        self.triggers[self.selected as usize].control
    }

    /// Whether the selected trigger is a debugger's.
    pub(super) fn is_debuggers(&self) -> bool {
        self.data1() & DEBUGGERS != 0
    }

    /// Sets `tdata1`; only a debugger can make the trigger its own.
    pub(super) fn set_data1(&mut self, value: u32, by_debugger: bool) {
        let debuggers = if by_debugger && value & DEBUGGERS != 0 { DEBUGGERS } else { 0 };
        let action = if debuggers != 0 && value & ACTION_MASK == ACTION_DEBUG { ACTION_DEBUG } else { 0 };
        let match_kind = if value & MATCH_MASK == 0 { 0 } else { MATCH_NATURALLY_ALIGNED };
        let kept = value & (LOAD | STORE | EXECUTE | USER | MACHINE | HIT);
        self.triggers[self.selected as usize].control = TYPE_ADDRESS_MATCH | match_kind | kept | debuggers | action;
        self.armed = self.triggers.iter().fold(0, |armed, trigger| armed | trigger.control) & (LOAD | STORE | EXECUTE);
    }

    pub(super) fn data2(&self) -> u32 {
        self.triggers[self.selected as usize].address
    }

    pub(super) fn set_data2(&mut self, value: u32) {
        self.triggers[self.selected as usize].address = value;
    }

    pub(super) fn control(&self) -> u32 {
        self.control
    }

    pub(super) fn set_control(&mut self, value: u32) {
        self.control = value & (MACHINE_ENABLE | MACHINE_PREVIOUS_ENABLE);
    }

    pub(super) fn enter_trap(&mut self) {
        let previous = if self.control & MACHINE_ENABLE == 0 { 0 } else { MACHINE_PREVIOUS_ENABLE };
        self.control = previous;
    }

    pub(super) fn return_from_trap(&mut self) {
        let enable = if self.control & MACHINE_PREVIOUS_ENABLE == 0 { 0 } else { MACHINE_ENABLE };
        self.control = self.control & MACHINE_PREVIOUS_ENABLE | enable;
    }

    /// Whether any trigger waits for this, enabled or not.
    pub(super) fn armed(&self, occasion: Occasion) -> bool {
        self.armed & occasion.bit() != 0
    }

    /// Whether a trigger waits for this anywhere in `first..=last`, in whatever mode and enabled or not.
    pub(super) fn may_fire(&self, occasion: Occasion, first: u32, last: u32) -> bool {
        self.armed(occasion)
            && self.triggers.iter().any(|trigger| {
                let (low, high) = trigger.range();
                trigger.control & occasion.bit() != 0 && low <= last && first <= high
            })
    }

    /// What the selected trigger matches.
    pub(super) fn selected_range(&self) -> (u32, u32) {
        self.triggers[self.selected as usize].range()
    }

    /// Fires the first trigger that matches any of the bytes `address..address + bytes`.
    pub(super) fn fire(
        &mut self,
        privilege: Privilege,
        occasion: Occasion,
        address: u32,
        bytes: u32,
    ) -> Option<Action> {
        if !self.armed(occasion) || self.suspended {
            return None;
        }
        let index = self.matching(privilege, occasion, address, address.saturating_add(bytes - 1))?;
        let trigger = &mut self.triggers[index];
        trigger.control |= HIT;
        Some(trigger.action())
    }

    fn matching(&self, privilege: Privilege, occasion: Occasion, first: u32, last: u32) -> Option<usize> {
        let mode = match privilege {
            Privilege::Machine => MACHINE,
            Privilege::User => USER,
        };
        // `mte` keeps exceptions out of trap handlers; debug mode can be entered from anywhere.
        let no_exceptions = privilege == Privilege::Machine && self.control & MACHINE_ENABLE == 0;
        self.triggers.iter().position(|trigger| {
            let wanted = mode | occasion.bit();
            if trigger.control & wanted != wanted || no_exceptions && trigger.action() == Action::Exception {
                return false;
            }
            let (low, high) = trigger.range();
            low <= last && first <= high
        })
    }
}

impl Trigger {
    fn action(self) -> Action {
        if self.control & ACTION_MASK == ACTION_DEBUG { Action::Debug } else { Action::Exception }
    }

    fn range(&self) -> (u32, u32) {
        if self.control & MATCH_MASK == 0 {
            return (self.address, self.address);
        }
        // Trailing ones and the zero above them are the don't-care bits.
        let free = self.address ^ self.address.wrapping_add(1);
        (self.address & !free, self.address | free)
    }
}
