//! Bytes that somebody pasted: bare hexadecimal, an array of a program, or the dump of one of the usual tools, with whatever a
//! log prints before and between.

mod row;
mod words;

use std::fmt;

use row::Row;

/// More than any first flight, and little enough to paste.
pub const BYTES_MAX: usize = 64 << 10;

/// Longer texts are not looked at: dumps of [`BYTES_MAX`] bytes are shorter.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// So many pieces are read of a log that dumps one message after the other.
const BLOCKS_MAX: usize = 1_000;

/// Bytes that belong together, and where they stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The bytes, up to whatever is missing.
    pub bytes: Vec<u8>,
    /// The first line that holds some, from 1.
    pub line: usize,
    /// What is missing after them, if something is.
    pub missing: Option<Missing>,
}

/// Why a block ends before its bytes do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The offset that begins a line of a dump is not where the line before ended.
    Gap {
        /// The line with the offset.
        line: usize,
        /// How many bytes came before it.
        read_bytes: usize,
        /// What the offset says.
        offset: usize,
    },
    /// A word among bytes that is no hexadecimal number.
    Word {
        /// Its line.
        line: usize,
        /// The word, safe to print.
        word: String,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { line, read_bytes, offset } => write!(
                f,
                "line {line}: its offset says {offset}, but {read_bytes} bytes came before it: lines of the dump are \
                 missing"
            ),
            Self::Word { line, word } => write!(f, "line {line}: `{word}` is no hexadecimal number"),
        }
    }
}

/// Why a text is no hexadecimal, with the line in it, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotHexadecimal {
    /// There is no byte in the text.
    Empty,
    /// No line holds bytes alone; this word is the first that is none.
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
    /// More than [`BYTES_MAX`] bytes in one piece, or a text that is longer than any dump of so many.
    TooLong,
}

impl fmt::Display for NotHexadecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no byte in this text: paste some, such as `16 03 02 00 33 01 …`"),
            Self::Word { line, word } => write!(
                f,
                "line {line}: `{word}` is no hexadecimal number: paste bytes alone, a C array, or a dump by xxd, \
                 hexdump -C, tcpdump -x, Wireshark, openssl s_client or Mbed TLS"
            ),
            Self::HalfAByte { line, word } => {
                write!(f, "line {line}: `{word}` has an odd number of digits: half a byte is missing")
            }
            Self::TooLong => write!(f, "more than {} KiB: paste the hello alone, or give a capture", BYTES_MAX >> 10),
        }
    }
}

impl std::error::Error for NotHexadecimal {}

/// Reads pasted bytes: the first piece, if there are several.
///
/// # Errors
/// If there are no bytes in the text, with the line that comes nearest.
pub fn read(text: &str) -> Result<Vec<u8>, NotHexadecimal> {
    blocks(text)?.into_iter().next().map(|block| block.bytes).ok_or(NotHexadecimal::Empty)
}

/// Reads pasted bytes, piece by piece. Understood are digits with or without blanks, commas, colons, `0x` or `\x` between;
/// arrays of C, Rust and Python; and dumps with offsets and a column of text, whatever stands before the offset or between
/// the lines: a log's prefix, a terminal's line break.
///
/// # Errors
/// If there are no bytes in the text, with the line that comes nearest.
pub fn blocks(text: &str) -> Result<Vec<Block>, NotHexadecimal> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(NotHexadecimal::TooLong);
    }
    let lines: Vec<&str> = text.lines().collect();
    let dumped = dump(&lines);
    let mut blocks = if dumped.is_empty() { words::read(text)? } else { dumped };
    blocks.retain(|block| !block.bytes.is_empty());
    let blocks = with_headers_joined(blocks);
    if blocks.iter().any(|block| block.bytes.len() > BYTES_MAX) {
        return Err(NotHexadecimal::TooLong);
    }
    if blocks.is_empty() { Err(NotHexadecimal::Empty) } else { Ok(blocks) }
}

/// The blocks of a text in which lines begin with offsets; none if no line does.
fn dump(lines: &[&str]) -> Vec<Block> {
    let mut dump = Dump::default();
    let mut rows = lines.iter().enumerate().filter_map(|(index, line)| row::find(line, None).map(|row| (index, row)));
    let Some((first, _)) = rows.next() else { return Vec::new() };
    for (index, line) in lines.iter().enumerate().skip(first) {
        if dump.blocks.len() >= BLOCKS_MAX {
            break;
        }
        match row::find(line, dump.expected()) {
            Some(row) => dump.row(index + 1, row),
            None => dump.other(line),
        }
    }
    dump.end_row(None);
    dump.blocks
}

/// Blocks in the making.
#[derive(Default)]
struct Dump {
    blocks: Vec<Block>,
    /// The offset at which the block began: 0, or an address.
    base: usize,
    /// The row that was read last and not yet added: how many of its bytes count is known by the next offset.
    held: Option<Row>,
    /// Bytes at the beginnings of lines without an offset that followed the held row: a terminal may have wrapped it.
    wrapped: Vec<u8>,
    /// `*` stood since: rows that are the same as the held one.
    is_squeezed: bool,
    /// After a gap, until the next block begins.
    is_lost: bool,
    /// How far apart offsets are.
    stride: usize,
}

impl Dump {
    /// Where the next row begins, if the held one is full.
    fn expected(&self) -> Option<usize> {
        let block = self.blocks.last()?;
        let held = self.held.as_ref().map_or(0, |row| row.bytes.len().min(self.stride.max(row::BYTES_USUAL)));
        Some(self.base + block.bytes.len() + held)
    }

    fn row(&mut self, line: usize, row: Row) {
        let goes_on = self.held.as_ref().is_some_and(|held| row.offset > held.offset);
        if goes_on && !self.blocks.is_empty() {
            self.end_row(Some((line, row.offset)));
        } else {
            self.end_row(None);
            self.base = row.offset;
            self.stride = 0;
            self.is_lost = false;
            self.blocks.push(Block { line, ..Block::default() });
        }
        self.held = Some(row);
    }

    /// Adds the held row, as far as the next offset says; whatever then lacks is a gap.
    fn end_row(&mut self, next: Option<(usize, usize)>) {
        let Some(held) = self.held.take() else { return };
        let wrapped = std::mem::take(&mut self.wrapped);
        let is_squeezed = std::mem::take(&mut self.is_squeezed);
        let Some(block) = self.blocks.last_mut() else { return };
        if self.is_lost {
            return;
        }
        let room = match next {
            Some((_, offset)) if offset - held.offset <= row::BYTES_MAX => offset - held.offset,
            _ if self.stride > 0 => self.stride,
            _ => row::BYTES_USUAL,
        };
        let mut bytes = held.in_order();
        if !held.has_text {
            bytes.extend(wrapped);
        }
        bytes.truncate(room);
        block.bytes.extend(&bytes);
        let Some((line, offset)) = next else { return };
        self.stride = room;
        let offset = offset - self.base;
        while is_squeezed && block.bytes.len() + bytes.len() <= offset && offset <= BYTES_MAX && !bytes.is_empty() {
            block.bytes.extend(&bytes);
        }
        if block.bytes.len() != offset {
            block.missing = Some(Missing::Gap { line, read_bytes: block.bytes.len(), offset });
            self.is_lost = true;
        }
    }

    fn other(&mut self, line: &str) {
        let Some(held) = &self.held else { return };
        if line.trim() == "*" {
            self.is_squeezed = true;
        } else if !held.has_text
            && self.wrapped.is_empty()
            && held.bytes.len() < row::BYTES_USUAL
            && !row::is_text_of(line, &held.bytes)
        {
            let room = row::BYTES_USUAL - held.bytes.len();
            self.wrapped = row::columns(line, room).0;
        }
    }
}

/// `openssl s_client -msg` shows a record's header and its content apart: they are put together again.
fn with_headers_joined(blocks: Vec<Block>) -> Vec<Block> {
    let mut joined: Vec<Block> = Vec::new();
    for block in blocks {
        match joined.last_mut() {
            Some(header) if is_header_of(&header.bytes, &block.bytes) => {
                header.bytes.extend(block.bytes);
                header.missing = block.missing;
            }
            _ => joined.push(block),
        }
    }
    joined
}

fn is_header_of(header: &[u8], content: &[u8]) -> bool {
    matches!(header, [20..=23, 3, _, high, low] if content.len() <= usize::from(u16::from_be_bytes([*high, *low])))
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
