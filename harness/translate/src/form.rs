//! The intermediate form: what a front end says, and what the back end compiles.
//!
//! Registers hold 32 bits and lie one after the other in memory, which is up to date wherever host code leaves. All
//! arithmetic is modulo 2^32. Memory is little-endian.

/// A register of the guest: its place in the register file.
pub type Register = u8;

/// No register has a number of this size.
pub const REGISTERS_MAX: usize = 64;

/// Where host code leaves: a number that means something to the front end, which numbers the operations at which its own
/// tier can go on.
pub type Exit = u32;

/// Blocks that lead to each other. Entered at the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Region {
    /// The blocks; edges name them by their index.
    pub blocks: Vec<Block>,
}

/// Operations one after the other, past branches that are not taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// In order.
    pub operations: Vec<Operation>,
    /// What comes after them.
    pub end: End,
}

/// What comes after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Another block of the region.
    Go(Edge),
    /// Nothing that is known here.
    Leave(Exit),
}

/// The way from one block to another. It takes the time of all instructions of the block up to here; if that is more than
/// there is, host code leaves at `exit`, with the time that it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Where to.
    pub block: u32,
    /// Instructions since the block's beginning, this one included.
    pub instructions: u32,
    /// The operation of which the edge is part.
    pub exit: Exit,
}

/// A value that an operation reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// What a register holds.
    Register(Register),
    /// A number.
    Constant(u32),
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `to = from`
    Move {
        /// Destination.
        to: Register,
        /// Source.
        from: Operand,
    },
    /// `to = function(a, b)`
    Compute {
        /// Which function.
        function: Function,
        /// Destination.
        to: Register,
        /// First operand.
        a: Operand,
        /// Second operand.
        b: Operand,
    },
    /// Loads from `base + offset`.
    Load {
        /// How much.
        width: Width,
        /// Whether its highest bit is extended to the register's.
        sign_extended: bool,
        /// Destination; without one, the access is made and its value dropped.
        to: Option<Register>,
        /// Address, first part.
        base: Operand,
        /// Address, second part.
        offset: u32,
        /// Where to leave if the access is misaligned, or not to a page of the table.
        exit: Exit,
    },
    /// Stores the low bits of `from` to `base + offset`.
    Store {
        /// How much.
        width: Width,
        /// Source.
        from: Operand,
        /// Address, first part.
        base: Operand,
        /// Address, second part.
        offset: u32,
        /// As for a load.
        exit: Exit,
    },
    /// Leaves if a condition holds.
    LeaveIf {
        /// Which.
        condition: Condition,
        /// First operand.
        a: Operand,
        /// Second operand.
        b: Operand,
        /// Where.
        exit: Exit,
    },
    /// Goes on in another block if a condition holds.
    GoIf {
        /// Which.
        condition: Condition,
        /// First operand.
        a: Operand,
        /// Second operand.
        b: Operand,
        /// The way.
        edge: Edge,
    },
}

/// How much a load or store moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// 8 bits
    Byte,
    /// 16 bits
    Half,
    /// 32 bits
    Word,
}

impl Width {
    /// In bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
        }
    }
}

/// A function of two numbers of 32 bits. What an instruction set has besides is composed of them by its front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a & b`
    And,
    /// `a | b`
    Or,
    /// `a ^ b`
    Xor,
    /// `a << b % 32`
    ShiftLeft,
    /// `a >> b % 32`, with zeroes
    ShiftRight,
    /// `a >> b % 32`, with copies of the highest bit
    ShiftRightArithmetic,
    /// One if `a` is less than `b` as signed numbers, otherwise zero.
    SetLess,
    /// One if `a` is less than `b` as unsigned numbers, otherwise zero.
    SetLessUnsigned,
    /// The low half of the product.
    Multiply,
    /// The high half of the product of signed numbers.
    MultiplyHigh,
    /// The high half of the product of a signed and an unsigned number.
    MultiplyHighSignedUnsigned,
    /// The high half of the product of unsigned numbers.
    MultiplyHighUnsigned,
    /// Signed quotient, rounded towards zero; all ones if `b` is zero.
    Divide,
    /// Unsigned quotient; all ones if `b` is zero.
    DivideUnsigned,
    /// What a signed division leaves; `a` if `b` is zero.
    Remainder,
    /// What an unsigned division leaves; `a` if `b` is zero.
    RemainderUnsigned,
    /// How many bits of `a` are zero above its highest one; `b` does not count.
    CountLeadingZeros,
}

/// A comparison of two numbers of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a < b`, signed
    Less,
    /// `a >= b`, signed
    GreaterOrEqual,
    /// `a < b`, unsigned
    LessUnsigned,
    /// `a >= b`, unsigned
    GreaterOrEqualUnsigned,
}

impl Operation {
    /// The operands that it reads.
    pub fn reads(&self) -> [Option<Operand>; 2] {
        match *self {
            Self::Move { from, .. } => [Some(from), None],
            Self::Load { base, .. } => [Some(base), None],
            Self::Store { from, base, .. } => [Some(from), Some(base)],
            Self::Compute { a, b, .. } | Self::LeaveIf { a, b, .. } | Self::GoIf { a, b, .. } => [Some(a), Some(b)],
        }
    }

    /// The register that it writes.
    pub fn writes(&self) -> Option<Register> {
        match *self {
            Self::Move { to, .. } | Self::Compute { to, .. } => Some(to),
            Self::Load { to, .. } => to,
            Self::Store { .. } | Self::LeaveIf { .. } | Self::GoIf { .. } => None,
        }
    }

    /// Its edge, if it has one.
    pub fn edge(&self) -> Option<Edge> {
        match self {
            Self::GoIf { edge, .. } => Some(*edge),
            _ => None,
        }
    }
}

impl Region {
    /// Whether there is a first block, every edge leads to a block, and every register has a place.
    pub fn is_whole(&self) -> bool {
        let leads = |edge: Edge| (edge.block as usize) < self.blocks.len();
        let has_place = |register: Register| usize::from(register) < REGISTERS_MAX;
        let reads_well = |operand: Operand| match operand {
            Operand::Register(register) => has_place(register),
            Operand::Constant(_) => true,
        };
        !self.blocks.is_empty()
            && self.blocks.iter().all(|block| {
                let ends_well = match block.end {
                    End::Go(edge) => leads(edge),
                    End::Leave(_) => true,
                };
                ends_well
                    && block.operations.iter().all(|operation| {
                        operation.edge().is_none_or(leads)
                            && operation.writes().is_none_or(has_place)
                            && operation.reads().into_iter().flatten().all(reads_well)
                    })
            })
    }

    /// How many operations it has.
    pub fn operation_count(&self) -> usize {
        self.blocks.iter().map(|block| block.operations.len() + 1).sum()
    }
}
