//! Certificates and keys of a plan in the pieces in which a TLS library reads them.

use alloc::vec::Vec;

use control::Blob;

/// The pieces that are read at once: a whole PEM text, but only one DER value. `None` if the digits are none.
pub fn pieces(blob: &Blob) -> Option<Vec<Vec<u8>>> {
    match blob {
        Blob::Pem(text) => Some(alloc::vec![text.as_bytes().to_vec()]),
        Blob::DerHex(digits) => from_hex(digits).map(|bytes| split_der(&bytes)),
    }
}

/// Bytes from hexadecimal digits. `None` if they are none.
pub fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

/// Cuts DER values that follow each other apart. What does not look like DER is left whole, for the library to refuse.
fn split_der(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let length = der_length(bytes).filter(|length| *length <= bytes.len()).unwrap_or(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        pieces.push(piece.to_vec());
        bytes = rest;
    }
    pieces
}

/// The length of the first value, header included, in bytes (X.690 §8.1.3).
fn der_length(bytes: &[u8]) -> Option<usize> {
    let first = usize::from(*bytes.get(1)?);
    if first < 0x80 {
        return Some(2 + first);
    }
    let count = first & 0x7f;
    if count == 0 || count > 3 {
        return None;
    }
    let length = bytes.get(2..2 + count)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    Some(2 + count + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_values_are_cut_apart() {
        let long = [&[0x30, 0x81, 0x80][..], &[7; 0x80]].concat();
        let both = [&[0x30, 1, 9][..], &long].concat();
        assert_eq!(split_der(&both), [&[0x30, 1, 9][..], &long]);
        assert_eq!(split_der(&long[..20]), [&long[..20]]);
        assert_eq!(split_der(&[0x30]), [[0x30]]);
        assert_eq!(split_der(&[0x30, 0x84, 1, 1, 1, 1]), [[0x30, 0x84, 1, 1, 1, 1]]);
    }

    #[test]
    fn hexadecimal_digits_are_read() {
        assert_eq!(from_hex("30Ff").as_deref(), Some(&[0x30, 0xff][..]));
        assert_eq!(from_hex("3"), None);
        assert_eq!(from_hex("3g"), None);
    }
}
