//! Encodings, as one table: bits that are fixed, what the instruction does, where its operands lie.
//!
//! (The ISA manual, chapter "Opcode Maps" of "Instruction Formats and Opcodes".) An encoding has 24 bits, or 16 if its lowest
//! four are 8 to 13. Fields, from the lowest: `op0`, `t`, `s`, `r`, `op1`, `op2`, of four bits each.

use super::instruction::{Format, Instruction, Opcode};

/// One line of the table.
pub(super) struct Row {
    mask: u32,
    bits: u32,
    pub(super) opcode: Opcode,
    pub(super) format: Format,
    /// As an assembler has it.
    pub(super) name: &'static str,
}

const fn row(mask: u32, bits: u32, opcode: Opcode, format: Format, name: &'static str) -> Row {
    Row { mask, bits, opcode, format, name }
}

use Format as F;
use Opcode as O;

/// Every bit is fixed.
const ALL: u32 = 0xff_ffff;
/// `op0`, `op1` and `op2` are.
const RRR: u32 = 0xff_000f;

/// The encodings that have 24 bits, by `op0` and within that by `op1` and `op2`.
pub(super) const WIDE: &[Row] = &[
    row(ALL, 0x00_0000, O::Ill, F::None, "ill"),
    row(ALL, 0x00_0080, O::Ret, F::None, "ret"),
    row(0xff_f0ff, 0x00_00a0, O::Jx, F::RegisterS, "jx"),
    row(0xff_f0ff, 0x00_00c0, O::Callx0, F::RegisterS, "callx0"),
    row(ALL, 0x00_2000, O::Nop, F::None, "isync"),
    row(ALL, 0x00_2010, O::Nop, F::None, "rsync"),
    row(ALL, 0x00_2020, O::Nop, F::None, "esync"),
    row(ALL, 0x00_2030, O::Nop, F::None, "dsync"),
    row(ALL, 0x00_2080, O::Nop, F::None, "excw"),
    row(ALL, 0x00_20c0, O::Nop, F::None, "memw"),
    row(ALL, 0x00_20d0, O::Nop, F::None, "extw"),
    row(ALL, 0x00_20f0, O::Nop, F::None, "nop"),
    row(ALL, 0x00_3000, O::Rfe, F::None, "rfe"),
    row(ALL, 0x00_3200, O::Rfde, F::None, "rfde"),
    row(0xff_f0ff, 0x00_3010, O::Rfi, F::Level, "rfi"),
    row(0xff_f00f, 0x00_4000, O::Break, F::Break, "break"),
    row(ALL, 0x00_5000, O::Syscall, F::None, "syscall"),
    row(ALL, 0x00_5100, O::Simcall, F::None, "simcall"),
    row(0xff_f00f, 0x00_6000, O::Rsil, F::RegisterLevel, "rsil"),
    row(0xff_f0ff, 0x00_7000, O::Waiti, F::Level, "waiti"),
    row(RRR, 0x10_0000, O::And, F::RegistersRst, "and"),
    row(RRR, 0x20_0000, O::Or, F::RegistersRst, "or"),
    row(RRR, 0x30_0000, O::Xor, F::RegistersRst, "xor"),
    row(0xff_f0ff, 0x40_0000, O::Ssr, F::RegisterS, "ssr"),
    row(0xff_f0ff, 0x40_1000, O::Ssl, F::RegisterS, "ssl"),
    row(0xff_f0ff, 0x40_2000, O::Ssa8l, F::RegisterS, "ssa8l"),
    row(0xff_f0ff, 0x40_3000, O::Ssa8b, F::RegisterS, "ssa8b"),
    row(0xff_f0ef, 0x40_4000, O::Ssai, F::ShiftAmount, "ssai"),
    row(0xff_f00f, 0x40_e000, O::Nsa, F::RegistersTs, "nsa"),
    row(0xff_f00f, 0x40_f000, O::Nsau, F::RegistersTs, "nsau"),
    row(0xff_f00f, 0x50_3000, O::ReadTlb, F::RegistersTs, "ritlb0"),
    row(0xff_f0ff, 0x50_4000, O::Nop, F::RegisterS, "iitlb"),
    row(0xff_f00f, 0x50_5000, O::ReadTlb, F::RegistersTs, "pitlb"),
    row(0xff_f00f, 0x50_6000, O::Nop, F::RegistersTs, "witlb"),
    row(0xff_f00f, 0x50_7000, O::ReadTlb, F::RegistersTs, "ritlb1"),
    row(0xff_f00f, 0x50_b000, O::ReadTlb, F::RegistersTs, "rdtlb0"),
    row(0xff_f0ff, 0x50_c000, O::Nop, F::RegisterS, "idtlb"),
    row(0xff_f00f, 0x50_d000, O::ReadTlb, F::RegistersTs, "pdtlb"),
    row(0xff_f00f, 0x50_e000, O::Nop, F::RegistersTs, "wdtlb"),
    row(0xff_f00f, 0x50_f000, O::ReadTlb, F::RegistersTs, "rdtlb1"),
    row(0xff_0f0f, 0x60_0000, O::Neg, F::RegistersRt, "neg"),
    row(0xff_0f0f, 0x60_0100, O::Abs, F::RegistersRt, "abs"),
    row(RRR, 0x80_0000, O::Add, F::RegistersRst, "add"),
    row(RRR, 0x90_0000, O::Addx2, F::RegistersRst, "addx2"),
    row(RRR, 0xa0_0000, O::Addx4, F::RegistersRst, "addx4"),
    row(RRR, 0xb0_0000, O::Addx8, F::RegistersRst, "addx8"),
    row(RRR, 0xc0_0000, O::Sub, F::RegistersRst, "sub"),
    row(RRR, 0xd0_0000, O::Subx2, F::RegistersRst, "subx2"),
    row(RRR, 0xe0_0000, O::Subx4, F::RegistersRst, "subx4"),
    row(RRR, 0xf0_0000, O::Subx8, F::RegistersRst, "subx8"),
    row(0xef_000f, 0x01_0000, O::Slli, F::ShiftLeft, "slli"),
    row(0xef_000f, 0x21_0000, O::Srai, F::ShiftRightArithmetic, "srai"),
    row(RRR, 0x41_0000, O::Srli, F::ShiftRight, "srli"),
    row(RRR, 0x61_0000, O::Xsr, F::SpecialRegister, "xsr"),
    row(RRR, 0x81_0000, O::Src, F::RegistersRst, "src"),
    row(0xff_0f0f, 0x91_0000, O::Srl, F::RegistersRt, "srl"),
    row(0xff_00ff, 0xa1_0000, O::Sll, F::RegistersRs, "sll"),
    row(0xff_0f0f, 0xb1_0000, O::Sra, F::RegistersRt, "sra"),
    row(RRR, 0xc1_0000, O::Mul16u, F::RegistersRst, "mul16u"),
    row(RRR, 0xd1_0000, O::Mul16s, F::RegistersRst, "mul16s"),
    row(RRR, 0x82_0000, O::Mull, F::RegistersRst, "mull"),
    row(RRR, 0x03_0000, O::Rsr, F::SpecialRegister, "rsr"),
    row(RRR, 0x13_0000, O::Wsr, F::SpecialRegister, "wsr"),
    row(RRR, 0x83_0000, O::Moveqz, F::RegistersRst, "moveqz"),
    row(RRR, 0x93_0000, O::Movnez, F::RegistersRst, "movnez"),
    row(RRR, 0xa3_0000, O::Movltz, F::RegistersRst, "movltz"),
    row(RRR, 0xb3_0000, O::Movgez, F::RegistersRst, "movgez"),
    row(0x0e_000f, 0x04_0000, O::Extui, F::Extract, "extui"),
    row(0x00_000f, 0x00_0001, O::L32r, F::Literal, "l32r"),
    row(0x00_f00f, 0x00_0002, O::L8ui, F::Memory { shift: 0 }, "l8ui"),
    row(0x00_f00f, 0x00_1002, O::L16ui, F::Memory { shift: 1 }, "l16ui"),
    row(0x00_f00f, 0x00_2002, O::L32i, F::Memory { shift: 2 }, "l32i"),
    row(0x00_f00f, 0x00_4002, O::S8i, F::Memory { shift: 0 }, "s8i"),
    row(0x00_f00f, 0x00_5002, O::S16i, F::Memory { shift: 1 }, "s16i"),
    row(0x00_f00f, 0x00_6002, O::S32i, F::Memory { shift: 2 }, "s32i"),
    row(0x00_f00f, 0x00_9002, O::L16si, F::Memory { shift: 1 }, "l16si"),
    row(0x00_f00f, 0x00_a002, O::Movi, F::Constant, "movi"),
    row(0x00_f00f, 0x00_c002, O::Addi, F::AddImmediate { shift: 0 }, "addi"),
    row(0x00_f00f, 0x00_d002, O::Addmi, F::AddImmediate { shift: 8 }, "addmi"),
    row(0x00_003f, 0x00_0005, O::Call0, F::Call, "call0"),
    row(0x00_003f, 0x00_0006, O::J, F::Jump, "j"),
    row(0x00_00ff, 0x00_0016, O::Beqz, F::BranchZero, "beqz"),
    row(0x00_00ff, 0x00_0056, O::Bnez, F::BranchZero, "bnez"),
    row(0x00_00ff, 0x00_0096, O::Bltz, F::BranchZero, "bltz"),
    row(0x00_00ff, 0x00_00d6, O::Bgez, F::BranchZero, "bgez"),
    row(0x00_00ff, 0x00_0026, O::Beqi, F::BranchConstant, "beqi"),
    row(0x00_00ff, 0x00_0066, O::Bnei, F::BranchConstant, "bnei"),
    row(0x00_00ff, 0x00_00a6, O::Blti, F::BranchConstant, "blti"),
    row(0x00_00ff, 0x00_00e6, O::Bgei, F::BranchConstant, "bgei"),
    row(0x00_00ff, 0x00_00b6, O::Bltui, F::BranchConstantUnsigned, "bltui"),
    row(0x00_00ff, 0x00_00f6, O::Bgeui, F::BranchConstantUnsigned, "bgeui"),
    row(0x00_f00f, 0x00_0007, O::Bnone, F::Branch, "bnone"),
    row(0x00_f00f, 0x00_1007, O::Beq, F::Branch, "beq"),
    row(0x00_f00f, 0x00_2007, O::Blt, F::Branch, "blt"),
    row(0x00_f00f, 0x00_3007, O::Bltu, F::Branch, "bltu"),
    row(0x00_f00f, 0x00_4007, O::Ball, F::Branch, "ball"),
    row(0x00_f00f, 0x00_5007, O::Bbc, F::Branch, "bbc"),
    row(0x00_e00f, 0x00_6007, O::Bbci, F::BranchBit, "bbci"),
    row(0x00_f00f, 0x00_8007, O::Bany, F::Branch, "bany"),
    row(0x00_f00f, 0x00_9007, O::Bne, F::Branch, "bne"),
    row(0x00_f00f, 0x00_a007, O::Bge, F::Branch, "bge"),
    row(0x00_f00f, 0x00_b007, O::Bgeu, F::Branch, "bgeu"),
    row(0x00_f00f, 0x00_c007, O::Bnall, F::Branch, "bnall"),
    row(0x00_f00f, 0x00_d007, O::Bbs, F::Branch, "bbs"),
    row(0x00_e00f, 0x00_e007, O::Bbsi, F::BranchBit, "bbsi"),
];

/// The encodings that have 16 bits: the density option.
pub(super) const NARROW: &[Row] = &[
    row(0x000f, 0x0008, O::L32i, F::MemoryNarrow, "l32i.n"),
    row(0x000f, 0x0009, O::S32i, F::MemoryNarrow, "s32i.n"),
    row(0x000f, 0x000a, O::AddN, F::RegistersRst, "add.n"),
    row(0x000f, 0x000b, O::AddiN, F::AddImmediateNarrow, "addi.n"),
    row(0x008f, 0x000c, O::MoviN, F::ConstantNarrow, "movi.n"),
    row(0x00cf, 0x008c, O::Beqz, F::BranchZeroNarrow, "beqz.n"),
    row(0x00cf, 0x00cc, O::Bnez, F::BranchZeroNarrow, "bnez.n"),
    row(0xf00f, 0x000d, O::MovN, F::RegistersTs, "mov.n"),
    // Its field for a register is nobody's.
    row(0xf0ff, 0xf00d, O::Ret, F::None, "ret.n"),
    row(0xf0ff, 0xf02d, O::BreakN, F::BreakNarrow, "break.n"),
    row(0xffff, 0xf03d, O::Nop, F::None, "nop.n"),
    row(0xffff, 0xf06d, O::Ill, F::None, "ill.n"),
];

/// Bytes of the encoding that begins with this byte. 14 and 15 in the lowest four bits are nobody's here; the core takes
/// them for long ones.
pub(super) const fn length_of(first: u8) -> u8 {
    if first & 0xf >= 8 && first & 0xf < 14 { 2 } else { 3 }
}

/// The line of the table for an encoding.
pub(super) fn row_of(bits: u32) -> Option<&'static Row> {
    let (table, bits) = match length_of(bits as u8) {
        2 => (NARROW, bits & 0xffff),
        _ => (WIDE, bits & 0xff_ffff),
    };
    table.iter().find(|row| bits & row.mask == row.bits)
}

/// Decodes the instruction at the low end of `bits`; what is above it is ignored. `None` for what the LX106 does not have.
pub fn decode(bits: u32) -> Option<Instruction> {
    let row = row_of(bits)?;
    let field = |shift: u32| (bits >> shift & 0xf) as u8;
    let (t, s, r) = (field(4), field(8), field(12));
    let unused =
        Instruction { opcode: row.opcode, format: row.format, r, s, t, immediate: 0, length: length_of(bits as u8) };
    let with = |immediate: i32| Instruction { immediate, ..unused };
    let imm8 = bits >> 16 & 0xff;
    let signed = |value: u32, width: u32| ((value << (32 - width)) as i32) >> (32 - width);
    let above_r = |bit: u32| (bits >> bit & 1) << 4;
    Some(match row.format {
        F::None | F::RegistersRst | F::RegistersRt | F::RegistersRs | F::RegistersTs | F::RegisterS => unused,
        F::ShiftAmount => with((u32::from(s) | above_r(4)) as i32),
        F::ShiftLeft => with(32 - (u32::from(t) | above_r(20)) as i32),
        F::ShiftRightArithmetic => with((u32::from(s) | above_r(20)) as i32),
        F::ShiftRight => with(i32::from(s)),
        F::Extract => Instruction { s: (bits >> 20 & 0xf) as u8 + 1, ..with((u32::from(s) | above_r(16)) as i32) },
        F::SpecialRegister => with((bits >> 8 & 0xff) as i32),
        F::RegisterLevel | F::Level | F::Break | F::BreakNarrow => with(i32::from(s)),
        F::Literal => with((0xfffc_0000 | (bits >> 8 & 0xffff) << 2) as i32),
        F::Memory { shift } => with((imm8 << shift) as i32),
        F::MemoryNarrow => with(4 * i32::from(r)),
        F::Constant => with(signed(u32::from(s) << 8 | imm8, 12)),
        // The seven bits stand for -32 to 95.
        F::ConstantNarrow => {
            let value = u32::from(t & 7) << 4 | u32::from(r);
            with(if value >= 96 { value as i32 - 128 } else { value as i32 })
        }
        F::AddImmediate { shift } => with(signed(imm8, 8) << shift),
        F::AddImmediateNarrow => with(if t == 0 { -1 } else { i32::from(t) }),
        F::Call => with(4 + (signed(bits >> 6 & 0x3_ffff, 18) << 2)),
        F::Jump => with(4 + signed(bits >> 6 & 0x3_ffff, 18)),
        F::BranchZero => with(4 + signed(bits >> 12 & 0xfff, 12)),
        F::BranchZeroNarrow => with(4 + (u32::from(t & 3) << 4 | u32::from(r)) as i32),
        F::BranchConstant | F::BranchConstantUnsigned | F::Branch => with(4 + signed(imm8, 8)),
        F::BranchBit => Instruction { r: t | (r & 1) << 4, ..with(4 + signed(imm8, 8)) },
    })
}

/// Encodings that are kept decoded; two that share a place displace each other.
const KNOWN: usize = 4096;

/// Decodes what it has met before without looking at the table.
pub(super) struct Decoder {
    known: Box<[(u32, Instruction); KNOWN]>,
}

impl Decoder {
    pub fn new() -> Self {
        let ill = Instruction { opcode: O::Ill, format: F::None, r: 0, s: 0, t: 0, immediate: 0, length: 3 };
        Self { known: Box::new([(0, ill); KNOWN]) }
    }

    /// As [`decode`], for an encoding with nothing above it.
    #[inline]
    pub fn decode(&mut self, bits: u32) -> Option<Instruction> {
        let place = (bits.wrapping_mul(0x9e37_79b1) >> 20) as usize;
        let (known, instruction) = self.known[place];
        if known == bits {
            return Some(instruction);
        }
        let instruction = decode(bits)?;
        self.known[place] = (bits, instruction);
        Some(instruction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoding is one line's: so the order of the table does not matter.
    #[test]
    fn no_encoding_is_claimed_twice() {
        for table in [WIDE, NARROW] {
            for (n, one) in table.iter().enumerate() {
                assert_eq!(one.bits & !one.mask, 0, "{}", one.name);
                for other in &table[n + 1..] {
                    let common = one.mask & other.mask;
                    assert_ne!(one.bits & common, other.bits & common, "{} and {}", one.name, other.name);
                }
            }
        }
    }
}
