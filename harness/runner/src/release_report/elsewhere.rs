//! Both images through `hil` itself, with whatever options it is given: on the boards of a rack, say.
//!
//! Each image is a run of its own, with a report of its own; what changed follows from the two reports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use report::model::Run;

use super::{ReleaseReport, Side};
use crate::exit::{self, Exit};
use crate::reports;

/// The run of one image.
///
/// # Errors
///
/// What went wrong, and the exit code of `hil`.
pub fn run(
    root: &Path,
    arguments: &ReleaseReport,
    side: Side,
    elf: &Path,
    folder: &Path,
) -> Result<Run, (Exit, String)> {
    let failed = |why: &dyn std::fmt::Display| (exit::BENCH_FAILED, why.to_string());
    let own = folder.join(side.folder());
    // Snapshots of an earlier report are nobody's expectation.
    let captures = own.join("captures");
    if captures.exists() {
        fs::remove_dir_all(&captures).map_err(|error| failed(&error))?;
    }
    fs::create_dir_all(&captures).map_err(|error| failed(&error))?;
    let json = own.join("report.json");
    let mut command = Command::new(std::env::current_exe().map_err(|error| failed(&error))?);
    let chip = arguments.board.chip();
    command.args(["hil", "--board", chip.name, "--image"]).arg(elf).arg("--captures").arg(&captures);
    command.arg("--artefacts").arg(&own).arg("--seed").arg(format!("{:x}", arguments.seed));
    command.arg("--report").arg(with("json=", &json)).env("SHAKEDOWN_ROOT", root);
    for (option, value) in [("--dialect", &arguments.dialect), ("--scenarios", &arguments.scenarios)] {
        command.args(value.iter().flat_map(|value| [Path::new(option), value]));
    }
    command.args(&arguments.hil).arg("--").args(&arguments.patterns);
    let status = command.status().map_err(|error| failed(&error))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let known = exit::ALL.into_iter().find(|exit| Some(exit.code) == code);
    match known {
        // Nothing was reviewed, so most of it is otherwise; what the bench failed at is in the report.
        Some(exit::AS_EXPECTED | exit::OTHERWISE | exit::BENCH_FAILED | exit::INTERRUPTED) => {
            reports::read(&json).map_err(|error| (known.unwrap_or(exit::BENCH_FAILED), error.message))
        }
        Some(other) => Err((other, format!("`hil` with {} did not run (see above)", elf.display()))),
        None => Err(failed(&format!("`hil` with {} ended with {status}", elf.display()))),
    }
}

fn with(prefix: &str, path: &PathBuf) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(prefix);
    text.push(path);
    text
}
