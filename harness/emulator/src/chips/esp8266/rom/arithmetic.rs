//! libgcc's arithmetic: division, which the core does not have, and floating point (IEEE 754, as this machine computes it).

use super::{BadAddress, Function, Machine, Outcome, returned};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("__udivsi3", |m| word(m, |a, b| a.checked_div(b).unwrap_or(0))),
    ("__umodsi3", |m| word(m, |a, b| a.checked_rem(b).unwrap_or(0))),
    ("__divsi3", |m| word(m, |a, b| if b == 0 { 0 } else { (a as i32).wrapping_div(b as i32) as u32 })),
    ("__muldi3", |m| wide(m, u64::wrapping_mul)),
    ("__umulsidi3", |m| {
        m.set_wide_result(u64::from(m.argument(0)) * u64::from(m.argument(1)));
        returned(20)
    }),
    ("__udivdi3", |m| wide(m, |a, b| a.checked_div(b).unwrap_or(0))),
    ("__umoddi3", |m| wide(m, |a, b| a.checked_rem(b).unwrap_or(0))),
    ("__divdi3", |m| wide(m, |a, b| if b == 0 { 0 } else { (a as i64).wrapping_div(b as i64) as u64 })),
    ("__adddf3", |m| double(m, |a, b| a + b)),
    ("__subdf3", |m| double(m, |a, b| a - b)),
    ("__muldf3", |m| double(m, |a, b| a * b)),
    ("__divdf3", |m| double(m, |a, b| a / b)),
    ("__addsf3", |m| single(m, |a, b| a + b)),
    ("__subsf3", |m| single(m, |a, b| a - b)),
    ("__mulsf3", |m| single(m, |a, b| a * b)),
    ("__extendsfdf2", |m| {
        m.set_wide_result(f64::from(f32::from_bits(m.argument(0))).to_bits());
        returned(30)
    }),
    ("__truncdfsf2", |m| of_double(m, |a| (a as f32).to_bits())),
    ("__fixdfsi", |m| of_double(m, |a| a as i32 as u32)),
    ("__fixunsdfsi", |m| of_double(m, |a| a as i64 as u32)),
    ("__fixunssfsi", |m| {
        m.set_result(f32::from_bits(m.argument(0)) as i64 as u32);
        returned(30)
    }),
    ("__floatsidf", |m| to_double(m, f64::from(m.argument(0) as i32))),
    ("__floatunsidf", |m| to_double(m, f64::from(m.argument(0)))),
    ("__floatsisf", |m| to_single(m, m.argument(0) as i32 as f32)),
    ("__floatunsisf", |m| to_single(m, m.argument(0) as f32)),
];

fn word(machine: &mut Machine<'_>, of: fn(u32, u32) -> u32) -> Result<Outcome, BadAddress> {
    machine.set_result(of(machine.argument(0), machine.argument(1)));
    returned(60)
}

fn wide(machine: &mut Machine<'_>, of: fn(u64, u64) -> u64) -> Result<Outcome, BadAddress> {
    machine.set_wide_result(of(machine.wide_argument(0), machine.wide_argument(2)));
    returned(200)
}

fn double(machine: &mut Machine<'_>, of: fn(f64, f64) -> f64) -> Result<Outcome, BadAddress> {
    let [a, b] = [0, 2].map(|n| f64::from_bits(machine.wide_argument(n)));
    machine.set_wide_result(of(a, b).to_bits());
    returned(120)
}

fn single(machine: &mut Machine<'_>, of: fn(f32, f32) -> f32) -> Result<Outcome, BadAddress> {
    let [a, b] = [0, 1].map(|n| f32::from_bits(machine.argument(n)));
    machine.set_result(of(a, b).to_bits());
    returned(80)
}

fn of_double(machine: &mut Machine<'_>, of: fn(f64) -> u32) -> Result<Outcome, BadAddress> {
    machine.set_result(of(f64::from_bits(machine.wide_argument(0))));
    returned(40)
}

fn to_double(machine: &mut Machine<'_>, value: f64) -> Result<Outcome, BadAddress> {
    machine.set_wide_result(value.to_bits());
    returned(40)
}

fn to_single(machine: &mut Machine<'_>, value: f32) -> Result<Outcome, BadAddress> {
    machine.set_result(value.to_bits());
    returned(40)
}
