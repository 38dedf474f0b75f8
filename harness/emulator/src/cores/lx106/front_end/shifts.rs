//! SAR: the instructions that set it, and those that shift by it.
//!
//! Where the trace has set SAR to a constant or by a register, a shift goes by that, and SAR is set all the same.

use crate::cores::fast::{Draft, ZERO, kind::*};
use crate::cores::lx106::instruction::Opcode;

use super::{SAR, TEMPORARY};

/// `rsr`, `wsr` and `xsr` of SAR, which has six bits.
pub(super) fn exchange_sar(opcode: Opcode, with: u8, draft: &mut Draft) {
    match opcode {
        Opcode::Rsr => draft.last_operation(MOVE, 0, with, SAR, ZERO),
        Opcode::Wsr => draft.last_operation(AND_IMMEDIATE, 0x3f, SAR, with, ZERO),
        _ => {
            draft.operation(MOVE, 0, TEMPORARY, SAR, ZERO);
            draft.operation(AND_IMMEDIATE, 0x3f, SAR, with, ZERO);
            draft.last_operation(MOVE, 0, with, TEMPORARY, ZERO);
        }
    }
}

/// `ssr`, `ssl`, `ssa8l` and `ssa8b`.
pub(super) fn set_sar(opcode: Opcode, from: u8, draft: &mut Draft) {
    let is_by_bytes = matches!(opcode, Opcode::Ssa8l | Opcode::Ssa8b);
    let (from, mask) = if is_by_bytes {
        draft.operation(SHIFT_LEFT_IMMEDIATE, 3, TEMPORARY, from, ZERO);
        (TEMPORARY, 24)
    } else {
        (from, 31)
    };
    if matches!(opcode, Opcode::Ssr | Opcode::Ssa8l) {
        draft.last_operation(AND_IMMEDIATE, mask, SAR, from, ZERO);
    } else {
        draft.operation(AND_IMMEDIATE, mask, TEMPORARY, from, ZERO);
        draft.last_operation(SUBTRACT_FROM_IMMEDIATE, 32, SAR, TEMPORARY, ZERO);
    }
}

/// How SAR was set, if the trace did it: by the low five bits of a register that still holds the same.
enum Amount {
    Right(u8),
    Left(u8),
}

fn amount(draft: &Draft) -> Option<Amount> {
    let set = draft.set_by(SAR)?;
    let (amount, set) = match draft.said(set) {
        (AND_IMMEDIATE, 31, register) => (Amount::Right(register), set),
        (SUBTRACT_FROM_IMMEDIATE, 32, TEMPORARY) => match draft.said(set.checked_sub(1)?) {
            (AND_IMMEDIATE, 31, register) => (Amount::Left(register), set),
            _ => return None,
        },
        _ => return None,
    };
    let (Amount::Right(register) | Amount::Left(register)) = amount;
    let is_kept = register != TEMPORARY && draft.set_by(register).is_none_or(|at| at < set);
    is_kept.then_some(amount)
}

/// Shifts of `high` and `low` by SAR. Where the trace has set it to a constant or by a register, by that.
pub(super) fn shift_by_sar(opcode: Opcode, to: u8, high: u8, low: u8, draft: &mut Draft) {
    let (kind, immediate, first, second) = match (opcode, amount(draft)) {
        (Opcode::Srl, Some(Amount::Right(register))) => (SHIFT_RIGHT, 0, low, register),
        (Opcode::Sra, Some(Amount::Right(register))) => (SHIFT_RIGHT_ARITHMETIC, 0, low, register),
        (Opcode::Sll, Some(Amount::Left(register))) => (SHIFT_LEFT, 0, high, register),
        _ => shift_by_constant(opcode, high, low, draft.known_before(SAR)),
    };
    draft.last_operation(kind, immediate, to, first, second);
}

/// A shift by so many bits, or by SAR: kind, immediate and operands.
fn shift_by_constant(opcode: Opcode, high: u8, low: u8, amount: Option<u32>) -> (u8, u32, u8, u8) {
    match (opcode, amount) {
        (Opcode::Src, Some(0)) => (MOVE, 0, low, ZERO),
        (Opcode::Src, Some(amount @ 1..32)) => (FUNNEL_SHIFT_IMMEDIATE, amount, high, low),
        (Opcode::Src, _) => (FUNNEL_SHIFT, SAR.into(), high, low),
        (Opcode::Srl, Some(amount @ 0..32)) => (SHIFT_RIGHT_IMMEDIATE, amount, low, ZERO),
        (Opcode::Srl, _) => (WIDE_SHIFT_RIGHT, 0, low, SAR),
        (Opcode::Sra, Some(amount @ 0..32)) => (SHIFT_RIGHT_ARITHMETIC_IMMEDIATE, amount, low, ZERO),
        (Opcode::Sra, _) => (WIDE_SHIFT_RIGHT_ARITHMETIC, 0, low, SAR),
        (_, Some(amount @ 1..=32)) => (SHIFT_LEFT_IMMEDIATE, 32 - amount, high, ZERO),
        _ => (WIDE_SHIFT_LEFT, 0, high, SAR),
    }
}
