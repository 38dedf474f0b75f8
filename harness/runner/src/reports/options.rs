//! What somebody wants to have reported: options of every command that runs scenarios.

use std::path::PathBuf;

use blame::Error;
use clap::{Args, ValueEnum};

/// Reports, and what goes into them.
#[derive(Clone, Debug, Default, Args)]
pub struct Reporting {
    /// Write reports: json=FILE, junit=FILE, markdown=FILE, html=FILE, several with commas between
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',', value_parser = report)]
    pub report: Vec<Report>,
    /// The JSON report of an earlier run: what changed since is told, and how each row fared (repeatable)
    #[arg(long, value_name = "FILE.json")]
    pub history: Vec<PathBuf>,
    /// Whose packets become part of the reports: of rows that need somebody, of all, or of none
    #[arg(long, value_enum, default_value_t = Embed::Notable)]
    pub embed: Embed,
}

/// A report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its format.
    pub kind: ReportKind,
    /// Its file.
    pub file: PathBuf,
}

/// The formats of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The model itself; `harness/report/schema/run.json` describes it.
    Json,
    /// JUnit's XML, as CI systems read it.
    Junit,
    /// A summary for the page of a CI step.
    Markdown,
    /// A page that needs nothing else.
    Html,
}

/// Whose packets become part of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Embed {
    /// Of rows that ended otherwise, are flaky, or have a finding
    #[default]
    Notable,
    /// Of every row: a large file
    All,
    /// Of none: their files are named
    None,
}

/// A report from the command line: `json=out.json`.
///
/// # Errors
///
/// If it is none; what to write instead.
pub fn report(text: &str) -> blame::Result<Report> {
    let (kind, file) = match text.split_once('=') {
        Some(("json", file)) => (ReportKind::Json, file),
        Some(("junit", file)) => (ReportKind::Junit, file),
        Some(("markdown", file)) => (ReportKind::Markdown, file),
        Some(("html", file)) => (ReportKind::Html, file),
        _ => {
            return Err(Error::usage(format!(
                "`{text}` is no report: write json=FILE, junit=FILE, markdown=FILE or html=FILE"
            )));
        }
    };
    if file.is_empty() {
        return Err(Error::usage(format!("`{text}` names no file")));
    }
    Ok(Report { kind, file: file.into() })
}
