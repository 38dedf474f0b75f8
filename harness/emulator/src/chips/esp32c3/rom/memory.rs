//! memcpy and its family.

use super::{BadAddress, Function, Machine};

pub(super) const FUNCTIONS: &[(&str, Function)] =
    &[("memset", memset), ("memcpy", memcpy), ("memmove", memmove), ("memcmp", memcmp), ("memchr", memchr)];

/// Copies, and gives where from, where to and how much.
fn copy(machine: &mut Machine<'_>) -> Result<[u32; 3], BadAddress> {
    let [destination, source, length] = [0, 1, 2].map(|n| machine.argument(n));
    let mut small = [0; 64];
    if let Some(bytes) = small.get_mut(..length as usize) {
        machine.read_bytes(source, bytes)?;
        machine.write_bytes(destination, bytes)?;
    } else {
        let bytes = machine.read_vec(source, length)?;
        machine.write_bytes(destination, &bytes)?;
    }
    Ok([destination, source, length])
}

/// Copies words if both pointers are aligned alike, else bytes.
fn memcpy(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [destination, source, length] = copy(machine)?;
    let length = u64::from(length);
    let by_words = (destination ^ source) & 3 == 0 && length >= 12;
    Ok(if by_words { 38 + length * 5 / 8 } else { 8 + length * 5 })
}

/// Copies bytes, from the end if source and destination overlap that way.
fn memmove(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [destination, source, length] = copy(machine)?;
    let backwards = source < destination && destination < source.saturating_add(length);
    let length = u64::from(length);
    Ok(if backwards { 9 + length * 8 } else { 7 + length * 6 })
}

fn memset(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [destination, value, length] = [0, 1, 2].map(|n| machine.argument(n));
    let chunk = [value as u8; 256];
    let mut done = 0;
    while done < length {
        let run = (length - done).min(chunk.len() as u32);
        machine.write_bytes(destination.wrapping_add(done), &chunk[..run as usize])?;
        done += run;
    }
    let length = u64::from(length);
    Ok(if length < 16 { 12 + 2 * length } else { 40 + length * 3 / 8 })
}

fn memcmp(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
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
    let compared = u64::from(compared);
    let by_words = (left | right) & 3 == 0;
    Ok(if by_words { 24 + compared * 7 / 4 } else { 9 + compared * 7 })
}

fn memchr(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [start, wanted, length] = [0, 1, 2].map(|n| machine.argument(n));
    for n in 0..length {
        let address = start.wrapping_add(n);
        if machine.read_byte(address)? == wanted as u8 {
            machine.set_result(address);
            return Ok(8 + u64::from(n) * 5);
        }
    }
    machine.set_result(0);
    Ok(8 + u64::from(length) * 5)
}
