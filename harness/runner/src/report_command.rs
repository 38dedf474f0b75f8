//! `cargo xtask report`: reports of earlier runs, set anew or merged.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use report::merge::merge;

use crate::exit::{self, Exit};
use crate::journal;
use crate::reports::{self, Reporting};

/// The schema of the JSON report.
const SCHEMA: &str = include_str!("../../report/schema/run.json");
/// That of a release report.
const RELEASE_SCHEMA: &str = include_str!("../../report/schema/release.json");

/// Merge reports of several machines, or set one anew.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Make one report of several: of shares, of racks, of nights
    #[command(after_help = "\
Example:
  cargo xtask hil --board esp32c3 --shard 1/2 --report json=1.json
  cargo xtask hil --board esp32c3 --shard 2/2 --report json=2.json
  cargo xtask report merge 1.json 2.json --report json=all.json,html=all.html,junit=all.xml")]
    Merge(Merge),
    /// Set a JSON report in other ways
    #[command(after_help = "\
Example:
  cargo xtask report render out.json --report html=out.html --history last-night.json")]
    Render(Render),
    /// Make a report of the journal of a run that was killed
    #[command(after_help = "\
Example:
  cargo xtask report journal target/shakedown/journal.jsonl --report html=out.html")]
    Journal(Render),
    /// Print the JSON Schema of the JSON report
    Schema {
        /// That of `release-report` instead
        #[arg(long)]
        release: bool,
    },
}

/// What is merged.
#[derive(Debug, Args)]
pub struct Merge {
    /// JSON reports
    #[arg(required = true, value_name = "FILE.json")]
    pub files: Vec<PathBuf>,
    /// What is reported.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// What is set anew.
#[derive(Debug, Args)]
pub struct Render {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What is reported.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Runs the command. Shares that are missing make it end otherwise than expected, after everything was written.
///
/// # Errors
///
/// What cannot be read or written.
pub fn run(command: &ReportCommand) -> Result<Exit, (Exit, String)> {
    let (files, reporting) = match command {
        ReportCommand::Merge(Merge { files, reporting }) => (files.as_slice(), reporting),
        ReportCommand::Render(Render { file, reporting }) | ReportCommand::Journal(Render { file, reporting }) => {
            (std::slice::from_ref(file), reporting)
        }
        ReportCommand::Schema { release } => {
            terminal::out!("{}", if *release { RELEASE_SCHEMA } else { SCHEMA });
            return Ok(exit::AS_EXPECTED);
        }
    };
    if reporting.report.is_empty() {
        return Err((exit::USAGE, "nothing is asked for: add --report html=FILE, or markdown, junit, json".into()));
    }
    let read = if matches!(command, ReportCommand::Journal(_)) { journal::read } else { reports::read };
    let runs = files.iter().map(|file| read(file)).collect::<blame::Result<Vec<_>>>();
    let merged = merge(runs.map_err(|error| (exit::USAGE, error.message))?);
    for remark in &merged.remarks {
        terminal::errln!("{remark}");
    }
    reports::write_all(reporting, &merged.run).map_err(|error| (exit::BENCH_FAILED, error.message))?;
    Ok(if merged.is_complete { exit::AS_EXPECTED } else { exit::OTHERWISE })
}
