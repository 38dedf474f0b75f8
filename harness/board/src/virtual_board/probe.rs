//! The flashing process of a virtual board, without probe-rs: the protocol of [`crate::flasher`] on standard input and
//! output, handed on to the board's control socket.
//!
//! It loads images whole, as the emulated arm does, and so needs no debug module. It is what the bench's own tests of
//! ports, locks and recovery use; the way through probe-rs is tested with the crate `probe`.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use super::control::ask;
use crate::flasher::protocol::{Answer, Request};
use crate::flasher::{FaultKind, Operation, ProbeFault, Progress};

/// What a selector begins with that names a virtual board's control socket.
pub const SELECTOR: &str = "control:";
/// No request is longer, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Serves requests until standard input ends, and then ends the process, whatever it is at.
///
/// # Errors
///
/// If standard output is gone.
pub fn serve() -> io::Result<()> {
    let (send, requests) = mpsc::channel();
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut line = String::new();
        while input.by_ref().take(LINE_BYTES_MAX).read_line(&mut line).is_ok_and(|count| count > 0) {
            if send.send(std::mem::take(&mut line)).is_err() {
                break;
            }
        }
        // A board that never answers must not be held for a bench that has gone.
        std::process::exit(0);
    });
    let mut board: Option<PathBuf> = None;
    for line in requests {
        let answer = match serde_json::from_str(&line) {
            Ok(Request::Quit) => return Ok(()),
            Ok(request) => fulfil(&mut board, request)?,
            Err(error) => Answer::Failed(ProbeFault::new(FaultKind::Other, format!("no request: {error}"))),
        };
        say(&answer)?;
    }
    Ok(())
}

fn say(answer: &Answer) -> io::Result<()> {
    let mut output = io::stdout().lock();
    serde_json::to_writer(&mut output, answer)?;
    output.write_all(b"\n")?;
    output.flush()
}

fn fulfil(board: &mut Option<PathBuf>, request: Request) -> io::Result<Answer> {
    let result = match (request, &*board) {
        (Request::List, _) => return Ok(Answer::Probes { probes: Vec::new() }),
        (Request::Attach { selector, .. }, _) => match selector.strip_prefix(SELECTOR) {
            Some(socket) => {
                *board = Some(socket.into());
                ask(Path::new(socket), "attach")
            }
            None => Err(ProbeFault::new(FaultKind::ProbeAbsent, format!("{selector} is no virtual board"))),
        },
        (_, None) => Err(ProbeFault::new(FaultKind::ProbeAbsent, "nothing is attached")),
        (Request::Flash { elf, .. }, Some(socket)) => {
            let total_bytes = std::fs::metadata(&elf).ok().map(|file| file.len());
            say(&Answer::Progress(Progress { operation: Operation::Program, done_bytes: 0, total_bytes }))?;
            ask(socket, &format!("load {elf}"))
        }
        (Request::Reset, Some(socket)) => ask(socket, "reset"),
        (Request::Erase, Some(socket)) => ask(socket, "erase"),
        (Request::Quit, Some(_)) => Ok(String::new()),
    };
    Ok(match result {
        Ok(_) => Answer::Done,
        Err(fault) => Answer::Failed(fault),
    })
}
