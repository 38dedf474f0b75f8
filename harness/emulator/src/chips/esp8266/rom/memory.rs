//! memcpy and its family, under the names of the ROM's C library and of the SDK.

use super::{BadAddress, Function, Machine, Outcome, returned};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("memset", memset),
    ("ets_memset", memset),
    ("memcpy", copy),
    ("ets_memcpy", copy),
    ("memmove", copy),
    ("ets_memmove", copy),
    ("memcmp", memcmp),
    ("ets_memcmp", memcmp),
    ("bzero", bzero),
    ("ets_bzero", bzero),
];

fn cycles(bytes: u32) -> u64 {
    20 + u64::from(bytes)
}

/// Copies as if through a buffer, so overlap does not matter.
fn copy(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [destination, source, length] = [0, 1, 2].map(|n| machine.argument(n));
    let bytes = machine.read_vec(source, length)?;
    machine.write_bytes(destination, &bytes)?;
    returned(cycles(length))
}

fn fill(machine: &mut Machine<'_>, value: u8, length: u32) -> Result<Outcome, BadAddress> {
    let destination = machine.argument(0);
    let chunk = [value; 256];
    let mut done = 0;
    while done < length {
        let run = (length - done).min(chunk.len() as u32);
        machine.write_bytes(destination.wrapping_add(done), &chunk[..run as usize])?;
        done += run;
    }
    returned(cycles(length / 2))
}

fn memset(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    fill(machine, machine.argument(1) as u8, machine.argument(2))
}

fn bzero(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    fill(machine, 0, machine.argument(1))
}

fn memcmp(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [left, right, length] = [0, 1, 2].map(|n| machine.argument(n));
    let mut compared = 0;
    let mut difference = 0;
    while compared < length && difference == 0 {
        let a = machine.read_byte(left.wrapping_add(compared))?;
        let b = machine.read_byte(right.wrapping_add(compared))?;
        difference = i32::from(a) - i32::from(b);
        compared += 1;
    }
    machine.set_result(difference as u32);
    returned(cycles(3 * compared))
}
