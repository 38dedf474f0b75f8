//! Scenario files on disk: found, read, checked, selected.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Problem, Scenario};

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
                match problems.len() {
                    1 => write!(f, "1 scenario file is wrong: nothing was run"),
                    several => write!(f, "{several} scenario files are wrong: nothing was run"),
                }
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
    let files = find(folder, "toml")?;
    let mut scenarios = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        let unreadable = |error| Unusable::Unreadable(file.clone(), error);
        let text = host::text(&file, &host::limit::SCENARIO).map_err(unreadable)?;
        match Scenario::parse(&name(folder, &file), &shown(&file), &text) {
            Ok(scenario) => {
                scenario.notices.iter().for_each(|notice| terminal::errln!("{notice}"));
                scenarios.push(scenario);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(scenarios) } else { Err(Unusable::Wrong(problems)) }
}

/// The scenarios that the patterns mean; all of them if there is no pattern. A pattern that is the whole name of a
/// scenario means that one alone, any other those whose names contain it.
///
/// # Errors
///
/// [`Unusable::NoMatch`] if a pattern matches nothing, even if another one does.
pub fn select(scenarios: Vec<Scenario>, patterns: &[String]) -> Result<Vec<Scenario>, Unusable> {
    let is_whole = |pattern: &str| scenarios.iter().any(|scenario| scenario.name == pattern);
    let patterns: Vec<(&str, bool)> = patterns.iter().map(|pattern| (pattern.as_str(), is_whole(pattern))).collect();
    let means = |(pattern, is_whole): &(&str, bool), scenario: &Scenario| match is_whole {
        true => scenario.name == *pattern,
        false => scenario.name.contains(pattern),
    };
    for pattern in &patterns {
        if !scenarios.iter().any(|scenario| means(pattern, scenario)) {
            let near = nearest(pattern.0, scenarios.iter().map(|scenario| scenario.name.as_str()));
            return Err(Unusable::NoMatch(pattern.0.to_owned(), near));
        }
    }
    Ok(scenarios
        .iter()
        .filter(|scenario| patterns.is_empty() || patterns.iter().any(|pattern| means(pattern, scenario)))
        .cloned()
        .collect())
}

/// The one scenario that is meant: by its name, or by a part of it that fits no other.
///
/// # Errors
///
/// [`Unusable::NoMatch`] or [`Unusable::Several`].
pub fn one(scenarios: Vec<Scenario>, pattern: &str) -> Result<Scenario, Unusable> {
    let mut found = select(scenarios, &[pattern.to_owned()])?;
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        _ => Err(Unusable::Several(pattern.to_owned(), found.into_iter().map(|scenario| scenario.name).collect())),
    }
}

/// The names, by themselves or by what follows their last `/`, that look most like `wanted`.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let similarity = |name: &str| similar::TextDiff::from_chars(wanted, name).ratio();
    let mut ranked: Vec<(f32, &str)> = names
        .map(|name| {
            let stem = name.rsplit('/').next().unwrap_or(name);
            (similarity(stem).max(similarity(name)), name)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().take_while(|(ratio, _)| *ratio > 0.5).take(2).map(|(_, name)| format!("`{name}`")).collect()
}

/// Every file below `folder` whose name ends so, in the order of their names.
///
/// # Errors
///
/// [`Unusable::Unreadable`] if the disk refuses.
pub fn find(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Unusable> {
    host::find(folder, ending).map_err(|(folder, error)| Unusable::Unreadable(folder, error))
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
