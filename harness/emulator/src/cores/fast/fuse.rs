//! Which neighbouring operations share a handler.
//!
//! A fused handler takes the place of the first operation's; the operands stay where they are, so each operation can
//! still be entered, left and counted on its own.

use super::handlers::{FIRST, NONE, SECOND, then_branch, two};
use super::op::{Handler, Op, SINK, kind::*};

/// A handler for the operation at `at` and those after it, if there is one.
pub(super) fn fused(ops: &[Op], kinds: &[u8], at: usize) -> Option<Handler> {
    let (&first, &second) = (kinds.get(at)?, kinds.get(at + 1)?);
    pair(first, second, forwarding(&ops[at], &ops[at + 1]))
}

/// Which operand of `second` is the result of `first`. Where both are, the first counts, and the second is read.
fn forwarding(first: &Op, second: &Op) -> u8 {
    if first.rd == SINK {
        NONE
    } else if second.rs1 == first.rd {
        FIRST
    } else if second.rs2 == first.rd {
        SECOND
    } else {
        NONE
    }
}

macro_rules! pairs {
    (one_operand: $($one:ident)*; two_operands: $($two:ident)*; branches: $($branch:ident)*) => {
        /// The handler of two kinds one after the other.
        fn pair(first: u8, second: u8, forwarding: u8) -> Option<Handler> {
            match first {
                $($one => pair_after::<$one>(second, forwarding),)*
                $($two => pair_after::<$two>(second, forwarding),)*
                _ => None,
            }
        }

        fn pair_after<const K: u8>(second: u8, forwarding: u8) -> Option<Handler> {
            Some(match (second, forwarding) {
                $(
                    ($one, FIRST) => two::<K, $one, FIRST>,
                    ($one, _) => two::<K, $one, NONE>,
                )*
                $(
                    ($two, FIRST) => two::<K, $two, FIRST>,
                    ($two, SECOND) => two::<K, $two, SECOND>,
                    ($two, _) => two::<K, $two, NONE>,
                )*
                $(
                    ($branch, FIRST) => then_branch::<K, $branch, FIRST>,
                    ($branch, SECOND) => then_branch::<K, $branch, SECOND>,
                    ($branch, _) => then_branch::<K, $branch, NONE>,
                )*
                _ => return None,
            })
        }
    };
}

// The kinds that SHA-256, bignum arithmetic and copying are made of. Each costs compile time with each other.
pairs! {
    one_operand: LOAD_CONSTANT MOVE ADD_IMMEDIATE SHIFT_LEFT_IMMEDIATE SHIFT_RIGHT_IMMEDIATE AND_IMMEDIATE
        LOAD_WORD LOAD_BYTE_UNSIGNED;
    two_operands: ADD SUBTRACT SET_LESS_UNSIGNED XOR OR AND MULTIPLY MULTIPLY_HIGH_UNSIGNED STORE_WORD STORE_BYTE;
    branches: BRANCH_EQUAL BRANCH_NOT_EQUAL BRANCH_LESS_UNSIGNED BRANCH_GREATER_OR_EQUAL_UNSIGNED
}
