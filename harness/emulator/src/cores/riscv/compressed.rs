//! 16-bit encodings (the RISC-V unprivileged manual, chapter '"C" Extension for Compressed Instructions').
//!
//! Hints execute as the no-ops that they are; reserved encodings and those of RV64 and of the F and D extensions are
//! illegal.

use super::instruction::{AluOperation, BranchCondition, Instruction, LoadKind};
use crate::machine::access::Width;

const ZERO: u8 = 0;
const RETURN_ADDRESS: u8 = 1;
const STACK_POINTER: u8 = 2;

pub(super) const fn decode_compressed(bits: u16) -> Option<Instruction> {
    let bits = bits as u32;
    let funct3 = bits >> 13;
    match bits & 3 {
        0 => decode_quadrant_0(bits, funct3),
        1 => decode_quadrant_1(bits, funct3),
        2 => decode_quadrant_2(bits, funct3),
        _ => None,
    }
}

const fn decode_quadrant_0(bits: u32, funct3: u32) -> Option<Instruction> {
    let rs1 = short_register(bits >> 7);
    let other = short_register(bits >> 2);
    let word_offset = (bits >> 7 & 0x38 | bits >> 4 & 4 | bits << 1 & 0x40) as i32;
    Some(match funct3 {
        // c.addi4spn
        0 => {
            let immediate = (bits >> 7 & 0x30 | bits >> 1 & 0x3c0 | bits >> 4 & 4 | bits >> 2 & 8) as i32;
            if immediate == 0 {
                return None;
            }
            Instruction::AluImmediate { operation: AluOperation::Add, rd: other, rs1: STACK_POINTER, immediate }
        }
        // c.lw
        2 => Instruction::Load { kind: LoadKind::Word, rd: other, rs1, offset: word_offset },
        // c.sw
        6 => Instruction::Store { width: Width::Word, rs1, rs2: other, offset: word_offset },
        _ => return None,
    })
}

const fn decode_quadrant_1(bits: u32, funct3: u32) -> Option<Instruction> {
    let rd = (bits >> 7 & 31) as u8;
    let immediate = six_bit_immediate(bits);
    let jump_offset = ((bits << 19) as i32 >> 31 << 11)
        | (bits << 2 & 0x400
            | bits >> 1 & 0x300
            | bits << 1 & 0x80
            | bits >> 1 & 0x40
            | bits << 3 & 0x20
            | bits >> 7 & 0x10
            | bits >> 2 & 0xe) as i32;
    Some(match funct3 {
        // c.addi, c.nop
        0 => Instruction::AluImmediate { operation: AluOperation::Add, rd, rs1: rd, immediate },
        // c.jal
        1 => Instruction::Jump { rd: RETURN_ADDRESS, offset: jump_offset },
        // c.li
        2 => Instruction::AluImmediate { operation: AluOperation::Add, rd, rs1: ZERO, immediate },
        // c.addi16sp, c.lui
        3 => {
            if immediate == 0 {
                return None;
            }
            if rd == STACK_POINTER {
                let immediate = ((bits << 19) as i32 >> 31 << 9)
                    | (bits >> 2 & 0x10 | bits << 1 & 0x40 | bits << 4 & 0x180 | bits << 3 & 0x20) as i32;
                Instruction::AluImmediate { operation: AluOperation::Add, rd, rs1: rd, immediate }
            } else {
                Instruction::LoadUpper { rd, immediate: (immediate << 12) as u32 }
            }
        }
        4 => return decode_arithmetic(bits),
        // c.j
        5 => Instruction::Jump { rd: ZERO, offset: jump_offset },
        // c.beqz, c.bnez
        _ => {
            let offset = ((bits << 19) as i32 >> 31 << 8)
                | (bits >> 7 & 0x18 | bits << 1 & 0xc0 | bits >> 2 & 6 | bits << 3 & 0x20) as i32;
            let condition = if funct3 == 6 { BranchCondition::Equal } else { BranchCondition::NotEqual };
            Instruction::Branch { condition, rs1: short_register(bits >> 7), rs2: ZERO, offset }
        }
    })
}

/// Quadrant 1, funct3 4: shifts, `c.andi` and operations between the eight short registers.
const fn decode_arithmetic(bits: u32) -> Option<Instruction> {
    let rd = short_register(bits >> 7);
    let immediate = six_bit_immediate(bits);
    let wide = bits >> 12 & 1 == 1;
    let operation = match bits >> 10 & 3 {
        // A shift by 32 or more is reserved for custom use on RV32.
        0 | 1 if wide => return None,
        0 => AluOperation::ShiftRight,
        1 => AluOperation::ShiftRightArithmetic,
        2 => AluOperation::And,
        _ => {
            let operation = match bits >> 5 & 3 {
                _ if wide => return None,
                0 => AluOperation::Subtract,
                1 => AluOperation::Xor,
                2 => AluOperation::Or,
                _ => AluOperation::And,
            };
            return Some(Instruction::Alu { operation, rd, rs1: rd, rs2: short_register(bits >> 2) });
        }
    };
    Some(Instruction::AluImmediate { operation, rd, rs1: rd, immediate })
}

const fn decode_quadrant_2(bits: u32, funct3: u32) -> Option<Instruction> {
    let rd = (bits >> 7 & 31) as u8;
    let rs2 = (bits >> 2 & 31) as u8;
    let high = bits >> 12 & 1 == 1;
    Some(match (funct3, high, rd, rs2) {
        // c.slli; a shift by 32 or more is reserved for custom use on RV32.
        (0, false, _, _) => {
            Instruction::AluImmediate { operation: AluOperation::ShiftLeft, rd, rs1: rd, immediate: rs2 as i32 }
        }
        // c.lwsp
        (2, _, 1.., _) => {
            let offset = (bits >> 7 & 0x20 | bits >> 2 & 0x1c | bits << 4 & 0xc0) as i32;
            Instruction::Load { kind: LoadKind::Word, rd, rs1: STACK_POINTER, offset }
        }
        // c.jr
        (4, false, 1.., 0) => Instruction::JumpRegister { rd: ZERO, rs1: rd, offset: 0 },
        // c.mv
        (4, false, _, 1..) => Instruction::Alu { operation: AluOperation::Add, rd, rs1: ZERO, rs2 },
        (4, true, 0, 0) => Instruction::EnvironmentBreak,
        // c.jalr
        (4, true, _, 0) => Instruction::JumpRegister { rd: RETURN_ADDRESS, rs1: rd, offset: 0 },
        // c.add
        (4, true, _, _) => Instruction::Alu { operation: AluOperation::Add, rd, rs1: rd, rs2 },
        // c.swsp
        (6, _, _, _) => {
            let offset = (bits >> 7 & 0x3c | bits >> 1 & 0xc0) as i32;
            Instruction::Store { width: Width::Word, rs1: STACK_POINTER, rs2, offset }
        }
        _ => return None,
    })
}

const fn short_register(bits: u32) -> u8 {
    (8 + (bits & 7)) as u8
}

const fn six_bit_immediate(bits: u32) -> i32 {
    ((bits << 19) as i32 >> 31 << 5) | (bits >> 2 & 31) as i32
}
