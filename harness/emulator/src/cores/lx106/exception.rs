//! Exceptions: why an instruction could not complete, and how a handler is entered.
//!
//! (The ISA manual, section "Exception Option"; the vectors' places are this core's.)

use core::fmt;

use crate::machine::event::CoreException;

use super::core::Lx106;
use super::special::{PS_EXCM, PS_INTLEVEL, PS_UM};

/// Why an instruction could not complete; the discriminant is EXCCAUSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cause {
    /// An encoding or a special register that the core does not have.
    IllegalInstruction = 0,
    /// `syscall`.
    Syscall = 1,
    /// A load or store of less than a word on the instruction bus.
    LoadStoreError = 3,
    /// An interrupt of level 1.
    Level1Interrupt = 4,
    /// A load or store that is not naturally aligned.
    LoadStoreAlignment = 9,
    /// Fetch from an address where there is no code.
    FetchProhibited = 20,
    /// A load that nobody answers.
    LoadProhibited = 28,
    /// A store that nobody answers.
    StoreProhibited = 29,
}

impl Cause {
    /// As a sentence has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IllegalInstruction => "illegal instruction",
            Self::Syscall => "system call",
            Self::LoadStoreError => "load or store error: less than a word on the instruction bus",
            Self::Level1Interrupt => "interrupt",
            Self::LoadStoreAlignment => "misaligned load or store",
            Self::FetchProhibited => "fetch prohibited",
            Self::LoadProhibited => "load prohibited",
            Self::StoreProhibited => "store prohibited",
        }
    }

    /// Whether EXCVADDR says where.
    const fn has_address(self) -> bool {
        !matches!(self, Self::IllegalInstruction | Self::Syscall | Self::Level1Interrupt)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An exception, as its handler sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// EXCCAUSE.
    pub cause: Cause,
    /// The address accessed or fetched from; for others the instruction's own.
    pub address: u32,
}

impl Exception {
    pub(super) const fn new(cause: Cause, address: u32) -> Self {
        Self { cause, address }
    }
}

impl From<Exception> for CoreException {
    fn from(Exception { cause, address }: Exception) -> Self {
        let register = if cause.has_address() { "excvaddr" } else { "epc1" };
        Self { code: cause as u32, name: cause.name().into(), register: register.into(), value: address }
    }
}

/// Where handlers begin, as an offset from VECBASE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Vector {
    /// `break`, if the interrupt level is below 2.
    Debug = 0x10,
    /// The interrupt that nothing masks.
    Nmi = 0x20,
    /// An exception with PS.UM clear.
    Kernel = 0x30,
    /// An exception with PS.UM set; interrupts too.
    User = 0x50,
    /// An exception in a handler (PS.EXCM set).
    Double = 0x70,
}

/// DEBUGCAUSE: `break` and `break.n`.
pub(super) const DEBUGCAUSE_BREAK: u32 = 1 << 3;
pub(super) const DEBUGCAUSE_BREAK_NARROW: u32 = 1 << 4;

impl Lx106 {
    /// Enters the handler for an exception that somebody else has raised at the program counter: a function of the mask
    /// ROM that is modelled natively.
    pub fn raise(&mut self, cause: Cause, address: u32) {
        self.enter_exception(Exception::new(cause, address));
    }

    /// What entering a handler does to the core's state.
    pub(super) fn enter_exception(&mut self, Exception { cause, address }: Exception) {
        self.exccause = cause as u32;
        if cause.has_address() {
            self.excvaddr = address;
        }
        let vector = if self.ps & PS_EXCM != 0 {
            self.depc = self.pc;
            Vector::Double
        } else {
            self.epc[0] = self.pc;
            if self.ps & PS_UM != 0 { Vector::User } else { Vector::Kernel }
        };
        self.ps |= PS_EXCM;
        self.pc = self.vecbase.wrapping_add(vector as u32);
        self.attention = true;
    }

    /// Enters the handler of an interrupt above level 1 (the ISA manual, "High-Priority Interrupt Option").
    pub(super) fn enter_high_priority(&mut self, level: u32, vector: Vector) {
        self.epc[level as usize - 1] = self.pc;
        self.eps[level as usize - 2] = self.ps;
        self.ps = self.ps & !PS_INTLEVEL | level | PS_EXCM;
        self.pc = self.vecbase.wrapping_add(vector as u32);
        self.attention = true;
    }
}
