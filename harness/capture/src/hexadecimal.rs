//! Bytes that somebody pasted: bare hexadecimal, a C array, or the dump of one of the usual tools.

use std::fmt;

/// More than any first flight, and little enough to paste.
pub const BYTES_MAX: usize = 64 << 10;

/// Longer texts are not looked at: dumps of [`BYTES_MAX`] bytes are shorter.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// So many bytes stand on a line of `xxd`, `hexdump -C`, `tcpdump -x` and Wireshark; what follows is text.
const DUMP_LINE_BYTES_MAX: usize = 16;

/// Why a text is no hexadecimal, with the line in it, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotHexadecimal {
    /// There is no byte in the text.
    Empty,
    /// A word that is no hexadecimal number.
    Word {
        /// Its line.
        line: usize,
        /// The word, safe to print.
        word: String,
    },
    /// A word of an odd number of digits: half a byte is missing.
    HalfAByte {
        /// Its line.
        line: usize,
        /// The word, safe to print.
        word: String,
    },
    /// The offset that begins a line of a dump is not where the line before ended.
    Gap {
        /// The line with the offset.
        line: usize,
        /// How many bytes came before it.
        read_bytes: usize,
        /// What the offset says.
        offset: usize,
    },
    /// More than [`BYTES_MAX`] bytes.
    TooLong,
}

impl fmt::Display for NotHexadecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no byte in this text: paste some, such as `16 03 02 00 33 01 …`"),
            Self::Word { line, word } => write!(
                f,
                "line {line}: `{word}` is no hexadecimal number: paste bytes alone, a C array, or a dump by xxd, \
                 hexdump -C, tcpdump -x or Wireshark"
            ),
            Self::HalfAByte { line, word } => {
                write!(f, "line {line}: `{word}` has an odd number of digits: half a byte is missing")
            }
            Self::Gap { line, read_bytes, offset } => write!(
                f,
                "line {line}: its offset says {offset}, but {read_bytes} bytes came before it: lines of the dump are \
                 missing"
            ),
            Self::TooLong => write!(f, "more than {} KiB: paste the hello alone, or give a capture", BYTES_MAX >> 10),
        }
    }
}

impl std::error::Error for NotHexadecimal {}

/// Reads pasted bytes. Understood are digits with or without blanks, commas, colons, `0x` or `\x` between; C arrays;
/// and dumps with offsets and a column of text, of which the first is read if there are several.
///
/// # Errors
/// If a word is no hexadecimal, with its line.
pub fn read(text: &str) -> Result<Vec<u8>, NotHexadecimal> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(NotHexadecimal::TooLong);
    }
    let mut bytes = Vec::new();
    let mut is_dump = false;
    for (line, content) in lines(text) {
        // `hexdump` says at last how long it all was.
        if is_dump && usize::from_str_radix(content.trim(), 16).is_ok_and(|offset| offset == bytes.len()) {
            break;
        }
        let dumped = dump_line(content);
        is_dump |= dumped.is_some();
        match dumped {
            // Some tools begin anew with every packet.
            Some((0, _)) if !bytes.is_empty() => break,
            Some((offset, _)) if offset != bytes.len() => {
                return Err(NotHexadecimal::Gap { line, read_bytes: bytes.len(), offset });
            }
            Some((_, columns)) => bytes.extend(columns),
            None => words(line, content, &mut bytes)?,
        }
        if bytes.len() > BYTES_MAX {
            return Err(NotHexadecimal::TooLong);
        }
    }
    if bytes.is_empty() { Err(NotHexadecimal::Empty) } else { Ok(bytes) }
}

/// The lines that hold bytes, with their numbers: of a C array those between its braces.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (skipped, body) = match text.split_once('{') {
        Some((before, rest)) => (before, rest.split_once('}').map_or(rest, |(body, _)| body)),
        None => ("", text),
    };
    let first = skipped.matches('\n').count() + 1;
    body.lines().enumerate().map(move |(index, line)| (first + index, without_comment(line)))
}

fn without_comment(line: &str) -> &str {
    let end = ["//", "#", "/*"].iter().filter_map(|sign| line.find(sign)).min().unwrap_or(line.len());
    line.get(..end).unwrap_or(line)
}

/// Offset and bytes of a dump's line: `00000010: 1603 …`, `0x0010:  1603 …`, `0010  16 03 …`.
fn dump_line(line: &str) -> Option<(usize, Vec<u8>)> {
    let line = line.trim_start();
    let (offset, rest) = line.split_once([' ', '\t'])?;
    let has_colon = offset.ends_with(':');
    let digits = offset.trim_end_matches(':');
    let is_prefixed = digits.starts_with("0x");
    let digits = digits.trim_start_matches("0x");
    // Four digits without a colon may be two bytes: then two blanks or more follow an offset.
    let is_offset = (4..=8).contains(&digits.len()) && (has_colon || rest.starts_with(' ')) || is_prefixed && has_colon;
    if !is_offset || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((usize::from_str_radix(digits, 16).ok()?, columns(rest)))
}

/// The bytes of a dump's line, up to its column of text.
fn columns(rest: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = rest.trim_start();
    while bytes.len() < DUMP_LINE_BYTES_MAX && !rest.is_empty() {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let Some(column) = octets(word).filter(|column| bytes.len() + column.len() <= DUMP_LINE_BYTES_MAX) else {
            break;
        };
        bytes.extend(column);
        let blanks = after.len() - after.trim_start().len();
        // Two blanks stand before the text; or in the middle of the line, where no text can be yet.
        if blanks > 2 || blanks == 2 && bytes.len() != DUMP_LINE_BYTES_MAX / 2 {
            break;
        }
        rest = after.trim_start();
    }
    bytes
}

/// The bytes of a line that is no dump's.
fn words(line: usize, content: &str, bytes: &mut Vec<u8>) -> Result<(), NotHexadecimal> {
    let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';' | '-' | '"' | '\'' | '[' | ']');
    for word in content.split(separators) {
        for word in word.split("\\x").filter(|word| !word.is_empty()) {
            let shown = || crate::text::clean(word, 20);
            let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
            // A single digit stands for a byte only where `0x` says that a number begins.
            let padded = digits.filter(|digits| digits.len() == 1).map(|digit| format!("0{digit}"));
            let digits = padded.as_deref().or(digits).unwrap_or(word);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(NotHexadecimal::Word { line, word: shown() });
            }
            bytes.extend(octets(digits).ok_or_else(|| NotHexadecimal::HalfAByte { line, word: shown() })?);
        }
    }
    Ok(())
}

/// The bytes of a word of hexadecimal digits; `None` if it is something else.
fn octets(word: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = word.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
