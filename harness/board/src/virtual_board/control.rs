//! The socket by which a virtual board is flashed, reset, given power, and made to fail.
//!
//! One request a connection: a line of words, answered by `ok`, by `ok` and words, or by `failed` and words.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::names::Socket;

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
    /// By these words of failure.
    With(String),
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
    pub(super) fn say(mut self, result: &Result<String, String>) {
        let line = match result {
            Ok(words) => format!("ok {words}\n"),
            Err(words) => format!("failed {words}\n"),
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
            Err(words) => {
                Reply(stream).say(&Err(words));
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
            Answering::With(words) => Reply(stream).say(&Err(words)),
        }
        Ok(None)
    }

    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.socket.listener, PollFlags::IN)
    }
}

fn parse(line: &str) -> Result<Request, String> {
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
            let mut words = String::from("other no such request: ");
            let _ = write!(words, "{}", line.escape_debug());
            return Err(words);
        }
    })
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
/// If nobody listens, the connection is closed, or the answer is one of failure: its words.
pub fn ask(socket: &Path, request: &str) -> Result<String, String> {
    // A probe that hangs: whoever asks has a limit of their own, and is killed at it.
    ask_within(socket, request, Duration::from_secs(3600))
}

/// Asks the board that listens at `socket`, for an answer within `limit`.
///
/// # Errors
///
/// As [`ask`], and if there is no answer within the limit.
pub fn ask_within(socket: &Path, request: &str, limit: Duration) -> Result<String, String> {
    let io = |error: io::Error| format!("probe_vanished {}: {error}", socket.display());
    let mut stream =
        UnixStream::connect(socket).map_err(|error| format!("probe_absent {}: {error}", socket.display()))?;
    stream.write_all(format!("{request}\n").as_bytes()).map_err(io)?;
    let line = read_line(&stream, limit).map_err(io)?;
    match line.split_once(' ').unwrap_or((&line, "")) {
        ("ok", words) => Ok(words.to_owned()),
        ("failed", words) => Err(words.to_owned()),
        _ => Err(format!("probe_vanished {} hung up", socket.display())),
    }
}
