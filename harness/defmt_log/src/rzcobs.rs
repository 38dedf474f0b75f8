//! Reverse zero-compressing COBS, defmt's usual framing (<https://github.com/Dirbaio/rzcobs>): no byte of a frame is zero,
//! and it is read from its end.

/// The frame that is encoded as `data`, without the zero behind it; `None` if it is none.
pub(crate) fn decode(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = data.iter().rev().copied();
    while let Some(code) = rest.next() {
        match code {
            0 => return None,
            // One bit for each of seven bytes, the first in the highest: a zero, or the next byte.
            0x01..=0x7f => {
                for bit in (0..7).rev() {
                    let is_zero = code >> bit & 1 == 1;
                    out.push(if is_zero { 0 } else { rest.next()? });
                }
            }
            // A zero, and 7 to 133 bytes.
            0x80..=0xfe => {
                out.push(0);
                for _ in 0..(code & 0x7f) + 7 {
                    out.push(rest.next()?);
                }
            }
            // 134 bytes.
            0xff => {
                for _ in 0..134 {
                    out.push(rest.next()?);
                }
            }
        }
    }
    out.reverse();
    Some(out)
}
