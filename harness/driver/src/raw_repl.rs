//! MicroPython's raw REPL, of which programs are made: `pyexec_raw_repl` in its `shared/runtime/pyexec.c`.
//!
//! Ctrl-A at the prompt enters it. What is sent then is a program, and Ctrl-D its end. The answer is `OK`, what the program
//! prints, Ctrl-D, what is printed of an exception, Ctrl-D, and `>`, with which the device waits for the next program.
//! Nothing is echoed.

use clock::{Duration, Instant};

use crate::Fault;

/// The end of a line that is too long for anybody is not read.
const LINE_BYTES_MAX: usize = 2_048;
/// What is printed of an exception beyond this is not read.
const ERROR_BYTES_MAX: usize = 8_192;
/// So much of what was said is quoted.
const QUOTE_CHARS_MAX: usize = 160;

/// The first boot of an image makes a filesystem, which takes a second or two.
const PROMPT_WITHIN: Duration = Duration::from_secs(10);
/// A program that runs from `main.py` is interrupted after that.
const INTERRUPTED_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

const PROMPT: &[u8] = b">>> ";
/// The line before the prompt that names the firmware and its version.
const NAME: &str = "MicroPython ";
const RAW: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";
const CTRL_A: u8 = 0x01;
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;

/// What a line begins with that only a start of the device prints: its ROM (an ESP32-C3's, an ESP8266's), or its soft reset.
const STARTS: [&str; 4] = ["ESP-ROM:", "rst:0x", " ets Jan  8 2013,rst cause:", "MPY: soft reboot"];

/// What came of what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The device has started, and names its firmware.
    Banner(String),
    /// It waits for a program.
    Ready,
    /// The program has printed a line.
    Line(String),
    /// The program is over, with what was printed of an exception; empty, if there was none.
    Finished(String),
    /// Nothing more is to be had.
    Fault(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until the prompt; whether Ctrl-C was sent already.
    Prompt {
        interrupted: bool,
    },
    /// Until the raw REPL.
    Entering,
    /// It is our turn.
    Idle,
    /// Until `OK`.
    Accepting,
    /// The program's own words.
    Output,
    /// Those of an exception.
    Error,
    /// Until `>`.
    Closing,
    Over,
}

/// The end of a serial line at which a MicroPython is.
#[derive(Debug)]
pub(crate) struct RawRepl {
    state: State,
    /// The line that has begun, or what has come of an answer.
    begun: Vec<u8>,
    /// The last line that was whole.
    last_line: String,
    /// The line that names the firmware.
    banner: Option<String>,
    error: Vec<u8>,
    output: Vec<u8>,
    events: Vec<Event>,
    /// What is awaited is awaited until then.
    deadline: Option<(Instant, Duration)>,
}

impl RawRepl {
    /// From a reset on.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Prompt { interrupted: false },
            begun: Vec::new(),
            last_line: String::new(),
            banner: None,
            error: Vec::new(),
            output: Vec::new(),
            events: Vec::new(),
            deadline: Some((Instant::ZERO + PROMPT_WITHIN, PROMPT_WITHIN)),
        }
    }

    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.deadline.map(|(at, _)| at)
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        let Some((_, within)) = self.deadline.filter(|(at, _)| now >= *at) else { return };
        if self.state == (State::Prompt { interrupted: false }) {
            self.output.extend([b'\r', CTRL_C, CTRL_C]);
            self.state = State::Prompt { interrupted: true };
            return self.within(now, INTERRUPTED_WITHIN);
        }
        let awaited = match self.state {
            State::Prompt { .. } => "prompt `>>> `",
            State::Entering => "raw REPL after Ctrl-A",
            _ => "`OK` after a program",
        };
        let said = self.quote();
        self.fail(Fault::Silent { awaited, within, said });
    }

    /// Runs a program. It is the device's turn then.
    pub(crate) fn run(&mut self, now: Instant, program: &str) {
        self.output.extend(program.bytes());
        self.output.push(CTRL_D);
        self.state = State::Accepting;
        self.within(now, ANSWER_WITHIN);
    }

    pub(crate) fn hear(&mut self, now: Instant, bytes: &[u8]) {
        for byte in bytes {
            self.hear_one(now, *byte);
        }
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn hear_one(&mut self, now: Instant, byte: u8) {
        match self.state {
            State::Over => {}
            // What comes unasked is the end of an answer, or of an earlier line.
            State::Idle => self.note_line(byte),
            State::Prompt { .. } => {
                self.note_line(byte);
                if self.begun == PROMPT {
                    self.events.extend(self.banner.take().map(Event::Banner));
                    self.begun.clear();
                    self.output.push(CTRL_A);
                    self.state = State::Entering;
                    self.within(now, ANSWER_WITHIN);
                }
            }
            State::Entering => {
                self.begin(byte);
                if self.begun.ends_with(RAW) {
                    self.ready();
                }
            }
            State::Accepting => {
                self.begin(byte);
                match self.begun.as_slice() {
                    b"OK" => {
                        self.begun.clear();
                        self.deadline = None;
                        self.state = State::Output;
                    }
                    b"O" => {}
                    _ => {
                        let said = self.quote();
                        self.fail(Fault::OutOfTurn { awaited: "`OK` after a program", said });
                    }
                }
            }
            State::Output if byte == CTRL_D => {
                self.end_line();
                self.state = State::Error;
            }
            State::Output if byte == b'\n' => self.end_line(),
            State::Output => self.begin(byte),
            State::Error if byte == CTRL_D => self.state = State::Closing,
            State::Error => {
                if self.error.len() < ERROR_BYTES_MAX {
                    self.error.push(byte);
                }
            }
            State::Closing => {
                let error = String::from_utf8_lossy(&std::mem::take(&mut self.error)).replace("\r\n", "\n");
                self.events.push(Event::Finished(error.trim_end().to_owned()));
                self.ready();
            }
        }
    }

    /// Between programs: the device waits.
    fn ready(&mut self) {
        self.begun.clear();
        self.deadline = None;
        self.state = State::Idle;
        self.events.push(Event::Ready);
    }

    fn begin(&mut self, byte: u8) {
        if self.begun.len() < LINE_BYTES_MAX {
            self.begun.push(byte);
        }
    }

    fn note_line(&mut self, byte: u8) {
        if byte != b'\n' {
            return self.begin(byte);
        }
        let line = text(&std::mem::take(&mut self.begun));
        if line.starts_with(NAME) {
            self.banner = Some(line.clone());
        }
        if !line.is_empty() {
            self.last_line = line;
        }
    }

    fn end_line(&mut self) {
        let line = text(&std::mem::take(&mut self.begun));
        if STARTS.iter().any(|start| line.starts_with(start)) {
            return self.fail(Fault::Restarted { line });
        }
        if !line.is_empty() {
            self.events.push(Event::Line(line));
        }
    }

    fn within(&mut self, now: Instant, within: Duration) {
        self.deadline = Some((now + within, within));
    }

    fn quote(&self) -> String {
        let said = if self.begun.is_empty() { self.last_line.clone() } else { text(&self.begun) };
        said.chars().take(QUOTE_CHARS_MAX).collect()
    }

    fn fail(&mut self, fault: Fault) {
        self.state = State::Over;
        self.deadline = None;
        self.events.push(Event::Fault(fault));
    }
}

/// A line without its end.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\r').to_owned()
}

#[cfg(test)]
mod tests;
