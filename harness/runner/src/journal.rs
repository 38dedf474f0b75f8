//! The journal of a run: a report that is on disk while it is written, for runs that do not live to write their own.
//!
//! Its first line is a whole report in which nothing has been run; each line after it is a row that has. Whoever reads it
//! puts the rows in their places, and has a report that says what was run and what was not, wherever the writer was
//! killed. A torn last line is the writer's last breath, and no fault.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use blame::Error;
use report::model::{Row, Run};

/// Why nothing of a journal's first line was run, until a later line says otherwise.
pub const KILLED: &str = "the bench was killed before this had ended";
/// No line is longer, in bytes: a row may have its packets in it.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
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
        let mut journal = Self { file: File::create(path)? };
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

    /// One write for the whole line: the process may be killed, the kernel finishes what it has begun.
    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        let mut line = text.to_vec();
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// The report that a journal amounts to.
///
/// # Errors
///
/// A sentence that names the file.
pub fn read(path: &Path) -> blame::Result<Run> {
    let named = |why: &dyn std::fmt::Display| Error::bench(format!("{}: {why}", path.display()));
    if fs::metadata(path).map_err(|error| named(&error))?.len() > report::json::BYTES_MAX {
        return Err(named(&"larger than 512 MiB: this is no journal"));
    }
    let mut lines = BufReader::new(File::open(path).map_err(|error| named(&error))?);
    let first = line(&mut lines).map_err(|error| named(&error))?;
    let first = first.ok_or_else(|| named(&"this is no journal: it has no whole line"))?;
    let mut run = report::json::read(&first).map_err(|error| named(&error))?;
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (index, row) in run.rows.iter().enumerate() {
        places.insert((row.scenario.clone(), row.stack.clone()), index);
    }
    while let Some(text) = line(&mut lines).map_err(|error| named(&error))? {
        let row: Row =
            serde_json::from_str(&text).map_err(|error| named(&format!("a line that is no row: {error}")))?;
        let place = places.get(&(row.scenario.clone(), row.stack.clone())).and_then(|index| run.rows.get_mut(*index));
        *place.ok_or_else(|| named(&"a row that was never to be run"))? = row;
    }
    Ok(Run::new(run.parts, run.rows))
}

/// The next whole line; `None` at the end, or where the writer was cut off.
fn line(lines: &mut impl io::BufRead) -> io::Result<Option<String>> {
    let mut text = String::new();
    lines.by_ref().take(LINE_BYTES_MAX).read_line(&mut text)?;
    if text.ends_with('\n') {
        return Ok(Some(text));
    }
    if text.len() as u64 == LINE_BYTES_MAX {
        return Err(io::Error::other("a line longer than any row"));
    }
    Ok(None)
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
        fs::write(&path, &whole[..head - 1]).expect("it can be written");
        assert!(read(&path).expect_err("no line is whole").message.contains("no whole line"));
    }

    #[test]
    fn what_is_no_journal_is_refused_in_a_sentence() {
        let (_folder, path) = written();
        let whole = fs::read_to_string(&path).expect("the journal");
        for (text, words) in [
            (format!("{whole}{{}}\n"), "no row"),
            (
                whole.replacen("a/one", "a/uno", 1).replace("a/two\"", "a/due\"").replacen("a/due", "a/two", 1),
                "never to be run",
            ),
            ("nonsense\n".to_owned(), "no report"),
        ] {
            fs::write(&path, &text).expect("it can be written");
            let why = read(&path).expect_err(words);
            assert!(why.message.contains(words), "{why}");
        }
    }
}
