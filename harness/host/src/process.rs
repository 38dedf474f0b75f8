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
    ends_with_us(command.as_std_mut());
    command
}

/// Lets a child end with this process, however this one ends: killed, too. So the kernel has to see to it (prctl(2),
/// `PR_SET_PDEATHSIG`), and elsewhere a process that waits for the end of a pipe.
///
/// The kernel means the thread that starts the child: it has to live as long as the child does.
pub fn ends_with_us(command: &mut std::process::Command) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
        use std::os::unix::process::CommandExt as _;
        let us = getpid();
        let before_exec = move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // Between the fork and that call this process may have ended.
            if getppid() == Some(us) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        };
        // SAFETY: the closure makes two system calls, and neither allocates nor locks.
        unsafe { command.pre_exec(before_exec) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// A process that kills the group `number` when this one ends: at the end of its standard input, which only this one has.
#[cfg(all(unix, any(test, not(target_os = "linux"))))]
fn watcher(number: u32) -> io::Result<std::process::Child> {
    use std::os::unix::process::CommandExt as _;
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "read -r nothing; kill -s KILL -- \"-$0\"", &number.to_string()]);
    shell.env_clear().process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
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
pub struct GroupGuard {
    number: u32,
    is_gone: bool,
    #[cfg(all(unix, not(target_os = "linux")))]
    watcher: Option<std::process::Child>,
}

impl GroupGuard {
    /// Holds the group `number`, which is that of its first process.
    pub fn new(number: u32) -> Self {
        groups().insert(number);
        Self {
            number,
            is_gone: false,
            // Without one, the group may outlive a bench that is killed; that is no reason to run nothing.
            #[cfg(all(unix, not(target_os = "linux")))]
            watcher: watcher(number).ok(),
        }
    }

    /// The group is gone.
    pub fn release(mut self) {
        self.is_gone = true;
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        #[cfg(all(unix, not(target_os = "linux")))]
        if let Some(mut watcher) = self.watcher.take() {
            // Before its input ends: the number may be somebody else's by then.
            let _ = watcher.kill();
            let _ = watcher.wait();
        }
        groups().remove(&self.number);
        if !self.is_gone {
            kill(self.number);
        }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};

    #[test]
    fn a_watcher_kills_the_group_at_the_end_of_its_input() {
        let mut sleep = std::process::Command::new("sleep");
        let mut child = sleep.arg("3600").process_group(0).spawn().expect("it starts");
        let mut watcher = watcher(child.id()).expect("it starts");
        assert!(child.try_wait().expect("it is ours").is_none());
        // As when this process is killed.
        drop(watcher.stdin.take());
        assert_eq!(child.wait().expect("it is ours").signal(), Some(rustix::process::Signal::KILL.as_raw()));
        assert!(watcher.wait().expect("it is ours").success());
    }
}
