//! What firmware logs with [defmt](https://defmt.ferrous-systems.com): frames of numbers, whose words stand in the ELF file.
//!
//! A firmware that logs so sends the number of a format string, a timestamp if it has one, and the arguments; the strings
//! are symbols in a section `.defmt` that is never loaded. [`Table`] is that section, and turns bytes into lines. Both are
//! given by strangers: what makes no sense is told as such, nothing panics, and what a frame can make is bounded.
//!
//! Why not the crate `defmt-decoder`: its manifest says. The format strings are read by defmt's own parser, and the wire
//! format is that of defmt 1 (versions 3 and 4 of `_defmt_version_`; defmt book, chapter "Encoding").
//!
//! This crate does not know how the bytes got here, nor who reads the lines.

mod decode;
mod print;
mod rzcobs;
mod table;

pub use table::{Encoding, Table, TableError};

impl Table {
    /// The lines, without their line feeds, of the frames that `bytes` begin with, and how many bytes these take: what is
    /// behind them may become a frame with what comes next.
    pub fn lines(&self, bytes: &[u8]) -> (Vec<String>, usize) {
        match self.encoding() {
            Encoding::Rzcobs => self.delimited(bytes),
            Encoding::Raw => self.bare(bytes),
        }
    }

    /// Frames between zeros.
    fn delimited(&self, bytes: &[u8]) -> (Vec<String>, usize) {
        let length = bytes.iter().rposition(|byte| *byte == 0).map_or(0, |last| last + 1);
        let whole = bytes.get(..length).unwrap_or_default();
        let line = |frame: &[u8]| {
            let line = rzcobs::decode(frame).and_then(|frame| decode::frame(self, &frame).ok());
            line.map_or_else(|| damaged(frame), |(line, _)| line)
        };
        (whole.split(|byte| *byte == 0).filter(|frame| !frame.is_empty()).map(line).collect(), length)
    }

    /// Frames one behind the other. Behind a damaged one, nobody knows where the next begins.
    fn bare(&self, bytes: &[u8]) -> (Vec<String>, usize) {
        let mut lines = Vec::new();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match decode::frame(self, rest) {
                Ok((line, length)) => {
                    lines.push(line);
                    at += length;
                }
                Err(decode::Error::Short) => break,
                Err(decode::Error::Malformed) => {
                    lines.push(damaged(rest));
                    at = bytes.len();
                }
            }
        }
        (lines, at)
    }
}

fn damaged(frame: &[u8]) -> String {
    format!("(a damaged defmt frame of {} bytes: is this the ELF file of the firmware that runs?)", frame.len())
}

#[cfg(test)]
mod tests;
