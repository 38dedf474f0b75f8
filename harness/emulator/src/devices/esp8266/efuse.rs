//! The fuses that firmware takes the chip's address from: four words in DPORT.
//!
//! Which of them a generation of the SDK believes is its own affair; here they agree. The maker's part is that of Espressif's
//! first block, 18:FE:34, which is what all of them take when nothing else is burnt. SDKs from 2.1 on want a check sum of a
//! maker's part that is burnt in full, and take 5C:CF:7F where it is wrong.

/// The first three octets of the address.
pub(crate) const MAKER: [u8; 3] = [0x18, 0xfe, 0x34];
/// In the third word: the chip is of the second kind, as all are that are sold.
const SECOND_KIND: u32 = 1 << 15;
/// The maker's part is burnt in full in the last word.
const HAS_MAKER: u32 = 1 << 12;

/// The four words from DPORT 0x50 on, for the address that begins with [`MAKER`] and ends so.
pub(crate) const fn words(end: [u8; 3]) -> [u32; 4] {
    let [third, fourth, fifth] = end;
    let maker = (MAKER[0] as u32) << 16 | (MAKER[1] as u32) << 8 | MAKER[2] as u32;
    [
        (fifth as u32) << 24,
        // Above it, in bits 16 to 19, which of the maker's blocks: the first.
        (third as u32) << 8 | fourth as u32,
        SECOND_KIND | HAS_MAKER | (checksum([MAKER[2], MAKER[1], MAKER[0]]) as u32) << 24,
        maker,
    ]
}

/// The check sum of one-wire devices: x^8 + x^5 + x^4 + 1, the lowest bit first (Maxim, application note 27).
const fn checksum(bytes: [u8; 3]) -> u8 {
    let (mut sum, mut n) = (0, 0);
    while n < 8 * bytes.len() {
        let bit = (sum ^ bytes[n / 8] >> (n % 8)) & 1;
        sum = (sum >> 1) ^ (0x8c * bit);
        n += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_the_one_of_one_wire_devices() {
        // The catalogue's check value of CRC-8/MAXIM-DOW is that of nine digits; these are its first three, divided by hand.
        assert_eq!(checksum(*b"123"), by_division(b"123"));
        assert_eq!(by_division(b"123456789"), 0xa1, "the check value");
        let [_, _, third, _] = words([0, 0, 1]);
        assert_eq!(third >> 24, u32::from(by_division(&[0x34, 0xfe, 0x18])));
    }

    /// Polynomial division over all bits, the other way round: the highest bit first, of bytes turned round.
    fn by_division(bytes: &[u8]) -> u8 {
        let bits = bytes.iter().flat_map(|byte| (0..8).map(move |n| byte >> n & 1)).chain([0; 8]);
        let rest = bits.fold(0_u16, |rest, bit| {
            let rest = rest << 1 | u16::from(bit);
            if rest & 0x100 != 0 { rest ^ 0x131 } else { rest }
        });
        (rest as u8).reverse_bits()
    }
}
