//! Where, when and with what is measured.

use std::fs;
use std::process::Command;
use std::thread;

use clock::calendar::Date;
use runner::controls;
use runner::figures::Machine;

use crate::kernels::machine_of_qemu;
use crate::root;

/// The length of `2026-11-30`.
const DAY: usize = 10;

/// This machine, today.
pub fn this_one() -> Machine {
    let memory = after("/proc/meminfo", "MemTotal:");
    let memory_kib: u64 = memory.trim_end_matches("kB").trim().parse().expect("a number of KiB");
    let os = after("/etc/os-release", "PRETTY_NAME=");
    Machine {
        date: Date::from_unix_time(controls::today()).to_string().chars().take(DAY).collect(),
        commit: commit(),
        cpu: after("/proc/cpuinfo", "model name").trim_start_matches([' ', '\t', ':']).to_owned(),
        cores: thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        memory_gib: u32::try_from((memory_kib + (1 << 19)) >> 20).expect("no machine has so much"),
        os: format!("{}, Linux {}", os.trim_matches('"'), said_by("uname", &["-r"])),
        rustc: said_by("rustc", &["--version"]),
        qemu: said_by(machine_of_qemu(), &["--version"]).replace(" version", ""),
    }
}

/// What stands behind a word at the beginning of a line of a file of the system's.
fn after(file: &str, word: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_else(|why| panic!("{file}: {why}"));
    let found = text.lines().find_map(|line| line.strip_prefix(word));
    found.unwrap_or_else(|| panic!("{file} has no {word}")).trim().to_owned()
}

/// The first line that a program prints.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|why| panic!("{program}: {why}"));
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned()
}

fn commit() -> String {
    let commit = said_by("git", &["rev-parse", "--short=8", "HEAD"]);
    let changed = said_by("git", &["status", "--porcelain", "--untracked-files=no"]);
    if changed.is_empty() { commit } else { format!("{commit} with changes") }
}
