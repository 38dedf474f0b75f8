//! From traces to the intermediate form of the crate `translate`.
//!
//! Each exit of a region is an operation of a trace, at which threaded code goes on; it is numbered in the order in which
//! operations are met, so that everybody who makes the same region numbers alike.

use translate::form::{Block, Condition, Edge, End, Exit, Function, Operand, Operation, Region, Width};

use super::op::{Op, SCRATCH, SINK, kind::*};
use super::translate::{Trace, Translations};

/// A region, and what its exits are.
pub(super) struct Described {
    pub(super) region: Region,
    /// The operation at which threaded code goes on, by the exit's number.
    pub(super) exits: Vec<u32>,
}

/// The traces that begin at `addresses` as a region; branches from one to another are edges. Where a trace ends with a
/// computed jump, its place in `expected` says to which of the traces that is expected to lead. `None` if one is missing.
pub(super) fn describe(translations: &Translations, addresses: &[u32], expected: &[Option<u32>]) -> Option<Described> {
    let mut exits = Vec::new();
    let mut blocks = Vec::with_capacity(addresses.len());
    for (address, &expected) in addresses.iter().zip(expected) {
        let trace = translations.traces.get(address)?;
        blocks.push(Reader { translations, addresses, trace, expected, exits: &mut exits }.block());
    }
    Some(Described { region: Region { blocks }, exits })
}

/// Reads one trace.
struct Reader<'a> {
    translations: &'a Translations,
    /// Where the blocks of the region begin.
    addresses: &'a [u32],
    trace: &'a Trace,
    expected: Option<u32>,
    exits: &'a mut Vec<u32>,
}

impl Reader<'_> {
    fn block(mut self) -> Block {
        let mut operations = Vec::with_capacity(self.trace.length as usize);
        for n in 0..self.trace.length {
            let at = (self.trace.first + n) as usize;
            let (op, kind) = (self.translations.ops[at], self.translations.kinds[at]);
            match kind {
                LINK => {
                    let end = match self.block_at(n) {
                        Some(block) => End::Go(Edge { block, instructions: u32::from(op.before), exit: self.exit(n) }),
                        None => End::Leave(self.exit(n)),
                    };
                    return Block { operations, end };
                }
                JUMP_REGISTER | JUMP_REGISTER_LINKING => {
                    let end = self.computed_jump(n, &op, kind, &mut operations);
                    return Block { operations, end };
                }
                INTERPRET => return Block { operations, end: End::Leave(self.exit(n)) },
                _ => operations.extend(self.operation(n, &op, kind)),
            }
        }
        unreachable!("every trace ends with a link, a computed jump, or an operation for the plain interpreter")
    }

    /// Leaves, unless the jump leads where it is expected to.
    fn computed_jump(&mut self, n: u32, op: &Op, kind: u8, operations: &mut Vec<Operation>) -> End {
        let exit = self.exit(n);
        // Whoever leaves after the return address was set jumps again: it must not be what says where to.
        let jumps_by_return_address = kind == JUMP_REGISTER_LINKING && op.rd == op.rs1;
        let Some(block) = self.expected.filter(|_| !jumps_by_return_address) else { return End::Leave(exit) };
        let (jumps_to, compute) = (Operand::Register(SCRATCH), |function, a, b| Operation::Compute {
            function,
            to: SCRATCH,
            a,
            b: Operand::Constant(b),
        });
        operations.push(compute(Function::Add, register(op.rs1), op.immediate));
        operations.push(compute(Function::And, jumps_to, !1));
        let b = Operand::Constant(self.addresses[block as usize]);
        operations.push(Operation::LeaveIf { condition: Condition::NotEqual, a: jumps_to, b, exit });
        if kind == JUMP_REGISTER_LINKING {
            let returns_to = self.translations.ops[(self.trace.first + n + 1) as usize].immediate;
            operations.push(Operation::Move { to: op.rd, from: Operand::Constant(returns_to) });
        }
        End::Go(Edge { block, instructions: u32::from(op.before) + 1, exit })
    }

    fn operation(&mut self, n: u32, op: &Op, kind: u8) -> Option<Operation> {
        let (a, b) = (register(op.rs1), register(op.rs2));
        let to = (op.rd != SINK).then_some(op.rd);
        Some(match kind {
            LOAD_CONSTANT => Operation::Move { to: to?, from: Operand::Constant(op.immediate) },
            MOVE => Operation::Move { to: to?, from: a },
            ADD_IMMEDIATE..=AND_IMMEDIATE => {
                Operation::Compute { function: function(kind), to: to?, a, b: Operand::Constant(op.immediate) }
            }
            LOAD_BYTE..=LOAD_HALF_UNSIGNED => Operation::Load {
                width: width(kind),
                sign_extended: matches!(kind, LOAD_BYTE | LOAD_HALF),
                to,
                base: a,
                offset: op.immediate,
                exit: self.exit(n),
            },
            STORE_BYTE..=STORE_WORD => {
                Operation::Store { width: width(kind), from: b, base: a, offset: op.immediate, exit: self.exit(n) }
            }
            BRANCH_EQUAL..=BRANCH_GREATER_OR_EQUAL_UNSIGNED => {
                let (condition, exit) = (condition(kind), self.exit(n));
                match self.block_at(n) {
                    Some(block) => {
                        let edge = Edge { block, instructions: u32::from(op.before) + 1, exit };
                        Operation::GoIf { condition, a, b, edge }
                    }
                    None => Operation::LeaveIf { condition, a, b, exit },
                }
            }
            _ => Operation::Compute { function: function(kind), to: to?, a, b },
        })
    }

    /// The block to which a branch or link leads, if it is in the region.
    fn block_at(&self, n: u32) -> Option<u32> {
        let (_, target) = self.trace.exits.iter().find(|(op, _)| *op == n)?;
        self.addresses.iter().position(|address| address == target).map(|block| block as u32)
    }

    /// The exit to an operation of the trace.
    fn exit(&mut self, n: u32) -> Exit {
        self.exits.push(self.trace.first + n);
        self.exits.len() as Exit - 1
    }
}

/// Register zero is a number.
fn register(number: u8) -> Operand {
    if number == 0 { Operand::Constant(0) } else { Operand::Register(number) }
}

fn width(kind: u8) -> Width {
    match kind {
        LOAD_BYTE | LOAD_BYTE_UNSIGNED | STORE_BYTE => Width::Byte,
        LOAD_HALF | LOAD_HALF_UNSIGNED | STORE_HALF => Width::Half,
        _ => Width::Word,
    }
}

fn function(kind: u8) -> Function {
    match kind {
        ADD_IMMEDIATE | ADD => Function::Add,
        SUBTRACT => Function::Subtract,
        SHIFT_LEFT_IMMEDIATE | SHIFT_LEFT => Function::ShiftLeft,
        SET_LESS_IMMEDIATE | SET_LESS => Function::SetLess,
        SET_LESS_UNSIGNED_IMMEDIATE | SET_LESS_UNSIGNED => Function::SetLessUnsigned,
        XOR_IMMEDIATE | XOR => Function::Xor,
        SHIFT_RIGHT_IMMEDIATE | SHIFT_RIGHT => Function::ShiftRight,
        SHIFT_RIGHT_ARITHMETIC_IMMEDIATE | SHIFT_RIGHT_ARITHMETIC => Function::ShiftRightArithmetic,
        OR_IMMEDIATE | OR => Function::Or,
        AND_IMMEDIATE | AND => Function::And,
        MULTIPLY => Function::Multiply,
        MULTIPLY_HIGH => Function::MultiplyHigh,
        MULTIPLY_HIGH_SIGNED_UNSIGNED => Function::MultiplyHighSignedUnsigned,
        MULTIPLY_HIGH_UNSIGNED => Function::MultiplyHighUnsigned,
        DIVIDE => Function::Divide,
        DIVIDE_UNSIGNED => Function::DivideUnsigned,
        REMAINDER => Function::Remainder,
        REMAINDER_UNSIGNED => Function::RemainderUnsigned,
        _ => unreachable!("kind {kind} computes nothing"),
    }
}

fn condition(kind: u8) -> Condition {
    match kind {
        BRANCH_EQUAL => Condition::Equal,
        BRANCH_NOT_EQUAL => Condition::NotEqual,
        BRANCH_LESS => Condition::Less,
        BRANCH_GREATER_OR_EQUAL => Condition::GreaterOrEqual,
        BRANCH_LESS_UNSIGNED => Condition::LessUnsigned,
        _ => Condition::GreaterOrEqualUnsigned,
    }
}
