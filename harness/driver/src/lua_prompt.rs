//! NodeMCU's prompt: a line is typed, echoed and run, and the next prompt says that it is over.
//!
//! What a timer or a callback prints comes at any time, behind a prompt that is still waiting too. A line is typed only when
//! the one before is over: the console has a buffer of 256 bytes and no flow control.

use clock::{Duration, Instant};

use crate::Fault;

/// The end of a line that is too long for anybody is not read.
const LINE_BYTES_MAX: usize = 2_048;
/// So much of what was said is quoted.
const QUOTE_CHARS_MAX: usize = 160;

/// The first boot of an image formats its filesystem, sector by sector: some forty seconds for four megabytes.
const PROMPT_WITHIN: Duration = Duration::from_secs(120);
/// A line may write to the flash.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

const PROMPT: &[u8] = b"> ";
const CONTINUED: &[u8] = b">> ";
/// Lines before the first prompt that name the firmware and its version.
const NAMES: [&str; 3] = ["NodeMCU ", "commit: ", "powered by Lua "];
/// What the ROM says as it starts.
const STARTS: &str = "ets Jan  8 2013,rst cause:";

/// What came of what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It waits for a line.
    Ready,
    /// It has said a line; the echo of ours is none.
    Line(String),
    /// Nothing more is to be had.
    Fault(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until the first prompt.
    Booting,
    /// It is our turn.
    Idle,
    /// Until the end of the echo.
    Echo,
    /// Until the next prompt.
    Running,
    Over,
}

/// The end of a serial line at which a NodeMCU is.
#[derive(Debug)]
pub(crate) struct LuaPrompt {
    state: State,
    /// The line that has begun.
    begun: Vec<u8>,
    /// The last line that was whole.
    last_line: String,
    output: Vec<u8>,
    events: Vec<Event>,
    /// What is awaited is awaited until then.
    deadline: Option<(Instant, Duration)>,
}

impl LuaPrompt {
    /// From a reset on.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Booting,
            begun: Vec::new(),
            last_line: String::new(),
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
        let said = if self.begun.is_empty() { self.last_line.clone() } else { text(&self.begun) };
        let said = said.chars().take(QUOTE_CHARS_MAX).collect();
        self.fail(Fault::Silent { awaited: "prompt `> `", within, said });
    }

    /// Whether it is our turn.
    pub(crate) fn is_ready(&self) -> bool {
        self.state == State::Idle
    }

    /// Types a line. It is the device's turn then.
    pub(crate) fn type_line(&mut self, now: Instant, line: &str) {
        self.output.extend(line.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        self.output.push(b'\n');
        self.state = State::Echo;
        self.deadline = Some((now + ANSWER_WITHIN, ANSWER_WITHIN));
    }

    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                _ if self.begun.len() < LINE_BYTES_MAX => self.begun.push(*byte),
                _ => {}
            }
            self.look_for_prompt();
        }
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn look_for_prompt(&mut self) {
        let is_prompt = matches!(self.begun.as_slice(), PROMPT | CONTINUED);
        if is_prompt && matches!(self.state, State::Booting | State::Running) {
            self.state = State::Idle;
            self.deadline = None;
            self.events.push(Event::Ready);
        }
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.begun);
        let line = text(&bytes);
        let is_start = line.trim_start().starts_with(STARTS);
        match self.state {
            State::Over => {}
            State::Booting => {
                let words = line.trim_start();
                if NAMES.iter().any(|name| words.starts_with(name)) {
                    self.events.push(Event::Line(words.to_owned()));
                }
            }
            State::Idle | State::Echo | State::Running if is_start => {
                self.fail(Fault::Restarted { line: line.clone() })
            }
            // What was printed behind the prompt before the echo of our line began, is not told apart from it.
            State::Echo => self.state = State::Running,
            State::Idle | State::Running => {
                let said = line.strip_prefix("> ").unwrap_or(&line);
                if !said.is_empty() {
                    self.events.push(Event::Line(said.to_owned()));
                }
            }
        }
        if !line.is_empty() {
            self.last_line = line;
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.state = State::Over;
        self.deadline = None;
        self.events.push(Event::Fault(fault));
    }
}

/// A line without its end.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches('\r').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> LuaPrompt {
        let mut prompt = LuaPrompt::new();
        prompt.hear(b"\r\n ets Jan  8 2013,rst cause:1\r\n\tcommit: abc\r\nlua: cannot open init.lua\r\n> ");
        assert_eq!(prompt.take_events(), [Event::Line("commit: abc".into()), Event::Ready]);
        prompt
    }

    #[test]
    fn a_line_is_over_when_the_next_prompt_comes_and_its_echo_is_no_word_of_the_device() {
        let mut prompt = prompt();
        prompt.type_line(Instant::from_millis(1), "print(1)\nprint(2)");
        assert_eq!(prompt.take_output(), b"print(1)print(2)\n", "one line is one line");
        prompt.hear(b"print(1)\r\n1\r\n> > no prompt\r\n");
        assert_eq!(prompt.take_events(), [Event::Line("1".into()), Event::Ready, Event::Line("> no prompt".into())]);
        assert!(prompt.is_ready());
    }

    #[test]
    fn what_a_timer_prints_behind_the_prompt_is_heard() {
        let mut prompt = prompt();
        prompt.hear(b"\x1ejoined 192.0.2.2\r\nE:M 544\n");
        assert_eq!(prompt.take_events(), [Event::Line("\u{1e}joined 192.0.2.2".into()), Event::Line("E:M 544".into())]);
    }

    #[test]
    fn a_device_that_starts_anew_or_falls_silent_ends_it() {
        let mut prompt = self::prompt();
        prompt.hear(b"\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,7)\r\n> ");
        assert!(matches!(prompt.take_events().as_slice(), [Event::Fault(Fault::Restarted { .. })]));
        let mut silent = self::prompt();
        silent.type_line(Instant::from_millis(1_000), "x");
        silent.poll(Instant::from_millis(20_999));
        assert_eq!(silent.take_events(), []);
        silent.poll(Instant::from_millis(21_000));
        assert!(matches!(silent.take_events().as_slice(), [Event::Fault(Fault::Silent { .. })]));
    }
}
