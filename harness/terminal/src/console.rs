//! The words of a device, as they come, for a terminal that shall not obey them.

use std::io::{self, IsTerminal as _, Write};

use crate::clean;

/// A colour that is not whole after so many bytes is none.
const COLOUR_BYTES_MAX: usize = 24;

/// Standard output, for what a device says: to a terminal cleaned but for colours, to anything else as it is.
#[derive(Debug)]
pub struct Console<W> {
    output: W,
    is_cleaned: bool,
    /// What may be the beginning of a character, of a colour or of a line end.
    pending: Vec<u8>,
}

impl Console<io::Stdout> {
    /// Standard output; a terminal obeys the device if it `may_obey`.
    pub fn stdout(may_obey: bool) -> Self {
        Self::new(io::stdout(), io::stdout().is_terminal() && !may_obey)
    }
}

impl<W: Write> Console<W> {
    /// To `output`.
    pub fn new(output: W, is_cleaned: bool) -> Self {
        Self { output, is_cleaned, pending: Vec::new() }
    }
}

impl<W: Write> Write for Console<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_cleaned {
            self.pending.extend_from_slice(bytes);
            let unfinished = self.pending.split_off(whole(&self.pending));
            let said = std::mem::replace(&mut self.pending, unfinished);
            let text = String::from_utf8_lossy(&said).replace("\r\n", "\n");
            self.output.write_all(clean::styled(&text).as_bytes())?;
        } else {
            self.output.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// How many of the bytes can be shown without knowing what follows.
fn whole(bytes: &[u8]) -> usize {
    let tail_from = bytes.len().saturating_sub(COLOUR_BYTES_MAX);
    let tail = bytes.get(tail_from..).unwrap_or_default();
    if let Some(esc) = tail.iter().rposition(|byte| *byte == 0x1b)
        && !tail[esc..].iter().skip(2).any(|byte| !byte.is_ascii_digit() && *byte != b';')
        && tail.get(esc + 1).is_none_or(|byte| *byte == b'[')
    {
        return tail_from + esc;
    }
    if bytes.last() == Some(&b'\r') {
        return bytes.len() - 1;
    }
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail_from + error.valid_up_to(),
        _ => {
            // The tail may begin within a character; its end is what counts.
            let begun = tail.iter().rposition(|byte| *byte >= 0xc0).filter(|at| tail.len() - at < 4);
            begun.filter(|at| is_unfinished(&tail[*at..])).map_or(bytes.len(), |at| tail_from + at)
        }
    }
}

/// Whether a character begins here and does not end.
fn is_unfinished(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut screen = Vec::new();
        let mut console = Console::new(&mut screen, true);
        for piece in pieces {
            console.write_all(piece).expect("memory is there");
        }
        String::from_utf8(screen).expect("cleaned text is UTF-8")
    }

    #[test]
    fn what_is_said_in_pieces_is_cleaned_as_a_whole() {
        let said = "\x1b[0;32mI (24) boot: Straße 🦀\x1b[0m\r\n\x1b]0;title\x07\x1b[2J$ \r>\x08 x\n";
        let as_one = shown(&[said.as_bytes()]);
        assert_eq!(as_one, "\x1b[0;32mI (24) boot: Straße 🦀\x1b[0m\n\\u{1b}]0;title\\u{7}\\u{1b}[2J$ \\r>\\u{8} x\n");
        for size in 1..said.len() {
            let pieces: Vec<&[u8]> = said.as_bytes().chunks(size).collect();
            assert_eq!(shown(&pieces), as_one, "in pieces of {size}");
        }
    }

    #[test]
    fn bytes_for_a_program_are_left_alone() {
        let mut piped = Vec::new();
        Console::new(&mut piped, false).write_all(b"\xc0\x1b[2J\xff").expect("memory is there");
        assert_eq!(piped, b"\xc0\x1b[2J\xff");
    }
}
