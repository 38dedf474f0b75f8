//! Every RFC that the tree cites, and every section of one, stands in `harness/rfcs.toml` with its title: a section that
//! the RFC does not have, or that another RFC of the subject has under that number, is found here.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex_lite::Regex;

use support::root;

/// What is looked into: whatever people write. What is recorded (`captures/`) repeats what scenarios say.
const ENDINGS: [&str; 10] = ["rs", "toml", "why", "md", "c", "h", "py", "json", "css", "yml"];
/// The table itself, and the test that speaks of what is not in it.
const NOT_LOOKED_INTO: [&str; 2] = ["harness/rfcs.toml", "harness/runner/tests/rfcs.rs"];

type Rfcs = BTreeMap<String, BTreeMap<String, String>>;

fn known() -> Rfcs {
    let text = fs::read_to_string(root().join("harness/rfcs.toml")).expect("the table");
    toml::from_str(&text).unwrap_or_else(|error| panic!("harness/rfcs.toml: {error}"))
}

/// The files that people write, relative to the workspace's folder.
fn written() -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git starts");
    let names = String::from_utf8(output.stdout).expect("file names in UTF-8");
    let is_written = |file: &PathBuf| {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ENDINGS.contains(&ending)
            && !file.starts_with("captures")
            && !NOT_LOOKED_INTO.iter().any(|no| file == Path::new(no))
    };
    let files = names.split_terminator('\0').map(PathBuf::from);
    files.filter(is_written).filter(|file| root().join(file).is_file()).collect()
}

/// Each citation of a text: the RFC and a section of it, empty if none is named.
fn citations(text: &str) -> Vec<(String, String)> {
    // Comments break where the line is full.
    let joined =
        Regex::new(r"\n[ \t]*(?:///?|//!|#|\*)?[ \t]*").expect("a pattern").replace_all(text, " ").into_owned();
    let whole =
        Regex::new(r"RFC ?([0-9]{3,5})\b((?:,?(?: and)? ?(?:§+ ?|[Ss]ections? |[Aa]ppendix )[A-Z]?[0-9.]*[0-9])*)");
    let section = Regex::new(r"(?:§+ ?|[Ss]ections? |[Aa]ppendix )([A-Z]?[0-9.]*[0-9])").expect("a pattern");
    let mut found = Vec::new();
    for citation in whole.expect("a pattern").captures_iter(&joined) {
        let sections: Vec<String> = section.captures_iter(&citation[2]).map(|one| one[1].to_owned()).collect();
        let sections = if sections.is_empty() { vec![String::new()] } else { sections };
        found.extend(sections.into_iter().map(|section| (citation[1].to_owned(), section)));
    }
    found
}

#[test]
fn citations_are_found_in_the_forms_in_which_people_write_them() {
    let text = "/// As it is (RFC 5246\n    /// §7.4.1.2; RFC 9846 appendix B.4), RFC7468. RFC 9525 §6.3, §6.4 and RFC 1035 section 4.1";
    let found = citations(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(rfc, section)| (rfc.as_str(), section.as_str())).collect();
    let expected =
        [("5246", "7.4.1.2"), ("9846", "B.4"), ("7468", ""), ("9525", "6.3"), ("9525", "6.4"), ("1035", "4.1")];
    assert_eq!(found, expected);
}

#[test]
fn every_section_that_is_cited_exists_in_the_rfc_that_is_named() {
    let known = known();
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in written() {
        let text = String::from_utf8_lossy(&fs::read(root().join(&file)).expect("a tracked file")).into_owned();
        for (rfc, section) in citations(&text) {
            count += 1;
            match known.get(&rfc) {
                None => complaints.push(format!("{}: RFC {rfc} is not in harness/rfcs.toml", file.display())),
                Some(sections) if section.is_empty() || sections.contains_key(&section) => {}
                Some(sections) => complaints.push(format!(
                    "{}: RFC {rfc} ({}) is not known to have §{section}: put it into harness/rfcs.toml with its title, from \
                     the RFC's table of contents",
                    file.display(),
                    sections["title"]
                )),
            }
        }
    }
    assert!(count > 500, "only {count} citations are found");
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn nothing_is_in_the_table_that_is_not_cited() {
    let cited: Vec<(String, String)> = written()
        .iter()
        .flat_map(|file| citations(&String::from_utf8_lossy(&fs::read(root().join(file)).expect("a tracked file"))))
        .collect();
    // Of TLS 1.3 the whole table of contents stands there: its sections are cited most, and were mixed up most.
    let idle: Vec<String> = known()
        .keys()
        .filter(|rfc| !cited.iter().any(|(number, _)| number == *rfc))
        .map(|rfc| format!("RFC {rfc}"))
        .collect();
    assert!(idle.is_empty(), "nobody cites {}", idle.join(", "));
}
