//! The string functions of the ROM's C library.

use super::{BadAddress, Function, Machine};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("strcpy", strcpy),
    ("strncpy", strncpy),
    ("strcmp", strcmp),
    ("strncmp", strncmp),
    ("strlcpy", strlcpy),
    ("strcat", strcat),
    ("strchr", strchr),
    ("strstr", strstr),
    ("strcasecmp", strcasecmp),
];

/// No string in 400 KiB of RAM and 8 MiB of flash is longer.
const LONGEST: u32 = 0x80_0000;

/// The bytes of a string without its end, at most `limit`.
fn text(machine: &mut Machine<'_>, address: u32, limit: u32) -> Result<Vec<u8>, BadAddress> {
    let mut bytes = Vec::new();
    for n in 0..limit.min(LONGEST) {
        match machine.read_byte(address.wrapping_add(n))? {
            0 => break,
            byte => bytes.push(byte),
        }
    }
    Ok(bytes)
}

fn cycles(bytes: usize) -> u64 {
    7 + 5 * bytes as u64
}

fn strcpy(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let mut bytes = text(machine, machine.argument(1), LONGEST)?;
    bytes.push(0);
    machine.write_bytes(machine.argument(0), &bytes)?;
    Ok(cycles(bytes.len()))
}

fn strncpy(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let length = machine.argument(2).min(LONGEST);
    let mut bytes = text(machine, machine.argument(1), length)?;
    bytes.resize(length as usize, 0);
    machine.write_bytes(machine.argument(0), &bytes)?;
    Ok(cycles(bytes.len()))
}

fn strlcpy(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let (destination, room) = (machine.argument(0), machine.argument(2));
    let bytes = text(machine, machine.argument(1), LONGEST)?;
    if room != 0 {
        let kept = bytes.len().min(room as usize - 1);
        machine.write_bytes(destination, &bytes[..kept])?;
        machine.write_bytes(destination.wrapping_add(kept as u32), &[0])?;
    }
    machine.set_result(bytes.len() as u32);
    Ok(cycles(bytes.len()))
}

fn strcat(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let before = text(machine, machine.argument(0), LONGEST)?;
    let mut bytes = text(machine, machine.argument(1), LONGEST)?;
    bytes.push(0);
    machine.write_bytes(machine.argument(0).wrapping_add(before.len() as u32), &bytes)?;
    Ok(cycles(before.len() + bytes.len()))
}

fn compare(machine: &mut Machine<'_>, limit: u32, cycles_per_byte: u64, fold: fn(u8) -> u8) -> Result<u64, BadAddress> {
    let (left, right) = (machine.argument(0), machine.argument(1));
    let mut n = 0;
    let mut difference = 0;
    while n < limit.min(LONGEST) {
        let a = fold(machine.read_byte(left.wrapping_add(n))?);
        let b = fold(machine.read_byte(right.wrapping_add(n))?);
        difference = i32::from(a) - i32::from(b);
        n += 1;
        if difference != 0 || a == 0 {
            break;
        }
    }
    machine.set_result(difference as u32);
    Ok(6 + cycles_per_byte * u64::from(n))
}

fn strcmp(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    compare(machine, LONGEST, 5, |byte| byte)
}

fn strncmp(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    compare(machine, machine.argument(2), 8, |byte| byte)
}

fn strcasecmp(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    compare(machine, LONGEST, 16, |byte| byte.to_ascii_lowercase())
}

fn strchr(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let (address, wanted) = (machine.argument(0), machine.argument(1) as u8);
    let mut bytes = text(machine, address, LONGEST)?;
    bytes.push(0);
    let found = bytes.iter().position(|byte| *byte == wanted);
    machine.set_result(found.map_or(0, |n| address.wrapping_add(n as u32)));
    Ok(cycles(found.unwrap_or(bytes.len())))
}

fn strstr(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let address = machine.argument(0);
    let hay = text(machine, address, LONGEST)?;
    let needle = text(machine, machine.argument(1), LONGEST)?;
    let found = if needle.is_empty() { Some(0) } else { hay.windows(needle.len()).position(|part| part == needle) };
    machine.set_result(found.map_or(0, |n| address.wrapping_add(n as u32)));
    Ok(4 + 4 * found.unwrap_or(hay.len()) as u64)
}
