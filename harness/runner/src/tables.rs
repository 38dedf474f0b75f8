//! Tables in the READMEs, rendered from data: a fact that is copied by hand is a fact that will be wrong.
//!
//! A page holds `<!-- table: NAME -->` and `<!-- end -->`, each on a line of its own; what stands between the two is
//! ours. `cargo xtask tables` writes it, `cargo xtask tables --check` and a test compare it.

mod crates;
mod figures;
mod grammar;
mod images;
mod limits;
mod products;
mod scenarios;
mod transcript;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

pub use crates::{Member, survey};

use host::whole_file;

/// The pages that may hold tables, below the workspace's folder. A page that is not there is passed over.
const PAGES: &[&str] = &[
    "README.md",
    "harness/README.md",
    "scenarios/README.md",
    "firmware-under-test/README.md",
    "firmware-under-test/STACKS.md",
    "firmware-under-test/PRODUCTS.md",
    "captures/README.md",
    "captures/FINDINGS.md",
    "ci/README.md",
];

/// The largest page that is read, in bytes.
const PAGE_MAX_BYTES: u64 = 1 << 20;

const BEGIN: &str = "<!-- table: ";
const BEGIN_ENDS: &str = " -->";
const END: &str = "<!-- end -->";

/// Why a table could not be rendered.
#[derive(Debug)]
pub struct Unrenderable(String);

impl Unrenderable {
    fn new(place: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self(format!("{place}: {why}"))
    }
}

impl fmt::Display for Unrenderable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unrenderable {}

/// Renders every table below `root`, the workspace's folder: writes the pages that are out of date, or, with `check`,
/// only names them on standard error. Returns whether all of them are up to date now.
///
/// # Errors
///
/// If a page or the data of a table cannot be read, or if a page asks for a table that nobody can render.
pub fn run(root: &Path, check: bool) -> Result<bool, Unrenderable> {
    let outdated = outdated(root)?;
    for page in &outdated {
        let path = root.join(&page.name);
        if check {
            terminal::errln!("{}: out of date; `cargo xtask tables` renders it anew", page.name);
        } else {
            whole_file::write(&path, &page.text).map_err(|error| Unrenderable::new(path.display(), error))?;
            terminal::errln!("{}: rendered anew", page.name);
        }
    }
    Ok(!check || outdated.is_empty())
}

/// A page that does not hold what it would hold if it were rendered now.
#[derive(Debug)]
pub struct Outdated {
    /// Its path below the workspace's folder.
    pub name: String,
    /// What it would hold.
    pub text: String,
}

/// The pages that are out of date.
///
/// # Errors
///
/// As [`run`].
pub fn outdated(root: &Path) -> Result<Vec<Outdated>, Unrenderable> {
    let mut outdated = Vec::new();
    for name in PAGES {
        let Some(text) = read(&root.join(name))? else { continue };
        let rendered = render_page(&text, &|table| render(root, table))
            .map_err(|(line, why)| Unrenderable::new(format_args!("{name}:{line}"), why))?;
        if rendered != text {
            outdated.push(Outdated { name: (*name).to_owned(), text: rendered });
        }
    }
    Ok(outdated)
}

/// One table. Its name may be followed by a space and an argument.
fn render(root: &Path, table: &str) -> Result<String, Unrenderable> {
    let (name, argument) = table.split_once(' ').unwrap_or((table, ""));
    match (name, argument) {
        ("exit-codes", "") => Ok(exit_codes()),
        ("limits", "") => Ok(limits::files()),
        ("contents", "") => Ok(limits::contents()),
        ("figures", "") => figures::all(root),
        ("figures", "few") => figures::few(root),
        ("boards", "") => images::boards(root),
        ("images", "") => images::images(root),
        ("stacks", "") => images::stacks(root),
        ("models", "") => images::models(root),
        ("products", "") => products::products(root),
        ("differences", "") => products::differences(root),
        ("scenarios", "") => scenarios::folders(root),
        ("grammar", argument) if !argument.is_empty() => grammar::table(root, argument, false),
        ("device-keys", argument) if !argument.is_empty() => grammar::table(root, argument, true),
        ("claims", "") => Ok(grammar::claims()),
        ("placeholders", "") => Ok(grammar::placeholders()),
        ("crates", "") => crates::table(root),
        ("transcript", scenario) if !scenario.is_empty() => transcript::reviewed(root, scenario),
        ("findings", "") => transcript::findings(root),
        _ => Err(Unrenderable::new(format_args!("`{table}`"), "nobody knows how to render this table")),
    }
}

fn exit_codes() -> String {
    let rows = crate::exit::ALL.map(|exit| vec![exit.code.to_string(), exit.meaning.to_owned()]);
    markdown(&["exit code", "meaning"], &rows)
}

/// Replaces what stands between each pair of markers; on failure says in which line, counted from 1.
fn render_page(
    page: &str,
    render: &dyn Fn(&str) -> Result<String, Unrenderable>,
) -> Result<String, (usize, Unrenderable)> {
    let mut rendered = String::with_capacity(page.len());
    let mut open: Option<usize> = None;
    for (index, line) in page.lines().enumerate() {
        let at = index + 1;
        let table = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(BEGIN_ENDS));
        match (open, table) {
            (Some(since), Some(_)) => {
                return Err((at, Unrenderable::new(format_args!("the table of line {since}"), "has no end")));
            }
            (None, Some(table)) => {
                let body = render(table).map_err(|why| (at, why))?;
                rendered.push_str(&format!("{line}\n{}\n", body.trim_end()));
                open = Some(at);
            }
            (Some(_), None) if line == END => {
                rendered.push_str(&format!("{END}\n"));
                open = None;
            }
            (Some(_), None) => {}
            (None, None) if line == END => return Err((at, Unrenderable::new(END, "ends no table"))),
            (None, None) => rendered.push_str(&format!("{line}\n")),
        }
    }
    match open {
        Some(since) => Err((since, Unrenderable::new("this table", "has no end"))),
        None => Ok(rendered),
    }
}

/// A table in Markdown. Pipes in cells are escaped.
fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut table = line(&mut head.iter().copied());
    table.push_str(&format!("|{}\n", "---|".repeat(head.len())));
    for row in rows {
        table.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    table
}

/// The text of a file, or nothing if there is no such file.
fn read(path: &Path) -> Result<Option<String>, Unrenderable> {
    let unreadable = |why: &dyn fmt::Display| Unrenderable::new(path.display(), why);
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
        Ok(found) if found.len() > PAGE_MAX_BYTES => return Err(unreadable(&"larger than 1 MiB")),
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(|error| unreadable(&error))
}

/// The entries of a folder in the order of their names; none if there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Unrenderable> {
    let unreadable = |error| Unrenderable::new(folder.display(), error);
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(unreadable)?,
    };
    let mut paths =
        found.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shout(table: &str) -> Result<String, Unrenderable> {
        if table == "unknown" { Err(Unrenderable::new(table, "?")) } else { Ok(table.to_uppercase()) }
    }

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = "before\n<!-- table: a b -->\nstale\n\nlines\n<!-- end -->\nafter\n";
        let expected = "before\n<!-- table: a b -->\nA B\n<!-- end -->\nafter\n";
        assert_eq!(render_page(page, &shout).unwrap(), expected);
        assert_eq!(render_page(expected, &shout).unwrap(), expected);
    }

    #[test]
    fn markers_that_do_not_pair_are_named_by_line() {
        let line = |page: &str| render_page(page, &shout).unwrap_err().0;
        assert_eq!(line("a\n<!-- table: x -->\n"), 2);
        assert_eq!(line("a\nb\n<!-- end -->\n"), 3);
        assert_eq!(line("<!-- table: x -->\n<!-- table: y -->\n<!-- end -->\n"), 2);
        assert_eq!(line("a\n\n\n<!-- table: unknown -->\n<!-- end -->\n"), 4);
    }

    #[test]
    fn cells_cannot_break_a_table() {
        assert_eq!(
            markdown(&["a", "b"], &[vec!["x|y".into(), "1\n2".into()]]),
            "| a | b |\n|---|---|\n| x\\|y | 1 2 |\n"
        );
    }
}
