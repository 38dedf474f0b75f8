//! RISC-V's registers as gdb has them: the general ones, the program counter, and those of a trap handler.

use gdbstub::arch::Arch as _;
use gdbstub_arch::riscv::Riscv32;
use gdbstub_arch::riscv::reg::RiscvCoreRegs;
use gdbstub_arch::riscv::reg::id::RiscvRegId;

use super::super::chip::Debuggee;
use super::Registered;

/// The registers that gdb can be asked for besides the general ones: those of a trap handler first.
const SYSTEM_REGISTERS: [(&str, u16); 8] = [
    ("mstatus", 0x300),
    ("misa", 0x301),
    ("mtvec", 0x305),
    ("mscratch", 0x340),
    ("mepc", 0x341),
    ("mcause", 0x342),
    ("mtval", 0x343),
    ("mhartid", 0xf14),
];

impl Registered for Riscv32 {
    /// As gdb's documentation has it ("RISC-V Features"): the general registers of `gdbstub_arch`, and the system registers,
    /// which gdb numbers from 65 on.
    fn description() -> Option<String> {
        let plain = Self::target_description_xml().unwrap_or_default();
        let system: String = SYSTEM_REGISTERS
            .iter()
            .map(|(name, number)| {
                let regnum = 65 + u32::from(*number);
                format!("<reg name=\"{name}\" bitsize=\"32\" type=\"int\" regnum=\"{regnum}\" save-restore=\"no\"/>")
            })
            .collect();
        let general = plain.find("<feature").map_or("", |at| &plain[at..]);
        Some(format!(
            "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">\
             <architecture>riscv:rv32</architecture>{general}\
             <feature name=\"org.gnu.gdb.riscv.csr\">{system}</feature></target>"
        ))
    }

    fn read_all(chip: &dyn Debuggee, registers: &mut RiscvCoreRegs<u32>) {
        for (n, register) in registers.x.iter_mut().enumerate() {
            *register = chip.register(n as u8);
        }
        registers.pc = chip.pc();
    }

    fn write_all(chip: &mut dyn Debuggee, registers: &RiscvCoreRegs<u32>) {
        for (n, register) in registers.x.iter().enumerate() {
            chip.set_register(n as u8, *register);
        }
        if registers.pc != chip.pc() {
            chip.set_pc(registers.pc);
        }
    }

    fn read_one(chip: &dyn Debuggee, id: RiscvRegId<u32>) -> Option<u32> {
        match id {
            RiscvRegId::Gpr(n) => Some(chip.register(n)),
            RiscvRegId::Pc => Some(chip.pc()),
            RiscvRegId::Csr(n) => chip.system_register(n),
            _ => None,
        }
    }

    fn write_one(chip: &mut dyn Debuggee, id: RiscvRegId<u32>, value: u32) -> bool {
        match id {
            RiscvRegId::Gpr(n) => chip.set_register(n, value),
            RiscvRegId::Pc => chip.set_pc(value),
            RiscvRegId::Csr(n) => return chip.set_system_register(n, value),
            _ => return false,
        }
        true
    }
}
