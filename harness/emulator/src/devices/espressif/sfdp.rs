//! What a flash says of itself when it is asked with command 5Ah: JEDEC's JESD216B, the basic flash parameter table.
//!
//! The table is that of Winbond's W25Q-JV parts: revision 1.5, sixteen words at 0x80. From part to part the size
//! differs, and how long erasing all of it takes.

/// Where the parameter table begins; what lies before it, behind the headers, is erased.
const TABLE: u32 = 0x80;

/// Reads from `address` on; behind the tables there is nothing.
pub(crate) fn read(size_bytes: u32, address: u32, answer: &mut [u8]) {
    let (headers, table) = (headers(), table(size_bytes));
    for (n, byte) in answer.iter_mut().enumerate() {
        let at = address.wrapping_add(n as u32);
        let word = match at.checked_sub(TABLE) {
            Some(into) => table.get((into / 4) as usize),
            None => headers.get((at / 4) as usize),
        };
        *byte = word.map_or(0xff, |word| word.to_le_bytes()[(at % 4) as usize]);
    }
}

/// The SFDP header, and the one parameter header.
fn headers() -> [u32; 4] {
    [
        u32::from_le_bytes(*b"SFDP"),
        // Revision 1.5, one parameter header.
        0xff00_0105,
        // JEDEC's basic table (00h), revision 1.5, sixteen words.
        0x1001_0500,
        // Where it begins; the upper half of its identifier.
        0xff00_0000 | TABLE,
    ]
}

/// The basic flash parameter table (JESD216B, section 6.4), from its first word.
fn table(size_bytes: u32) -> [u32; 16] {
    [
        // 4 KiB erase by 20h, three address bytes, fast reads 1-1-2, 1-2-2, 1-4-4, 1-1-4, with a clock of double rate.
        0xfff9_20e5,
        // The size in bits, less one.
        (u64::from(size_bytes) * 8 - 1) as u32,
        // 1-4-4 by EBh with 2 mode and 4 wait clocks, 1-1-4 by 6Bh with 8 wait clocks.
        0x6b08_eb44,
        // 1-1-2 by 3Bh with 8 wait clocks, 1-2-2 by BBh with 2 mode and 2 wait clocks.
        0xbb42_3b08,
        // No 2-2-2; 4-4-4 by EBh.
        0xffff_fffe,
        0x0000_ffff,
        0xeb40_ffff,
        // Erase: 4 KiB by 20h, 32 KiB by 52h, 64 KiB by D8h.
        0x520f_200c,
        0x0000_d810,
        // How long these take: 45, 120 and 150 ms, and at most fourteen times that.
        0x00a6_0236,
        // Pages of 256 bytes, programmed in 0.7 ms; erasing all of it.
        0x8014_ea82 | erase_time(size_bytes) << 24,
        // Suspending and resuming: 7Ah and 75h.
        0x3376_63e9,
        0x757a_757a,
        // Busy is bit 0 of status register 1; deep power-down by B9h, and out of it by ABh.
        0x5cd5_a2f7,
        // QE is bit 1 of status register 2, read by 35h, written by 01h or 31h; how 4-4-4 is entered and left.
        0xff5d_f719,
        // Status register 1 is written behind 06h, or 50h for the time being; reset by 66h and 99h.
        0x80f8_30e9,
    ]
}

/// The time that erasing the whole part takes: how often a unit, less one, and the unit (1 is a second, 2 are four).
/// These parts take 2.5 s for each MiB.
fn erase_time(size_bytes: u32) -> u32 {
    let seconds = ((size_bytes >> 20) * 5 / 2).max(1);
    if seconds.is_multiple_of(4) { 2 << 5 | (seconds / 4 - 1) & 0x1f } else { 1 << 5 | (seconds - 1) & 0x1f }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_may_begin_anywhere_and_ends_nowhere() {
        let mut whole = [0; 0x140];
        read(4 << 20, 0, &mut whole);
        for from in [1, 0x0e, 0x7d, 0x80, 0xbe, 0x13f] {
            let mut some = [0; 8];
            read(4 << 20, from as u32, &mut some);
            let known = &whole[from..(from + 8).min(whole.len())];
            assert_eq!(&some[..known.len()], known, "from {from:#x}");
        }
        assert!(whole[0x10..0x80].iter().chain(&whole[0xc0..]).all(|byte| *byte == 0xff));
        let mut behind = [0; 4];
        read(4 << 20, u32::MAX - 1, &mut behind);
    }
}
