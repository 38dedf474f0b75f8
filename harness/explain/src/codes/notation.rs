//! Numbers as people write error codes: `298`, `-0x2700`, `0x801a`, `0xFFFFD900`, `-9984`.

use serde::Deserialize;

/// How a number was written, and how large it is: each library prints its codes in ways of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notation {
    /// `-0x2700`, or the same in 32 bits without a sign, `0xFFFFD900`.
    MinusHex,
    /// `0x801a`.
    Hex,
    /// `-1` to `-99`.
    MinusSmall,
    /// `-100` to `-999`.
    MinusMedium,
    /// `-1000` and below.
    MinusLarge,
    /// `0` to `9`.
    Tiny,
    /// `10` to `127`.
    Small,
    /// `128` to `255`.
    Medium,
    /// `256` and above.
    Large,
}

/// A number with how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its value, with its sign.
    pub value: i64,
    /// How it was written.
    pub notation: Notation,
}

impl Number {
    /// Reads a number with nothing around it; `None` if it is none, or larger than any code.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (is_negative, rest) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            return Self::hexadecimal(is_negative, digits);
        }
        if rest.is_empty() || rest.len() > 10 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let size: i64 = rest.parse().ok()?;
        Some(Self::decimal(if is_negative { -size } else { size }))
    }

    /// A number that was written in decimal digits.
    pub const fn decimal(value: i64) -> Self {
        let notation = match value {
            i64::MIN..=-1000 => Notation::MinusLarge,
            -999..=-100 => Notation::MinusMedium,
            -99..=-1 => Notation::MinusSmall,
            0..=9 => Notation::Tiny,
            10..=127 => Notation::Small,
            128..=255 => Notation::Medium,
            256.. => Notation::Large,
        };
        Self { value, notation }
    }

    /// Hexadecimal digits without their `0x`.
    pub fn hexadecimal(is_negative: bool, digits: &str) -> Option<Self> {
        if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let size = u32::from_str_radix(digits, 16).ok()?;
        let signed = size.cast_signed();
        Some(match (is_negative, signed) {
            (true, _) => Self { value: -i64::from(size), notation: Notation::MinusHex },
            (false, negative @ i32::MIN..0) => Self { value: negative.into(), notation: Notation::MinusHex },
            (false, _) => Self { value: size.into(), notation: Notation::Hex },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let read = |text: &str| Number::parse(text).map(|number| (number.value, number.notation));
        assert_eq!(read("298"), Some((298, Notation::Large)));
        assert_eq!(read("-0x2700"), Some((-0x2700, Notation::MinusHex)));
        assert_eq!(read("0xFFFFD900"), Some((-0x2700, Notation::MinusHex)));
        assert_eq!(read(" -9984 "), Some((-9984, Notation::MinusLarge)));
        assert_eq!(read("0x801a"), Some((0x801a, Notation::Hex)));
        assert_eq!(read("−5"), Some((-5, Notation::MinusSmall)), "with the sign that word processors make of a hyphen");
        for none in ["", "-", "0x", "-0x", "0x123456789", "12345678901", "1a", "1.5", "--5", "+5"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
