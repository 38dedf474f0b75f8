//! Writes DER (X.690), and what only looks like it.
//!
//! Certificates are written by hand, octet by octet, because encoders that refuse to write a certificate wrongly are of
//! no use for crooked ones.

/// The tags of X.690 and RFC 5280 that certificates are made of.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;

    /// `[number]` of a primitive type, implicitly tagged.
    pub(crate) const fn implicit(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]` of a constructed type.
    pub(crate) const fn explicit(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Tag, length, contents.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut element = Vec::with_capacity(contents.len() + 6);
    element.push(tag);
    if contents.len() < 0x80 {
        element.push(contents.len() as u8);
    } else {
        let length = contents.len().to_be_bytes();
        let significant = &length[length.iter().take_while(|octet| **octet == 0).count()..];
        element.push(0x80 | significant.len() as u8);
        element.extend_from_slice(significant);
    }
    element.extend_from_slice(contents);
    element
}

/// A constructed element of these parts.
pub(crate) fn constructed(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// SEQUENCE.
pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    constructed(tag::SEQUENCE, parts)
}

/// INTEGER, in as few octets as two's complement takes (X.690 §8.3).
pub(crate) fn integer(value: i64) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let redundant = octets
        .windows(2)
        .take_while(|pair| (pair[0] == 0 && pair[1] < 0x80) || (pair[0] == 0xff && pair[1] >= 0x80))
        .count();
    element(tag::INTEGER, &octets[redundant..])
}

/// OBJECT IDENTIFIER (X.690 §8.19).
pub(crate) fn object_identifier(arcs: &[u64]) -> Vec<u8> {
    let mut contents = Vec::new();
    if let [first, second, rest @ ..] = arcs {
        base_128(first * 40 + second, &mut contents);
        for arc in rest {
            base_128(*arc, &mut contents);
        }
    }
    element(tag::OBJECT_IDENTIFIER, &contents)
}

fn base_128(number: u64, octets: &mut Vec<u8>) {
    let groups = (u64::BITS - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x80 } else { 0 };
        octets.push((number >> (7 * group)) as u8 & 0x7f | more);
    }
}

/// BIT STRING of whole octets.
pub(crate) fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], octets].concat())
}

/// BIT STRING of named bits, without trailing zero bits (X.690 §11.2.2).
pub(crate) fn named_bits(bits: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let value = bits.into_iter().fold(0u16, |value, bit| value | 0x8000 >> bit.min(15));
    let length = 2 - (value.trailing_zeros() as usize / 8).min(2);
    let unused = if value == 0 { 0 } else { value.trailing_zeros() as u8 % 8 };
    element(tag::BIT_STRING, &[&[unused], &value.to_be_bytes()[..length]].concat())
}

/// BOOLEAN.
pub(crate) fn boolean(value: bool) -> Vec<u8> {
    element(tag::BOOLEAN, &[if value { 0xff } else { 0 }])
}

/// How long tag and length of the first element are, in octets.
pub(crate) fn header_length(element: &[u8]) -> usize {
    match element.get(1) {
        Some(length) if *length >= 0x80 => 2 + usize::from(length & 0x7f),
        _ => 2,
    }
}

/// The contents of the first element; empty if it is cut off. Of use for what we have written ourselves.
pub(crate) fn contents(element: &[u8]) -> &[u8] {
    let header = header_length(element);
    let length = match element.get(1) {
        Some(short) if *short < 0x80 => usize::from(*short),
        _ => {
            element.get(2..header).unwrap_or_default().iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
        }
    };
    element.get(header..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_they_can_be() {
        // X.690 §8.3.2; the values are those of the standard's rule, worked by hand.
        for (value, der) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 0x7f]),
            (128, &[2, 2, 0, 0x80]),
            (-1, &[2, 1, 0xff]),
            (-128, &[2, 1, 0x80]),
            (-129, &[2, 2, 0xff, 0x7f]),
            (65_537, &[2, 3, 1, 0, 1]),
        ] {
            assert_eq!(integer(value), der, "{value}");
        }
    }

    #[test]
    fn object_identifiers_match_the_standard() {
        // X.690 §8.19.5: {2 100 3}; RFC 8017: rsaEncryption.
        assert_eq!(object_identifier(&[2, 100, 3]), [6, 3, 0x81, 0x34, 3]);
        assert_eq!(
            object_identifier(&[1, 2, 840, 113549, 1, 1, 1]),
            [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]
        );
    }

    #[test]
    fn named_bits_carry_no_trailing_zeros() {
        assert_eq!(named_bits([0]), [3, 2, 7, 0x80]);
        assert_eq!(named_bits([5, 6]), [3, 2, 1, 0x06]);
        assert_eq!(named_bits([8]), [3, 3, 7, 0, 0x80]);
        assert_eq!(named_bits([]), [3, 1, 0]);
    }

    #[test]
    fn long_lengths_are_minimal() {
        assert_eq!(element(4, &[0; 127])[..2], [4, 0x7f]);
        assert_eq!(element(4, &[0; 128])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[0; 65_536])[..5], [4, 0x83, 1, 0, 0]);
    }
}
