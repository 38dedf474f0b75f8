//! Which functions of the mask ROM an image calls, by looking at its code: whether the modelled ROM will do.
//!
//! The ROM is further away than one jump reaches, so a call is a pair of instructions: the upper bits of the address,
//! absolute (`lui`) or relative (`auipc`), and a jump through the same register (`jalr`). Pointers to functions are not
//! found; if such a call meets what is not modelled, the chip stops and says so.

use super::{CODE, Natives, services};
use crate::machine::image::Segment;

const OPCODE: u32 = 0x7f;
const LUI: u32 = 0x37;
const AUIPC: u32 = 0x17;
/// `jalr`, its function code included.
const JALR: u32 = 0x67;
const JALR_MASK: u32 = 0x707f;

/// The first function that is called and that the model does not have.
pub(crate) fn first_unmodelled(segments: &[Segment]) -> Option<u32> {
    let unmodelled = |address: &u32| Natives::get().function(*address).is_none() && !services::is_blocking(*address);
    segments.iter().flat_map(called).find(unmodelled)
}

/// Every address in the ROM that a segment's code calls. Data may look like a call; hardly ever, to such an address.
fn called(segment: &Segment) -> impl Iterator<Item = u32> {
    let word = |at: usize| {
        let bytes = segment.bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    (0..segment.bytes.len()).step_by(2).filter_map(move |at| {
        let (upper, jump) = (word(at)?, word(at + 4)?);
        let base = match upper & OPCODE {
            LUI => 0,
            AUIPC => segment.address.wrapping_add(at as u32),
            _ => return None,
        };
        let register = upper >> 7 & 31;
        if register == 0 || jump & JALR_MASK != JALR || jump >> 15 & 31 != register {
            return None;
        }
        let offset = (jump as i32 >> 20) as u32;
        let target = base.wrapping_add(upper & !0xfff).wrapping_add(offset);
        CODE.contains(&target).then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(words: &[u32]) -> Segment {
        Segment { address: 0x4200_0020, bytes: words.iter().flat_map(|word| word.to_le_bytes()).collect() }
    }

    /// `auipc ra, …; jalr ra, …(ra)` at the segment's beginning, to `target`.
    fn call(target: u32) -> Segment {
        let distance = target.wrapping_sub(0x4200_0020);
        let upper = distance.wrapping_add(0x800) & !0xfff;
        let lower = distance.wrapping_sub(upper) & 0xfff;
        segment(&[upper | 1 << 7 | AUIPC, lower << 20 | 1 << 15 | 1 << 7 | JALR])
    }

    #[test]
    fn a_call_into_the_rom_is_found_by_its_pair_of_instructions() {
        // ets_printf, memcpy, ets_delay_us.
        assert_eq!(first_unmodelled(&[call(0x4000_0040)]), Some(0x4000_0040));
        assert_eq!(first_unmodelled(&[call(0x4000_0358)]), None, "memcpy is modelled");
        assert_eq!(first_unmodelled(&[call(0x4000_0050)]), None, "ets_delay_us is modelled, and waits");
        assert_eq!(called(&call(0x4000_0358)).collect::<Vec<_>>(), [0x4000_0358]);
        // lui t0, 0x40000; jalr ra, 64(t0).
        let absolute = segment(&[0x4000_0000 | 5 << 7 | LUI, 64 << 20 | 5 << 15 | 1 << 7 | JALR]);
        assert_eq!(first_unmodelled(&[absolute]), Some(0x4000_0040));
        assert_eq!(first_unmodelled(&[segment(&[0x4000_0000 | 5 << 7 | LUI])]), None, "cut off");
    }
}
