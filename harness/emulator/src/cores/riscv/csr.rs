//! Control and status registers that the hart has itself; the others are the bus's.

use super::bus::Bus;
use super::hart::Hart;
use super::trap::Privilege;

/// Numbers of the CSRs that the hart has itself (the ESP32-C3's technical reference manual, section 1.4).
#[allow(missing_docs, reason = "the names are the manual's")]
pub mod number {
    pub const MSTATUS: u16 = 0x300;
    pub const MISA: u16 = 0x301;
    pub const MTVEC: u16 = 0x305;
    pub const MSCRATCH: u16 = 0x340;
    pub const MEPC: u16 = 0x341;
    pub const MCAUSE: u16 = 0x342;
    pub const MTVAL: u16 = 0x343;
    pub const PMPCFG0: u16 = 0x3a0;
    pub const PMPCFG3: u16 = 0x3a3;
    pub const PMPADDR0: u16 = 0x3b0;
    pub const PMPADDR15: u16 = 0x3bf;
    pub const TSELECT: u16 = 0x7a0;
    pub const TDATA1: u16 = 0x7a1;
    pub const TDATA2: u16 = 0x7a2;
    pub const TCONTROL: u16 = 0x7a5;
    pub const MCYCLE: u16 = 0xb00;
    pub const MINSTRET: u16 = 0xb02;
    pub const MCYCLEH: u16 = 0xb80;
    pub const MINSTRETH: u16 = 0xb82;
    pub const MVENDORID: u16 = 0xf11;
    pub const MARCHID: u16 = 0xf12;
    pub const MIMPID: u16 = 0xf13;
    pub const MHARTID: u16 = 0xf14;
}
use number::*;

pub(super) const STATUS_MIE: u32 = 1 << 3;
pub(super) const STATUS_MPIE: u32 = 1 << 7;
pub(super) const STATUS_MPP: u32 = 3 << 11;
pub(super) const STATUS_TW: u32 = 1 << 21;

/// RV32 with I, M, C and user mode.
const MISA_VALUE: u32 = 1 << 30 | 1 << 8 | 1 << 12 | 1 << 2 | 1 << 20;
// What the ESP32-C3's technical reference manual gives as reset values.
const MVENDORID_VALUE: u32 = 0x612;
const MARCHID_VALUE: u32 = 0x8000_0001;
const MIMPID_VALUE: u32 = 1;

impl Hart {
    /// A CSR as a debugger reads it: without side effects, and only those that the hart has itself.
    pub fn csr(&self, csr: u16) -> Option<u32> {
        Some(match csr {
            MSTATUS => self.status,
            MISA => MISA_VALUE,
            // The mode is fixed to vectored.
            MTVEC => self.trap_vector | 1,
            MSCRATCH => self.scratch,
            MEPC => self.exception_pc,
            MCAUSE => self.cause,
            MTVAL => self.trap_value,
            PMPCFG0..=PMPCFG3 => self.pmp.configuration(usize::from(csr - PMPCFG0)),
            PMPADDR0..=PMPADDR15 => self.pmp.address(usize::from(csr - PMPADDR0)),
            TSELECT => self.triggers.selected(),
            TDATA1 => self.triggers.data1(),
            TDATA2 => self.triggers.data2(),
            TCONTROL => self.triggers.control(),
            MCYCLE if self.has_counters => self.cycle as u32,
            MCYCLEH if self.has_counters => (self.cycle >> 32) as u32,
            MINSTRET if self.has_counters => self.instructions_retired() as u32,
            MINSTRETH if self.has_counters => (self.instructions_retired() >> 32) as u32,
            MVENDORID => MVENDORID_VALUE,
            MARCHID => MARCHID_VALUE,
            MIMPID => MIMPID_VALUE,
            MHARTID => 0,
            _ => return None,
        })
    }

    /// Sets a CSR as a debugger does: only those that the hart has itself. `false` if it does not have it.
    pub fn set_csr(&mut self, csr: u16, value: u32) -> bool {
        match csr {
            MSTATUS => {
                let mpp = match value & STATUS_MPP {
                    // Supervisor and the reserved mode do not exist: the field keeps what it had.
                    mode if mode == 0 || mode == STATUS_MPP => mode,
                    _ => self.status & STATUS_MPP,
                };
                self.status = value & (STATUS_MIE | STATUS_MPIE | STATUS_TW) | mpp;
            }
            MTVEC => self.trap_vector = value & !0xff,
            MSCRATCH => self.scratch = value,
            MEPC => self.exception_pc = value & !1,
            MCAUSE => self.cause = value,
            MTVAL => self.trap_value = value,
            PMPCFG0..=PMPCFG3 => {
                self.pmp.set_configuration(usize::from(csr - PMPCFG0), value);
                self.permissions_changed();
            }
            PMPADDR0..=PMPADDR15 => {
                self.pmp.set_address(usize::from(csr - PMPADDR0), value);
                self.permissions_changed();
            }
            TSELECT => self.triggers.select(value),
            TDATA1 if self.triggers.is_debuggers() => {}
            TDATA1 => {
                self.set_trigger(value, false);
            }
            TDATA2 if self.triggers.is_debuggers() => {}
            TDATA2 => {
                self.triggers.set_data2(value);
                self.trigger_changed();
            }
            TCONTROL => self.triggers.set_control(value),
            MISA => {}
            // Time is the owner's: the counters cannot be set.
            MCYCLE | MCYCLEH | MINSTRET | MINSTRETH if self.has_counters => {}
            _ => return false,
        }
        true
    }

    /// Sets the selected trigger's `tdata1` as firmware or a debugger does.
    pub(super) fn set_trigger(&mut self, value: u32, by_debugger: bool) {
        self.triggers.set_data1(value, by_debugger);
        self.trigger_changed();
    }

    /// The old value of a CSR for an instruction in the current mode; `None` if the instruction is illegal.
    pub(super) fn read_csr(&mut self, bus: &mut dyn Bus, csr: u16) -> Option<u32> {
        if !self.may_touch(csr) {
            return None;
        }
        self.csr(csr).or_else(|| {
            self.bus_was_used = true;
            bus.csr_read(csr, self.cycle)
        })
    }

    /// Writes a CSR for an instruction in the current mode; `false` if the instruction is illegal.
    pub(super) fn write_csr(&mut self, bus: &mut dyn Bus, csr: u16, value: u32) -> bool {
        let read_only = csr >> 10 == 3;
        if !self.may_touch(csr) || read_only {
            return false;
        }
        self.set_csr(csr, value) || {
            self.bus_was_used = true;
            bus.csr_write(csr, value, self.cycle)
        }
    }

    /// Bits 8 and 9 of the number are the lowest mode that may access it.
    fn may_touch(&self, csr: u16) -> bool {
        self.privilege == Privilege::Machine || csr >> 8 & 3 == 0
    }
}
