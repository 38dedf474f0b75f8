//! The socket by which a virtual board is flashed, reset, given power, and made to fail.
//!
//! One request a connection: a line of words, answered by `ok`, by `ok` and words, or by `failed`, the kind of a fault, and words.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::names::Socket;
use crate::flasher::{FaultKind, ProbeFault};

/// No request and no answer is longer, in bytes.
const LINE_BYTES_MAX: u64 = 8 * 1024;
/// Whoever connects has said what they want within this time.
const PATIENCE: Duration = Duration::from_millis(500);
/// So many askers are left without an answer, before the first of them is hung up on.
const FORSAKEN_MAX: usize = 64;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// `attach`
    Attach,
    /// `load FILE`: flash it, and hold the chip in reset.
    Load(PathBuf),
    /// `reset`: let the chip go.
    Reset,
    /// `erase`
    Erase,
    /// `usb_reset`
    UsbReset,
    /// `power off`
    PowerOff,
    /// `power on`
    PowerOn,
    /// `fault WORDS`
    Fault(String),
    /// `state`
    State,
    /// `quit`
    Quit,
}

/// How a request is answered.
#[derive(Debug)]
pub(super) enum Answering {
    /// By doing it.
    Properly,
    /// Not at all; the connection stays open.
    Never,
    /// By closing the connection.
    HangUp,
    /// By this fault.
    With(ProbeFault),
}

/// The listening socket.
pub(super) struct Control {
    socket: Socket,
    /// Those who are never answered.
    forsaken: Vec<UnixStream>,
}

/// The one who asked.
pub(super) struct Reply(UnixStream);

impl Reply {
    pub(super) fn say(mut self, result: &Result<String, ProbeFault>) {
        let line = match result {
            Ok(words) => format!("ok {words}\n"),
            Err(fault) => format!("failed {} {}\n", fault.kind.name(), fault.words),
        };
        // Who does not wait for the answer does not want it.
        let _ = self.0.write_all(line.as_bytes());
    }
}

impl Control {
    pub(super) fn listen(path: &Path) -> io::Result<Self> {
        Ok(Self { socket: Socket::listen(path)?, forsaken: Vec::new() })
    }

    /// The next request that is to be answered properly.
    pub(super) fn take(&mut self, answering: impl Fn(&Request) -> Answering) -> io::Result<Option<(Request, Reply)>> {
        let stream = match self.socket.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        let Ok(line) = read_line(&stream, PATIENCE) else { return Ok(None) };
        let request = match parse(&line) {
            Ok(request) => request,
            Err(fault) => {
                Reply(stream).say(&Err(fault));
                return Ok(None);
            }
        };
        match answering(&request) {
            Answering::Properly => return Ok(Some((request, Reply(stream)))),
            Answering::Never => {
                if self.forsaken.len() >= FORSAKEN_MAX {
                    self.forsaken.remove(0);
                }
                self.forsaken.push(stream);
            }
            Answering::HangUp => drop(stream),
            Answering::With(fault) => Reply(stream).say(&Err(fault)),
        }
        Ok(None)
    }

    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.socket.listener, PollFlags::IN)
    }
}

fn parse(line: &str) -> Result<Request, ProbeFault> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    Ok(match (word, rest) {
        ("attach", "") => Request::Attach,
        ("load", file) if !file.is_empty() => Request::Load(file.into()),
        ("reset", "") => Request::Reset,
        ("erase", "") => Request::Erase,
        ("usb_reset", "") => Request::UsbReset,
        ("power", "off") => Request::PowerOff,
        ("power", "on") => Request::PowerOn,
        ("fault", words) => Request::Fault(words.to_owned()),
        ("state", "") => Request::State,
        ("quit", "") => Request::Quit,
        _ => {
            return Err(ProbeFault::new(FaultKind::Other, format!("no such request: {}", line.escape_debug())));
        }
    })
}

/// Whether a line is a request that a virtual board understands.
pub fn is_request(line: &str) -> bool {
    parse(line).is_ok()
}

fn read_line(stream: &UnixStream, patience: Duration) -> io::Result<String> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(patience))?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Asks the board that listens at `socket`, as long as it takes.
///
/// # Errors
///
/// If nobody listens, the connection is closed, or the answer is a fault.
pub fn ask(socket: &Path, request: &str) -> Result<String, ProbeFault> {
    // A probe that hangs: whoever asks has a limit of their own, and is killed at it.
    ask_within(socket, request, Duration::from_secs(3600))
}

/// Asks the board that listens at `socket`, for an answer within `limit`.
///
/// # Errors
///
/// As [`ask`], and if there is no answer within the limit.
pub fn ask_within(socket: &Path, request: &str, limit: Duration) -> Result<String, ProbeFault> {
    let fault = |kind, error: &dyn fmt::Display| ProbeFault::new(kind, format!("{}: {error}", socket.display()));
    let io = |error: io::Error| fault(FaultKind::ProbeVanished, &error);
    let mut stream = UnixStream::connect(socket).map_err(|error| fault(FaultKind::ProbeAbsent, &error))?;
    stream.write_all(format!("{request}\n").as_bytes()).map_err(io)?;
    let line = read_line(&stream, limit).map_err(io)?;
    match line.split_once(' ').unwrap_or((&line, "")) {
        ("ok", words) => Ok(words.to_owned()),
        ("failed", words) => {
            let (kind, words) = words.split_once(' ').unwrap_or((words, ""));
            Err(ProbeFault::new(FaultKind::of_name(kind), words))
        }
        _ => Err(fault(FaultKind::ProbeVanished, &"it hung up")),
    }
}
