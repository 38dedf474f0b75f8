//! The core's state, as a snapshot keeps it.
//!
//! What its owner has asked of it (hooks, breakpoints, exceptions to stop at) and what it has worked out (traces,
//! decoded instructions, pages) is not state: the one stays, the other is worked out anew.

use serde::{Deserialize, Serialize};

use super::core::Lx106;
use super::special::DebugRegisters;

/// The state between two instructions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoreState {
    a: [u32; 16],
    pc: u32,
    cycle: u64,
    unretired: u64,
    waiting: bool,
    ps: u32,
    sar: u32,
    litbase: u32,
    vecbase: u32,
    epc: [u32; 3],
    eps: [u32; 2],
    excsave: [u32; 3],
    depc: u32,
    exccause: u32,
    excvaddr: u32,
    debugcause: u32,
    debug: DebugRegisters,
    pending: u32,
    enabled: u32,
    ccompare: u32,
    ccount_offset: u32,
    timer_due: u64,
}

impl Lx106 {
    /// The core's state now.
    pub fn state(&self) -> CoreState {
        CoreState {
            a: std::array::from_fn(|number| self.register(number as u8)),
            pc: self.pc,
            cycle: self.cycle,
            unretired: self.unretired,
            waiting: self.waiting,
            ps: self.ps,
            sar: self.sar(),
            litbase: self.litbase,
            vecbase: self.vecbase,
            epc: self.epc,
            eps: self.eps,
            excsave: self.excsave,
            depc: self.depc,
            exccause: self.exccause,
            excvaddr: self.excvaddr,
            debugcause: self.debugcause,
            debug: self.debug,
            pending: self.pending,
            enabled: self.enabled,
            ccompare: self.ccompare,
            ccount_offset: self.ccount_offset,
            timer_due: self.timer_due,
        }
    }

    /// Goes on from a state.
    pub fn set_state(&mut self, state: &CoreState) {
        (0..16).for_each(|number| self.set_register(number, state.a[usize::from(number)]));
        (self.pc, self.cycle) = (state.pc, state.cycle);
        // Instructions are cycles without those in which none retired.
        self.unretired = state.unretired.min(state.cycle);
        (self.waiting, self.ps) = (state.waiting, state.ps);
        self.set_sar(state.sar & 0x3f);
        (self.litbase, self.vecbase) = (state.litbase, state.vecbase);
        (self.epc, self.eps, self.excsave, self.depc) = (state.epc, state.eps, state.excsave, state.depc);
        (self.exccause, self.excvaddr) = (state.exccause, state.excvaddr);
        (self.debugcause, self.debug) = (state.debugcause, state.debug);
        (self.pending, self.enabled) = (state.pending, state.enabled);
        (self.ccompare, self.ccount_offset, self.timer_due) = (state.ccompare, state.ccount_offset, state.timer_due);
        self.watch_hit = None;
        self.bus_was_used = false;
        self.attention = true;
        self.fast.void();
    }
}
