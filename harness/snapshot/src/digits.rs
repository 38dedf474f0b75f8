//! What of a transcript is reviewed: who said what, in which order, and about when. Not which build it was, and no digit
//! that the next build of the same sources moves.
//!
//! | what | as it is written | agrees with what was reviewed |
//! |---|---|---|
//! | milliseconds | to 10 ms below a second, to 100 ms above | within 20 ms and 2 %, or if it is written the same |
//! | KiB | as it is | within 2 KiB |
//! | seed, version and hash of the image, version of OpenSSL | left out: they stand in `captures/BUILDS.toml` | |
//!
//! Rounding alone would not do: a number beside the middle of two steps goes over it with the next build. So a number
//! that agrees with the reviewed one stays what it was ([`settled`]), in comparisons as in what is accepted; and a
//! difference shows what is different, and nothing else. The exact numbers are in the transcript among the artefacts.

use std::fmt::Write as _;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The columns that a time has at the beginning of a line, and the column behind the gap that follows.
const TIME_COLUMNS: usize = 5;
const AFTER_TIME: usize = 7;

/// The transcript as it is reviewed, where nothing was reviewed before. What has been reviewed stays as it is.
pub fn reviewable(transcript: &str) -> String {
    joined(lines(transcript).into_iter().map(|line| with(&line, |_, quantity| quantity.rounded().to_string())))
}

/// The transcript as it is reviewed: numbers that agree with those of `reviewed` are taken from there.
///
/// Lines are the same if nothing but their numbers differs. Once a line's time does not agree, the lines below have
/// their own times, so that the column still rises.
pub fn settled(reviewed: &str, transcript: &str) -> String {
    // A snapshot of an earlier bench, or one that somebody has edited, may have exact numbers.
    let before = lines(&reviewable(reviewed));
    let now = lines(transcript);
    let masked = |lines: &[String]| lines.iter().map(|line| with(line, |_, _| "#".into())).collect::<Vec<_>>();
    let mut column_agrees = true;
    let mut text = Vec::with_capacity(now.len());
    for op in capture_diff_slices(Algorithm::Myers, &masked(&before), &masked(&now)) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for (old, new) in before.iter().skip(old_index).zip(now.iter().skip(new_index)).take(len) {
                text.push(kept(old, new, &mut column_agrees));
            }
        } else {
            let rounded = |line: &String| with(line, |_, quantity| quantity.rounded().to_string());
            text.extend(now.get(op.new_range()).unwrap_or_default().iter().map(rounded));
        }
    }
    joined(text.into_iter())
}

/// The line `new` with the numbers of `old`, as far as they agree.
fn kept(old: &str, new: &str, column_agrees: &mut bool) -> String {
    let reviewed = quantities(old);
    with(new, |index, quantity| {
        let agreed = reviewed.get(index).filter(|reviewed| quantity.agrees_with(reviewed));
        if quantity.is_column {
            *column_agrees &= agreed.is_some();
        }
        let agreed = agreed.filter(|_| !quantity.is_column || *column_agrees);
        agreed.map_or_else(|| quantity.rounded(), |reviewed| reviewed.value).to_string()
    })
}

/// The transcript's lines, without what its head says of the build.
fn lines(transcript: &str) -> Vec<String> {
    let transcript = transcript.trim_end();
    let head = transcript.split_once("\n\n").map_or(0, |(head, _)| head.lines().count());
    let line = |(index, line): (usize, &str)| if index < head { without_build(line) } else { line.to_owned() };
    transcript.lines().enumerate().map(line).collect()
}

/// A line of the head without seed, version and hash.
fn without_build(line: &str) -> String {
    let name = |rest: &str| rest.split_whitespace().next().unwrap_or_default().to_owned();
    let (label, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (label, rest.rsplit_once(" target ")) {
        ("firmware", Some((image, target))) => format!("firmware   {:56} target {target}", name(image)),
        ("scenario" | "broker" | "firmware", _) => format!("{label:<10} {}", name(rest)),
        _ => line.to_owned(),
    }
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text.truncate(text.trim_end().len());
    text
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Ms,
    Kib,
}

/// A number that depends on the build.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Quantity {
    at: Range<usize>,
    value: u64,
    unit: Unit,
    /// Whether it is the time at which a line was said.
    is_column: bool,
}

impl Quantity {
    fn rounded(&self) -> u64 {
        let step = match self.unit {
            Unit::Ms if self.value < 1_000 => 10,
            Unit::Ms => 100,
            Unit::Kib => 1,
        };
        self.value.saturating_add(step / 2) / step * step
    }

    /// Whether this number is as near to the reviewed one as another build may well bring it.
    fn agrees_with(&self, reviewed: &Self) -> bool {
        let tolerance = match self.unit {
            Unit::Ms => 20 + reviewed.value / 50,
            Unit::Kib => 2,
        };
        self.unit == reviewed.unit && self.value.abs_diff(reviewed.value) <= tolerance
    }
}

/// The numbers of a line that depend on the build: the time that it begins with, and whatever is followed by a unit.
fn quantities(line: &str) -> Vec<Quantity> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in line.split(' ') {
        if !word.is_empty() {
            words.push((at..at + word.len(), word));
        }
        at += word.len() + 1;
    }
    let mut found = Vec::new();
    for (index, (at, word)) in words.iter().enumerate() {
        let Ok(value) = word.parse::<u64>() else { continue };
        let next = words.get(index + 1).map(|(_, next)| next.trim_end_matches([')', ',']));
        let is_column = index == 0 && at.start < TIME_COLUMNS && at.end >= TIME_COLUMNS;
        let unit = match next {
            Some("ms") => Unit::Ms,
            Some("KiB") => Unit::Kib,
            _ if is_column => Unit::Ms,
            _ => continue,
        };
        found.push(Quantity { at: at.clone(), value, unit, is_column });
    }
    found
}

/// The line with other words in the places of its quantities; the columns stay where they are.
fn with(line: &str, mut word: impl FnMut(usize, &Quantity) -> String) -> String {
    let mut text = String::with_capacity(line.len());
    let mut done = 0;
    for (index, quantity) in quantities(line).into_iter().enumerate() {
        let word = word(index, &quantity);
        if quantity.is_column {
            let time = format!("{word:>TIME_COLUMNS$}");
            let _ = write!(text, "{time:<AFTER_TIME$}");
            let rest = line.get(quantity.at.end..).unwrap_or_default();
            done = line.len() - rest.trim_start().len();
        } else {
            text.push_str(line.get(done..quantity.at.start).unwrap_or_default());
            text.push_str(&word);
            done = quantity.at.end;
        }
    }
    text.push_str(line.get(done..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests;
