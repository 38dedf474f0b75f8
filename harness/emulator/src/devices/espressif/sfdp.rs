//! What a flash says of itself when it is asked with command 5Ah: JEDEC's JESD216B, the basic parameter table.
//!
//! A header, one parameter header, and nine words: 4 KiB erase, 256-byte pages, three address bytes, all of the
//! fast reads, and the size.

/// Where the parameter table begins.
const TABLE: u32 = 0x10;

/// Reads from `address` on; behind the tables there is nothing.
pub(crate) fn read(size_bytes: u32, address: u32, answer: &mut [u8]) {
    let words = words(size_bytes);
    for (n, byte) in answer.iter_mut().enumerate() {
        let at = address.wrapping_add(n as u32);
        *byte = words.get((at / 4) as usize).map_or(0xff, |word| word.to_le_bytes()[(at % 4) as usize]);
    }
}

fn words(size_bytes: u32) -> [u32; 13] {
    [
        u32::from_le_bytes(*b"SFDP"),
        // Revision 1.0, one parameter header.
        0xff00_0100,
        // JEDEC's basic table, revision 1.0, nine words.
        0x0901_0000,
        0xff00_0000 | TABLE,
        // 4 KiB erase by 20h, 64-byte writes or larger, fast reads 1-1-2, 1-2-2, 1-4-4, 1-1-4; three address bytes.
        0xfff1_20e5,
        // The size in bits, less one.
        (u64::from(size_bytes) * 8 - 1) as u32,
        // 1-4-4 by EBh with 2 mode and 4 wait clocks, 1-1-4 by 6Bh with 8 wait clocks.
        0x6b08_eb44,
        // 1-1-2 by 3Bh with 8 wait clocks, 1-2-2 by BBh with 4 mode clocks.
        0xbb80_3b08,
        // No 2-2-2 and no 4-4-4.
        0xffff_ffee,
        0xff00_ffff,
        0xff00_ffff,
        // Erase: 4 KiB by 20h, 32 KiB by 52h, 64 KiB by D8h.
        0x520f_200c,
        0xff00_d810,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_how_large_the_part_is() {
        let mut header = [0; 16];
        read(4 << 20, 0, &mut header);
        assert_eq!(&header[..4], b"SFDP");
        let table = u32::from(header[12]);
        let mut density = [0; 4];
        read(4 << 20, table + 4, &mut density);
        assert_eq!(u32::from_le_bytes(density), 8 * (4 << 20) - 1);
        let mut behind = [0; 4];
        read(4 << 20, u32::MAX - 1, &mut behind);
    }
}
