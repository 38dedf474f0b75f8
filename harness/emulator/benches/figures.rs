//! How quick the emulator is, from its cores to whole scenarios: hands over to `cargo bench -p runner --bench figures`.
//!
//! Handshakes take brokers, and verdicts take everything that `runner` has, which this crate cannot know. So that
//! `cargo bench -p emulator` answers all the same, this asks cargo for the benchmark that knows both, as `cargo xtask` does
//! for its commands.

use std::env;
use std::process::{Command, ExitCode};

/// What cargo says of *this* package: build scripts that watch these, as that of `ring` does, would be run again.
fn is_about_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Cargo says `--bench` when it is asked for benchmarks, and not when `cargo test` runs them to see whether they do.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--package", "runner", "--bench", "figures", "--"]);
    cargo.args(arguments.iter().filter(|argument| *argument != "--bench"));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_about_this_package) {
            cargo.env_remove(name);
        }
    }
    match cargo.status().expect("cargo starts").code() {
        Some(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
