//! Chains of DMA descriptors, which the radio's driver builds its receive ring of.

use super::{BadAddress, Function, Machine, Outcome, returned};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[("lldesc_build_chain", build_chain)];

/// Size, length and owner in a word; the buffer; the next descriptor.
const DESCRIPTOR_BYTES: u32 = 12;
const LENGTH_SHIFT: u32 = 12;
const SIZE_MASK: u32 = 0xfff;
/// No ring is longer.
const COUNT_MAX: u32 = 4_096;

/// `lldesc_build_chain(descriptors, their bytes, buffers, their bytes, block, owner, &first, &last)`: as many as there is
/// room for; how many.
fn build_chain(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [descriptors, descriptor_bytes, buffers, buffer_bytes, block, owner, first, last] =
        [0, 1, 2, 3, 4, 5, 6, 7].map(|n| machine.argument(n));
    let count = (descriptor_bytes / DESCRIPTOR_BYTES).min(buffer_bytes.checked_div(block).unwrap_or(0)).min(COUNT_MAX);
    let at = |n: u32| descriptors.wrapping_add(DESCRIPTOR_BYTES * n);
    for n in 0..count {
        let word = block & SIZE_MASK | (block & SIZE_MASK) << LENGTH_SHIFT | (owner & 1) << 31;
        machine.write_word(at(n), word)?;
        machine.write_word(at(n).wrapping_add(4), buffers.wrapping_add(block.wrapping_mul(n)))?;
        machine.write_word(at(n).wrapping_add(8), if n + 1 < count { at(n + 1) } else { 0 })?;
    }
    machine.write_word(first, if count == 0 { 0 } else { at(0) })?;
    machine.write_word(last, count.checked_sub(1).map_or(0, at))?;
    machine.set_result(count);
    returned(20 + 20 * u64::from(count))
}
