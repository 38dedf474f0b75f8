//! Scenario files on disk: found, read, checked, selected.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use scenario::{Problem, Scenario};

/// The largest scenario file that is read, in bytes.
const FILE_MAX_BYTES: u64 = 1 << 20;
/// So many names are listed if a pattern fits several scenarios.
const LISTED_MAX: usize = 12;

/// Why a folder of scenarios cannot be run.
#[derive(Debug)]
pub enum Unusable {
    /// The folder or a file in it cannot be read.
    Unreadable(PathBuf, io::Error),
    /// Files are wrong. All of them are named, not only the first.
    Wrong(Vec<Problem>),
    /// A pattern matches no scenario.
    NoMatch(String, Vec<String>),
    /// A pattern that should mean one scenario fits these.
    Several(String, Vec<String>),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Wrong(problems) => {
                for problem in problems {
                    writeln!(f, "{problem}\n")?;
                }
                write!(f, "{} scenario file(s) are wrong: nothing was run", problems.len())
            }
            Self::NoMatch(pattern, near) => {
                write!(f, "`{pattern}` matches no scenario")?;
                if !near.is_empty() {
                    write!(f, "; did you mean {}?", near.join(" or "))?;
                }
                write!(f, " (`cargo xtask hil --list` shows them all)")
            }
            Self::Several(pattern, names) => {
                let listed = names.iter().take(LISTED_MAX).cloned().collect::<Vec<_>>().join("\n  ");
                write!(f, "`{pattern}` fits {} scenarios: give one of them whole:\n  {listed}", names.len())
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Reads every `.toml` file below `folder`, in the order of their names.
///
/// # Errors
///
/// [`Unusable::Unreadable`] if the disk refuses, [`Unusable::Wrong`] if any file is wrong.
pub fn read(folder: &Path) -> Result<Vec<Scenario>, Unusable> {
    let mut files = Vec::new();
    find(folder, "toml", &mut files)?;
    files.sort();
    let mut scenarios = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        let unreadable = |error| Unusable::Unreadable(file.clone(), error);
        if fs::metadata(&file).map_err(unreadable)?.len() > FILE_MAX_BYTES {
            return Err(unreadable(io::Error::other("larger than 1 MiB: this is no scenario")));
        }
        let text = fs::read_to_string(&file).map_err(unreadable)?;
        match Scenario::parse(&name(folder, &file), &shown(&file), &text) {
            Ok(scenario) => {
                scenario.notices.iter().for_each(|notice| eprintln!("{notice}"));
                scenarios.push(scenario);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(scenarios) } else { Err(Unusable::Wrong(problems)) }
}

/// The scenarios whose names contain one of the patterns; all of them if there is no pattern.
///
/// # Errors
///
/// [`Unusable::NoMatch`] if a pattern matches nothing, even if another one does.
pub fn select(scenarios: Vec<Scenario>, patterns: &[String]) -> Result<Vec<Scenario>, Unusable> {
    for pattern in patterns {
        if !scenarios.iter().any(|scenario| scenario.name.contains(pattern.as_str())) {
            return Err(Unusable::NoMatch(pattern.clone(), nearest(pattern, &scenarios)));
        }
    }
    Ok(scenarios
        .into_iter()
        .filter(|scenario| patterns.is_empty() || patterns.iter().any(|p| scenario.name.contains(p.as_str())))
        .collect())
}

/// The one scenario that is meant: by its name, or by a part of it that fits no other.
///
/// # Errors
///
/// [`Unusable::NoMatch`] or [`Unusable::Several`].
pub fn one(scenarios: Vec<Scenario>, pattern: &str) -> Result<Scenario, Unusable> {
    let mut found = select(scenarios, &[pattern.to_owned()])?;
    let exact = found.iter().position(|scenario| scenario.name == pattern);
    match (exact, found.len()) {
        (Some(index), _) => Ok(found.swap_remove(index)),
        (None, 1) => Ok(found.swap_remove(0)),
        _ => Err(Unusable::Several(pattern.to_owned(), found.into_iter().map(|scenario| scenario.name).collect())),
    }
}

/// The names, or parts of names, that look most like the pattern.
fn nearest(pattern: &str, scenarios: &[Scenario]) -> Vec<String> {
    let likeness = |name: &str| similar::TextDiff::from_chars(pattern, name).ratio();
    let mut ranked: Vec<(f32, &str)> = scenarios
        .iter()
        .map(|scenario| {
            let stem = scenario.name.rsplit('/').next().unwrap_or(&scenario.name);
            (likeness(stem).max(likeness(&scenario.name)), scenario.name.as_str())
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().take_while(|(ratio, _)| *ratio > 0.5).take(2).map(|(_, name)| format!("`{name}`")).collect()
}

/// Adds every file below `folder` whose name ends so.
///
/// # Errors
///
/// [`Unusable::Unreadable`] if the disk refuses.
pub fn find(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) -> Result<(), Unusable> {
    let unreadable = |error| Unusable::Unreadable(folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            find(&path, ending, files)?;
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    Ok(())
}

/// The scenario's name: its path below the folder, with `/`, without `.toml`.
fn name(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The path as a person in the current folder would type it.
fn shown(file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(&here).unwrap_or(file).display().to_string()
}
