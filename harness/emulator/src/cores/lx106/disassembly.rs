//! Instructions as text, for traces: as GNU's assembler for the LX106 reads them.

use super::decode::{decode, row_of};
use super::instruction::{BRANCH_CONSTANTS, BRANCH_CONSTANTS_UNSIGNED, Format, Opcode};
use super::special;

/// The instruction whose encoding is at the low end of `bits`, found at `pc`; targets are absolute.
pub fn disassemble(pc: u32, bits: u32) -> String {
    let (Some(row), Some(instruction)) = (row_of(bits), decode(bits)) else {
        return format!(".byte {:#04x}, {:#04x}, {:#04x}", bits & 0xff, bits >> 8 & 0xff, bits >> 16 & 0xff);
    };
    let (r, s, t, immediate) = (instruction.r, instruction.s, instruction.t, instruction.immediate);
    let target = pc.wrapping_add_signed(immediate);
    let operands = match instruction.format {
        Format::None => String::new(),
        Format::RegistersRst => format!("a{r}, a{s}, a{t}"),
        Format::RegistersRt => format!("a{r}, a{t}"),
        Format::RegistersRs => format!("a{r}, a{s}"),
        Format::RegistersTs => format!("a{t}, a{s}"),
        Format::RegisterS => format!("a{s}"),
        Format::ShiftAmount | Format::Level | Format::BreakNarrow => immediate.to_string(),
        Format::ShiftLeft => format!("a{r}, a{s}, {immediate}"),
        Format::ShiftRightArithmetic | Format::ShiftRight => format!("a{r}, a{t}, {immediate}"),
        Format::Extract => format!("a{r}, a{t}, {immediate}, {s}"),
        Format::SpecialRegister => {
            return match special::name_of(immediate as u8) {
                Some(name) => format!("{}.{name} a{t}", row.name),
                None => format!("{} a{t}, {immediate}", row.name),
            };
        }
        Format::RegisterLevel => format!("a{t}, {immediate}"),
        Format::Break => format!("{immediate}, {t}"),
        Format::Literal => format!("a{t}, {:#x}", (pc.wrapping_add(3) & !3).wrapping_add_signed(immediate)),
        Format::Memory { .. } | Format::MemoryNarrow | Format::AddImmediate { .. } => {
            format!("a{t}, a{s}, {immediate}")
        }
        Format::Constant => format!("a{t}, {immediate}"),
        Format::ConstantNarrow => format!("a{s}, {immediate}"),
        Format::AddImmediateNarrow => format!("a{r}, a{s}, {immediate}"),
        Format::Call => format!("{:#x}", (pc & !3).wrapping_add_signed(immediate)),
        Format::Jump => format!("{target:#x}"),
        Format::BranchZero | Format::BranchZeroNarrow => format!("a{s}, {target:#x}"),
        Format::BranchConstant => format!("a{s}, {}, {target:#x}", BRANCH_CONSTANTS[usize::from(r & 15)]),
        Format::BranchConstantUnsigned => {
            format!("a{s}, {}, {target:#x}", BRANCH_CONSTANTS_UNSIGNED[usize::from(r & 15)])
        }
        Format::Branch => format!("a{s}, a{t}, {target:#x}"),
        Format::BranchBit => format!("a{s}, {r}, {target:#x}"),
    };
    match (instruction.opcode, operands.as_str()) {
        // What it is used for.
        (Opcode::Or, _) if s == t => format!("mov a{r}, a{s}"),
        (_, "") => row.name.to_owned(),
        (_, operands) => format!("{} {operands}", row.name),
    }
}
