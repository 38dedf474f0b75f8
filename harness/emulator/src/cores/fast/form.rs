//! What kinds of operations are in the intermediate form of the crate `translate`: those that have no exit.

use translate::form::{Condition, Function, Operand, Operation, Register, Width};

use super::op::{Op, SCRATCH, SINK, ZERO, kind::*};

/// [`ZERO`] is a number.
pub(super) fn register(number: u8) -> Operand {
    if number == ZERO { Operand::Constant(0) } else { Operand::Register(number) }
}

/// How wide an access is, and whether its highest bit is extended. `None` for what is no load and no store.
pub(super) const fn access(kind: u8) -> Option<(Width, bool)> {
    Some(match kind {
        LOAD_BYTE => (Width::Byte, true),
        LOAD_BYTE_UNSIGNED | STORE_BYTE | LOAD_BYTE_OF_DATA | STORE_BYTE_OF_DATA => (Width::Byte, false),
        LOAD_HALF | LOAD_HALF_SIGNED_OF_DATA => (Width::Half, true),
        LOAD_HALF_UNSIGNED | STORE_HALF | LOAD_HALF_OF_DATA | STORE_HALF_OF_DATA => (Width::Half, false),
        LOAD_WORD | STORE_WORD => (Width::Word, false),
        _ => return None,
    })
}

/// What a branch compares.
pub(super) const fn condition(kind: u8) -> Condition {
    match kind {
        BRANCH_EQUAL => Condition::Equal,
        BRANCH_NOT_EQUAL => Condition::NotEqual,
        BRANCH_LESS => Condition::Less,
        BRANCH_GREATER_OR_EQUAL => Condition::GreaterOrEqual,
        BRANCH_LESS_UNSIGNED => Condition::LessUnsigned,
        _ => Condition::GreaterOrEqualUnsigned,
    }
}

/// Adds what an operation computes; `false` if the form has no words for it.
pub(super) fn describe(op: &Op, kind: u8, operations: &mut Vec<Operation>) -> bool {
    let (a, b) = (register(op.rs1), register(op.rs2));
    let immediate = Operand::Constant(op.immediate);
    if op.rd == SINK {
        return true;
    }
    let mut say = Say(operations);
    match kind {
        LOAD_CONSTANT => say.set(op.rd, immediate),
        MOVE => say.set(op.rd, a),
        COUNT_LEADING_ZEROS => say.compute(op.rd, Function::CountLeadingZeros, a, Operand::Constant(0)),
        SUBTRACT_FROM_IMMEDIATE => say.compute(op.rd, Function::Subtract, immediate, a),
        MULTIPLY_HALVES => {
            let (a, b) = (say.temporary(0, Function::And, a, 0xffff), say.temporary(1, Function::And, b, 0xffff));
            say.compute(op.rd, Function::Multiply, a, b);
        }
        MULTIPLY_HALVES_SIGNED => {
            let (a, b) = (say.sign_extended(0, a), say.sign_extended(1, b));
            say.compute(op.rd, Function::Multiply, a, b);
        }
        WIDE_SHIFT_LEFT => {
            say.compute(SCRATCH, Function::Subtract, Operand::Constant(32), b);
            let amount = say.temporary(0, Function::And, TEMPORARY, 63);
            say.wide_shift(op.rd, Function::ShiftLeft, a, amount);
        }
        WIDE_SHIFT_RIGHT => say.wide_shift(op.rd, Function::ShiftRight, a, b),
        WIDE_SHIFT_RIGHT_ARITHMETIC => {
            // More than 31 is as good as 31.
            let is_more = say.all_ones_if_less(0, Operand::Constant(31), b);
            say.compute(SCRATCH, Function::Or, is_more, b);
            say.compute(op.rd, Function::ShiftRightArithmetic, a, TEMPORARY);
        }
        FUNNEL_SHIFT => say.funnel(op.rd, a, b, register(op.immediate as u8)),
        FUNNEL_SHIFT_IMMEDIATE => {
            let low = say.temporary(0, Function::ShiftRight, b, op.immediate);
            let high = say.temporary(1, Function::ShiftLeft, a, 32 - op.immediate);
            say.compute(op.rd, Function::Or, low, high);
        }
        MOVE_IF_ZERO | MOVE_IF_NOT_ZERO | MOVE_IF_NEGATIVE | MOVE_IF_NOT_NEGATIVE => say.move_if(op.rd, kind, a, b),
        ADD_IMMEDIATE..=AND_IMMEDIATE => say.compute(op.rd, function(kind), a, immediate),
        ADD..=REMAINDER_UNSIGNED => say.compute(op.rd, function(kind), a, b),
        _ => return false,
    }
    true
}

/// What is computed first, where something is composed.
const TEMPORARY: Operand = Operand::Register(SCRATCH);

/// Appends operations.
struct Say<'a>(&'a mut Vec<Operation>);

impl Say<'_> {
    fn set(&mut self, to: Register, from: Operand) {
        self.0.push(Operation::Move { to, from });
    }

    fn compute(&mut self, to: Register, function: Function, a: Operand, b: Operand) {
        self.0.push(Operation::Compute { function, to, a, b });
    }

    /// Computes what goes to a temporary register: 0, 1 or 2.
    fn temporary(&mut self, number: u8, function: Function, a: Operand, b: u32) -> Operand {
        self.compute(SCRATCH + number, function, a, Operand::Constant(b));
        Operand::Register(SCRATCH + number)
    }

    fn sign_extended(&mut self, number: u8, half: Operand) -> Operand {
        let high = self.temporary(number, Function::ShiftLeft, half, 16);
        self.temporary(number, Function::ShiftRightArithmetic, high, 16)
    }

    fn all_ones_if_less(&mut self, number: u8, a: Operand, b: Operand) -> Operand {
        let to = SCRATCH + number;
        self.compute(to, Function::SetLessUnsigned, a, b);
        self.compute(to, Function::Subtract, Operand::Constant(0), Operand::Register(to));
        Operand::Register(to)
    }

    /// A shift by an amount of less than 64.
    fn wide_shift(&mut self, to: Register, function: Function, a: Operand, amount: Operand) {
        let is_less = self.all_ones_if_less(1, amount, Operand::Constant(32));
        self.compute(SCRATCH + 2, function, a, amount);
        self.compute(to, Function::And, Operand::Register(SCRATCH + 2), is_less);
    }

    /// By less than 32, what remains of `low` and what comes of `high`; by more, what remains of `high`.
    fn funnel(&mut self, to: Register, high: Operand, low: Operand, amount: Operand) {
        let [first, second] = [Operand::Register(SCRATCH), Operand::Register(SCRATCH + 1)];
        self.compute(SCRATCH, Function::Xor, amount, Operand::Constant(31));
        let doubled = self.temporary(1, Function::ShiftLeft, high, 1);
        self.compute(SCRATCH, Function::ShiftLeft, doubled, first);
        self.compute(SCRATCH + 1, Function::ShiftRight, low, amount);
        self.compute(SCRATCH, Function::Or, first, second);
        self.compute(SCRATCH + 1, Function::ShiftRight, high, amount);
        self.compute(SCRATCH, Function::Xor, first, second);
        let is_less = self.all_ones_if_less(2, amount, Operand::Constant(32));
        self.compute(SCRATCH, Function::And, first, is_less);
        self.compute(to, Function::Xor, first, second);
    }

    fn move_if(&mut self, to: Register, kind: u8, from: Operand, condition: Operand) {
        let [one, zero] = [1, 0].map(Operand::Constant);
        let moves = match kind {
            MOVE_IF_ZERO => self.all_ones_if_less(0, condition, one),
            MOVE_IF_NOT_ZERO => self.all_ones_if_less(0, zero, condition),
            _ => self.temporary(0, Function::ShiftRightArithmetic, condition, 31),
        };
        if kind == MOVE_IF_NOT_NEGATIVE {
            self.temporary(0, Function::Xor, moves, u32::MAX);
        }
        let kept = Operand::Register(to);
        self.compute(SCRATCH + 1, Function::Xor, from, kept);
        self.compute(SCRATCH + 1, Function::And, Operand::Register(SCRATCH + 1), moves);
        self.compute(to, Function::Xor, kept, Operand::Register(SCRATCH + 1));
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
        _ => unreachable!("kind {kind} is no function of two operands"),
    }
}
