//! Exceptions and privilege (the RISC-V privileged architecture, chapter 3, "Machine-Level ISA").

use serde::{Deserialize, Serialize};

use core::fmt;

use crate::machine::event::CoreException;

use super::csr::{STATUS_MIE, STATUS_MPIE, STATUS_MPP};
use super::hart::Hart;

/// Who is executing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Privilege {
    /// User mode.
    User,
    /// Machine mode.
    Machine,
}

/// Why an instruction could not complete; the discriminant is `mcause`'s exception code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cause {
    /// Fetch from an address that is not executable, or that PMP forbids.
    InstructionAccessFault = 1,
    /// An encoding or a CSR that the hart does not have, or not in this mode.
    IllegalInstruction = 2,
    /// `ebreak`, or a debug trigger fired.
    Breakpoint = 3,
    /// A misaligned load outside direct memory.
    LoadAddressMisaligned = 4,
    /// A load that nobody answers, or that PMP forbids.
    LoadAccessFault = 5,
    /// A misaligned store outside direct memory.
    StoreAddressMisaligned = 6,
    /// A store that nobody answers, or that PMP forbids.
    StoreAccessFault = 7,
    /// `ecall` from user mode.
    EnvironmentCallFromUser = 8,
    /// `ecall` from machine mode.
    EnvironmentCallFromMachine = 11,
}

impl Cause {
    /// As a sentence has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstructionAccessFault => "instruction access fault",
            Self::IllegalInstruction => "illegal instruction",
            Self::Breakpoint => "breakpoint",
            Self::LoadAddressMisaligned => "load address misaligned",
            Self::LoadAccessFault => "load access fault",
            Self::StoreAddressMisaligned => "store address misaligned",
            Self::StoreAccessFault => "store access fault",
            Self::EnvironmentCallFromUser => "environment call from user mode",
            Self::EnvironmentCallFromMachine => "environment call from machine mode",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An exception, as the trap handler sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// `mcause`.
    pub cause: Cause,
    /// `mtval`: the address for access faults, misalignment and triggers, the encoding for illegal instructions.
    pub value: u32,
}

impl Exception {
    pub(super) const fn new(cause: Cause, value: u32) -> Self {
        Self { cause, value }
    }

    pub(super) const fn illegal(encoding: u32) -> Self {
        Self::new(Cause::IllegalInstruction, encoding)
    }
}

impl From<Exception> for CoreException {
    fn from(Exception { cause, value }: Exception) -> Self {
        Self { code: cause as u32, name: cause.name().into(), register: "mtval".into(), value }
    }
}

impl Hart {
    /// Enters the trap handler for an exception that somebody else has raised at the program counter: a function of
    /// the mask ROM that is modelled natively.
    pub fn raise(&mut self, cause: Cause, value: u32) {
        self.enter_trap(cause as u32, value, self.pc);
        self.pc = self.trap_vector;
    }

    /// What entering a trap does to the CSRs (the privileged architecture, section "Privilege and Global
    /// Interrupt-Enable Stack in mstatus register").
    pub(super) fn enter_trap(&mut self, cause: u32, value: u32, pc: u32) {
        let mie = self.status & STATUS_MIE != 0;
        self.status &= !(STATUS_MIE | STATUS_MPIE | STATUS_MPP);
        if mie {
            self.status |= STATUS_MPIE;
        }
        if self.privilege == Privilege::Machine {
            self.status |= STATUS_MPP;
        }
        self.cause = cause;
        self.trap_value = value;
        self.exception_pc = pc;
        self.triggers.enter_trap();
        self.set_privilege(Privilege::Machine);
    }

    /// `mret`.
    pub(super) fn return_from_trap(&mut self) {
        let privilege = if self.status & STATUS_MPP == 0 { Privilege::User } else { Privilege::Machine };
        let mpie = self.status & STATUS_MPIE != 0;
        self.status &= !(STATUS_MIE | STATUS_MPP);
        self.status |= STATUS_MPIE;
        if mpie {
            self.status |= STATUS_MIE;
        }
        self.triggers.return_from_trap();
        self.set_privilege(privilege);
    }

    fn set_privilege(&mut self, privilege: Privilege) {
        if self.privilege != privilege {
            self.privilege = privilege;
            self.permissions_changed();
        }
    }
}
