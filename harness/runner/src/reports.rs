//! Reports of a run: the model filled, and its files written.
//!
//! How a report looks is the crate `report`'s business; this module knows where what it says comes from. Reports are
//! written whole or not at all: a reader never meets half of one.

mod ladder;
pub(crate) mod options;
mod part;
mod row;
mod sections;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blame::Error;
use outcome::Ending;
use report::markdown::Links;
use report::model::{NotRun, Row, Run};
use scenario::{Scenario, renamed};

use crate::verdict::Verdict;
use host::whole_file;

pub use options::{Embed, Report, ReportKind, Reporting, report};
pub use part::{Invocation, part};

/// What rows are made of, beside their verdicts.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The scenarios that were selected.
    pub scenarios: &'a [Scenario],
    /// The folder with the packets of this run.
    pub artefacts: &'a Path,
    /// Which captures become part of the report.
    pub embed: Embed,
}

/// Something that was to be run and was not.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The scenario's name.
    pub scenario: String,
    /// The stack.
    pub stack: String,
    /// Why, in a sentence.
    pub why: String,
}

/// The rows of a run: what was run, then what was not.
pub fn rows(results: &[(Verdict, Duration)], missed: &[Missed], sources: &Sources<'_>) -> Vec<Row> {
    let known = |name: &str| sources.scenarios.iter().find(|scenario| scenario.name == name);
    let ran = results.iter().filter_map(|(verdict, took)| {
        let scenario = known(&verdict.scenario)?;
        // A panic over one row is no reason to lose the others.
        Some(blame::panics::caught(|| row::row(verdict, *took, scenario, sources)).unwrap_or_else(|message| {
            let mut row = row::blank(scenario, &verdict.stack);
            row.ending = Some(Ending::BenchFailed(format!("the bench panicked over this row: {message}")));
            row
        }))
    });
    let not_run = missed.iter().filter_map(|missed| {
        let mut row = row::blank(known(&missed.scenario)?, &missed.stack);
        row.not_run = Some(NotRun { why: missed.why.clone() });
        Some(row)
    });
    ran.chain(not_run).collect()
}

/// Writes every report that is wanted. What goes wrong with one does not keep the others from being written.
///
/// # Errors
///
/// What cannot be written, or read of the history; one sentence a line.
pub fn write_all(wanted: &Reporting, run: &Run) -> blame::Result<()> {
    let (history, mut complaints) = history(&wanted.history);
    for one in &wanted.report {
        let written = blame::panics::caught(|| {
            render(one.kind, run, &history).and_then(|text| whole_file::write(&one.file, text))
        });
        match written.unwrap_or_else(|message| Err(io::Error::other(format!("the bench panicked: {message}")))) {
            Ok(()) => terminal::errln!("written: {}", one.file.display()),
            Err(error) => complaints.push(format!("{}: {error}", one.file.display())),
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(Error::bench(complaints.join("\n"))) }
}

/// The earlier runs that can be read, and what is wrong with the others.
fn history(files: &[PathBuf]) -> (Vec<Run>, Vec<String>) {
    let (mut runs, mut complaints) = (Vec::new(), Vec::new());
    for file in files {
        match read(file) {
            Ok(run) => runs.push(run),
            Err(error) => complaints.push(error.message),
        }
    }
    (runs, complaints)
}

/// Reads a JSON report, whoever wrote it.
///
/// # Errors
///
/// A sentence that names the file.
pub fn read(file: &Path) -> blame::Result<Run> {
    let named = |why: &dyn std::fmt::Display| Error::authors_file(file, why);
    let text = host::text(file, &host::limit::REPORT).map_err(|error| named(&error))?;
    let (text, notices) = renamed::in_json(&text, renamed::IN_REPORTS, &file.display().to_string());
    notices.iter().for_each(|notice| terminal::errln!("{notice}"));
    report::json::read(&text).map_err(|error| named(&error))
}

fn render(kind: ReportKind, run: &Run, history: &[Run]) -> io::Result<String> {
    let last = history.iter().max_by_key(|run| report::history::started(run));
    match kind {
        ReportKind::Json => report::json::write(run).map_err(io::Error::other),
        ReportKind::Junit => report::junit::write(run).map_err(io::Error::other),
        ReportKind::Markdown => Ok(report::markdown::write(run, last, &links())),
        ReportKind::Html => Ok(report::html::write(run, history)),
    }
}

/// Where files of the repository can be read, if this is a step of GitHub Actions.
fn links() -> Links {
    let told = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let address = || {
        let (server, repository, commit) =
            (told("GITHUB_SERVER_URL")?, told("GITHUB_REPOSITORY")?, told("GITHUB_SHA")?);
        Some(format!("{server}/{repository}/blob/{commit}"))
    };
    Links { base: address() }
}

#[cfg(test)]
mod tests;
