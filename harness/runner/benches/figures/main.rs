//! How quick the bench is: the cores against QEMU, chips, handshakes, the first verdict, a part of the suite, memory.
//!
//! `cargo bench -p emulator` and `cargo bench -p runner --bench figures` run this; behind `--` the groups to be measured
//! (`kernels`, `chips`, `handshakes`, `verdicts`, `suite`, `memory`; without any: all), or `--write`, which writes
//! all figures with machine and date to `harness/runner/benches/results.toml`. What each figure is: `runner::figures`.
//!
//! Of every figure that is a time, the shortest of some turns is told: whatever else a machine does makes it longer. All that
//! is timed is also looked at, so that nothing is quick because it is wrong.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

mod chips;
mod handshakes;
mod kernels;
mod machine;
mod measured;
mod memory;
mod offspring;
mod suite;
mod verdicts;

use std::path::{Path, PathBuf};
use std::time::Instant;

use host::whole_file;
use runner::figures::{FILE, Results};
use runner::stack::{self, Stack};
use scenario::Scenario;

use measured::Measured;

/// The seed of the reviewed runs.
const SEED: u64 = 0x5eed;

/// What is measured together, by its name.
type Group = (&'static str, fn(&mut Measured));
const GROUPS: [Group; 6] = [
    ("kernels", kernels::measure),
    ("chips", chips::measure),
    ("handshakes", handshakes::measure),
    ("verdicts", verdicts::measure),
    ("suite", suite::measure),
    ("memory", memory::measure),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((task, executor)) = offspring::asked(&arguments) {
        return offspring::answer(task, executor);
    }
    // Cargo says `--bench` when it is asked for benchmarks, and not when `cargo test` runs them to see whether they do.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return println!("nothing is measured: `cargo bench`");
    }
    let writes = arguments.iter().any(|argument| argument == "--write");
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    for word in &wanted {
        assert!(GROUPS.iter().any(|(name, _)| name == word), "{word}: there are {:?}", GROUPS.map(|(name, _)| name));
    }
    let began = Instant::now();
    let mut measured = Measured::new(host_code::install());
    for (name, measure) in GROUPS.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        println!("# {name}, {} s after the start", began.elapsed().as_secs());
        measure(&mut measured);
    }
    println!("# {} s in all", began.elapsed().as_secs());
    if writes {
        let results = Results::new(machine::this_one(), measured.by_name()).unwrap_or_else(|why| panic!("{why}"));
        whole_file::write(&root().join(FILE), results.to_toml()).expect("the file can be written");
        println!("written to {FILE}; `cargo xtask tables` renders the pages");
    }
}

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A stack by its name.
fn stack(name: &str) -> Stack {
    let stacks = stack::released(&root()).unwrap_or_else(|why| panic!("{why}"));
    stacks.into_iter().find(|stack| stack.name == name).unwrap_or_else(|| panic!("{name} is not released"))
}

/// A scenario by its name.
fn scenario(name: &str) -> Scenario {
    let file = root().join("scenarios").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    Scenario::parse(name, &file.display().to_string(), &text).unwrap_or_else(|why| panic!("{why}"))
}
