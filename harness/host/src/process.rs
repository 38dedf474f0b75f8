//! Programs of this machine, as children that cannot outlive their welcome.
//!
//! Each child has a process group of its own, so that a Ctrl-C at the terminal is the bench's to deal with; a hard time
//! limit; an environment without the user's settings; and no shell. Whoever is left is killed when the bench drops it,
//! and by [`kill_all`] when the bench is told to stop at once.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time;

/// What is kept of each of a child's outputs, in bytes; what is longer is read and forgotten.
const OUTPUT_BYTES_MAX: u64 = 256 * 1024;

/// The groups of children that live.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// What became of a child.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status; `None` if its time was up and it was killed.
    pub status: Option<ExitStatus>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// The command `program`, to be given arguments. It inherits nothing but the search path.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    #[cfg(unix)]
    command.process_group(0);
    command.kill_on_drop(true);
    command
}

/// Runs `command` to its end, or to the end of `limit`.
///
/// # Errors
///
/// If it cannot be started.
pub async fn run(mut command: Command, limit: Duration) -> io::Result<Finished> {
    let mut child = Group::spawn(&mut command)?;
    let (stdout, stderr) = (child.child.stdout.take(), child.child.stderr.take());
    let outputs = async { tokio::join!(kept(stdout), kept(stderr)) };
    let ended = async { tokio::join!(child.child.wait(), outputs) };
    match time::timeout(limit, ended).await {
        Ok((status, (stdout, stderr))) => Ok(Finished { status: Some(status?), stdout, stderr }),
        Err(_) => Ok(Finished { status: None, stdout: Vec::new(), stderr: Vec::new() }),
    }
}

/// Reads an output to its end.
pub async fn kept(output: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let Some(mut output) = output else { return Vec::new() };
    let mut bytes = Vec::new();
    // An output that breaks off ends there.
    let _ = (&mut output).take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    bytes
}

/// A child that is killed, with its group, when this is dropped before it has ended.
#[derive(Debug)]
pub struct Group {
    /// The child.
    pub child: Child,
    guard: Option<GroupGuard>,
}

impl Group {
    /// Starts `command`.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.spawn()?;
        let guard = child.id().map(GroupGuard::new);
        Ok(Self { child, guard })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Once it has been waited for, its number may be somebody else's.
        if let (None, Some(guard)) = (self.child.id(), self.guard.take()) {
            guard.release();
        }
    }
}

/// Holds a group of processes: it is killed when this is dropped, and by [`kill_all`].
#[derive(Debug)]
pub struct GroupGuard(u32);

impl GroupGuard {
    /// Holds the group `number`, which is that of its first process.
    pub fn new(number: u32) -> Self {
        groups().insert(number);
        Self(number)
    }

    /// The group is gone.
    pub fn release(self) {
        groups().remove(&self.0);
        std::mem::forget(self);
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        groups().remove(&self.0);
        kill(self.0);
    }
}

/// Kills every child that lives: the bench is told to stop at once.
pub fn kill_all() {
    for number in std::mem::take(&mut *groups()) {
        kill(number);
    }
}

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn kill(number: u32) {
    let pid = i32::try_from(number).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

/// Elsewhere there are no groups of processes: `kill_on_drop` has to do.
#[cfg(not(unix))]
fn kill(_: u32) {}
