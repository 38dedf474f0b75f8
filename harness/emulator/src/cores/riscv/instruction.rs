//! Instructions, decoded: what the hart executes, the tracer prints and the block translator starts from.

use crate::machine::access::Width;

/// One instruction of RV32IMC_Zicsr_Zifencei in M and U mode. Compressed encodings decode to what they stand for.
///
/// Register fields are 0 to 31. Offsets and immediates are sign-extended; those of `lui` and `auipc` are shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named as in the manual")]
pub enum Instruction {
    /// `lui`
    LoadUpper { rd: u8, immediate: u32 },
    /// `auipc`
    AddUpperToPc { rd: u8, immediate: u32 },
    /// `jal`
    Jump { rd: u8, offset: i32 },
    /// `jalr`
    JumpRegister { rd: u8, rs1: u8, offset: i32 },
    /// `beq` and its kin
    Branch { condition: BranchCondition, rs1: u8, rs2: u8, offset: i32 },
    /// `lb`, `lh`, `lw`, `lbu`, `lhu`
    Load { kind: LoadKind, rd: u8, rs1: u8, offset: i32 },
    /// `sb`, `sh`, `sw`
    Store { width: Width, rs1: u8, rs2: u8, offset: i32 },
    /// `addi` and its kin
    AluImmediate { operation: AluOperation, rd: u8, rs1: u8, immediate: i32 },
    /// `add` and its kin, `mul` and its kin
    Alu { operation: AluOperation, rd: u8, rs1: u8, rs2: u8 },
    /// `csrrw` and its kin, with a register
    Csr { operation: CsrOperation, rd: u8, rs1: u8, csr: u16 },
    /// `csrrwi` and its kin, with a five-bit immediate
    CsrImmediate { operation: CsrOperation, rd: u8, immediate: u8, csr: u16 },
    /// `fence`
    Fence,
    /// `fence.i`
    FenceInstruction,
    /// `ecall`
    EnvironmentCall,
    /// `ebreak`
    EnvironmentBreak,
    /// `mret`
    MachineReturn,
    /// `wfi`
    WaitForInterrupt,
}

/// When a branch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BranchCondition {
    Equal,
    NotEqual,
    Less,
    GreaterOrEqual,
    LessUnsigned,
    GreaterOrEqualUnsigned,
}

/// What a load does with the bits that it does not load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LoadKind {
    Byte,
    Half,
    Word,
    ByteUnsigned,
    HalfUnsigned,
}

impl LoadKind {
    /// How much it loads.
    pub const fn width(self) -> Width {
        match self {
            Self::Byte | Self::ByteUnsigned => Width::Byte,
            Self::Half | Self::HalfUnsigned => Width::Half,
            Self::Word => Width::Word,
        }
    }

    /// Extends the loaded bits to a register.
    pub const fn extend(self, loaded: u32) -> u32 {
        match self {
            Self::Byte => loaded as i8 as u32,
            Self::Half => loaded as i16 as u32,
            Self::Word | Self::ByteUnsigned | Self::HalfUnsigned => loaded,
        }
    }
}

/// Register arithmetic. The multiply and divide operations exist only between registers, `Subtract` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum AluOperation {
    Add,
    Subtract,
    ShiftLeft,
    SetLess,
    SetLessUnsigned,
    Xor,
    ShiftRight,
    ShiftRightArithmetic,
    Or,
    And,
    Multiply,
    MultiplyHigh,
    MultiplyHighSignedUnsigned,
    MultiplyHighUnsigned,
    Divide,
    DivideUnsigned,
    Remainder,
    RemainderUnsigned,
}

impl AluOperation {
    /// The result for two operands. Division by zero and overflow give what the manual's table 7.1 ("Semantics for
    /// division by zero and division overflow") prescribes; nothing traps.
    #[inline(always)]
    pub const fn apply(self, a: u32, b: u32) -> u32 {
        match self {
            Self::Add => a.wrapping_add(b),
            Self::Subtract => a.wrapping_sub(b),
            Self::ShiftLeft => a.wrapping_shl(b),
            Self::SetLess => ((a as i32) < (b as i32)) as u32,
            Self::SetLessUnsigned => (a < b) as u32,
            Self::Xor => a ^ b,
            Self::ShiftRight => a.wrapping_shr(b),
            Self::ShiftRightArithmetic => (a as i32).wrapping_shr(b) as u32,
            Self::Or => a | b,
            Self::And => a & b,
            Self::Multiply => a.wrapping_mul(b),
            Self::MultiplyHigh => ((a as i32 as i64 * b as i32 as i64) >> 32) as u32,
            Self::MultiplyHighSignedUnsigned => ((a as i32 as i64 * b as i64) >> 32) as u32,
            Self::MultiplyHighUnsigned => ((a as u64 * b as u64) >> 32) as u32,
            Self::Divide => match b {
                0 => u32::MAX,
                _ => (a as i32).wrapping_div(b as i32) as u32,
            },
            Self::DivideUnsigned => match b {
                0 => u32::MAX,
                _ => a / b,
            },
            Self::Remainder => match b {
                0 => a,
                _ => (a as i32).wrapping_rem(b as i32) as u32,
            },
            Self::RemainderUnsigned => match b {
                0 => a,
                _ => a % b,
            },
        }
    }
}

impl BranchCondition {
    /// Whether the branch is taken.
    #[inline(always)]
    pub const fn holds(self, a: u32, b: u32) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => (a as i32) < (b as i32),
            Self::GreaterOrEqual => (a as i32) >= (b as i32),
            Self::LessUnsigned => a < b,
            Self::GreaterOrEqualUnsigned => a >= b,
        }
    }
}

/// What a CSR instruction does with the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CsrOperation {
    Write,
    Set,
    Clear,
}
