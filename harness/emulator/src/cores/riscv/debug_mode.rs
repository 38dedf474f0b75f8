//! The hart in debug mode: what a debugger may do with it that nobody else may (RISC-V External Debug Support 0.13.2,
//! chapter 4).
//!
//! Whether a hart is in debug mode is its owner's to know, who does not run it then.

use crate::machine::memory::Memory;

use super::bus::Bus;
use super::csr::number::{TDATA1, TDATA2};
use super::hart::{Hart, Stop};
use super::trap::{Cause, Exception, Privilege};

impl Hart {
    /// In debug mode, or out of it: no trigger fires in it.
    pub fn suspend_triggers(&mut self, suspended: bool) {
        self.triggers.suspend(suspended);
    }

    /// Sets a CSR as a debugger does in debug mode: triggers of its own too. `false` if the hart does not have it.
    pub fn set_csr_in_debug_mode(&mut self, csr: u16, value: u32) -> bool {
        match csr {
            TDATA1 => self.set_trigger(value, true),
            TDATA2 => {
                self.triggers.set_data2(value);
                self.trigger_changed();
            }
            _ => return self.set_csr(csr, value),
        }
        true
    }

    /// The mode in which the hart leaves debug mode: machine mode, or user mode.
    pub fn set_privilege_of_debugger(&mut self, machine: bool) {
        let privilege = if machine { Privilege::Machine } else { Privilege::User };
        if self.privilege != privilege {
            self.privilege = privilege;
            self.permissions_changed();
        }
    }

    /// Executes instructions that lie nowhere, in machine mode, up to the first `ebreak`: a program buffer.
    ///
    /// # Errors
    /// The exception that one of them raises; an illegal instruction for jumps, which have nowhere to go, and for an end
    /// without `ebreak`. What came before it has been done.
    pub fn execute_program<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        program: &[u32],
    ) -> Result<(), Exception> {
        let (pc, privilege) = (self.pc, self.privilege);
        self.privilege = Privilege::Machine;
        if privilege != Privilege::Machine {
            self.permissions_changed();
        }
        let result = self.execute_parcels(memory, bus, program);
        self.pc = pc;
        self.waiting = false;
        self.watch_hit = None;
        self.bus_was_used = true;
        if privilege != Privilege::Machine {
            self.privilege = privilege;
            self.permissions_changed();
        }
        result
    }

    fn execute_parcels(&mut self, memory: &mut Memory, bus: &mut dyn Bus, program: &[u32]) -> Result<(), Exception> {
        let parcel = |n: usize| -> Option<u32> { Some(program.get(n / 2)? >> (16 * (n % 2)) & 0xffff) };
        let mut at = 0;
        while let Some(low) = parcel(at) {
            let (bits, parcels) = match (low & 3, parcel(at + 1)) {
                (3, Some(high)) => (high << 16 | low, 2),
                (3, None) => break,
                _ => (low, 1),
            };
            // Where it lies does not matter, as long as it can be told that it went on behind itself.
            self.pc = 0;
            let stop = self.execute_bits(memory, bus, bits, true)?;
            if stop == Some(Stop::EnvironmentBreak) {
                return Ok(());
            }
            self.skip_to(self.cycle() + 1);
            if self.pc != 2 * parcels {
                return Err(Exception::illegal(bits));
            }
            at += parcels as usize;
        }
        Err(Exception::new(Cause::IllegalInstruction, 0))
    }
}
