//! 32-bit encodings (the RISC-V unprivileged manual, chapter "RV32/64G Instruction Set Listings").

use super::compressed::decode_compressed;
use super::instruction::{AluOperation, BranchCondition, CsrOperation, Instruction, LoadKind};
use crate::machine::access::Width;

/// An instruction and how many bytes it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What it does.
    pub instruction: Instruction,
    /// 2 for a compressed encoding, else 4.
    pub length: u8,
}

/// Decodes the instruction at the low end of `bits`; the upper half is ignored for compressed encodings.
/// `None` for what RV32IMC_Zicsr_Zifencei does not define.
pub const fn decode(bits: u32) -> Option<Decoded> {
    if bits & 3 == 3 {
        match decode_full(bits) {
            Some(instruction) => Some(Decoded { instruction, length: 4 }),
            None => None,
        }
    } else {
        match decode_compressed(bits as u16) {
            Some(instruction) => Some(Decoded { instruction, length: 2 }),
            None => None,
        }
    }
}

const fn decode_full(bits: u32) -> Option<Instruction> {
    let rd = (bits >> 7 & 31) as u8;
    let rs1 = (bits >> 15 & 31) as u8;
    let rs2 = (bits >> 20 & 31) as u8;
    let funct3 = bits >> 12 & 7;
    let funct7 = bits >> 25;
    let i_immediate = bits as i32 >> 20;
    Some(match bits & 0x7f {
        0x37 => Instruction::LoadUpper { rd, immediate: bits & 0xffff_f000 },
        0x17 => Instruction::AddUpperToPc { rd, immediate: bits & 0xffff_f000 },
        0x6f => Instruction::Jump { rd, offset: j_immediate(bits) },
        0x67 if funct3 == 0 => Instruction::JumpRegister { rd, rs1, offset: i_immediate },
        0x63 => {
            let condition = match funct3 {
                0 => BranchCondition::Equal,
                1 => BranchCondition::NotEqual,
                4 => BranchCondition::Less,
                5 => BranchCondition::GreaterOrEqual,
                6 => BranchCondition::LessUnsigned,
                7 => BranchCondition::GreaterOrEqualUnsigned,
                _ => return None,
            };
            Instruction::Branch { condition, rs1, rs2, offset: b_immediate(bits) }
        }
        0x03 => {
            let kind = match funct3 {
                0 => LoadKind::Byte,
                1 => LoadKind::Half,
                2 => LoadKind::Word,
                4 => LoadKind::ByteUnsigned,
                5 => LoadKind::HalfUnsigned,
                _ => return None,
            };
            Instruction::Load { kind, rd, rs1, offset: i_immediate }
        }
        0x23 => {
            let width = match funct3 {
                0 => Width::Byte,
                1 => Width::Half,
                2 => Width::Word,
                _ => return None,
            };
            Instruction::Store { width, rs1, rs2, offset: s_immediate(bits) }
        }
        0x13 => {
            let (operation, immediate) = match (funct3, funct7) {
                (0, _) => (AluOperation::Add, i_immediate),
                (1, 0x00) => (AluOperation::ShiftLeft, rs2 as i32),
                (2, _) => (AluOperation::SetLess, i_immediate),
                (3, _) => (AluOperation::SetLessUnsigned, i_immediate),
                (4, _) => (AluOperation::Xor, i_immediate),
                (5, 0x00) => (AluOperation::ShiftRight, rs2 as i32),
                (5, 0x20) => (AluOperation::ShiftRightArithmetic, rs2 as i32),
                (6, _) => (AluOperation::Or, i_immediate),
                (7, _) => (AluOperation::And, i_immediate),
                _ => return None,
            };
            Instruction::AluImmediate { operation, rd, rs1, immediate }
        }
        0x33 => {
            let operation = match (funct7, funct3) {
                (0x00, 0) => AluOperation::Add,
                (0x20, 0) => AluOperation::Subtract,
                (0x00, 1) => AluOperation::ShiftLeft,
                (0x00, 2) => AluOperation::SetLess,
                (0x00, 3) => AluOperation::SetLessUnsigned,
                (0x00, 4) => AluOperation::Xor,
                (0x00, 5) => AluOperation::ShiftRight,
                (0x20, 5) => AluOperation::ShiftRightArithmetic,
                (0x00, 6) => AluOperation::Or,
                (0x00, 7) => AluOperation::And,
                (0x01, 0) => AluOperation::Multiply,
                (0x01, 1) => AluOperation::MultiplyHigh,
                (0x01, 2) => AluOperation::MultiplyHighSignedUnsigned,
                (0x01, 3) => AluOperation::MultiplyHighUnsigned,
                (0x01, 4) => AluOperation::Divide,
                (0x01, 5) => AluOperation::DivideUnsigned,
                (0x01, 6) => AluOperation::Remainder,
                (0x01, 7) => AluOperation::RemainderUnsigned,
                _ => return None,
            };
            Instruction::Alu { operation, rd, rs1, rs2 }
        }
        // Fields of fences other than funct3 are for later extensions: "base implementations shall ignore" them.
        0x0f if funct3 == 0 => Instruction::Fence,
        0x0f if funct3 == 1 => Instruction::FenceInstruction,
        0x73 => return decode_system(bits),
        _ => return None,
    })
}

const fn decode_system(bits: u32) -> Option<Instruction> {
    let rd = (bits >> 7 & 31) as u8;
    let source = (bits >> 15 & 31) as u8;
    let csr = (bits >> 20) as u16;
    let operation = match bits >> 12 & 3 {
        0 => {
            return match bits {
                0x0000_0073 => Some(Instruction::EnvironmentCall),
                0x0010_0073 => Some(Instruction::EnvironmentBreak),
                0x3020_0073 => Some(Instruction::MachineReturn),
                0x1050_0073 => Some(Instruction::WaitForInterrupt),
                _ => None,
            };
        }
        1 => CsrOperation::Write,
        2 => CsrOperation::Set,
        _ => CsrOperation::Clear,
    };
    Some(if bits >> 14 & 1 == 0 {
        Instruction::Csr { operation, rd, rs1: source, csr }
    } else {
        Instruction::CsrImmediate { operation, rd, immediate: source, csr }
    })
}

const fn s_immediate(bits: u32) -> i32 {
    (bits as i32 >> 25 << 5) | (bits >> 7 & 31) as i32
}

const fn b_immediate(bits: u32) -> i32 {
    (bits as i32 >> 31 << 12) | (bits << 4 & 0x800) as i32 | (bits >> 20 & 0x7e0) as i32 | (bits >> 7 & 0x1e) as i32
}

const fn j_immediate(bits: u32) -> i32 {
    (bits as i32 >> 31 << 20) | (bits & 0xf_f000) as i32 | (bits >> 9 & 0x800) as i32 | (bits >> 20 & 0x7fe) as i32
}
