//! The conversation with the bench.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use board::flasher::protocol::{Answer, Request};
use board::flasher::{FaultKind, ProbeFault};
use probe_rs::Session;

use crate::{attach, flash};

/// No request is longer, in bytes.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// Answers requests until standard input ends, or until it is told to quit.
pub fn serve() -> ExitCode {
    let (sender, requests) = sync_channel(1);
    thread::spawn(move || read(&sender));
    answer_all(&requests);
    ExitCode::SUCCESS
}

/// Reads requests. At the end of standard input the bench is dead, and the process ends, whatever it does: it must not
/// hold the probe any longer.
fn read(requests: &SyncSender<Result<Request, ProbeFault>>) {
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let length = input.by_ref().take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line);
        if !matches!(length, Ok(1..)) {
            std::process::exit(0);
        }
        let request = serde_json::from_slice(&line)
            .map_err(|error| ProbeFault::new(FaultKind::Garbled, format!("that is no request: {error}")));
        if requests.send(request).is_err() {
            return;
        }
    }
}

fn answer_all(requests: &Receiver<Result<Request, ProbeFault>>) {
    let mut session = None;
    while let Ok(request) = requests.recv() {
        let answer = match request {
            Ok(Request::Quit) => return,
            Ok(request) => answer(&request, &mut session).unwrap_or_else(Answer::Failed),
            Err(fault) => Answer::Failed(fault),
        };
        say(&answer);
    }
}

fn answer(request: &Request, session: &mut Option<Session>) -> Result<Answer, ProbeFault> {
    match request {
        Request::List => return Ok(Answer::Probes { probes: attach::list() }),
        Request::Attach { selector, chip } => {
            // Lets go of the probe first: it may be the same.
            *session = None;
            *session = Some(attach::attach(selector, chip)?);
        }
        Request::Flash { elf, verify } => {
            flash::flash(attached(session)?, elf, *verify, &mut |step| say(&Answer::Progress(step)))?;
        }
        Request::Reset => flash::reset(attached(session)?)?,
        Request::Erase => flash::erase(attached(session)?, &mut |step| say(&Answer::Progress(step)))?,
        Request::Quit => {}
    }
    Ok(Answer::Done)
}

fn attached(session: &mut Option<Session>) -> Result<&mut Session, ProbeFault> {
    session.as_mut().ok_or_else(|| ProbeFault::new(FaultKind::Other, "no chip is attached"))
}

/// Writes an answer. If nobody reads it any more, the end of standard input is about to end the process.
fn say(answer: &Answer) {
    if let Ok(mut line) = serde_json::to_vec(answer) {
        line.push(b'\n');
        let mut output = io::stdout().lock();
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}
