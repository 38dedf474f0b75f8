//! The child process: lines in, lines out, and its end.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use terminal::clean;

use super::fault::{FaultKind, ProbeFault};
use super::protocol::{Answer, Progress, Request};

/// No line of the protocol is longer, in bytes.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// How many lines wait to be read before the child has to wait.
const LINES_WAITING_MAX: usize = 64;
/// How much of what the child said last on standard error is kept, in bytes.
const LAST_WORDS_BYTES_MAX: usize = 2048;
/// How much of its words is repeated.
const WORDS_CHARS_MAX: usize = 1000;
/// How long the end of a dead child's standard error is waited for.
const LAST_WORD_MAX: Duration = Duration::from_secs(1);

/// A flashing process. Dropped, it is killed with its process group.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    requests: ChildStdin,
    lines: Receiver<Line>,
    last_words: Arc<Mutex<Vec<u8>>>,
    /// Disconnected once standard error has been read to its end.
    last_word_said: Receiver<()>,
    usable: bool,
}

/// What came down the child's standard output.
#[derive(Debug)]
enum Line {
    Answer(Box<Answer>),
    Garbage(String),
}

impl Child {
    /// Starts `command`: a program and its arguments.
    pub(super) fn spawn(command: &[String]) -> Result<Self, ProbeFault> {
        let failed = |words: String| ProbeFault::new(FaultKind::Other, words);
        let (program, arguments) =
            command.split_first().ok_or_else(|| failed("no flashing program is named".into()))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            // A Ctrl-C at the terminal is the bench's to deal with, and what the child starts dies with it.
            command.process_group(0);
        }
        let mut process = command.spawn().map_err(|error| failed(format!("`{program}` does not start: {error}")))?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(requests), Some(output), Some(errors)) = pipes else {
            return Err(failed(format!("`{program}` has no pipes")));
        };
        let (sender, lines) = sync_channel(LINES_WAITING_MAX);
        let last_words = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&last_words);
        thread::spawn(move || read_lines(output, &sender));
        let (saying, last_word_said) = sync_channel::<()>(0);
        thread::spawn(move || {
            keep_last(errors, &kept);
            drop(saying);
        });
        Ok(Self { process, requests, lines, last_words, last_word_said, usable: true })
    }

    /// Whether it can be asked again.
    pub(super) fn is_usable(&self) -> bool {
        self.usable
    }

    /// Asks, and waits for the last answer until `deadline`.
    pub(super) fn ask(
        &mut self,
        request: &Request,
        deadline: Instant,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Answer, ProbeFault> {
        let mut line = serde_json::to_vec(request)
            .map_err(|error| ProbeFault::new(FaultKind::Other, format!("the request cannot be written: {error}")))?;
        line.push(b'\n');
        // A request is shorter than a pipe is deep, and the one before has been answered: this does not block.
        if self.requests.write_all(&line).and_then(|()| self.requests.flush()).is_err() {
            return Err(self.ended());
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(Line::Answer(answer)) => match *answer {
                    Answer::Progress(step) => progress(step),
                    Answer::Failed(fault) => {
                        return Ok(Answer::Failed(ProbeFault::new(
                            fault.kind,
                            clean::cut(&fault.words, WORDS_CHARS_MAX),
                        )));
                    }
                    last => return Ok(last),
                },
                Ok(Line::Garbage(words)) => {
                    self.usable = false;
                    return Err(ProbeFault::new(FaultKind::Garbled, words));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Err(RecvTimeoutError::Timeout) => {
                    self.usable = false;
                    let words = "the flashing process was killed at its limit";
                    return Err(ProbeFault::new(FaultKind::Hung, self.with_last_words(words)));
                }
            }
        }
    }

    /// It has ended by itself.
    fn ended(&mut self) -> ProbeFault {
        self.usable = false;
        // Its pipe is closed: it has ended, or is about to, or is made to.
        kill_group(&self.process);
        // Whoever left the group and still holds standard error is not waited for.
        let _ = self.last_word_said.recv_timeout(LAST_WORD_MAX);
        let how = self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        ProbeFault::new(FaultKind::ProbeVanished, self.with_last_words(&format!("the flashing process ended ({how})")))
    }

    fn with_last_words(&self, words: &str) -> String {
        let last = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let last = String::from_utf8_lossy(&last);
        match last.trim().lines().last() {
            Some(line) => format!("{words}; it said last: {}", clean::cut(line, WORDS_CHARS_MAX)),
            None => words.to_owned(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        kill_group(&self.process);
        // It has been killed: this does not block.
        let _ = self.process.wait();
    }
}

/// Reads the child's answers to their end.
fn read_lines(output: impl Read, lines: &SyncSender<Line>) {
    let mut output = BufReader::new(output);
    loop {
        let mut bytes = Vec::new();
        let line = match output.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => match serde_json::from_slice(&bytes) {
                Ok(answer) => Line::Answer(Box::new(answer)),
                // Half a line, and then the end: whoever wrote it was killed over it. That is the end's to tell.
                Err(_) if !bytes.ends_with(b"\n") && (bytes.len() as u64) < LINE_BYTES_MAX => return,
                Err(error) => {
                    let begin = String::from_utf8_lossy(bytes.get(..80).unwrap_or(&bytes)).into_owned();
                    Line::Garbage(format!("{error}, in a line that begins {:?}", begin.trim_end()))
                }
            },
        };
        let garbage = matches!(line, Line::Garbage(_));
        if lines.send(line).is_err() || garbage {
            return;
        }
    }
}

/// Reads the child's standard error to its end, and keeps the last of it.
fn keep_last(mut errors: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; 1024];
    loop {
        match errors.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(piece.iter().take(length));
                let surplus = kept.len().saturating_sub(LAST_WORDS_BYTES_MAX);
                kept.drain(..surplus);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(unix)]
fn kill_group(process: &std::process::Child) {
    let group = i32::try_from(process.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself meanwhile; as it has not been waited for, its number is still its own.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// Elsewhere there are no groups of processes.
#[cfg(not(unix))]
fn kill_group(_: &std::process::Child) {}
