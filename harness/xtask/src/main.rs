//! The one door, for people and CI alike: `cargo xtask …`.
//!
//! It knows none of our crates. It asks cargo to build the `runner`, and `probe` if debug probes are reached for, so that the
//! build's progress is on the screen, and hands its arguments over; what they mean is said by `cargo xtask --help`, which is
//! the runner's own.

mod fresh;

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use fresh::Wish;

/// Tells the runner where the program is that holds debug probes.
const PROBE: &str = "SHAKEDOWN_PROBE";
/// A build that took longer is worth a line.
const LONG: Duration = Duration::from_secs(5);
/// The exit code for "the bench failed" (`harness/runner/src/exit.rs`).
const BENCH_FAILED: u8 = 3;

/// Why the runner was not handed the command: always the bench's fault.
#[derive(Debug)]
enum Failure {
    CargoDoesNotStart(io::Error),
    DoesNotBuild(&'static str),
    BuiltNowhere(&'static str),
    RunnerDoesNotStart(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CargoDoesNotStart(error) => write!(f, "cargo does not start: {error}"),
            Self::DoesNotBuild(package) => write!(f, "`{package}` does not build (see above)"),
            Self::BuiltNowhere(package) => write!(f, "cargo built `{package}` but did not say where it put it"),
            Self::RunnerDoesNotStart(error) => write!(f, "the runner does not start: {error}"),
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            note(&why.to_string());
            ExitCode::from(BENCH_FAILED)
        }
    }
}

fn run() -> Result<u8, Failure> {
    let root = workspace();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let features: &[&str] = if has(&arguments, "--execution", "compiled") { &["runner/compiled"] } else { &[] };
    let mut runner = Command::new(build(&cargo, &root, "runner", features)?);
    runner.args(env::args_os().skip(1)).env("SHAKEDOWN_ROOT", &root);
    if (needs_probe(&arguments) || may_meet_boards(&root, &arguments)) && env::var_os(PROBE).is_none() {
        runner.env(PROBE, build(&cargo, &root, "probe", &[])?);
    }
    hand_over(speak_for_nobody(&mut runner))
}

/// Whether an option has this value on a command line.
fn has(arguments: &[String], option: &str, value: &str) -> bool {
    let joined = format!("{option}={value}");
    arguments.windows(2).any(|pair| pair[0] == option && pair[1] == value) || arguments.contains(&joined)
}

/// Whether a command line reaches for debug probes, real or emulated. Building `probe` takes longer than all the rest.
fn needs_probe(arguments: &[String]) -> bool {
    let has = |option, value| has(arguments, option, value);
    let command = arguments.first().map(String::as_str);
    let scans = command == Some("boards") && arguments.iter().any(|word| word == "--scan");
    scans || matches!(command, Some("doctor" | "nightly")) || has("--flash", "probe") || has("--on", "hardware")
}

/// Whether `hil` may take a board because one is connected (`--on auto`): a file of the map names a port that is there.
fn may_meet_boards(root: &Path, arguments: &[String]) -> bool {
    let is_hil = arguments.first().is_some_and(|command| command == "hil");
    let is_emulated = arguments.windows(2).any(|pair| pair[0] == "--on" && pair[1] == "emulator");
    let Ok(files) = std::fs::read_dir(root.join("ci/rack")) else { return false };
    let names_a_port = |text: String| {
        let ports = text.lines().filter_map(|line| line.trim().strip_prefix("serial"));
        ports.into_iter().any(|port| port.split('"').nth(1).is_some_and(|path| Path::new(path).exists()))
    };
    let texts = files
        .flatten()
        .filter(|file| file.path().is_file())
        .filter_map(|file| std::fs::read_to_string(file.path()).ok());
    is_hil && !is_emulated && texts.into_iter().any(names_a_port)
}

/// Takes from `command` what `cargo run` says of *this* package. Build scripts that watch those variables, as that of
/// `ring` does, would be run again each time that somebody calls cargo without us, and each time that somebody does not.
fn speak_for_nobody(command: &mut Command) -> &mut Command {
    let ours = ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_MANIFEST_LINKS", "CARGO_BIN_NAME"];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || ours.contains(&name)) {
            command.env_remove(name);
        }
    }
    command
}

/// Builds the package of this name; where its program is.
///
/// With `--workspace`, cargo gives shared dependencies the features that all our packages want of them: so `runner`, `probe`
/// and `cargo test --workspace` use the same artefacts, and nothing is compiled twice
/// (`harness/runner/tests/house/builds.rs`).
fn build(cargo: &OsStr, root: &Path, package: &'static str, features: &[&str]) -> Result<PathBuf, Failure> {
    let wish = Wish { root, cargo, features, variables: variables() };
    let record = target_folder(root).join("xtask").join(package);
    if let Some(program) = fresh::program(&record, &wish) {
        return Ok(program);
    }
    let began = SystemTime::now();
    if !target_folder(root).join("debug").join(format!("{package}{}", env::consts::EXE_SUFFIX)).exists() {
        note(&format!(
            "building `{package}` for the first time, which takes some minutes: OpenSSL, the emulator and cryptography are most \
             of it. Later starts take a second"
        ));
    }
    let build = speak_for_nobody(&mut Command::new(cargo))
        .args(["build", "--workspace", "--bin", package, "--message-format", "json-render-diagnostics"])
        .args(features.iter().flat_map(|feature| ["--features", feature]))
        .current_dir(root)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::CargoDoesNotStart)?;
    if !build.status.success() {
        return Err(Failure::DoesNotBuild(package));
    }
    // A clock that was set back meanwhile says nothing.
    let took = began.elapsed().unwrap_or_default();
    if took > LONG {
        note(&format!("`{package}` was built in {} s", took.as_secs()));
    }
    let program = executable(&String::from_utf8_lossy(&build.stdout)).ok_or(Failure::BuiltNowhere(package))?;
    if let Err(error) = fresh::remember(&record, &wish, &program, began) {
        note(&format!("cargo will be asked again the next time, as {} cannot be written: {error}", record.display()));
    }
    Ok(program)
}

/// The environment, as far as it is text.
fn variables() -> Vec<(String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// Says something on standard error. Whoever read it may be gone, which is no reason for another exit code.
fn note(words: &str) {
    let _ = writeln!(io::stderr(), "xtask: {words}");
}

/// Where cargo puts what it builds.
fn target_folder(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// The folder of the workspace: two above this package.
fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("harness/xtask"), PathBuf::from);
    package.ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where cargo put the binary: the last `"executable":"…"` of its JSON messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let quoted = messages.rsplit_once("\"executable\":\"")?.1;
    let path = quoted.split_once('"')?.0;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

#[cfg(unix)]
fn hand_over(command: &mut Command) -> Result<u8, Failure> {
    use std::os::unix::process::CommandExt;
    // Replaces this process, so that Ctrl-C and the exit code are the runner's own.
    Err(Failure::RunnerDoesNotStart(command.exec()))
}

#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> Result<u8, Failure> {
    let status = command.status().map_err(Failure::RunnerDoesNotStart)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(BENCH_FAILED))
}
