//! Text from strangers, made fit to print.

use std::fmt::Write;

/// `text` without anything that a terminal obeys, cut after `chars_max` characters.
pub fn clean(text: &str, chars_max: usize) -> String {
    terminal::clean::cut(text, chars_max)
}

/// Bytes that are probably text in quotes, others as their number.
pub fn bytes(bytes: &[u8], chars_max: usize) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace()) => {
            format!("\"{}\"", clean(text, chars_max))
        }
        _ => count(bytes.len(), "byte"),
    }
}

/// How much `bytes` is, in the unit that suits: `128 MiB`.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..=0x3ff => count(bytes, "byte"),
        0x400..=0xf_ffff => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// `1 byte`, `2 bytes`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The details of a line: what is there, with dots between.
pub fn dotted(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// Items with blanks between, at most `items_max` of them.
pub fn listed<T: ToString>(items: impl IntoIterator<Item = T>, items_max: usize) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let mut list = items[..items.len().min(items_max)].join(" ");
    if items.len() > items_max {
        let _ = write!(list, " +{}", items.len() - items_max);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(clean("a\x1b[31mb\r\n\u{202e}c\u{9b}", 99), "a\\u{1b}[31mb\\r\\n\\u{202e}c\\u{9b}");
        assert_eq!(clean("Straße 🦀", 7), "Straße …");
        assert_eq!(bytes(b"on", 9), "\"on\"");
        assert_eq!(bytes(&[0, 1], 9), "2 bytes");
        assert_eq!(bytes(b"", 9), "0 bytes");
        assert_eq!([size(1), size(1_023), size(2_048), size(128 << 20)], ["1 byte", "1023 bytes", "2 KiB", "128 MiB"]);
    }
}
