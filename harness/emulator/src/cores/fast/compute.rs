//! What the kinds of operations compute, and what their accesses are, by kind.

use super::op::kind::*;

/// What the kinds compute that go by one or two operands. Division by zero gives all ones, and leaves the dividend.
#[inline(always)]
pub(super) fn arithmetic<const K: u8>(a: u32, b: u32) -> u32 {
    match K {
        ADD_IMMEDIATE | ADD => a.wrapping_add(b),
        SUBTRACT => a.wrapping_sub(b),
        SUBTRACT_FROM_IMMEDIATE => b.wrapping_sub(a),
        SHIFT_LEFT_IMMEDIATE | SHIFT_LEFT => a << (b & 31),
        SET_LESS_IMMEDIATE | SET_LESS => u32::from((a as i32) < b as i32),
        SET_LESS_UNSIGNED_IMMEDIATE | SET_LESS_UNSIGNED => u32::from(a < b),
        XOR_IMMEDIATE | XOR => a ^ b,
        SHIFT_RIGHT_IMMEDIATE | SHIFT_RIGHT => a >> (b & 31),
        SHIFT_RIGHT_ARITHMETIC_IMMEDIATE | SHIFT_RIGHT_ARITHMETIC => (a as i32 >> (b & 31)) as u32,
        OR_IMMEDIATE | OR => a | b,
        AND_IMMEDIATE | AND => a & b,
        MULTIPLY => a.wrapping_mul(b),
        MULTIPLY_HIGH => ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
        MULTIPLY_HIGH_SIGNED_UNSIGNED => ((i64::from(a as i32) * i64::from(b)) >> 32) as u32,
        MULTIPLY_HIGH_UNSIGNED => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        MULTIPLY_HALVES => (a & 0xffff) * (b & 0xffff),
        MULTIPLY_HALVES_SIGNED => (i32::from(a as i16) * i32::from(b as i16)) as u32,
        COUNT_LEADING_ZEROS => a.leading_zeros(),
        WIDE_SHIFT_LEFT => (u64::from(a) << (32_u32.wrapping_sub(b) & 63)) as u32,
        WIDE_SHIFT_RIGHT => (u64::from(a) >> (b & 63)) as u32,
        WIDE_SHIFT_RIGHT_ARITHMETIC => (i64::from(a as i32) >> (b & 63)) as u32,
        DIVIDE if b == 0 => u32::MAX,
        DIVIDE => (a as i32).wrapping_div(b as i32) as u32,
        DIVIDE_UNSIGNED => a.checked_div(b).unwrap_or(u32::MAX),
        REMAINDER if b == 0 => a,
        REMAINDER => (a as i32).wrapping_rem(b as i32) as u32,
        _ => a.checked_rem(b).unwrap_or(a),
    }
}

/// The low half of `high` and below it `low`, shifted right.
#[inline(always)]
pub(super) fn funnel(high: u32, low: u32, amount: u32) -> u32 {
    ((u64::from(high) << 32 | u64::from(low)) >> (amount & 63)) as u32
}

#[inline(always)]
pub(super) fn moves<const K: u8>(b: u32) -> bool {
    match K {
        MOVE_IF_ZERO => b == 0,
        MOVE_IF_NOT_ZERO => b != 0,
        MOVE_IF_NEGATIVE => (b as i32) < 0,
        _ => b as i32 >= 0,
    }
}

#[inline(always)]
pub(super) fn holds<const K: u8>(a: u32, b: u32) -> bool {
    match K {
        BRANCH_EQUAL => a == b,
        BRANCH_NOT_EQUAL => a != b,
        BRANCH_LESS => (a as i32) < b as i32,
        BRANCH_GREATER_OR_EQUAL => a as i32 >= b as i32,
        BRANCH_LESS_UNSIGNED => a < b,
        _ => a >= b,
    }
}

/// One less than the width of an access.
pub(super) const fn misalignment<const K: u8>() -> u32 {
    match K {
        LOAD_HALF | LOAD_HALF_UNSIGNED | STORE_HALF => 1,
        LOAD_HALF_OF_DATA | LOAD_HALF_SIGNED_OF_DATA | STORE_HALF_OF_DATA => 1,
        LOAD_WORD | STORE_WORD => 3,
        _ => 0,
    }
}

/// Whether an access of this kind does not get through to this address.
#[inline(always)]
pub(super) const fn is_denied<const K: u8>(address: u32) -> bool {
    K >= LOAD_BYTE_OF_DATA && K <= STORE_HALF_OF_DATA && is_instruction_memory(address)
}

/// Xtensa's instruction memory, which loads and stores reach by words alone: 0x4000_0000 to 0x5fff_ffff.
#[inline(always)]
const fn is_instruction_memory(address: u32) -> bool {
    address >> INSTRUCTION_MEMORY_SHIFT == INSTRUCTION_MEMORY
}

/// What the highest bits of an address in instruction memory are, and where those begin.
pub(super) const INSTRUCTION_MEMORY: u32 = 2;
pub(super) const INSTRUCTION_MEMORY_SHIFT: u32 = 29;
