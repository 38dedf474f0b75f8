//! Programs that switch power and reset ports: run to their end or to their limit, without a shell.

use std::path::{Path, PathBuf};
use std::time::Duration;

use blame::{Error, Result};
use host::process;

/// What of a program's words is told, in characters.
const WORDS_MAX: usize = 300;

/// Runs `words`, a program and its arguments.
///
/// # Errors
///
/// If it does not start, does not end in time, or ends with anything but success.
pub fn run(words: &[String], limit: Duration) -> Result<()> {
    let (program, arguments) = words.split_first().ok_or_else(|| Error::author("no program is named"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bench(format!("no process can be started: {error}")))?;
    let mut command = process::command(Path::new(program));
    command.args(arguments);
    let finished = runtime
        .block_on(process::run(command, limit))
        .map_err(|error| Error::bench(format!("`{program}` does not start: {error}")))?;
    match finished.status {
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            let said = String::from_utf8_lossy(&finished.stderr);
            let said: String =
                said.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect();
            Err(Error::bench(format!("`{program}` ended with {status}: {said}")))
        }
        None => Err(Error::bench(format!("`{program}` was killed at its limit of {} s", limit.as_secs()))),
    }
}

/// Where on the search path a program is.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn success_failure_and_no_end_are_three_things() {
        let long = Duration::from_secs(60);
        assert_eq!(run(&words(&["true"]), long), Ok(()));
        let why = run(&words(&["sh", "-c", "echo no such hub >&2; exit 3"]), long).expect_err("it failed").message;
        assert!(why.contains("no such hub") && why.contains("3"), "{why}");
        let why = run(&words(&["sleep", "3600"]), Duration::from_millis(50)).expect_err("it has no end").message;
        assert!(why.contains("killed at its limit"), "{why}");
        assert!(
            run(&words(&["no-such-program-as-this"]), long).expect_err("it is not there").message.contains("no-such")
        );
        assert!(run(&[], long).is_err());
    }
}
