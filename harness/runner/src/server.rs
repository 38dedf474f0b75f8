//! A server of this machine, started for one run: an ordinary user runs it, its words go into a file of the run's, and it ends
//! with all that it started, with the run or with the bench.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use host::process::{self, GroupGuard};

/// How long a server may take to say that it runs: it takes milliseconds.
const START_LIMIT: Duration = Duration::from_secs(10);
/// What is kept of its log, in bytes.
const LOG_BYTES_MAX: u64 = 1024 * 1024;
/// How often another set of ports is tried, if somebody took one between its choice and the server's start.
pub(crate) const ATTEMPTS: usize = 5;

/// A server that runs. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    guard: Option<GroupGuard>,
    reader: Option<JoinHandle<()>>,
    log_file: PathBuf,
}

impl Server {
    /// Starts it; what it says goes into `log_file`. It runs once a line of its log has `running` in it; `None`: as soon as it is
    /// started, since its listener was handed to it.
    ///
    /// # Errors
    ///
    /// What it said before it ended, or why it could not be started.
    pub fn start(mut command: Command, log_file: PathBuf, running: Option<&'static str>) -> Result<Self, String> {
        command.env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        process::ends_with_us(&mut command);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        // What was handed to the child is the child's alone from here on.
        drop(command);
        let guard = Some(GroupGuard::new(child.id()));
        let log = File::create(&log_file).map_err(|error| format!("{}: {error}", log_file.display()))?;
        let (send, said) = mpsc::channel();
        let stderr = child.stderr.take();
        let reader = stderr.map(|stderr| thread::spawn(move || listen(stderr, log, running, &send)));
        let server = Self { child, guard, reader, log_file };
        match running.map_or(Ok(()), |_| wait_until_it_runs(&said)) {
            Ok(()) => Ok(server),
            Err(why) => {
                let words = server.finish().lines().collect::<Vec<&str>>().join("; ");
                Err(if words.is_empty() { why.to_owned() } else { words })
            }
        }
    }

    /// Ends it, and tells what it had to say.
    pub fn finish(mut self) -> String {
        self.end();
        fs::read_to_string(&self.log_file).unwrap_or_default()
    }

    fn end(&mut self) {
        // Killed, not asked: nothing of it is needed any more, and its log is unbuffered. It has not been waited for
        // yet, so that its number is still its own.
        drop(self.guard.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Copies the log to its file, and says when the server runs.
fn listen(stderr: ChildStderr, mut log: File, running: Option<&str>, told: &Sender<()>) {
    let mut lines = BufReader::new(stderr.take(LOG_BYTES_MAX));
    let mut line = Vec::new();
    while matches!(lines.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let _ = log.write_all(&line);
        if running.is_some_and(|running| String::from_utf8_lossy(&line).contains(running)) {
            let _ = told.send(());
        }
        line.clear();
    }
    // What it says beyond that is read and forgotten, so that it does not wait for a reader.
    let _ = io::copy(&mut lines.into_inner().into_inner(), &mut io::sink());
}

fn wait_until_it_runs(said: &Receiver<()>) -> Result<(), &'static str> {
    said.recv_timeout(START_LIMIT).map_err(|error| match error {
        RecvTimeoutError::Timeout => "it did not say that it runs",
        RecvTimeoutError::Disconnected => "it ended at once",
    })
}

/// Ports that nobody had when they were asked for. They are held until all are chosen, so that they differ.
#[derive(Default)]
pub(crate) struct FreePorts(Vec<TcpListener>);

impl FreePorts {
    /// One more, of the loopback.
    pub fn take(&mut self) -> io::Result<u16> {
        let (address, listener) = listener()?;
        self.0.push(listener);
        Ok(address.port())
    }
}

/// A listener on a free port of the loopback, for a server that is handed one.
pub(crate) fn listener() -> io::Result<(SocketAddr, TcpListener)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok((listener.local_addr()?, listener))
}
