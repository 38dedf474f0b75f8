//! A server of this machine, started for one run: an ordinary user runs it, its words go into a file of the run's, and it ends
//! with all that it started, with the run or with the bench.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use blame::Error;
use host::process::{self, GroupGuard};

/// How long a server may take to say that it runs: it takes milliseconds.
const START_LIMIT: Duration = Duration::from_secs(10);
/// What is kept of its log, in bytes.
const LOG_BYTES_MAX: u64 = 1024 * 1024;
/// How often another set of ports is tried, if somebody took one between its choice and the server's start.
const ATTEMPTS: usize = 5;

/// What servers say if somebody else has a port of theirs (strerror(3) of EADDRINUSE, in the locale `C`).
const PORT_TAKEN: &str = "Address already in use";

/// Why a server does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRunning {
    /// Somebody has taken a port since it was chosen; what the server says of it.
    PortTaken(String),
    /// It does not take its configuration; what it says of it.
    Refuses(String),
    /// It could not be prepared or started.
    Failed(Error),
}

impl NotRunning {
    /// As an error: `refused` makes one of what a server says of its configuration.
    pub fn or_refused(self, refused: impl FnOnce(&str) -> Error) -> Error {
        match self {
            Self::PortTaken(words) | Self::Refuses(words) => refused(&words),
            Self::Failed(error) => error,
        }
    }

    /// The same with other words of the server's.
    pub fn in_words(self, words: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::PortTaken(said) => Self::PortTaken(words(&said)),
            Self::Refuses(said) => Self::Refuses(words(&said)),
            Self::Failed(error) => Self::Failed(error),
        }
    }
}

impl From<Error> for NotRunning {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Starts the server `name` on free ports of the loopback; on others, if somebody takes one between its choice and the start.
/// `start` lets go of the ports when all are chosen.
///
/// # Errors
///
/// Those of `start`; or that there is no free port.
pub(crate) fn on_free_ports<T>(
    name: &str,
    mut start: impl FnMut(FreePorts) -> Result<T, NotRunning>,
) -> Result<T, NotRunning> {
    let mut words = String::new();
    for _ in 0..ATTEMPTS {
        match start(FreePorts::default()) {
            Err(NotRunning::PortTaken(said)) => words = said,
            other => return other,
        }
    }
    Err(Error::bench(format!("{name} finds no free port: {words}")).into())
}

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
    pub fn start(mut command: Command, log_file: PathBuf, running: Option<&'static str>) -> Result<Self, NotRunning> {
        command.env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        process::ends_with_us(&mut command);
        let mut child = command.spawn().map_err(|error| Error::file(Path::new(command.get_program()), error))?;
        // What was handed to the child is the child's alone from here on.
        drop(command);
        let guard = Some(GroupGuard::new(child.id()));
        let log = File::create(&log_file).map_err(|error| Error::file(&log_file, error))?;
        let (send, said) = mpsc::channel();
        let stderr = child.stderr.take();
        let reader = stderr.map(|stderr| thread::spawn(move || listen(stderr, log, running, &send)));
        let server = Self { child, guard, reader, log_file };
        match running.map_or(Ok(()), |_| wait_until_it_runs(&said)) {
            Ok(()) => Ok(server),
            Err(why) => {
                let words = server.finish().lines().collect::<Vec<&str>>().join("; ");
                let words = if words.is_empty() { why.to_owned() } else { words };
                Err(if words.contains(PORT_TAKEN) { NotRunning::PortTaken } else { NotRunning::Refuses }(words))
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

/// Copies the log to its file, and says when the server runs. A server repeats what its clients say: nothing of that is obeyed by
/// whoever shows the file.
fn listen(stderr: impl Read, mut log: impl Write, running: Option<&str>, told: &Sender<()>) {
    let mut lines = BufReader::new(stderr.take(LOG_BYTES_MAX));
    let mut line = Vec::new();
    while matches!(lines.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let text = String::from_utf8_lossy(&line);
        let _ = log.write_all(terminal::clean::text(&text).as_bytes());
        if running.is_some_and(|running| text.contains(running)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_repeats_of_its_clients_is_obeyed_by_nobody() {
        let said = b"1700000000: mosquitto running\n1: client x\x1b]0;title\x07\xe2\x80\xae\xc2\x9b2J gone\r\n";
        let (mut log, (send, told)) = (Vec::new(), mpsc::channel());
        listen(&said[..], &mut log, Some(" running\n"), &send);
        assert!(told.try_recv().is_ok(), "it runs");
        let shown = "1: client x\\u{1b}]0;title\\u{7}\\u{202e}\\u{9b}2J gone\\r\n";
        assert_eq!(String::from_utf8_lossy(&log), format!("1700000000: mosquitto running\n{shown}"));
    }

    #[test]
    fn other_ports_are_tried_as_long_as_somebody_takes_them() {
        let mut seen = Vec::new();
        let port = on_free_ports("it", |mut free| {
            let port = free.take().expect("a port");
            seen.push(port);
            if seen.len() < 3 { Err(NotRunning::PortTaken("taken".into())) } else { Ok(port) }
        });
        assert_eq!(port, Ok(seen[2]));
        let never = on_free_ports::<()>("it", |_| Err(NotRunning::PortTaken("taken".into())));
        assert_eq!(never, Err(NotRunning::Failed(Error::bench("it finds no free port: taken"))));
        let mut starts = 0;
        let refused = on_free_ports::<()>("it", |_| {
            starts += 1;
            Err(NotRunning::Refuses("no such option".into()))
        });
        assert_eq!((refused, starts), (Err(NotRunning::Refuses("no such option".into())), 1));
    }
}
