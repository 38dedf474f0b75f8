//! The string functions of the ROM's C library.

use super::{BadAddress, Function, LENGTH_MAX, Machine, Outcome, returned};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("strcpy", strcpy),
    ("ets_strcpy", strcpy),
    ("strncpy", strncpy),
    ("ets_strncpy", strncpy),
    ("strcmp", strcmp),
    ("ets_strcmp", strcmp),
    ("strncmp", strncmp),
    ("ets_strncmp", strncmp),
    ("strlen", strlen),
    ("ets_strlen", strlen),
    ("strstr", strstr),
    ("ets_strstr", strstr),
];

fn cycles(bytes: usize) -> u64 {
    10 + 4 * bytes as u64
}

fn strcpy(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let mut bytes = machine.text(machine.argument(1), LENGTH_MAX)?;
    bytes.push(0);
    machine.write_bytes(machine.argument(0), &bytes)?;
    returned(cycles(bytes.len()))
}

fn strncpy(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let length = machine.argument(2).min(LENGTH_MAX);
    let mut bytes = machine.text(machine.argument(1), length)?;
    bytes.resize(length as usize, 0);
    machine.write_bytes(machine.argument(0), &bytes)?;
    returned(cycles(bytes.len()))
}

fn compare(machine: &mut Machine<'_>, limit: u32) -> Result<Outcome, BadAddress> {
    let (left, right) = (machine.argument(0), machine.argument(1));
    let (mut n, mut difference) = (0, 0);
    while n < limit.min(LENGTH_MAX) {
        let a = machine.read_byte(left.wrapping_add(n))?;
        let b = machine.read_byte(right.wrapping_add(n))?;
        difference = i32::from(a) - i32::from(b);
        n += 1;
        if difference != 0 || a == 0 {
            break;
        }
    }
    machine.set_result(difference as u32);
    returned(cycles(n as usize))
}

fn strcmp(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    compare(machine, LENGTH_MAX)
}

fn strncmp(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    compare(machine, machine.argument(2))
}

fn strlen(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let length = machine.text(machine.argument(0), LENGTH_MAX)?.len();
    machine.set_result(length as u32);
    returned(cycles(length))
}

fn strstr(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let address = machine.argument(0);
    let hay = machine.text(address, LENGTH_MAX)?;
    let needle = machine.text(machine.argument(1), LENGTH_MAX)?;
    let found = if needle.is_empty() { Some(0) } else { hay.windows(needle.len()).position(|part| part == needle) };
    machine.set_result(found.map_or(0, |n| address.wrapping_add(n as u32)));
    returned(cycles(found.unwrap_or(hay.len())))
}
