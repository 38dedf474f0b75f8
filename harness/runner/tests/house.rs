//! The house rules: who may know whom, what every crate says of itself, and what has no place in the repository.

#[path = "house/builds.rs"]
mod builds;
#[path = "house/contributing.rs"]
mod contributing;
#[path = "house/errors.rs"]
mod errors;
#[path = "house/reads.rs"]
mod reads;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use runner::tables;

use support::root;

/// Whom each crate may know. An edge that is not in here is either a mistake, or a decision that belongs here and into
/// `harness/README.md`.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("blame", &[]),
    ("chip", &[]),
    ("clock", &[]),
    ("host", &[]),
    ("outcome", &[]),
    ("terminal", &[]),
    ("wire", &[]),
    ("control", &["outcome"]),
    ("pki", &["clock"]),
    ("report", &["outcome", "terminal"]),
    ("scenario", &["access_point", "clock", "control", "network", "host", "outcome", "pki", "terminal"]),
    ("capture", &["clock", "outcome", "terminal", "wire"]),
    ("snapshot", &["host"]),
    (
        "explain",
        &[
            "blame", "capture", "clock", "control", "host", "outcome", "pki", "report", "scenario", "snapshot",
            "terminal", "wire",
        ],
    ),
    ("access_point", &["clock"]),
    ("driver", &["clock", "control", "outcome", "wire"]),
    ("network", &["clock", "wire"]),
    ("firmware", &["blame", "chip", "host", "outcome", "report", "snapshot"]),
    ("firmware_image", &[]),
    ("defmt_log", &[]),
    ("translate", &[]),
    ("host_code", &["translate"]),
    ("emulator", &["chip", "clock", "defmt_log", "firmware_image", "translate"]),
    ("broker", &["clock", "network", "outcome", "scenario", "wire", "pki"]),
    ("board", &["chip", "clock", "emulator", "terminal"]),
    ("rack", &["blame", "board", "chip", "host", "report", "scenario", "terminal"]),
    ("probe", &["board", "chip", "terminal"]),
    (
        "judge",
        &["board", "capture", "clock", "control", "network", "outcome", "report", "scenario", "terminal", "wire"],
    ),
    (
        "runner",
        &[
            "access_point",
            "blame",
            "board",
            "broker",
            "capture",
            "chip",
            "clock",
            "control",
            "driver",
            "emulator",
            "explain",
            "firmware",
            "firmware_image",
            "host",
            "host_code",
            "judge",
            "network",
            "outcome",
            "pki",
            "rack",
            "report",
            "scenario",
            "snapshot",
            "terminal",
            "wire",
        ],
    ),
    ("xtask", &[]),
    ("client", &["control", "outcome", "wire"]),
    ("esp32c3", &["client", "wire"]),
    ("c_struct", &[]),
    ("mbedtls_build", &[]),
    ("mbedtls", &["c_struct", "client", "control", "outcome"]),
    ("mbedtls_3_6", &["client", "control", "mbedtls", "mbedtls_build"]),
    ("esp32c3_mbedtls", &["client", "esp32c3", "mbedtls_3_6"]),
    ("mbedtls_2_28", &["client", "control", "mbedtls", "mbedtls_build"]),
    ("esp32c3_mbedtls2", &["client", "esp32c3", "mbedtls_2_28"]),
    ("esp32c3_wifi", &["client", "control", "esp32c3", "mbedtls_3_6"]),
    ("bearssl", &["c_struct", "client", "control", "outcome"]),
    ("esp32c3_bearssl", &["bearssl", "client", "esp32c3"]),
    ("esp8266", &["client", "wire"]),
    ("esp8266_bearssl", &["bearssl", "client", "esp8266"]),
];

/// Names that say nothing about what is inside.
const NAMES_THAT_SAY_NOTHING: &[&str] = &["utils", "util", "common", "helpers", "helper", "types", "misc"];

/// Words that name nothing any more, neither a type nor a module nor an option, with what is said in their place.
const WORDS_REPLACED: &[(&str, &str)] = &[
    ("aftermath", "drain timeout"),
    ("ambient", "connection RNG"),
    ("bay", "slot"),
    ("blow", "teardown"),
    ("crew", "pool"),
    ("dice", "RNG"),
    ("dress", "configure"),
    ("garment", "packet fault"),
    ("hush", "quiet timeout"),
    ("impatience", "poll interval"),
    ("introduction", "identity"),
    ("leash", "group guard"),
    ("ledger", "transcript builder"),
    ("likeness", "similarity"),
    ("patient", "machine"),
    ("polite", "without misbehaviour"),
    ("rung", "step"),
    ("sickness", "wedged"),
    ("specimen", "fixture"),
    ("staircase", "sweep"),
    ("tacit", "suppress alerts"),
    ("testimony", "finding, occurrence"),
    ("told", "report, describe"),
];

/// Nothing in git is larger, in bytes: an image stripped of its debug information and a capture need less.
const FILE_MAX_BYTES: u64 = 2 << 20;

/// Every file that git knows, relative to the workspace's folder.
fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git starts");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("file names in UTF-8");
    let files: Vec<PathBuf> = names.split_terminator('\0').map(PathBuf::from).collect();
    assert!(files.len() > 50, "git knows only {} files here", files.len());
    // What is being deleted in the work tree is still in the index.
    files.into_iter().filter(|file| root().join(file).exists()).collect()
}

/// Our Rust sources, relative to the workspace's folder.
fn sources() -> Vec<PathBuf> {
    tracked().into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")).collect()
}

/// Our Rust sources but for tests, and without the unit tests in them: their names and what they say.
fn code() -> impl Iterator<Item = (String, String)> {
    let is_test = |file: &Path| {
        file.iter().any(|part| ["tests", "benches", "examples"].iter().any(|kind| part == *kind))
            || file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
    };
    sources().into_iter().filter(move |file| !is_test(file)).map(|file| {
        let text = fs::read_to_string(root().join(&file)).expect("a source file");
        let units = text.match_indices("#[cfg(").find(|(at, _)| {
            let (head, rest) = text[*at..].split_once('\n').unwrap_or_default();
            head.contains("test") && rest.starts_with("mod ")
        });
        let code = units.map_or(text.as_str(), |(at, _)| &text[..at]).to_owned();
        (file.display().to_string(), code)
    })
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_tables_of_the_readmes_are_up_to_date() {
    let outdated = tables::outdated(&root()).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = outdated.iter().map(|page| page.name.as_str()).collect();
    assert!(names.is_empty(), "out of date: {names:?}; `cargo xtask tables` renders them anew");
}

#[test]
fn a_crate_knows_only_whom_it_may() {
    let members = tables::survey(&root()).unwrap_or_else(|error| panic!("{error}"));
    let mut complaints = Vec::new();
    for member in &members {
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == member.name) else {
            complaints.push(format!("{}: a new crate; say in MAY_KNOW whom it may know", member.name));
            continue;
        };
        for known in member.knows.iter().filter(|known| !may_know.contains(&known.as_str())) {
            complaints.push(format!("{} must not know {known}", member.name));
        }
    }
    assert_none(&complaints);
}

#[test]
fn every_crate_says_what_it_is_and_under_which_licence() {
    let mut complaints = Vec::new();
    for member in tables::survey(&root()).unwrap_or_else(|error| panic!("{error}")) {
        if member.description.is_none_or(|words| words.trim().is_empty()) {
            complaints.push(format!("{}: no description in Cargo.toml", member.name));
        }
        if member.licence.as_deref() != Some("MIT OR Apache-2.0") {
            complaints.push(format!("{}: licence {:?}", member.name, member.licence));
        }
        for root in member.roots {
            let text = fs::read_to_string(&root).expect("a target's file");
            if !text.starts_with("//!") {
                complaints.push(format!("{}: does not begin with what it is for (`//!`)", root.display()));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn every_module_says_what_it_is_for() {
    // Unit tests in a sibling file are described by the module that they test.
    let described_elsewhere = |file: &Path| file.file_stem().is_some_and(|stem| stem == "tests");
    let mut complaints = Vec::new();
    for file in sources().iter().filter(|file| !described_elsewhere(file)) {
        let text = fs::read_to_string(root().join(file)).expect("a source file");
        if !text.starts_with("//!") {
            complaints.push(format!("{}: does not begin with `//!`", file.display()));
        }
    }
    assert_none(&complaints);
}

#[test]
fn names_say_what_is_inside() {
    let mut complaints = Vec::new();
    for file in sources() {
        for part in file.with_extension("").iter().map(|part| part.to_string_lossy()) {
            if NAMES_THAT_SAY_NOTHING.contains(&part.as_ref()) {
                complaints.push(format!("{}: `{part}` says nothing about what is inside", file.display()));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn words_that_were_replaced_name_nothing() {
    let definition = regex_lite::Regex::new(
        r#"(?m)^\s*(?:pub(?:\([a-z ]+\))? )?(?:struct|enum|trait|type|mod|const|static) ([A-Za-z0-9_]+)|long = "([a-z-]+)""#,
    );
    let definition = definition.expect("a pattern");
    let mut complaints = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(root().join(&file)).expect("a source file");
        for found in definition.captures_iter(&text) {
            let Some(name) = found.get(1).or_else(|| found.get(2)) else { continue };
            let words = words_of(name.as_str());
            for (old, new) in WORDS_REPLACED.iter().filter(|(old, _)| words.iter().any(|word| word == old)) {
                complaints.push(format!("{}: `{}`: not {old}, but {new}", file.display(), name.as_str()));
            }
        }
    }
    assert_none(&complaints);
}

/// The words of a name, in small letters: of `TlsDecoder`, `QUIET_TIMEOUT` and `as-it-is`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if matches!(c, '_' | '-') || c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(String::new());
        }
        if let (false, Some(word)) = (matches!(c, '_' | '-'), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words
}

#[test]
fn names_are_taken_apart_into_words() {
    assert_eq!(words_of("TlsDecoder"), ["tls", "decoder"]);
    assert_eq!(words_of("QUIET_TIMEOUT"), ["quiet", "timeout"]);
    assert_eq!(words_of("as-it-is"), ["as", "it", "is"]);
}

#[test]
fn no_file_knows_the_machine_that_it_was_written_on() {
    let mut complaints = Vec::new();
    for file in tracked() {
        let bytes = fs::read(root().join(&file)).expect("a tracked file");
        if let Some(found) = path_of_one_machine(&bytes) {
            complaints.push(format!("{}: {found}", file.display()));
        }
    }
    assert_none(&complaints);
}

/// A path below somebody's home, or below the folders of a particular machine, with a little of what follows. Looked
/// for in images too: they carry the paths of their panics.
fn path_of_one_machine(bytes: &[u8]) -> Option<String> {
    const FOLDERS: [&str; 5] = ["root", "work", "farm", "home", "Users"];
    let mut before = b' ';
    for (at, byte) in bytes.iter().enumerate() {
        let previous = std::mem::replace(&mut before, *byte);
        if *byte != b'/' || previous.is_ascii_alphanumeric() || b"_.<>-/}".contains(&previous) {
            continue;
        }
        let path = &bytes[at + 1..];
        for folder in FOLDERS {
            let below = path.strip_prefix(folder.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
            if below.and_then(|below| below.first()).is_some_and(|c| c.is_ascii_alphabetic() || *c == b'.') {
                return Some(format!("/{}…", String::from_utf8_lossy(&path[..path.len().min(40)]).escape_debug()));
            }
        }
    }
    None
}

#[test]
fn paths_of_one_machine_are_recognised() {
    let found = |folder: &str, below: &str| path_of_one_machine(format!("at /{folder}/{below}").as_bytes()).is_some();
    assert!(found("root", ".cargo/registry"));
    assert!(found("home", "ann/x"));
    assert!(!found("home", "*/x"));
    assert!(path_of_one_machine(b"harness/work/in progress, https://example.org/home/page").is_none());
}

#[test]
fn nothing_large_is_in_git() {
    let size = |file: &PathBuf| fs::metadata(root().join(file)).expect("a tracked file").len();
    let large: Vec<String> = tracked()
        .iter()
        .filter(|file| size(file) > FILE_MAX_BYTES)
        .map(|file| format!("{}: {} KiB", file.display(), size(file) / 1024))
        .collect();
    assert_none(&large);
}

#[test]
fn nothing_waits_for_review_in_git() {
    let waits = |name: &String| name.ends_with(".snap.new") || name.ends_with(".pending-snap");
    let pending: Vec<String> = tracked().iter().map(|file| file.display().to_string()).filter(waits).collect();
    assert_none(&pending);
}

#[test]
fn every_exit_code_has_one_meaning_and_the_command_line_names_them_all() {
    let codes: BTreeSet<u8> = runner::exit::ALL.iter().map(|exit| exit.code).collect();
    assert_eq!(codes.len(), runner::exit::ALL.len());
    let mut command = <runner::cli::Cli as clap::CommandFactory>::command();
    let hil = command.find_subcommand_mut("hil").expect("the command `hil`");
    let help = hil.render_long_help().to_string();
    let listed = help.split_once("Exit codes:").expect("the help ends with the exit codes").1;
    let words: Vec<&str> = listed.split([',', ' ', '\n']).collect();
    for code in codes {
        assert!(words.contains(&code.to_string().as_str()), "{code} is not in the help of `hil`: {listed}");
    }
}

#[test]
fn the_readme_and_the_manifest_ask_for_the_same_rust() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let version = manifest["workspace"]["package"]["rust-version"].as_str().expect("rust-version is text");
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.contains(&format!("Rust {version}")), "README.md does not say `Rust {version}`");
}

#[test]
fn xtask_and_the_bench_agree_on_how_the_bench_fails() {
    // xtask knows none of our crates, so that it builds in a second; hence the copy, and hence this test.
    let xtask = fs::read_to_string(root().join("harness/xtask/src/main.rs")).expect("xtask");
    let expected = format!("const BENCH_FAILED: u8 = {};", runner::exit::BENCH_FAILED.code);
    assert!(xtask.contains(&expected), "xtask does not say `{expected}`");
}
