//! A real mosquitto, started for one run on free ports of the loopback, with its files in the run's own folder.

pub mod conf;
pub mod privileges;
pub mod relay;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use board::Board;
use clock::UnixTime;
use host::folder::Folder;
use pki::Minted;
use scenario::{Date, Scenario};

use self::privileges::User;
use self::relay::Relay;
use crate::bench;
use crate::controls::tools::{self, Missing};
use crate::stack::Stack;
use host::process::{self, GroupGuard};
use judge::{Account, Evidence};

/// How long mosquitto may take to say that it runs: it takes milliseconds.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How often another set of ports is tried, if somebody took one between its choice and mosquitto's start.
const ATTEMPTS: usize = 5;
/// What mosquitto says once its listeners are open (`mosquitto_main_loop` is next, src/mosquitto.c).
const RUNNING: &str = " running";
/// What is kept of its log, in bytes.
const LOG_BYTES_MAX: u64 = 1024 * 1024;

/// The programs that it takes, or what is missing.
///
/// # Errors
///
/// If mosquitto is not installed.
pub fn installed() -> Result<Programs, Missing> {
    Ok(Programs { broker: tools::mosquitto()?, passwords: tools::mosquitto_passwd()? })
}

/// mosquitto's programs on this machine.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The broker.
    pub broker: PathBuf,
    /// The writer of password files.
    pub passwords: PathBuf,
}

/// A mosquitto that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Mosquitto {
    child: Child,
    guard: Option<GroupGuard>,
    reader: Option<JoinHandle<()>>,
    ports: BTreeMap<u16, SocketAddr>,
    log_file: PathBuf,
    /// Last: nobody uses it any more.
    _folder: Folder,
}

impl Mosquitto {
    /// Starts the broker of `scenario`. Its configuration and its log go into `folder`; what it needs besides, keys and
    /// hashes of passwords among it, is for no other user, and gone when it is.
    ///
    /// # Errors
    ///
    /// A sentence, if mosquitto does not take its configuration or the disk refuses.
    pub fn start(scenario: &Scenario, minted: &Minted, folder: &Path, programs: &Programs) -> Result<Self, String> {
        let failed = |error: io::Error| format!("mosquitto cannot be prepared: {error}");
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(failed)?;
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let user = User::in_roots_place();
        let mut why = String::new();
        for _ in 0..ATTEMPTS {
            let mut free = FreePorts::default();
            // Not the folder of the run's artefacts: an ordinary user may not get through to it.
            let own = Folder::new("mosquitto").map_err(failed)?;
            let configuration = conf::relocated(scenario, own.path(), &mut |_| free.take())?;
            conf::write_files(scenario, minted, &configuration, programs)?;
            let file = own.path().join("mosquitto.conf");
            let shown = folder.join("mosquitto.conf");
            for file in [&file, &shown] {
                fs::write(file, &configuration.text).map_err(failed)?;
            }
            if let Some(user) = &user {
                user.owns(own.path()).map_err(failed)?;
            }
            drop(free);
            match Self::spawn(&file, own, folder, &configuration, programs, user.as_ref()) {
                Ok(mosquitto) => return Ok(mosquitto),
                Err(words) if words.contains("Address already in use") => why = words,
                Err(words) => return Err(format!("mosquitto does not take {}: {words}", shown.display())),
            }
        }
        Err(format!("mosquitto finds no free port: {why}"))
    }

    /// Where the listener for `port` of the configuration is.
    pub fn address(&self, port: u16) -> Option<SocketAddr> {
        self.ports.get(&port).copied()
    }

    /// All listeners, by their ports in the configuration.
    pub fn addresses(&self) -> BTreeMap<u16, SocketAddr> {
        self.ports.clone()
    }

    /// Ends it, and tells what it had to say, line by line, without times.
    pub fn finish(mut self) -> Vec<String> {
        self.end();
        fs::read_to_string(&self.log_file).unwrap_or_default().lines().map(without_time).collect()
    }

    fn spawn(
        file: &Path,
        own: Folder,
        artefacts: &Path,
        conf: &conf::Relocated,
        programs: &Programs,
        user: Option<&User>,
    ) -> Result<Self, String> {
        let mut command = Command::new(&programs.broker);
        command.arg("-c").arg(file).current_dir(own.path()).env_clear().env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        if let Some(user) = user {
            user.runs(&mut command);
        }
        process::ends_with_us(&mut command);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let guard = Some(GroupGuard::new(child.id()));
        let log_file = artefacts.join("mosquitto.log");
        let log = File::create(&log_file).map_err(|error| error.to_string())?;
        let (send, said) = mpsc::channel();
        let stderr = child.stderr.take();
        let reader = stderr.map(|stderr| thread::spawn(move || listen(stderr, log, &send)));
        let mosquitto = Self { child, guard, reader, ports: conf.ports.clone(), log_file, _folder: own };
        match wait_until_it_runs(&said) {
            Ok(()) => Ok(mosquitto),
            Err(why) => {
                let words = mosquitto.finish().join("; ");
                Err(if words.is_empty() { why.to_owned() } else { words })
            }
        }
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

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.end();
    }
}

/// What came of a run with a real broker.
#[derive(Debug)]
pub enum Met {
    /// Its evidence, and what mosquitto had to say.
    Held(Box<Evidence>, Vec<String>),
    /// It was not run: mosquitto is not there.
    Missing(Missing),
}

/// Runs `scenario` with `stack` on `board` and a real mosquitto as its broker, whose files go into `folder`.
///
/// mosquitto judges certificates of clients by this machine's clock. So the run's date is `today`, and certificates are
/// minted for it, with the seed's keys.
///
/// # Errors
///
/// If the bench cannot do its part.
pub fn meet(
    scenario: &Scenario,
    stack: &Stack,
    board: &mut dyn Board,
    seed: u64,
    today: UnixTime,
    folder: &Path,
) -> Result<Met, String> {
    let programs = match installed() {
        Ok(programs) => programs,
        Err(missing) => return Ok(Met::Missing(missing)),
    };
    let scenario = Scenario { date: Date(today), ..scenario.clone() };
    let minted = bench::mint(&scenario, seed).map_err(|fault| fault.to_string())?;
    let mosquitto = Mosquitto::start(&scenario, &minted, folder, &programs)?;
    let relay = Box::new(Relay::new(mosquitto.addresses()));
    let evidence = bench::run_with(&scenario, &minted, relay, stack, board, seed).map_err(|fault| fault.to_string())?;
    Ok(Met::Held(Box::new(evidence), mosquitto.finish()))
}

/// Adds what a broker has logged to a run's transcript.
pub fn tell_log(transcript: &mut String, log: &[String]) {
    for line in log {
        transcript.push_str("\nmosquitto  ");
        transcript.push_str(line);
    }
}

/// What of a run with a real broker is the same every time: the snapshot's text.
pub fn essence(stack: &str, account: &Account) -> String {
    let words =
        if account.device_words.is_empty() { String::new() } else { format!("\ndevice     {}", account.device_words) };
    format!(
        "broker     mosquitto, in wall time: not byte-reproducible\nstack      {stack}{words}\nending     {account}"
    )
}

/// Copies the log to its file, and says when mosquitto runs.
fn listen(stderr: ChildStderr, mut log: File, running: &Sender<()>) {
    let mut lines = BufReader::new(stderr.take(LOG_BYTES_MAX));
    let mut line = Vec::new();
    while matches!(lines.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let _ = log.write_all(&line);
        if String::from_utf8_lossy(&line).trim_end().ends_with(RUNNING) {
            let _ = running.send(());
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

/// `1700000000: words` as mosquitto logs it.
fn without_time(line: &str) -> String {
    match line.split_once(": ") {
        Some((time, words)) if time.bytes().all(|byte| byte.is_ascii_digit()) => words.to_owned(),
        _ => line.to_owned(),
    }
}

/// Ports that nobody had when they were asked for. They are held until all are chosen, so that they differ.
#[derive(Default)]
struct FreePorts(Vec<TcpListener>);

impl FreePorts {
    fn take(&mut self) -> io::Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        self.0.push(listener);
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_loses_its_time_and_nothing_else() {
        assert_eq!(without_time("1700000000: Client x: gone"), "Client x: gone");
        assert_eq!(without_time("Error: no"), "Error: no");
    }
}
