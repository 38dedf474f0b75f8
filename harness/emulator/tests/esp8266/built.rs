//! Whether the programs are what their sources say, where there is a compiler.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::fs;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSegment};

use super::PROGRAMS;

const COMPILER: &str = "xtensa-lx106-elf-gcc";

/// What is loaded, and where.
fn segments(elf: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let elf = object::File::parse(elf).expect("an ELF file");
    elf.segments().map(|segment| (segment.address(), segment.data().expect("in the file").to_vec())).collect()
}

#[test]
fn the_programs_are_what_their_sources_say() {
    if let Err(error) = Command::new(COMPILER).arg("--version").output() {
        let required = std::env::var("SHAKEDOWN_REQUIRED_TOOLS").is_ok_and(|tools| tools.contains(COMPILER));
        assert!(!required, "{COMPILER}: {error}");
        return eprintln!("skipped: {COMPILER} does not start: {error}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/esp8266");
    let read = |folder: &Path, file: &str| fs::read(folder.join(file)).expect("the build has written it");
    let out = tempfile::tempdir().expect("a folder");
    let built = Command::new(folder.join("build")).arg(out.path()).status().expect("a shell");
    assert!(built.success(), "the programs do not compile");
    let sources =
        fs::read_dir(&folder).expect("the folder").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(sources.filter(|name| name.ends_with(".c")).count(), PROGRAMS.len(), "a program that no test runs");
    if read(out.path(), "compiler.txt") != read(&folder, "compiler.txt") {
        return eprintln!("built, and not compared: this is another version of {COMPILER}");
    }
    for (name, elf) in PROGRAMS {
        let again = read(out.path(), &format!("{name}.elf"));
        assert!(segments(elf) == segments(&again), "{name}.elf is not {name}.c: run tests/programs/esp8266/build");
    }
}
