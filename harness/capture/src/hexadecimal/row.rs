//! One line of a dump: an offset, bytes, and perhaps a column of text; whatever a log has put before it.

/// So many bytes stand on a line of `xxd`, `hexdump -C`, `tcpdump -x`, Wireshark, OpenSSL and Mbed TLS; what follows is text.
pub const BYTES_USUAL: usize = 16;
/// So many stand on the longest line that anybody asks a tool for.
pub const BYTES_MAX: usize = 64;

/// What a line of a dump holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it says of its place: counted from 0, or an address.
    pub offset: usize,
    /// Its bytes, as far as its columns go; a column of text that looks like bytes may be among them.
    pub bytes: Vec<u8>,
    /// Something follows the bytes: the line was not broken within them.
    pub has_text: bool,
    /// Words of two bytes in this machine's order, as `hexdump` and `od -x` write them: the low byte first in memory.
    is_swapped: bool,
}

impl Row {
    /// The bytes in the order of memory.
    pub fn in_order(&self) -> Vec<u8> {
        if !self.is_swapped {
            return self.bytes.clone();
        }
        self.bytes.chunks(2).flat_map(|pair| pair.iter().rev().copied()).collect()
    }
}

/// The row in a line: `00000010: 1603 …`, `0x0010:  1603 …`, `0010  16 03 …`, `0010 - 16 03 …`, with anything before it. Of
/// several words that could be its offset, the one that is expected goes first.
pub fn find(line: &str, expected: Option<usize>) -> Option<Row> {
    let mut found: Option<Row> = None;
    let mut is_first = true;
    for (start, word) in words(line) {
        let rest = line.get(start + word.len()..).unwrap_or_default();
        for row in of(word, rest, is_first, expected) {
            if Some(row.offset) == expected || found.is_none() {
                let is_expected = Some(row.offset) == expected;
                found = Some(row);
                if is_expected {
                    return found;
                }
            }
        }
        is_first = false;
    }
    found
}

/// The words of a line, with where they begin.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split_whitespace().map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
}

/// The rows that begin with this word: none, one, or two if its digits may be octal.
fn of(word: &str, rest: &str, is_first: bool, expected: Option<usize>) -> Vec<Row> {
    let has_colon = word.ends_with(':');
    let digits = word.strip_suffix(':').unwrap_or(word);
    let is_prefixed = digits.starts_with("0x");
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if !(3..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Vec::new();
    }
    // OpenSSL writes `0010 - 16 03 …`.
    let dashed = rest.strip_prefix(" - ");
    let is_apart = rest.starts_with("  ") || rest.starts_with('\t');
    // Four digits without a colon may be two bytes: then two blanks or more follow an offset.
    let is_offset = has_colon || dashed.is_some() || is_apart || is_first && digits.len() >= 6 && rest.starts_with(' ');
    if !is_offset {
        return Vec::new();
    }
    let (bytes, has_text, groups) = columns_and_groups(dashed.unwrap_or(rest), BYTES_MAX);
    if bytes.is_empty() {
        return Vec::new();
    }
    let is_bare = !has_colon && dashed.is_none() && !is_prefixed;
    let is_swapped = is_bare && digits.len() == 7 && !is_apart && groups.iter().all(|group| *group == 2);
    let offsets = [usize::from_str_radix(digits, 16).ok(), usize::from_str_radix(digits, 8).ok()];
    let is_octal = is_bare && digits.len() == 7;
    let known = expected.unwrap_or(0);
    let row = |offset: usize| Row { offset, bytes: bytes.clone(), has_text, is_swapped };
    let plausible = |offset: &usize| {
        // Digits without a sign of their own are an offset only where one is due.
        let is_due =
            *offset == known || *offset == 0 || expected.is_some_and(|known| *offset > known && *offset < known + 4096);
        is_due || !is_bare
    };
    let [hexadecimal, octal] = offsets;
    hexadecimal.into_iter().chain(octal.filter(|_| is_octal)).filter(plausible).map(row).collect()
}

/// Whether a line is the column of text of these bytes, which a terminal or a log has put on a line of its own: two letters of
/// it may look like another byte.
pub fn is_text_of(line: &str, bytes: &[u8]) -> bool {
    let text: String =
        bytes.iter().map(|byte| if matches!(byte, 0x20..=0x7e) { char::from(*byte) } else { '.' }).collect();
    line.trim() == text.trim()
}

/// The bytes at the beginning of a line, at most so many, and whether something follows them.
pub fn columns(rest: &str, bytes_max: usize) -> (Vec<u8>, bool) {
    let (bytes, has_text, _) = columns_and_groups(rest, bytes_max);
    (bytes, has_text)
}

/// The bytes of a dump's line up to its column of text, and how many stood in each group.
fn columns_and_groups(rest: &str, bytes_max: usize) -> (Vec<u8>, bool, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut groups = Vec::new();
    let mut rest = rest.trim_start();
    while bytes.len() < bytes_max && !rest.is_empty() {
        let end = rest.find(|c: char| c.is_whitespace() || c == '-').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let Some(column) =
            super::octets(word).filter(|column| !column.is_empty() && bytes.len() + column.len() <= bytes_max)
        else {
            break;
        };
        groups.push(column.len());
        bytes.extend(column);
        rest = after.strip_prefix('-').unwrap_or(after);
        let blanks = rest.len() - rest.trim_start().len();
        // Two blanks stand before the text; or in the middle of the line, where no text can be yet.
        if blanks > 2 || blanks == 2 && bytes.len() != BYTES_USUAL / 2 {
            break;
        }
        rest = rest.trim_start();
    }
    (bytes, !rest.trim().is_empty(), groups)
}
