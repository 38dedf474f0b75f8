//! The fuses that firmware takes the chip's address from: four words in DPORT.
//!
//! Which of them a generation of the SDK believes is its own affair; here they agree. The maker's part is that of Espressif's
//! first block, 18:FE:34, which is what all of them take when nothing else is burnt.

/// The first three octets of the address.
pub(crate) const MAKER: [u8; 3] = [0x18, 0xfe, 0x34];
/// The maker's part is burnt in full in the last word.
const HAS_MAKER: u32 = 1 << 15;
/// The chip's version, in the same word.
const CHIP_VERSION: u32 = 0x9000;

/// The four words from DPORT 0x50 on, for the address that begins with [`MAKER`] and ends so.
pub(crate) const fn words(end: [u8; 3]) -> [u32; 4] {
    let [third, fourth, fifth] = end;
    let maker = (MAKER[0] as u32) << 16 | (MAKER[1] as u32) << 8 | MAKER[2] as u32;
    [
        (fifth as u32) << 24,
        // Above it, in bits 16 to 19, which of the maker's blocks: the first.
        (third as u32) << 8 | fourth as u32,
        HAS_MAKER | CHIP_VERSION,
        maker,
    ]
}
