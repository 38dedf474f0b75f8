//! libgcc in ROM: arithmetic that the CPU has no instructions for.
//!
//! Names and meanings: GCC internals, chapter "The GCC low-level runtime library". Floating point is IEEE 754 with
//! round-to-nearest, as the host's; results that are not a number are the canonical quiet NaN.

use super::{BadAddress, Function, Machine};

type Result64 = Result<u64, BadAddress>;

macro_rules! table {
    ($($name:literal $cycles:literal $body:expr;)*) => {
        &[$(($name, |machine: &mut Machine<'_>| -> Result64 {
            let body: fn(&mut Machine<'_>) = $body;
            body(machine);
            Ok($cycles)
        })),*]
    };
}

fn word(machine: &mut Machine<'_>, operation: impl FnOnce(u32, u32) -> u32) {
    let result = operation(machine.argument(0), machine.argument(1));
    machine.set_result(result);
}

fn double(machine: &mut Machine<'_>, operation: impl FnOnce(u64, u64) -> u64) {
    let result = operation(machine.argument_pair(0), machine.argument_pair(2));
    machine.set_result_pair(result);
}

fn shift(machine: &mut Machine<'_>, operation: impl FnOnce(u64, u32) -> u64) {
    let result = operation(machine.argument_pair(0), machine.argument(2));
    machine.set_result_pair(result);
}

fn float(machine: &mut Machine<'_>, operation: impl FnOnce(f32, f32) -> f32) {
    let [a, b] = [0, 1].map(|n| f32::from_bits(machine.argument(n)));
    machine.set_result(bits32(operation(a, b)));
}

fn float64(machine: &mut Machine<'_>, operation: impl FnOnce(f64, f64) -> f64) {
    let [a, b] = [0, 2].map(|n| f64::from_bits(machine.argument_pair(n)));
    machine.set_result_pair(bits64(operation(a, b)));
}

/// Comparisons give a word that the caller compares with zero; `unordered` if one of the two is not a number.
fn compare(machine: &mut Machine<'_>, unordered: i32) {
    let [a, b] = [0, 1].map(|n| f32::from_bits(machine.argument(n)));
    machine.set_result(a.partial_cmp(&b).map_or(unordered, |order| order as i32) as u32);
}

fn compare64(machine: &mut Machine<'_>, unordered: i32) {
    let [a, b] = [0, 2].map(|n| f64::from_bits(machine.argument_pair(n)));
    machine.set_result(a.partial_cmp(&b).map_or(unordered, |order| order as i32) as u32);
}

/// Whether two numbers differ; what is not a number differs from everything.
fn differ(machine: &mut Machine<'_>) {
    let [a, b] = [0, 1].map(|n| f32::from_bits(machine.argument(n)));
    machine.set_result(u32::from(a != b));
}

fn differ64(machine: &mut Machine<'_>) {
    let [a, b] = [0, 2].map(|n| f64::from_bits(machine.argument_pair(n)));
    machine.set_result(u32::from(a != b));
}

fn bits32(value: f32) -> u32 {
    if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() }
}

fn bits64(value: f64) -> u64 {
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() }
}

/// Division by zero is undefined; here it gives what the hardware's division gives.
fn divided(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(u64::MAX)
}

fn remainder(a: u64, b: u64) -> u64 {
    a.checked_rem(b).unwrap_or(a)
}

fn signed_divided(a: u64, b: u64) -> u64 {
    if b == 0 { if (a as i64) < 0 { 1 } else { u64::MAX } } else { (a as i64).wrapping_div(b as i64) as u64 }
}

fn signed_remainder(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { (a as i64).wrapping_rem(b as i64) as u64 }
}

fn first_set(value: u64) -> u32 {
    if value == 0 { 0 } else { value.trailing_zeros() + 1 }
}

/// Quotient to the caller, remainder through the pointer in argument 4.
fn udivmoddi4(machine: &mut Machine<'_>) -> Result64 {
    let [a, b] = [0, 2].map(|n| machine.argument_pair(n));
    let pointer = machine.argument(4);
    if pointer != 0 {
        machine.write_bytes(pointer, &remainder(a, b).to_le_bytes())?;
    }
    machine.set_result_pair(divided(a, b));
    Ok(53)
}

pub(super) const FUNCTIONS: &[(&str, Function)] = &{
    const TABLE: &[(&str, Function)] = table! {
        "__ashldi3" 9 |m| shift(m, |a, n| a.checked_shl(n).unwrap_or(0));
        "__ashrdi3" 9 |m| shift(m, |a, n| ((a as i64) >> n.min(63)) as u64);
        "__lshrdi3" 9 |m| shift(m, |a, n| a.checked_shr(n).unwrap_or(0));
        "__bswapdi2" 24 |m| double(m, |a, _| a.swap_bytes());
        "__bswapsi2" 12 |m| word(m, |a, _| a.swap_bytes());
        "__clzdi2" 20 |m| { let n = m.argument_pair(0).leading_zeros(); m.set_result(n) };
        "__clzsi2" 16 |m| word(m, |a, _| a.leading_zeros());
        "__ctzdi2" 20 |m| { let n = m.argument_pair(0).trailing_zeros(); m.set_result(n) };
        "__ctzsi2" 16 |m| word(m, |a, _| a.trailing_zeros());
        "__ffsdi2" 22 |m| { let n = first_set(m.argument_pair(0)); m.set_result(n) };
        "__ffssi2" 18 |m| word(m, |a, _| first_set(u64::from(a)));
        "__clrsbdi2" 24 |m| {
            let a = m.argument_pair(0) as i64;
            m.set_result((a ^ (a >> 63)).leading_zeros() - 1)
        };
        "__clrsbsi2" 20 |m| word(m, |a, _| (a as i32 ^ (a as i32 >> 31)).leading_zeros() - 1);
        "__paritysi2" 12 |m| word(m, |a, _| a.count_ones() & 1);
        "__popcountsi2" 20 |m| word(m, |a, _| a.count_ones());
        "__popcountdi2" 33 |m| { let n = m.argument_pair(0).count_ones(); m.set_result(n) };
        "__cmpdi2" 10 |m| {
            let order = (m.argument_pair(0) as i64).cmp(&(m.argument_pair(2) as i64));
            m.set_result((order as i32 + 1) as u32)
        };
        "__ucmpdi2" 10 |m| {
            let order = m.argument_pair(0).cmp(&m.argument_pair(2));
            m.set_result((order as i32 + 1) as u32)
        };
        "__divsi3" 70 |m| word(m, |a, b| match b {
            0 if (a as i32) < 0 => 1,
            0 => u32::MAX,
            b => (a as i32).wrapping_div(b as i32) as u32,
        });
        "__modsi3" 70 |m| word(m, |a, b| match b {
            0 => a,
            b => (a as i32).wrapping_rem(b as i32) as u32,
        });
        "__udivsi3" 62 |m| word(m, |a, b| a.checked_div(b).unwrap_or(u32::MAX));
        "__umodsi3" 66 |m| word(m, |a, b| a.checked_rem(b).unwrap_or(a));
        "__mulsi3" 92 |m| word(m, |a, b| a.wrapping_mul(b));
        "__muldi3" 190 |m| double(m, |a, b| a.wrapping_mul(b));
        "__negdi2" 6 |m| double(m, |a, _| a.wrapping_neg());
        "__divdi3" 50 |m| double(m, signed_divided);
        "__moddi3" 51 |m| double(m, signed_remainder);
        "__udivdi3" 43 |m| double(m, divided);
        "__umoddi3" 46 |m| double(m, remainder);
        "__clear_cache" 2 |_m| {};
        "__addsf3" 60 |m| float(m, |a, b| a + b);
        "__subsf3" 60 |m| float(m, |a, b| a - b);
        "__mulsf3" 94 |m| float(m, |a, b| a * b);
        "__divsf3" 90 |m| float(m, |a, b| a / b);
        "__adddf3" 78 |m| float64(m, |a, b| a + b);
        "__subdf3" 81 |m| float64(m, |a, b| a - b);
        "__muldf3" 142 |m| float64(m, |a, b| a * b);
        "__divdf3" 141 |m| float64(m, |a, b| a / b);
        "__negsf2" 10 |m| word(m, |a, _| a ^ 1 << 31);
        "__negdf2" 7 |m| double(m, |a, _| a ^ 1 << 63);
        "__eqsf2" 19 |m| differ(m);
        "__nesf2" 19 |m| differ(m);
        "__ltsf2" 26 |m| compare(m, 2);
        "__lesf2" 26 |m| compare(m, 2);
        "__gtsf2" 26 |m| compare(m, -2);
        "__gesf2" 26 |m| compare(m, -2);
        "__eqdf2" 21 |m| differ64(m);
        "__nedf2" 21 |m| differ64(m);
        "__ltdf2" 32 |m| compare64(m, 2);
        "__ledf2" 32 |m| compare64(m, 2);
        "__gtdf2" 32 |m| compare64(m, -2);
        "__gedf2" 32 |m| compare64(m, -2);
        "__unordsf2" 12 |m| word(m, |a, b| u32::from(f32::from_bits(a).is_nan() || f32::from_bits(b).is_nan()));
        "__unorddf2" 16 |m| {
            let [a, b] = [0, 2].map(|n| f64::from_bits(m.argument_pair(n)));
            m.set_result(u32::from(a.is_nan() || b.is_nan()))
        };
        "__floatsisf" 56 |m| word(m, |a, _| (a as i32 as f32).to_bits());
        "__floatunsisf" 52 |m| word(m, |a, _| (a as f32).to_bits());
        "__floatsidf" 53 |m| { let a = m.argument(0) as i32; m.set_result_pair(f64::from(a).to_bits()) };
        "__floatunsidf" 47 |m| { let a = m.argument(0); m.set_result_pair(f64::from(a).to_bits()) };
        "__floatdisf" 110 |m| { let a = m.argument_pair(0) as i64; m.set_result((a as f32).to_bits()) };
        "__floatundisf" 102 |m| { let a = m.argument_pair(0); m.set_result((a as f32).to_bits()) };
        "__floatdidf" 89 |m| { let a = m.argument_pair(0) as i64; m.set_result_pair((a as f64).to_bits()) };
        "__floatundidf" 82 |m| { let a = m.argument_pair(0); m.set_result_pair((a as f64).to_bits()) };
        "__fixsfsi" 14 |m| word(m, |a, _| f32::from_bits(a) as i32 as u32);
        "__fixunssfsi" 13 |m| word(m, |a, _| f32::from_bits(a) as u32);
        "__fixsfdi" 18 |m| { let a = f32::from_bits(m.argument(0)); m.set_result_pair(a as i64 as u64) };
        "__fixunssfdi" 14 |m| { let a = f32::from_bits(m.argument(0)); m.set_result_pair(a as u64) };
        "__fixdfsi" 16 |m| { let a = f64::from_bits(m.argument_pair(0)); m.set_result(a as i32 as u32) };
        "__fixunsdfsi" 16 |m| { let a = f64::from_bits(m.argument_pair(0)); m.set_result(a as u32) };
        "__fixdfdi" 23 |m| { let a = f64::from_bits(m.argument_pair(0)); m.set_result_pair(a as i64 as u64) };
        "__extendsfdf2" 42 |m| {
            let a = f32::from_bits(m.argument(0));
            m.set_result_pair(bits64(f64::from(a)))
        };
        "__truncdfsf2" 40 |m| {
            let a = f64::from_bits(m.argument_pair(0));
            m.set_result(bits32(a as f32))
        };
    };
    const LENGTH: usize = TABLE.len() + 1;
    let mut all: [(&str, Function); LENGTH] = [("__udivmoddi4", udivmoddi4 as Function); LENGTH];
    let mut n = 0;
    while n < TABLE.len() {
        all[n] = TABLE[n];
        n += 1;
    }
    all
};
