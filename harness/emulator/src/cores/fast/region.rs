//! From traces to the intermediate form of the crate `translate`.
//!
//! Each exit of a region is an operation of a trace, at which threaded code goes on; it is numbered in the order in which
//! operations are met, so that everybody who makes the same region numbers alike.

use translate::form::{Block, Condition, Edge, End, Exit, Function, Operand, Operation, Region, Width};

use super::compute::{INSTRUCTION_MEMORY, INSTRUCTION_MEMORY_SHIFT};
use super::form::{self, register};
use super::op::{Op, SCRATCH, SINK, is_computed_jump, kind::*};
use super::shared::Drafted;

/// The traces that begin at `addresses` as a region, with its exits: the trace's place, and the operation in the trace. Branches
/// from one to another are edges. Where a trace ends with a computed jump, its place in `expected` says to which of the traces
/// that is expected to lead.
pub(super) fn describe(traces: &[&Drafted], addresses: &[u32], expected: &[Option<u32>]) -> (Region, Vec<(u32, u32)>) {
    let mut exits = Vec::new();
    let mut blocks = Vec::with_capacity(traces.len());
    for (place, (trace, &expected)) in (0..).zip(traces.iter().zip(expected)) {
        blocks.push(Reader { place, trace, addresses, expected, exits: &mut exits }.block());
    }
    (Region { blocks }, exits)
}

/// Reads one trace.
struct Reader<'a> {
    /// Which trace of the region it is.
    place: u32,
    trace: &'a Drafted,
    /// Where the blocks of the region begin.
    addresses: &'a [u32],
    expected: Option<u32>,
    exits: &'a mut Vec<(u32, u32)>,
}

impl Reader<'_> {
    fn block(mut self) -> Block {
        let drafted = self.trace;
        let mut operations = Vec::with_capacity(drafted.length as usize);
        for n in 0..drafted.length {
            let (op, kind) = (drafted.ops[n as usize], drafted.kinds[n as usize]);
            match kind {
                LINK => {
                    let end = match self.block_at(n) {
                        Some(block) => End::Go(Edge { block, instructions: u32::from(op.before), exit: self.exit(n) }),
                        None => End::Leave(self.exit(n)),
                    };
                    return Block { operations, end };
                }
                kind if is_computed_jump(kind) => {
                    let end = self.computed_jump(n, &op, kind, &mut operations);
                    return Block { operations, end };
                }
                INTERPRET => return Block { operations, end: End::Leave(self.exit(n)) },
                BRANCH_EQUAL..=BRANCH_GREATER_OR_EQUAL_UNSIGNED => operations.push(self.branch(n, &op, kind)),
                _ => match form::access(kind) {
                    Some(access) => self.access(n, &op, kind, access, &mut operations),
                    None if form::describe(&op, kind, &mut operations) => {}
                    None => return Block { operations, end: End::Leave(self.exit(n)) },
                },
            }
        }
        unreachable!("every trace ends with a link, a computed jump, or an operation for the plain interpreter")
    }

    /// Leaves, unless the jump leads where it is expected to.
    fn computed_jump(&mut self, n: u32, op: &Op, kind: u8, operations: &mut Vec<Operation>) -> End {
        let exit = self.exit(n);
        // Whoever leaves after the return address was set jumps again: it must not be what says where to.
        let links = matches!(kind, JUMP_REGISTER_LINKING | JUMP_ANYWHERE_LINKING);
        let jumps_by_return_address = links && op.rd == op.rs1;
        let Some(block) = self.expected.filter(|_| !jumps_by_return_address) else { return End::Leave(exit) };
        let jumps_to = Operand::Register(SCRATCH);
        let compute = |function, a, b| Operation::Compute { function, to: SCRATCH, a, b: Operand::Constant(b) };
        operations.push(compute(Function::Add, register(op.rs1), op.immediate));
        if matches!(kind, JUMP_REGISTER | JUMP_REGISTER_LINKING) {
            operations.push(compute(Function::And, jumps_to, !1));
        }
        let b = Operand::Constant(self.addresses[block as usize]);
        operations.push(Operation::LeaveIf { condition: Condition::NotEqual, a: jumps_to, b, exit });
        if links {
            let returns_to = self.trace.ops[n as usize + 1].immediate;
            operations.push(Operation::Move { to: op.rd, from: Operand::Constant(returns_to) });
        }
        End::Go(Edge { block, instructions: u32::from(op.before) + 1, exit })
    }

    /// Adds a load or a store.
    fn access(
        &mut self,
        n: u32,
        op: &Op,
        kind: u8,
        (width, sign_extended): (Width, bool),
        operations: &mut Vec<Operation>,
    ) {
        let (base, offset, from, exit) = (register(op.rs1), op.immediate, register(op.rs2), self.exit(n));
        if (LOAD_BYTE_OF_DATA..=STORE_HALF_OF_DATA).contains(&kind) {
            let region = Operand::Register(SCRATCH);
            let compute = |function, a, b| Operation::Compute { function, to: SCRATCH, a, b: Operand::Constant(b) };
            operations.push(compute(Function::Add, base, offset));
            operations.push(compute(Function::ShiftRight, region, INSTRUCTION_MEMORY_SHIFT));
            let b = Operand::Constant(INSTRUCTION_MEMORY);
            operations.push(Operation::LeaveIf { condition: Condition::Equal, a: region, b, exit });
        }
        operations.push(match kind {
            STORE_BYTE..=STORE_WORD | STORE_BYTE_OF_DATA..=STORE_HALF_OF_DATA => {
                Operation::Store { width, from, base, offset, exit }
            }
            _ => {
                let to = (op.rd != SINK).then_some(op.rd);
                Operation::Load { width, sign_extended, to, base, offset, exit }
            }
        });
    }

    fn branch(&mut self, n: u32, op: &Op, kind: u8) -> Operation {
        let (condition, a, b, exit) = (form::condition(kind), register(op.rs1), register(op.rs2), self.exit(n));
        match self.block_at(n) {
            Some(block) => {
                let edge = Edge { block, instructions: u32::from(op.before) + 1, exit };
                Operation::GoIf { condition, a, b, edge }
            }
            None => Operation::LeaveIf { condition, a, b, exit },
        }
    }

    /// The block to which a branch or link leads, if it is in the region.
    fn block_at(&self, n: u32) -> Option<u32> {
        let target = self.trace.leads_to(n)?;
        self.addresses.iter().position(|address| *address == target).map(|block| block as u32)
    }

    /// The exit to an operation of the trace.
    fn exit(&mut self, n: u32) -> Exit {
        self.exits.push((self.place, n));
        self.exits.len() as Exit - 1
    }
}
