//! What `ci/` and the documentation tell people and machines to type is what the command line understands, and what they
//! install is what the programs that read it take.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use rack::map;
use rack::quarantine::{self, Expired, Quarantine};
use runner::cli::Cli;

use support::root;

/// A file of the repository, lines that a backslash continues joined.
fn read(file: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let lines: Vec<&str> =
        text.split("\\\n").enumerate().map(|(index, part)| if index == 0 { part } else { part.trim_start() }).collect();
    lines.join("")
}

/// Files in a folder of the repository.
fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    let mut names: Vec<String> =
        files.filter_map(|path| Some(format!("{folder}/{}", path.file_name()?.to_str()?))).collect();
    names.sort();
    names
}

/// The arguments of every `cargo xtask` that begins a line, as a shell or GitHub Actions would fill them in.
fn invocations(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .filter_map(|line| Some(line.split_once("cargo xtask ")?).filter(|(before, _)| is_start(before)))
        .map(|(_, rest)| words(rest))
        .collect()
}

/// Whether nothing but a prompt, a key of YAML or an assignment of bash stands before the command.
fn is_start(before: &str) -> bool {
    matches!(before.trim_start(), "" | "$ " | "- run: " | "run: " | "ExecStart=")
}

fn words(rest: &str) -> Vec<String> {
    // What follows is another command's, a description in a second column, or a comment.
    let ends = [" ||", " |", " &&", " >", " 2>", "   ", " #"];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    // Quotes hold a word together.
    let mut is_quoted = false;
    let separated = rest[..end].split(|c: char| {
        is_quoted ^= c == '"';
        c.is_whitespace() && !is_quoted
    });
    separated.filter(|word| !word.is_empty()).filter_map(filled).collect()
}

/// A word with the shell's variables filled in; `None` if it may stand for nothing at all.
fn filled(word: &str) -> Option<String> {
    let mut word = word.trim_matches('"').to_owned();
    if ["${history[@]}", "$@", "$PATTERNS"].contains(&word.as_str()) {
        return None;
    }
    // `${NAME:-default}`
    while let Some((before, rest)) = word.split_once("${") {
        let (inner, after) = rest.split_once('}').expect("a closing brace");
        let value = inner.split_once(":-").map_or("x", |(_, default)| default);
        word = format!("{before}{value}{after}");
    }
    Some(word)
}

#[test]
fn every_command_that_is_told_exists() {
    let mut told = 0;
    let mut texts = vec!["README.md".to_owned(), "harness/README.md".into(), "firmware-under-test/README.md".into()];
    texts.push("scenarios/README.md".into());
    for folder in ["ci", ".ci", "ci/systemd", ".github/workflows"] {
        texts.extend(files(folder));
    }
    for file in &texts {
        for words in invocations(&read(file).replace("${{ matrix.share }}", "1")) {
            let line = format!("cargo xtask {}", words.join(" "));
            told += 1;
            if let Err(error) = Cli::try_parse_from(std::iter::once("cargo xtask".to_owned()).chain(words)) {
                let is_help = matches!(
                    error.kind(),
                    clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
                );
                assert!(is_help, "{file}: `{line}`\n{error}");
            }
        }
    }
    assert!(told > 25, "only {told} commands were found: is the way they are looked for still right?");
}

/// The TOML in `ci/README.md`, each with the file that its first line names.
fn examples() -> Vec<(String, String)> {
    let text = read("ci/README.md");
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let named = |block: &str| block.lines().next().map(|line| line.trim_start_matches("# ").to_owned());
    blocks.map(|block| (named(block).expect("a first line"), block.to_owned())).collect()
}

#[test]
fn what_is_shown_of_files_is_what_they_may_hold() {
    let examples = examples();
    assert!(examples.len() >= 3, "{examples:?}");
    for (file, text) in examples {
        if file.starts_with("ci/rack/") {
            map::parse(&file, &text).unwrap_or_else(|problem| panic!("{problem}"));
        } else {
            assert_eq!(file, quarantine::FILE);
            let folder = tempfile::tempdir().expect("a temporary folder");
            let written = folder.path().join("quarantine.toml");
            fs::write(&written, text).expect("it can be written");
            // Its day may have passed by the time that somebody reads this.
            Quarantine::read(&written, Expired::Verified).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    for file in files("ci").into_iter().chain(files(".github/workflows")).chain(files("ci/systemd")) {
        for word in read(&file).split(|c: char| c.is_whitespace() || "`\"'()[],;|=".contains(c)) {
            let word = word.trim_end_matches(['.', ':']);
            let word = word.strip_prefix("/srv/shakedown/shakedown/").unwrap_or(word);
            let is_ours =
                ["ci/", ".ci/", "harness/", "firmware-under-test/"].iter().any(|start| word.starts_with(start));
            // Files that a reader writes, and patterns.
            let is_to_be = word.contains(['*', '…', '<', '$', '{'])
                || word.starts_with("ci/rack")
                || ["ci/quarantine.toml", "harness/fuzz/Cargo.lock"].contains(&word);
            if is_ours && !is_to_be {
                assert!(root().join(word).exists(), "{file} names {word}, which is not there");
            }
        }
    }
}

#[test]
fn scripts_are_scripts() {
    for file in files("ci").into_iter().chain(files(".ci")) {
        if !read(&file).starts_with("#!") {
            continue;
        }
        let checked = Command::new("bash").arg("-n").arg(root().join(&file)).status().expect("bash starts");
        assert!(checked.success(), "{file}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(root().join(&file)).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o111, 0o111, "{file} can be started");
        }
    }
}

#[test]
fn systemd_takes_the_units() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for unit in files("ci/systemd") {
        // The one thing that is another on this machine: where the clone lies.
        let text = read(&unit).replace("/srv/shakedown/shakedown", root().to_str().expect("a path in UTF-8"));
        let name = Path::new(&unit).file_name().expect("a name");
        fs::write(folder.path().join(name), text).expect("it can be written");
    }
    let units = ["shakedown-nightly.service", "shakedown-nightly.timer"].map(|name| folder.path().join(name));
    let Ok(output) = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).output() else {
        println!("skipped: no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // It reads the machine's own units as well, which may have faults of their own.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("shakedown")).collect();
    assert!(ours.is_empty(), "{said}");
}

#[test]
fn udev_takes_the_rules_and_in_time() {
    let rules = files("ci/udev");
    for file in &rules {
        let name = file.rsplit('/').next().unwrap_or(file);
        // 73-seat-late.rules gives `uaccess` its meaning; whatever comes after it comes too late.
        assert!(name.ends_with(".rules") && name < "73-seat-late.rules", "{file}");
        for line in read(file).lines().filter(|line| line.contains("uaccess") && !line.starts_with('#')) {
            assert!(line.contains("TAG+=\"uaccess\"") && line.contains("GROUP=\"plugdev\""), "{file}: {line}");
        }
    }
    // And `doctor` knows them for what they are.
    let machine = tempfile::tempdir().expect("a temporary folder");
    let installed = machine.path().join("etc/udev/rules.d");
    fs::create_dir_all(&installed).expect("folders");
    for file in &rules {
        fs::copy(root().join(file), installed.join(Path::new(file).file_name().expect("a name"))).expect("a copy");
    }
    let doctor = Command::new(env!("CARGO_BIN_EXE_runner"))
        .args(["doctor", "--system-root"])
        .arg(machine.path())
        .env("SHAKEDOWN_ROOT", root())
        .output()
        .expect("the runner starts");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("✓ udev rules") && said.contains("70-shakedown.rules"), "{said}");
    let paths: Vec<PathBuf> = rules.iter().map(|file| root().join(file)).collect();
    // `udevadm verify` came with systemd 254.
    match Command::new("udevadm").args(["verify", "--no-summary"]).args(&paths).output() {
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("Unknown command verb") => {
            println!("skipped: udevadm here cannot verify");
        }
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => println!("skipped: no udevadm here"),
    }
}
