//! Where a conversation's lines and facts are written down.

use clock::Instant;
use outcome::Stage;

use crate::stream::Side;
use crate::text::count;
use crate::transcript::{Facts, Line, SEALED_RECORDS_MAX, Said};

/// More lines than anybody reads. A connection that says more is told up to here.
const LINES_MAX: usize = 5_000;

/// Lines and facts in the making.
#[derive(Default)]
pub struct TranscriptBuilder {
    /// The time of what is being read.
    pub now: Instant,
    pub lines: Vec<Line>,
    pub facts: Facts,
    /// Lines beyond the limit.
    pub untold: usize,
    /// Records and bytes in the last line, if that is one that grows.
    heap: (usize, usize),
}

impl TranscriptBuilder {
    /// Writes a line.
    pub fn line(&mut self, from: Side, said: Said, details: String) {
        self.heap = (0, 0);
        self.push(Line { at: self.now, who: from.into(), said, details });
    }

    /// Writes a line about bytes that mean nothing to us. If the line before tells the same, it grows.
    pub fn bytes(&mut self, from: Side, said: Said, bytes: usize, note: &str) {
        let grows =
            self.heap.0 > 0 && self.lines.last().is_some_and(|line| line.who == from.into() && line.said == said);
        let (pieces, total) = if grows { (self.heap.0 + 1, self.heap.1 + bytes) } else { (1, bytes) };
        let mut details = count(total, "byte");
        if pieces > 1 && said == Said::Encrypted {
            details = format!("{details} in {}", count(pieces, "record"));
        }
        if !note.is_empty() {
            details = format!("{details} · {note}");
        }
        match self.lines.last_mut().filter(|_| grows) {
            Some(last) => last.details = details,
            None => self.push(Line { at: self.now, who: from.into(), said, details }),
        }
        self.heap = (pieces, total);
    }

    /// Writes a line before all others.
    pub fn insert_first(&mut self, at: Instant, from: Side, said: Said, details: String) {
        self.lines.insert(0, Line { at, who: from.into(), said, details });
    }

    /// A record came for which there is no key.
    pub fn sealed(&mut self, from: Side, bytes: usize) {
        self.facts.has_gaps = true;
        if self.facts.sealed.len() < SEALED_RECORDS_MAX {
            self.facts.sealed.push((from, bytes));
        }
    }

    /// The client came at least this far.
    pub fn reached(&mut self, stage: Stage) {
        self.facts.stage = self.facts.stage.max(Some(stage));
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
        } else {
            self.untold += 1;
        }
    }
}
