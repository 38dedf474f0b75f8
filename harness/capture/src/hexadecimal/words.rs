//! Bytes without offsets: digits with anything between them, arrays of a program, strings with escapes, and lines of a log that
//! end in bytes.

use super::{Block, Missing, NotHexadecimal, octets};

/// Fewer bytes at the end of a line of a log are chance.
const RUN_BYTES_MIN: usize = 4;
/// Fewer numbers between brackets are no array of bytes.
const ARRAY_NUMBERS_MIN: usize = 6;
/// So much of a word is shown.
const SHOWN_CHARS_MAX: usize = 20;

/// Reads a text that is no dump.
pub fn read(text: &str) -> Result<Vec<Block>, NotHexadecimal> {
    if text.matches("\\x").count() >= 2 {
        return Ok(vec![Block { bytes: escaped(text), line: 1, missing: None }]);
    }
    let arrays = arrays(text);
    if !arrays.is_empty() {
        return Ok(arrays);
    }
    lines(text)
}

/// A string of C, Rust or Python: what stands between its quotes, or all of it if there are none.
fn escaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut quote = None;
    let is_quoted = text.contains(['"', '\'']);
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match (character, quote) {
            ('"' | '\'', None) => quote = Some(character),
            (end, Some(begin)) if end == begin => quote = None,
            ('\\', _) => {
                if let Some(byte) = escape(&mut rest) {
                    bytes.push(byte);
                }
            }
            (character, _) if (quote.is_some() || !is_quoted) && !character.is_whitespace() && character.is_ascii() => {
                bytes.push(character as u8);
            }
            (' ', Some(_)) => bytes.push(b' '),
            _ => {}
        }
    }
    bytes
}

fn escape(rest: &mut std::str::Chars<'_>) -> Option<u8> {
    match rest.next()? {
        'x' => {
            let digits: String = rest.clone().take(2).collect();
            let byte = octets(&digits)?.first().copied()?;
            rest.nth(1);
            Some(byte)
        }
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        '0' => Some(0),
        other @ ('\\' | '"' | '\'') => Some(other as u8),
        _ => None,
    }
}

/// What stands between braces or brackets, as far as it is a list of bytes: `0x16, 0x03`, or `22, 3, 1`.
fn arrays(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '[']) {
        let after = rest.get(open + 1..).unwrap_or_default();
        let body = after.split(['}', ']']).next().unwrap_or_default();
        let line = text.get(..text.len() - after.len()).unwrap_or_default().matches('\n').count() + 1;
        match array(body) {
            Some(bytes) => {
                blocks.push(Block { bytes, line, missing: None });
                rest = after.get(body.len()..).unwrap_or_default();
            }
            None => rest = after,
        }
    }
    blocks
}

fn array(body: &str) -> Option<Vec<u8>> {
    let without_comments: Vec<&str> = body.lines().map(without_comment).collect();
    let body = without_comments.join(" ");
    let numbers: Vec<&str> = body.split([',', ' ', '\t']).map(str::trim).filter(|number| !number.is_empty()).collect();
    let is_list = body.contains(',') || numbers.iter().all(|number| number.starts_with("0x"));
    if numbers.len() < ARRAY_NUMBERS_MIN || !is_list {
        return None;
    }
    // `16, 03` is hexadecimal, `22, 3` is not: a number of one digit, or of three, is written in decimals.
    let is_decimal =
        numbers.iter().all(|number| number.parse::<u8>().is_ok()) && numbers.iter().any(|number| number.len() != 2);
    let read = |number: &&str| {
        if is_decimal {
            return number.parse().ok();
        }
        let digits = number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")).unwrap_or(number);
        let digits = digits.trim_end_matches(['u', 'U']);
        if digits.len() > 2 { None } else { u8::from_str_radix(digits, 16).ok() }
    };
    numbers.iter().map(read).collect()
}

fn without_comment(line: &str) -> &str {
    let end = ["//", "#", "/*"].iter().filter_map(|sign| line.find(sign)).min().unwrap_or(line.len());
    line.get(..end).unwrap_or(line)
}

/// Lines of bytes alone, or that end in some; whatever else stands between them begins a new piece.
fn lines(text: &str) -> Result<Vec<Block>, NotHexadecimal> {
    let mut blocks: Vec<Block> = Vec::new();
    // What stands before the bytes of the lines that the block goes on with; nothing, if they are bytes alone.
    let mut tag = None;
    let mut complaint = None;
    for (index, whole) in text.lines().enumerate() {
        let (number, line) = (index + 1, without_comment(whole));
        if line.trim().is_empty() {
            continue;
        }
        let read = match of_line(line, number) {
            Ok(bytes) => Ok(("", bytes)),
            Err(why) => run(line, tag).ok_or(why),
        };
        match read {
            Ok((before, bytes)) => {
                match blocks.last_mut().filter(|_| tag == Some(before)) {
                    Some(block) => block.bytes.extend(bytes),
                    None => blocks.push(Block { bytes, line: number, missing: None }),
                }
                tag = Some(before);
            }
            Err(why) => {
                // A line that begins with bytes was meant to be some.
                let word = line.split_whitespace().next().unwrap_or_default();
                if tag.is_some() && (word.starts_with("0x") || octets(word).is_some_and(|bytes| bytes.len() == 1)) {
                    let missing = Missing::Word { line: number, word: word_of(&why) };
                    if let Some(block) = blocks.last_mut() {
                        block.missing = Some(missing);
                    }
                }
                complaint.get_or_insert(why);
                tag = None;
            }
        }
    }
    match complaint {
        Some(why) if blocks.is_empty() => Err(why),
        _ => Ok(blocks),
    }
}

fn word_of(why: &NotHexadecimal) -> String {
    match why {
        NotHexadecimal::Word { word, .. } | NotHexadecimal::HalfAByte { word, .. } => word.clone(),
        NotHexadecimal::Empty | NotHexadecimal::TooLong => String::new(),
    }
}

/// The bytes of a line that has nothing else.
fn of_line(content: &str, line: usize) -> Result<Vec<u8>, NotHexadecimal> {
    let separators =
        |c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';' | '-' | '"' | '\'' | '[' | ']' | '{' | '}');
    let mut bytes = Vec::new();
    for word in content.split(separators).filter(|word| !word.is_empty()) {
        let shown = || crate::text::clean(word, SHOWN_CHARS_MAX);
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        // A single digit stands for a byte only where `0x` says that a number begins.
        let padded = digits.filter(|digits| digits.len() == 1).map(|digit| format!("0{digit}"));
        let digits = padded.as_deref().or(digits).unwrap_or(word);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotHexadecimal::Word { line, word: shown() });
        }
        bytes.extend(octets(digits).ok_or_else(|| NotHexadecimal::HalfAByte { line, word: shown() })?);
    }
    Ok(bytes)
}

/// The bytes at the end of a line of a log, and the word before them: `I (123) tls: 16 03 01 …`, `TX> 160301…`. Few are chance,
/// unless the line before ended so too.
fn run<'a>(line: &'a str, tag: Option<&str>) -> Option<(&'a str, Vec<u8>)> {
    let ends =
        line.char_indices().filter(|(_, c)| matches!(c, ':' | '>' | ']' | '=' | ')')).map(|(at, c)| at + c.len_utf8());
    let runs = ends.filter_map(|end| {
        let (before, rest) = line.split_at_checked(end)?;
        let is_apart = rest.starts_with([' ', '\t']) || rest.len() > 8;
        let bytes = of_line(rest, 0).ok().filter(|_| is_apart)?;
        Some((before.split_whitespace().next_back().unwrap_or_default(), bytes))
    });
    let mut runs = runs.filter(|(before, bytes)| {
        bytes.len() >= RUN_BYTES_MIN || !bytes.is_empty() && tag.is_some_and(|tag| !tag.is_empty() && tag == *before)
    });
    runs.next()
}
