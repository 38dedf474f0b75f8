//! Holding a place: `hold.py` does it, and this looks after it and after what is to run meanwhile.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use blame::Error;
use clap::Args;

use crate::exit;

/// What holds a place, for labgrid's Python.
const SCRIPT: &str = include_str!("hold.py");

/// Hold a place.
#[derive(Debug, Args)]
#[command(after_help = "\
Example, with `serial = \"/run/lock/left.serial\"` in ci/rack/left.toml:
  cargo xtask labgrid hold --place left --serial /run/lock/left.serial -- \\
      cargo xtask hil --board esp32c3 --on hardware --only left")]
pub struct Hold {
    /// The place, as `labgrid-client places` lists it
    #[arg(long, value_name = "NAME")]
    pub place: String,
    /// The name under which its serial port appears here
    #[arg(long, value_name = "LINK")]
    pub serial: PathBuf,
    /// The coordinator [default: LG_COORDINATOR, else 127.0.0.1:20408]
    #[arg(long, value_name = "HOST:PORT")]
    pub coordinator: Option<String>,
    /// What is run while the place is held; without it, the place is held until Ctrl-C
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// What may happen while a place is held.
enum Event {
    Interrupted,
    /// The holder has ended.
    Lost,
    /// The command has, with this exit code.
    Ended(u8),
}

/// Holds the place until the command has ended, or until Ctrl-C. Ends as the command does.
///
/// # Errors
///
/// What labgrid says, with the remedy.
pub fn run(environment: &Path, arguments: &Hold) -> blame::Result<u8> {
    let (events, happened) = mpsc::channel();
    let interrupted = events.clone();
    // A command in the foreground gets the terminal's Ctrl-C by itself.
    ctrlc::set_handler(move || drop(interrupted.send(Event::Interrupted))).map_err(Error::bench)?;
    let holder = Holder::start(environment, arguments, &events)?;
    terminal::errln!("holding {}; its serial port is {}", arguments.place, arguments.serial.display());
    let code = match arguments.command.split_first() {
        Some((program, words)) => meanwhile(program, words, events, &happened)?,
        None => wait(&happened),
    };
    holder.release()?;
    code.ok_or_else(|| Error::bench(format!("{} was lost", arguments.place)))
}

/// Without a command: until Ctrl-C. `None` if the place is lost.
fn wait(happened: &Receiver<Event>) -> Option<u8> {
    match happened.recv() {
        Ok(Event::Interrupted | Event::Ended(_)) => Some(exit::INTERRUPTED.code),
        Ok(Event::Lost) | Err(_) => None,
    }
}

/// Runs a command to its end. If the place is lost before, the command will notice by itself, and report.
fn meanwhile(
    program: &OsString,
    words: &[OsString],
    events: Sender<Event>,
    happened: &Receiver<Event>,
) -> blame::Result<Option<u8>> {
    let mut child = Command::new(program)
        .args(words)
        .spawn()
        .map_err(|error| Error::bench(format!("{}: {error}", program.to_string_lossy())))?;
    thread::spawn(move || {
        let code = child.wait().ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
        drop(events.send(Event::Ended(code.unwrap_or(exit::BENCH_FAILED.code))));
    });
    let mut is_lost = false;
    loop {
        match happened.recv() {
            Ok(Event::Ended(code)) => return Ok(Some(code).filter(|_| !is_lost)),
            Ok(Event::Lost) => is_lost = true,
            Ok(Event::Interrupted) => {}
            Err(_) => return Ok(None),
        }
    }
}

/// The process that holds the place. It lets go when its standard input ends, and so if this process is killed.
struct Holder {
    process: Child,
    input: Option<ChildStdin>,
}

impl Holder {
    fn start(environment: &Path, arguments: &Hold, events: &Sender<Event>) -> blame::Result<Self> {
        let python = super::program(environment, "python");
        if !python.exists() {
            return Err(Error::bench("labgrid is not installed: `cargo xtask labgrid install`"));
        }
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT]).arg(&arguments.place).arg(&arguments.serial);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(coordinator) = &arguments.coordinator {
            command.env("LG_COORDINATOR", coordinator);
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            // The terminal's Ctrl-C is not for it: it ends last.
            command.process_group(0);
        }
        let mut process =
            command.spawn().map_err(|error| Error::bench(format!("labgrid's Python does not start: {error}")))?;
        let input = process.stdin.take();
        let mut said =
            BufReader::new(process.stdout.take().ok_or_else(|| Error::bench("labgrid's Python has no output"))?);
        let mut holder = Self { process, input };
        let mut line = String::new();
        let is_ready = said.read_line(&mut line).is_ok() && line.trim_end() == "ready";
        if !is_ready {
            return Err(Error::bench(holder.last_words()));
        }
        let events = events.clone();
        thread::spawn(move || {
            // It says nothing more: its output ends when it does.
            let _ = said.read_to_end(&mut Vec::new());
            drop(events.send(Event::Lost));
        });
        Ok(holder)
    }

    /// Lets the place go, and waits until that is done.
    fn release(mut self) -> blame::Result<()> {
        drop(self.input.take());
        let words = self.last_words();
        match self.process.wait() {
            Ok(status) if status.success() => Ok(()),
            _ if words.is_empty() => Err(Error::bench("labgrid ended without a word")),
            _ => Err(Error::bench(words)),
        }
    }

    /// The end of what it had to complain about: the line that tells, not the traceback before it.
    fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(stderr) = self.process.stderr.take() {
            let _ = stderr.take(64 * 1024).read_to_string(&mut words);
        }
        words.trim_end().lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
