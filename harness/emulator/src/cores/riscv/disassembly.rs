//! Instructions as text, for traces.

use core::fmt;

use super::decode::decode;
use super::instruction::{AluOperation, BranchCondition, CsrOperation, Instruction, LoadKind};
use crate::machine::access::Width;

/// Names of the integer registers in the standard calling convention.
pub(super) const REGISTER_NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2",
    "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];

/// The instruction whose encoding is at the low end of `bits`, found at `pc`, as an assembler would read it; branch
/// targets are absolute. Compressed instructions print as what they stand for.
pub fn disassemble(pc: u32, bits: u32) -> String {
    match decode(bits) {
        Some(decoded) => At { pc, instruction: decoded.instruction }.to_string(),
        None if bits & 3 == 3 => format!(".word {bits:#010x}"),
        None => format!(".half {:#06x}", bits as u16),
    }
}

struct At {
    pc: u32,
    instruction: Instruction,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |register: u8| REGISTER_NAMES[usize::from(register & 31)];
        let target = |offset: i32| self.pc.wrapping_add_signed(offset);
        match self.instruction {
            Instruction::LoadUpper { rd, immediate } => write!(f, "lui {}, {:#x}", name(rd), immediate >> 12),
            Instruction::AddUpperToPc { rd, immediate } => write!(f, "auipc {}, {:#x}", name(rd), immediate >> 12),
            Instruction::Jump { rd: 0, offset } => write!(f, "j {:#010x}", target(offset)),
            Instruction::Jump { rd, offset } => write!(f, "jal {}, {:#010x}", name(rd), target(offset)),
            Instruction::JumpRegister { rd: 0, rs1: 1, offset: 0 } => f.write_str("ret"),
            Instruction::JumpRegister { rd, rs1, offset } => {
                write!(f, "jalr {}, {offset}({})", name(rd), name(rs1))
            }
            Instruction::Branch { condition, rs1, rs2, offset } => {
                write!(f, "{} {}, {}, {:#010x}", branch_name(condition), name(rs1), name(rs2), target(offset))
            }
            Instruction::Load { kind, rd, rs1, offset } => {
                write!(f, "{} {}, {offset}({})", load_name(kind), name(rd), name(rs1))
            }
            Instruction::Store { width, rs1, rs2, offset } => {
                write!(f, "{} {}, {offset}({})", store_name(width), name(rs2), name(rs1))
            }
            Instruction::AluImmediate { operation: AluOperation::Add, rd: 0, rs1: 0, immediate: 0 } => {
                f.write_str("nop")
            }
            Instruction::AluImmediate { operation: AluOperation::Add, rd, rs1: 0, immediate } => {
                write!(f, "li {}, {immediate}", name(rd))
            }
            Instruction::AluImmediate { operation, rd, rs1, immediate } => {
                write!(f, "{}, {}, {immediate}", ImmediateName(operation, name(rd)), name(rs1))
            }
            Instruction::Alu { operation: AluOperation::Add, rd, rs1: 0, rs2 } => {
                write!(f, "mv {}, {}", name(rd), name(rs2))
            }
            Instruction::Alu { operation, rd, rs1, rs2 } => {
                write!(f, "{} {}, {}, {}", alu_name(operation), name(rd), name(rs1), name(rs2))
            }
            Instruction::Csr { operation, rd, rs1, csr } => {
                write!(f, "{} {}, {csr:#x}, {}", csr_name(operation), name(rd), name(rs1))
            }
            Instruction::CsrImmediate { operation, rd, immediate, csr } => {
                write!(f, "{}i {}, {csr:#x}, {immediate}", csr_name(operation), name(rd))
            }
            Instruction::Fence => f.write_str("fence"),
            Instruction::FenceInstruction => f.write_str("fence.i"),
            Instruction::EnvironmentCall => f.write_str("ecall"),
            Instruction::EnvironmentBreak => f.write_str("ebreak"),
            Instruction::MachineReturn => f.write_str("mret"),
            Instruction::WaitForInterrupt => f.write_str("wfi"),
        }
    }
}

/// `slti` but `sltiu`: the manual puts the `i` before the `u`.
struct ImmediateName(AluOperation, &'static str);

impl fmt::Display for ImmediateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            AluOperation::SetLessUnsigned => write!(f, "sltiu {}", self.1),
            operation => write!(f, "{}i {}", alu_name(operation), self.1),
        }
    }
}

const fn branch_name(condition: BranchCondition) -> &'static str {
    match condition {
        BranchCondition::Equal => "beq",
        BranchCondition::NotEqual => "bne",
        BranchCondition::Less => "blt",
        BranchCondition::GreaterOrEqual => "bge",
        BranchCondition::LessUnsigned => "bltu",
        BranchCondition::GreaterOrEqualUnsigned => "bgeu",
    }
}

const fn load_name(kind: LoadKind) -> &'static str {
    match kind {
        LoadKind::Byte => "lb",
        LoadKind::Half => "lh",
        LoadKind::Word => "lw",
        LoadKind::ByteUnsigned => "lbu",
        LoadKind::HalfUnsigned => "lhu",
    }
}

const fn store_name(width: Width) -> &'static str {
    match width {
        Width::Byte => "sb",
        Width::Half => "sh",
        Width::Word => "sw",
    }
}

const fn csr_name(operation: CsrOperation) -> &'static str {
    match operation {
        CsrOperation::Write => "csrrw",
        CsrOperation::Set => "csrrs",
        CsrOperation::Clear => "csrrc",
    }
}

const fn alu_name(operation: AluOperation) -> &'static str {
    match operation {
        AluOperation::Add => "add",
        AluOperation::Subtract => "sub",
        AluOperation::ShiftLeft => "sll",
        AluOperation::SetLess => "slt",
        AluOperation::SetLessUnsigned => "sltu",
        AluOperation::Xor => "xor",
        AluOperation::ShiftRight => "srl",
        AluOperation::ShiftRightArithmetic => "sra",
        AluOperation::Or => "or",
        AluOperation::And => "and",
        AluOperation::Multiply => "mul",
        AluOperation::MultiplyHigh => "mulh",
        AluOperation::MultiplyHighSignedUnsigned => "mulhsu",
        AluOperation::MultiplyHighUnsigned => "mulhu",
        AluOperation::Divide => "div",
        AluOperation::DivideUnsigned => "divu",
        AluOperation::Remainder => "rem",
        AluOperation::RemainderUnsigned => "remu",
    }
}
