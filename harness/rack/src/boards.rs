//! `cargo xtask boards`: what the map names, whether it is there, how it was last, and who holds it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blame::{Error, Result};
use clap::Args;
use host::whole_file;

use crate::map::{self, Entry};
use crate::{PROBE, lock, scan, slot, wedged};

/// How long the program that holds probes may take to list them.
const LIST_MAX: Duration = Duration::from_secs(20);

/// Boards of the rack.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask boards                     what the map names, and who holds it
  cargo xtask boards --scan              write a file for each board that is plugged in and not in the map

Exit codes: 0 all that are to be alive can be reached, 1 some cannot, 2 the map is wrong")]
pub struct Boards {
    /// Write a file for what is plugged in
    #[arg(long)]
    pub scan: bool,
    /// The hardware map: one board a file [default: ci/rack/]
    #[arg(long, value_name = "DIR")]
    pub map: Option<PathBuf>,
    /// The root of the file system, for tests
    #[arg(long, hide = true, default_value = "/")]
    pub system_root: PathBuf,
}

/// Runs the command; returns whether every board that is to be alive can be reached.
///
/// # Errors
///
/// If the map is wrong, or a file cannot be written.
pub fn run(root: &Path, arguments: &Boards) -> Result<bool> {
    let folder = map::folder(root, arguments.map.as_ref());
    let entries = map::read(&folder)?;
    if arguments.scan {
        write_files(&folder, &entries, &arguments.system_root)?;
        return Ok(true);
    }
    if entries.is_empty() {
        terminal::outln!(
            "{} names no board; `cargo xtask boards --scan` writes files for what is plugged in",
            folder.display()
        );
        return Ok(true);
    }
    let rows: Vec<[String; 6]> = entries.iter().map(row).collect();
    terminal::out!("{}", table(&rows));
    Ok(entries.iter().filter(|entry| entry.facts.alive).all(|entry| absent(entry).is_none()))
}

fn row(entry: &Entry) -> [String; 6] {
    let facts = &entry.facts;
    let folder = lock::folder();
    let identity = slot::identity(entry);
    let health = if !facts.alive {
        format!("out of order: {}", facts.because.as_deref().unwrap_or_default())
    } else if let Some(why) = absent(entry) {
        why
    } else if let Some(wedged) = wedged::read(&folder, &identity) {
        wedged.told()
    } else {
        "ready".into()
    };
    let holder =
        lock::holder(&folder, &slot::lock_identity(entry)).map_or_else(|| "nobody".into(), |holder| holder.told());
    [entry.name.clone(), facts.chip.to_string(), facts.network().to_owned(), facts.power.to_string(), health, holder]
}

/// Which of its ports is not there.
fn absent(entry: &Entry) -> Option<String> {
    let ports = [&entry.facts.serial, &entry.facts.modem];
    let missing = ports.into_iter().flatten().find(|port| !port.exists())?;
    Some(format!("not plugged in: no {}", missing.display()))
}

fn table(rows: &[[String; 6]]) -> String {
    let heading = ["board", "chip", "network", "power", "health", "held by"].map(str::to_owned);
    let mut text = String::new();
    let all = || std::iter::once(&heading).chain(rows);
    for row in all() {
        for (column, cell) in row.iter().enumerate() {
            let width = all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
            let _ = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn write_files(folder: &Path, entries: &[Entry], system_root: &Path) -> Result<()> {
    let program = std::env::var(PROBE).ok();
    let probes = program.map_or_else(Vec::new, |program| {
        board::flasher::list(&[program, "serve".into()], LIST_MAX).unwrap_or_else(|fault| {
            terminal::errln!("debug probes cannot be listed: {fault}");
            Vec::new()
        })
    });
    let found = scan::scan(system_root, &probes);
    let mut written = 0;
    for board in &found {
        if entries.iter().any(|entry| board.is(&entry.facts)) {
            continue;
        }
        let file = folder.join(format!("{}.toml", board.name()));
        if file.exists() {
            terminal::errln!("{} is there already and is about another board: left as it is", file.display());
            continue;
        }
        let failed = |error: std::io::Error| Error::file(&file, error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        whole_file::write(&file, board.file()).map_err(failed)?;
        terminal::outln!("{} is written: look at what is marked there", file.display());
        written += 1;
    }
    let known = found.len() - written;
    terminal::outln!("{} board(s) plugged in, {known} known already, {written} new", found.len());
    Ok(())
}
