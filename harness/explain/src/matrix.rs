//! `cargo xtask matrix`: every scenario on every stack, in one table.
//!
//! Made of the reviewed snapshots, or of the JSON report of a run. *Accepts what it must refuse* is never set like
//! anything else, however stable it is.

mod html;
mod markdown;
pub mod table;
mod text;

use std::path::{Path, PathBuf};

use blame::{Error, Result};
use clap::{Args, ValueEnum};
use host::whole_file;
use report::model::Run;
use scenario::library;

use crate::explanations;
use crate::snapshots::{Excluded, Snapshots};
use table::Table;

const EXAMPLES: &str = "\
Examples:
  cargo xtask matrix                                    on the terminal, from the reviewed snapshots
  cargo xtask matrix identity --format markdown         some of it, for a pull request
  cargo xtask matrix --format html --output matrix.html with cause, evidence and remedy behind every cell
  cargo xtask matrix --report out.json --format html    of a run (`hil … --report json=out.json`) instead";

/// Set every scenario on every stack in one table.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Matrix {
    /// Only scenarios whose names contain one of these
    pub patterns: Vec<String>,
    /// The folder of scenarios [default: scenarios/]
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
    /// The folder of snapshots [default: captures/]
    #[arg(long, value_name = "DIR", conflicts_with = "report")]
    pub captures: Option<PathBuf>,
    /// How it is set
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Where it goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The JSON report of a run, in the place of the reviewed snapshots
    #[arg(long, value_name = "FILE.json")]
    pub report: Option<PathBuf>,
}

/// How the table is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    Text,
    /// For a pull request
    Markdown,
    /// A page that needs nothing else, with explanations
    Html,
}

/// Runs the command, on the reviewed snapshots or on the `run` of a report.
///
/// # Errors
///
/// What cannot be read or written, and the remedy.
pub fn run(root: &Path, arguments: &Matrix, run: Option<Run>, excluded: &Excluded<'_>) -> Result<()> {
    explanations::check()?;
    let folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
    let scenarios = library::read(&folder)
        .and_then(|scenarios| library::select(scenarios, &arguments.patterns))
        .map_err(Error::usage)?;
    let snapshots = match run {
        Some(run) => table::of_report(run),
        None => {
            let mut snapshots = Snapshots::read(&arguments.captures.clone().unwrap_or_else(|| root.join("captures")))?;
            snapshots.add(excluded(&scenarios)?);
            snapshots
        }
    };
    let table = Table::new(&scenarios, &snapshots);
    if table.stacks.is_empty() {
        let why = "there is no snapshot of these scenarios: `cargo xtask hil --accept` makes some";
        return Err(Error::usage(why));
    }
    let text = match arguments.format {
        Format::Text => text::render(&table),
        Format::Markdown => markdown::render(&table),
        Format::Html => html::render(&table),
    };
    match &arguments.output {
        Some(file) => whole_file::write(file, text).map_err(|error| Error::file(file, error)),
        None => {
            terminal::out!("{text}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
