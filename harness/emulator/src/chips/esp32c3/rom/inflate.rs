//! The ROM's `tinfl_decompress`, of which miniz_oxide is a translation.
//!
//! Its caller gives it a structure to keep its state in. The model keeps the state itself, under that structure's
//! address, and of the structure sets only the first word, `m_state`, which a caller sets to 0 to begin anew.

use std::collections::BTreeMap;

use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{BadAddress, Function, Machine};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[("tinfl_decompress", tinfl_decompress)];

/// `TINFL_STATUS_FAILED`.
const FAILED: i32 = -1;
/// `TINFL_STATUS_BAD_PARAM`.
const BAD_PARAMETER: i32 = -3;
/// `TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF`: otherwise the output is a ring, whose size is a power of two.
const FLAG_NOT_A_RING: u32 = 4;
/// `m_state` of a decompression that has begun.
const UNDER_WAY: u32 = 1;
/// About what the code takes for a byte.
const CYCLES_PER_BYTE: u64 = 40;
/// How many decompressions can be under way at once.
const UNDER_WAY_MAX: usize = 4;
/// Buffers are in RAM, and no longer than it.
const BUFFER_BYTES_MAX: u32 = 0x6_0000;

/// Decompressions that are under way, by the address of their structures.
pub(crate) type Inflaters = BTreeMap<u32, Box<DecompressorOxide>>;

/// `(structure, input, &input size, output's begin, output's next byte, &output size, flags)`: a status; the sizes become
/// what was consumed and produced.
fn tinfl_decompress(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [structure, input, input_size, begin, next, output_size, flags] =
        [0, 1, 2, 3, 4, 5, 6].map(|n| machine.argument(n));
    let (available, room) = (machine.read_word(input_size)?, machine.read_word(output_size)?);
    let used = next.wrapping_sub(begin);
    let whole = used.saturating_add(room);
    let is_ring = flags & FLAG_NOT_A_RING == 0;
    if whole > BUFFER_BYTES_MAX || available > BUFFER_BYTES_MAX || is_ring && !whole.is_power_of_two() {
        machine.set_result(BAD_PARAMETER as u32);
        return Ok(CYCLES_PER_BYTE);
    }
    let bytes = machine.read_vec(input, available)?;
    let mut output = machine.read_vec(begin, whole)?;
    let begins = machine.read_word(structure)? == 0;
    let inflaters = &mut machine.soc.inflaters;
    if begins && (inflaters.len() < UNDER_WAY_MAX || inflaters.contains_key(&structure)) {
        inflaters.insert(structure, Box::default());
    }
    let Some(inflater) = inflaters.get_mut(&structure) else {
        machine.set_result(FAILED as u32);
        return Ok(CYCLES_PER_BYTE);
    };
    let (status, consumed, produced) = decompress(inflater, &bytes, &mut output, used as usize, flags);
    // Done, or failed.
    if (status as i32) <= 0 {
        inflaters.remove(&structure);
    }
    let written = output.get(used as usize..used as usize + produced).unwrap_or_default();
    machine.write_bytes(next, written)?;
    machine.write_word(structure, UNDER_WAY)?;
    machine.write_word(input_size, consumed as u32)?;
    machine.write_word(output_size, produced as u32)?;
    machine.set_result(status as i32 as u32);
    Ok(CYCLES_PER_BYTE * (1 + produced as u64))
}
