//! The contributor's page and the architecture page name files that there are.

use std::fs;
use std::path::Path;

use super::{assert_none, root, tracked};

/// The folders of the top level, with which a whole path begins.
const FOLDERS: [&str; 5] = ["ci/", "firmware-under-test/", "harness/", "scenarios/", "captures/"];
/// Files that whoever uses the bench writes.
const OF_USERS: [&str; 1] = ["ci/known_findings.toml"];
/// Files are recognised by their ends.
const ENDS: [&str; 5] = [".c", ".h", ".md", ".rs", ".toml"];

#[test]
fn every_file_that_a_page_names_is_there() {
    let files = tracked();
    let mut complaints = Vec::new();
    for name in [".github/CONTRIBUTING.md", "harness/README.md"] {
        let page = fs::read_to_string(root().join(name)).expect("the page");
        let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|span| is_path(span)).collect();
        assert!(named.len() > 30, "{name}: only {} paths are recognised", named.len());
        let missing = named.iter().filter(|path| !files.iter().any(|file| is_at(file, path)));
        complaints.extend(missing.map(|path| format!("{name}: `{path}` is not there")));
    }
    assert_none(&complaints);
}

/// Whether code in a text is the name of a file or of a folder.
fn is_path(span: &str) -> bool {
    let begins = FOLDERS.iter().any(|folder| span.starts_with(folder));
    !span.contains(' ') && !OF_USERS.contains(&span) && (begins || ENDS.iter().any(|end| span.ends_with(end)))
}

/// Whether a file is the one that is named, or in that folder: by its whole path, or by the last parts of it. `*` stands for
/// anything within a part.
fn is_at(file: &Path, path: &str) -> bool {
    let path = path.trim_start_matches("../");
    let wanted: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let parts: Vec<String> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let fits = |part: &String, pattern: &str| match pattern.split_once('*') {
        Some((begin, end)) => part.starts_with(begin) && part.ends_with(end),
        None => part == pattern,
    };
    let is_whole = FOLDERS.iter().any(|folder| path.starts_with(folder));
    let at_most = if is_whole { 1 } else { parts.len() };
    parts.windows(wanted.len()).take(at_most).any(|part| part.iter().zip(&wanted).all(|(part, one)| fits(part, one)))
}
