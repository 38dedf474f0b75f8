//! Special registers: what `rsr`, `wsr` and `xsr` reach.
//!
//! (The ISA manual, chapter "Processor State", section "Special Registers".)

use super::core::Lx106;
use super::interrupts;

/// Numbers of special registers.
#[allow(missing_docs, reason = "the names are the manual's")]
pub mod number {
    pub const SAR: u8 = 3;
    pub const LITBASE: u8 = 5;
    pub const MMID: u8 = 89;
    pub const IBREAKENABLE: u8 = 96;
    pub const DDR: u8 = 104;
    pub const IBREAKA0: u8 = 128;
    pub const DBREAKA0: u8 = 144;
    pub const DBREAKC0: u8 = 160;
    pub const CONFIGID0: u8 = 176;
    pub const EPC1: u8 = 177;
    pub const EPC2: u8 = 178;
    pub const EPC3: u8 = 179;
    pub const DEPC: u8 = 192;
    pub const EPS2: u8 = 194;
    pub const EPS3: u8 = 195;
    pub const CONFIGID1: u8 = 208;
    pub const EXCSAVE1: u8 = 209;
    pub const EXCSAVE2: u8 = 210;
    pub const EXCSAVE3: u8 = 211;
    /// INTERRUPT to read, INTSET to write.
    pub const INTERRUPT: u8 = 226;
    pub const INTCLEAR: u8 = 227;
    pub const INTENABLE: u8 = 228;
    pub const PS: u8 = 230;
    pub const VECBASE: u8 = 231;
    pub const EXCCAUSE: u8 = 232;
    pub const DEBUGCAUSE: u8 = 233;
    pub const CCOUNT: u8 = 234;
    pub const PRID: u8 = 235;
    pub const ICOUNT: u8 = 236;
    pub const ICOUNTLEVEL: u8 = 237;
    pub const EXCVADDR: u8 = 238;
    pub const CCOMPARE0: u8 = 240;
}
use number::*;

/// What may be done with a special register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    Read,
    Write,
    Both,
}

/// Every special register of the core.
const REGISTERS: &[(u8, &str, May)] = &[
    (SAR, "sar", May::Both),
    (LITBASE, "litbase", May::Both),
    (MMID, "mmid", May::Write),
    (IBREAKENABLE, "ibreakenable", May::Both),
    (DDR, "ddr", May::Both),
    (IBREAKA0, "ibreaka0", May::Both),
    (DBREAKA0, "dbreaka0", May::Both),
    (DBREAKC0, "dbreakc0", May::Both),
    (CONFIGID0, "configid0", May::Read),
    (EPC1, "epc1", May::Both),
    (EPC2, "epc2", May::Both),
    (EPC3, "epc3", May::Both),
    (DEPC, "depc", May::Both),
    (EPS2, "eps2", May::Both),
    (EPS3, "eps3", May::Both),
    (CONFIGID1, "configid1", May::Read),
    (EXCSAVE1, "excsave1", May::Both),
    (EXCSAVE2, "excsave2", May::Both),
    (EXCSAVE3, "excsave3", May::Both),
    (INTERRUPT, "interrupt", May::Both),
    (INTCLEAR, "intclear", May::Write),
    (INTENABLE, "intenable", May::Both),
    (PS, "ps", May::Both),
    (VECBASE, "vecbase", May::Both),
    (EXCCAUSE, "exccause", May::Both),
    (DEBUGCAUSE, "debugcause", May::Both),
    (CCOUNT, "ccount", May::Both),
    (PRID, "prid", May::Read),
    (ICOUNT, "icount", May::Both),
    (ICOUNTLEVEL, "icountlevel", May::Both),
    (EXCVADDR, "excvaddr", May::Both),
    (CCOMPARE0, "ccompare0", May::Both),
];

/// What an assembler calls a special register.
pub(super) fn name_of(number: u8) -> Option<&'static str> {
    REGISTERS.iter().find(|(n, _, _)| *n == number).map(|(_, name, _)| *name)
}

fn may(number: u8, what: May) -> bool {
    REGISTERS.iter().any(|(n, _, may)| *n == number && (*may == May::Both || *may == what))
}

/// PS (the ISA manual, table "PS Register Fields"), as far as this core has it.
pub(super) const PS_INTLEVEL: u32 = 0xf;
pub(super) const PS_EXCM: u32 = 1 << 4;
pub(super) const PS_UM: u32 = 1 << 5;
const PS_WRITABLE: u32 = PS_INTLEVEL | PS_EXCM | PS_UM;

/// What CONFIGID0 and CONFIGID1 hold: which configuration of Xtensa this is (as QEMU's `lx106` has it).
const CONFIGURATION: [u32; 2] = [0xc28c_dafa, 0x1082_b6f6];

/// Registers that hold what is written, and of which nothing comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct DebugRegisters {
    ibreak_enable: u32,
    ddr: u32,
    ibreak_address: u32,
    dbreak_address: u32,
    dbreak_control: u32,
    icount: u32,
    icount_level: u32,
}

impl Lx106 {
    /// A special register, if the core has it and it can be read.
    pub fn special(&self, number: u8) -> Option<u32> {
        if !may(number, May::Read) {
            return None;
        }
        Some(match number {
            SAR => self.sar(),
            LITBASE => self.litbase,
            IBREAKENABLE => self.debug.ibreak_enable,
            DDR => self.debug.ddr,
            IBREAKA0 => self.debug.ibreak_address,
            DBREAKA0 => self.debug.dbreak_address,
            DBREAKC0 => self.debug.dbreak_control,
            CONFIGID0 => CONFIGURATION[0],
            CONFIGID1 => CONFIGURATION[1],
            EPC1..=EPC3 => self.epc[usize::from(number - EPC1)],
            DEPC => self.depc,
            EPS2..=EPS3 => self.eps[usize::from(number - EPS2)],
            EXCSAVE1..=EXCSAVE3 => self.excsave[usize::from(number - EXCSAVE1)],
            INTERRUPT => self.pending,
            INTENABLE => self.enabled,
            PS => self.ps,
            VECBASE => self.vecbase,
            EXCCAUSE => self.exccause,
            DEBUGCAUSE => self.debugcause,
            CCOUNT => self.ccount(),
            ICOUNT => self.debug.icount,
            ICOUNTLEVEL => self.debug.icount_level,
            EXCVADDR => self.excvaddr,
            CCOMPARE0 => self.ccompare,
            _ => 0,
        })
    }

    /// Writes a special register; `false` if the core does not have it, or if it cannot be written.
    pub fn set_special(&mut self, number: u8, value: u32) -> bool {
        if !may(number, May::Write) {
            return false;
        }
        match number {
            SAR => self.set_sar(value & 0x3f),
            LITBASE => {
                self.litbase = value & 0xffff_f001;
                self.fast.void();
            }
            IBREAKENABLE => self.debug.ibreak_enable = value & 1,
            DDR => self.debug.ddr = value,
            IBREAKA0 => self.debug.ibreak_address = value,
            DBREAKA0 => self.debug.dbreak_address = value,
            DBREAKC0 => self.debug.dbreak_control = value,
            EPC1..=EPC3 => self.epc[usize::from(number - EPC1)] = value,
            DEPC => self.depc = value,
            EPS2..=EPS3 => self.eps[usize::from(number - EPS2)] = value,
            EXCSAVE1..=EXCSAVE3 => self.excsave[usize::from(number - EXCSAVE1)] = value,
            INTERRUPT => self.pending |= value & interrupts::SOFTWARE,
            INTCLEAR => self.pending &= !(value & interrupts::CLEARABLE),
            INTENABLE => self.enabled = value,
            PS => self.ps = value & PS_WRITABLE,
            VECBASE => self.vecbase = value,
            EXCCAUSE => self.exccause = value,
            DEBUGCAUSE => self.debugcause = value,
            CCOUNT => self.set_ccount(value),
            ICOUNT => self.debug.icount = value,
            ICOUNTLEVEL => self.debug.icount_level = value & 0xf,
            EXCVADDR => self.excvaddr = value,
            CCOMPARE0 => self.set_ccompare(value),
            _ => {}
        }
        self.attention = true;
        true
    }
}
