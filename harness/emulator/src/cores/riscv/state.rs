//! The hart's state, as a snapshot keeps it.
//!
//! What its owner has asked of it (hooks, breakpoints, exceptions to stop at) and what it has worked out (translations,
//! page tables) is not state: the one stays, the other is worked out anew.

use serde::{Deserialize, Serialize};

use super::hart::Hart;
use super::pmp::Pmp;
use super::trap::Privilege;
use super::trigger::Triggers;

/// The state between two instructions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HartState {
    registers: [u32; 32],
    pc: u32,
    cycle: u64,
    unretired: u64,
    privilege: Privilege,
    waiting: bool,
    status: u32,
    trap_vector: u32,
    scratch: u32,
    exception_pc: u32,
    cause: u32,
    trap_value: u32,
    pmp: Pmp,
    triggers: Triggers,
    has_counters: bool,
}

impl Hart {
    /// The hart's state now.
    pub fn state(&self) -> HartState {
        HartState {
            registers: std::array::from_fn(|n| self.fast.registers()[n]),
            pc: self.pc,
            cycle: self.cycle,
            unretired: self.unretired,
            privilege: self.privilege,
            waiting: self.waiting,
            status: self.status,
            trap_vector: self.trap_vector,
            scratch: self.scratch,
            exception_pc: self.exception_pc,
            cause: self.cause,
            trap_value: self.trap_value,
            pmp: self.pmp.clone(),
            triggers: self.triggers.clone(),
            has_counters: self.has_counters,
        }
    }

    /// Goes on from a state.
    pub fn set_state(&mut self, state: &HartState) {
        let HartState { registers, pc, cycle, unretired, privilege, waiting, .. } = state;
        self.fast.registers_mut()[1..32].copy_from_slice(&registers[1..]);
        self.pc = pc & !1;
        // Instructions are cycles without those in which none retired.
        (self.cycle, self.unretired) = (*cycle, *unretired.min(cycle));
        (self.privilege, self.waiting) = (*privilege, *waiting);
        let HartState { status, trap_vector, scratch, exception_pc, cause, trap_value, .. } = state;
        (self.status, self.trap_vector, self.scratch) = (*status, *trap_vector, *scratch);
        (self.exception_pc, self.cause, self.trap_value) = (*exception_pc, *cause, *trap_value);
        (self.pmp, self.triggers) = (state.pmp.clone(), state.triggers.clone());
        self.has_counters = state.has_counters;
        (self.watch_hit, self.debug_trigger_fired) = (None, false);
        self.bus_was_used = true;
        self.permissions_changed();
    }
}
