//! Instructions, decoded: what the core executes and the tracer prints.

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub opcode: Opcode,
    /// How its operands lie in the encoding, and in which order an assembler has them.
    pub format: Format,
    /// Field `r` of the encoding: mostly the destination. For [`Format::BranchBit`] the bit's number.
    pub r: u8,
    /// Field `s`: mostly the first source. For [`Format::Extract`] the number of bits.
    pub s: u8,
    /// Field `t`: mostly the second source, or what is loaded and stored.
    pub t: u8,
    /// The immediate, as the instruction uses it: sign-extended, shifted; for jumps the distance from the instruction (or
    /// from the word that it is in); the number of a special register.
    pub immediate: i32,
    /// Bytes of the encoding: 2 or 3.
    pub length: u8,
}

/// How operands lie in an encoding (the ISA manual, section "Instruction Formats"), named by what an assembler writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// No operand.
    None,
    /// `add ar, as, at`
    RegistersRst,
    /// `neg ar, at`
    RegistersRt,
    /// `sll ar, as`
    RegistersRs,
    /// `nsa at, as`
    RegistersTs,
    /// `jx as`
    RegisterS,
    /// `ssai 0..31`
    ShiftAmount,
    /// `slli ar, as, 1..31`
    ShiftLeft,
    /// `srai ar, at, 0..31`
    ShiftRightArithmetic,
    /// `srli ar, at, 0..15`
    ShiftRight,
    /// `extui ar, at, shift, bits`
    Extract,
    /// `rsr at, register`
    SpecialRegister,
    /// `rsil at, level`
    RegisterLevel,
    /// `waiti level`
    Level,
    /// `break s, t`
    Break,
    /// `break.n s`
    BreakNarrow,
    /// `l32r at, address`: one-extended words, from the word behind the instruction
    Literal,
    /// `l8ui at, as, 0..255`, scaled by `1 << shift`
    Memory {
        /// The scale.
        shift: u8,
    },
    /// `l32i.n at, as, 0..60`
    MemoryNarrow,
    /// `movi at, -2048..2047`
    Constant,
    /// `movi.n as, -32..95`
    ConstantNarrow,
    /// `addi at, as, -128..127`, scaled by `1 << shift`
    AddImmediate {
        /// The scale.
        shift: u8,
    },
    /// `addi.n ar, as, -1 or 1..15`
    AddImmediateNarrow,
    /// `call0 address`: words, from the word that the instruction is in
    Call,
    /// `j address`
    Jump,
    /// `beqz as, address`
    BranchZero,
    /// `beqz.n as, address`
    BranchZeroNarrow,
    /// `beqi as, constant, address`
    BranchConstant,
    /// `bltui as, constant, address`
    BranchConstantUnsigned,
    /// `beq as, at, address`
    Branch,
    /// `bbci as, bit, address`
    BranchBit,
}

/// What branches compare with (the ISA manual, table "Branch Immediate (b4const) Encodings"), by field `r`.
pub(super) const BRANCH_CONSTANTS: [i32; 16] = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256];
/// The same for unsigned comparisons ("b4constu").
pub(super) const BRANCH_CONSTANTS_UNSIGNED: [u32; 16] =
    [32_768, 65_536, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256];

/// What an instruction does. The names are the manual's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the manual's")]
pub enum Opcode {
    Ill,
    Ret,
    Jx,
    Callx0,
    /// `isync`, `rsync`, `esync`, `dsync`, `excw`, `memw`, `extw`, `nop`, and what the region protection's TLBs do: nothing,
    /// as one core sees its own stores in order
    Nop,
    Rfe,
    Rfde,
    Rfi,
    Break,
    BreakN,
    Syscall,
    Simcall,
    Rsil,
    Waiti,
    And,
    Or,
    Xor,
    Ssr,
    Ssl,
    Ssa8l,
    Ssa8b,
    Ssai,
    Nsa,
    Nsau,
    ReadTlb,
    Neg,
    Abs,
    Add,
    Addx2,
    Addx4,
    Addx8,
    Sub,
    Subx2,
    Subx4,
    Subx8,
    Slli,
    Srai,
    Srli,
    Xsr,
    Src,
    Srl,
    Sll,
    Sra,
    Mul16u,
    Mul16s,
    Mull,
    Rsr,
    Wsr,
    Moveqz,
    Movnez,
    Movltz,
    Movgez,
    Extui,
    L32r,
    L8ui,
    L16ui,
    L16si,
    L32i,
    S8i,
    S16i,
    S32i,
    Movi,
    Addi,
    Addmi,
    Call0,
    J,
    Beqz,
    Bnez,
    Bltz,
    Bgez,
    Beqi,
    Bnei,
    Blti,
    Bgei,
    Bltui,
    Bgeui,
    Bnone,
    Beq,
    Blt,
    Bltu,
    Ball,
    Bbc,
    Bbci,
    Bany,
    Bne,
    Bge,
    Bgeu,
    Bnall,
    Bbs,
    Bbsi,
    AddN,
    AddiN,
    MoviN,
    MovN,
}
