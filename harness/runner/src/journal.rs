//! The journal of a run: a report that is on disk while it is written, for runs that do not live to write their own.
//!
//! Its first line is a whole report in which nothing has been run; each line after it is a row that has. Whoever reads it
//! puts the rows in their places, and has a report that says what was run and what was not, wherever the writer was
//! killed. A line that is not whole is no fault: the last one if the writer was killed over it, any other if the disk was
//! full for a moment. It costs its row, and is told.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use blame::Error;
use report::model::{Row, Run};

/// Why nothing of a journal's first line was run, until a later line says otherwise.
pub const KILLED: &str = "the bench was killed before this had ended";
/// What to do about a file that is no journal.
const REMEDY: &str = "this is no journal as `cargo xtask hil` leaves it (target/shakedown/journal.jsonl)";
/// No line is longer, in bytes: a row may have its packets in it.
pub const LINE_BYTES_MAX: usize = 64 << 20;
/// So many lines may be damaged.
pub const DAMAGES_MAX: usize = 100;

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Where its last whole line ends, in bytes.
    whole_bytes: u64,
}

impl Journal {
    /// Begins one: `run` has a row for everything that is to be run, none of which was.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn begin(path: &Path, run: &Run) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut journal = Self { file: File::create(path)?, whole_bytes: 0 };
        journal.line(&serde_json::to_vec(run)?)?;
        Ok(journal)
    }

    /// Puts down a row that has been run.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.line(&serde_json::to_vec(row)?)
    }

    /// One write for the whole line: the process may be killed, the kernel finishes what it has begun. What a full disk
    /// took of an earlier line goes first.
    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        let mut line = text.to_vec();
        line.push(b'\n');
        if self.file.stream_position()? != self.whole_bytes {
            self.go_back()?;
        }
        if let Err(error) = self.file.write_all(&line) {
            // Should that fail too, it is tried again before the next line; and the reader can do without.
            let _ = self.go_back();
            return Err(error);
        }
        self.whole_bytes += line.len() as u64;
        Ok(())
    }

    /// Back to the end of the last whole line.
    fn go_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.whole_bytes)?;
        self.file.seek(SeekFrom::Start(self.whole_bytes)).map(drop)
    }
}

/// The report that a journal amounts to. What of it cannot be read is told on standard error.
///
/// # Errors
///
/// A sentence that names the file.
pub fn read(path: &Path) -> blame::Result<Run> {
    let (run, damages) = read_with_damages(path)?;
    for damage in damages {
        terminal::errln!("{}: {damage}", path.display());
    }
    Ok(run)
}

/// The report that a journal amounts to, and a sentence for each line that was skipped.
fn read_with_damages(path: &Path) -> blame::Result<(Run, Vec<String>)> {
    let name = path.display().to_string();
    let bytes = host::read(path, &host::limit::JOURNAL).map_err(|error| Error::authors_file(path, error))?;
    parse(&name, &bytes)
}

/// The report that the bytes of a journal amount to, and a sentence for each line that was skipped. `name` is what it is
/// called in an error.
///
/// # Errors
///
/// If this is no journal.
pub fn parse(name: &str, bytes: &[u8]) -> blame::Result<(Run, Vec<String>)> {
    let at = |number: usize, why: &dyn std::fmt::Display| Error::author(format!("{name}:{number}: {why}; {REMEDY}"));
    let mut lines = bytes;
    let first = line(&mut lines).map_err(|error| at(1, &error))?;
    let first = first.ok_or_else(|| at(1, &"it has no whole line"))?;
    let mut run = report::json::read(&first).map_err(|error| at(1, &error))?;
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (index, row) in run.rows.iter().enumerate() {
        places.insert((row.scenario.clone(), row.stack.clone()), index);
    }
    let mut damages = Vec::new();
    for number in 2.. {
        let Some(text) = line(&mut lines).map_err(|error| at(number, &error))? else { break };
        let row: Row = match serde_json::from_str(&text) {
            Ok(row) => row,
            Err(error) if damages.len() < DAMAGES_MAX => {
                damages
                    .push(format!("line {number} is damaged ({}): its row is told as not run", without_place(&error)));
                continue;
            }
            Err(_) => return Err(at(number, &format!("more than {DAMAGES_MAX} lines are damaged"))),
        };
        let place = places.get(&(row.scenario.clone(), row.stack.clone())).and_then(|index| run.rows.get_mut(*index));
        let Some(place) = place else {
            let row = format!("{} on {}, which was never to be run", row.scenario, row.stack);
            return Err(at(number, &terminal::clean::line(&row)));
        };
        *place = row;
    }
    if !lines.is_empty() {
        damages.push("its end is damaged: the bench was killed, or the disk full, as it was written".to_owned());
    }
    Ok((Run::new(run.parts, run.rows), damages))
}

/// What serde_json says without its line, which is always the first: it is given one at a time.
fn without_place(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or(&words);
    format!("{words} at column {}", error.column())
}

/// The next whole line, whatever is in it; `None` at the end, or where the writer was cut off.
fn line(lines: &mut &[u8]) -> io::Result<Option<String>> {
    let Some(end) = lines.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    if end >= LINE_BYTES_MAX {
        return Err(io::Error::other("a line longer than any row"));
    }
    let (line, rest) = lines.split_at(end + 1);
    *lines = rest;
    Ok(Some(String::from_utf8_lossy(line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use outcome::{Demand, Ending};
    use report::model::{NotRun, Part};

    fn rows() -> Vec<Row> {
        let row = |name: &str| Row {
            not_run: Some(NotRun { why: KILLED.into() }),
            ..Row::new(name, "stack", Demand::Connect)
        };
        vec![row("a/one"), row("a/two")]
    }

    fn written() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/journal.jsonl");
        let mut journal = Journal::begin(&path, &Run::new(vec![Part::default()], rows())).expect("it can be written");
        let mut row = rows().remove(1);
        (row.not_run, row.ending) = (None, Some(Ending::AsExpected));
        journal.row(&row).expect("it can be written");
        (folder, path)
    }

    #[test]
    fn what_was_run_stands_beside_what_was_not() {
        let (_folder, path) = written();
        let run = read(&path).expect("a journal");
        assert_eq!((run.totals.as_expected, run.totals.not_run), (1, 1));
        assert_eq!(run.rows[0].not_run.as_ref().expect("it was not run").why, KILLED);
    }

    #[test]
    fn a_torn_line_costs_its_row_and_nothing_else() {
        let (_folder, path) = written();
        let whole = fs::read(&path).expect("the journal");
        let head = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        for end in head..whole.len() {
            fs::write(&path, &whole[..end]).expect("it can be written");
            assert_eq!(read(&path).expect("a journal").totals.not_run, 2, "cut off at {end}");
        }
        // In the middle: what a full disk left of a line, and the lines behind it.
        let mut row = rows().remove(0);
        (row.not_run, row.ending) = (None, Some(Ending::New));
        let next = serde_json::to_vec(&row).expect("a row");
        for damaged in [&b"{\"scenario\":\"a/tw\n"[..], b"\xff\xfe\n", b"\n"] {
            let text = [&whole[..head], damaged, &whole[head..], &next, b"\n"].concat();
            fs::write(&path, text).expect("it can be written");
            let (run, damages) = read_with_damages(&path).expect("a journal");
            assert_eq!((run.totals.as_expected, run.totals.new, run.totals.not_run), (1, 1, 0));
            assert!(damages.len() == 1 && damages[0].starts_with("line 2 is damaged ("), "{damages:?}");
            assert!(damages[0].contains(" at column ") && !damages[0].contains("line 1"), "{damages:?}");
        }
        fs::write(&path, &whole[..head - 1]).expect("it can be written");
        assert!(read(&path).expect_err("no line is whole").message.contains("no whole line"));
    }

    #[test]
    fn what_a_full_disk_left_of_a_line_goes_before_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::begin(&path, &Run::new(vec![Part::default()], rows())).expect("it can be written");
        // The kernel wrote a part of it, and said so in an error.
        let mut torn = journal.file.try_clone().expect("a handle");
        torn.write_all(b"{\"scenario\":\"a/o").expect("it can be written");
        for (index, ending) in [Ending::AsExpected, Ending::New].into_iter().enumerate() {
            let mut row = rows().remove(index);
            (row.not_run, row.ending) = (None, Some(ending));
            journal.row(&row).expect("the disk has room again");
        }
        let (run, damages) = read_with_damages(&path).expect("a journal");
        assert_eq!((run.totals.as_expected, run.totals.new, run.totals.not_run), (1, 1, 0));
        assert_eq!(damages, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_journal_is_refused_in_a_sentence() {
        let (_folder, path) = written();
        let whole = fs::read_to_string(&path).expect("the journal");
        for (text, words) in [
            (format!("{whole}{}", "{}\n".repeat(DAMAGES_MAX + 1)), "jsonl:103: more than 100 lines are damaged"),
            (
                whole.replacen("a/one", "a/uno", 1).replace("a/two\"", "a/due\"").replacen("a/due", "a/two", 1),
                "jsonl:2: a/due on stack, which was never to be run; this is no journal",
            ),
            ("nonsense\n".to_owned(), "jsonl:1: this is no report"),
        ] {
            fs::write(&path, &text).expect("it can be written");
            let why = read(&path).expect_err(words);
            assert!(why.message.contains(words), "{why}");
        }
    }
}
