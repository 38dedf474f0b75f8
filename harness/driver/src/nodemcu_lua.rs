//! NodeMCU on an ESP8266: Lua at its prompt, with `wifi`, `tls`, `mqtt` and `tmr` as they are in the image.
//!
//! What is typed is what its owner's script would hold, in the form that each generation takes. Its client tells nothing of
//! what it does between `m:connect` and CONNACK: how far a handshake came is what the wire says. Before version 2 it does
//! not tell of a failure either, and a timer of the script's gives up.

mod code;
pub mod plan;
mod program;

use std::collections::VecDeque;

use clock::Instant;
use control::{Act, Plan, Report};
use outcome::{FailureClass, Stage};

use crate::lua_prompt::{Event, LuaPrompt};
use crate::progress::{MARK, Progress, stage_of};
use crate::{Fault, Said};

pub(crate) use code::printed;

/// What the interpreter says of a line of ours that fails.
const REFUSED_LINE: &str = "stdin:1:";

/// A password or a certificate is not repeated.
const QUOTE_CHARS_MAX: usize = 40;

/// What is done, one after the other. Each ends with a mark of ours, or when its last line has been run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Our few words.
    Prelude,
    /// The network, until there is an address.
    Join,
    /// What is trusted.
    SetUp,
    /// A client, until CONNACK.
    Connect,
    /// A pause, then another attempt.
    Pause,
    /// The act of this number.
    Act(usize),
    /// DISCONNECT.
    Goodbye,
}

/// A conversation with a NodeMCU.
#[derive(Debug)]
pub(crate) struct Session {
    prompt: LuaPrompt,
    plan: Plan,
    step: Option<Step>,
    /// What is still to be typed for it.
    lines: VecDeque<String>,
    /// The mark that ends the step has come.
    is_done: bool,
    /// There is an attempt: what the client calls back with is about it.
    has_dialled: bool,
    /// Messages that have come and that no act has awaited yet.
    messages: u32,
    /// The first block that the heap has not had in this attempt.
    missing_block: Option<u32>,
    progress: Progress,
}

impl Session {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            prompt: LuaPrompt::new(),
            plan: plan.clone(),
            step: None,
            lines: VecDeque::new(),
            is_done: true,
            has_dialled: false,
            messages: 0,
            missing_block: None,
            progress: Progress::new(plan),
        }
    }

    pub(crate) fn hear(&mut self, now: Instant, bytes: &[u8]) {
        self.prompt.hear(bytes);
        self.act(now);
    }

    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.prompt.poll_at().filter(|_| !self.progress.is_over)
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        self.prompt.poll(now);
        self.act(now);
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        self.prompt.take_output()
    }

    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        self.progress.take_said()
    }

    fn act(&mut self, now: Instant) {
        for event in self.prompt.take_events() {
            if self.progress.is_over {
                return;
            }
            match event {
                Event::Ready => {}
                Event::Line(line) => self.line(now, line),
                Event::Fault(fault) => self.progress.fault(fault),
            }
        }
        self.go_on(now);
    }

    /// Types what is next, if it is our turn.
    fn go_on(&mut self, now: Instant) {
        while !self.progress.is_over && self.prompt.is_ready() {
            match self.lines.pop_front() {
                // A place to wait at: what follows is typed when the mark has come.
                Some(line) if line.is_empty() && !self.is_done => {
                    self.lines.push_front(line);
                    return;
                }
                Some(line) if line.is_empty() => {
                    self.is_done = false;
                    self.dial(now);
                }
                Some(line) => return self.prompt.type_line(now, &line),
                None if self.is_done => self.next(now),
                None => return,
            }
        }
    }

    /// Begins what comes next.
    fn next(&mut self, now: Instant) {
        let next = match self.step {
            None => Some(Step::Prelude),
            Some(Step::Prelude) => Some(Step::Join),
            Some(Step::Join) => Some(Step::SetUp),
            Some(Step::SetUp) => Some(Step::Connect),
            Some(Step::Connect | Step::Pause) => Some(self.act_or_goodbye(0)),
            Some(Step::Act(number)) => Some(self.act_or_goodbye(number + 1)),
            Some(Step::Goodbye) if self.progress.repeats() => Some(Step::Pause),
            Some(Step::Goodbye) => None,
        };
        match next {
            Some(step) => self.begin(now, step),
            None => self.progress.done(now, true),
        }
    }

    fn act_or_goodbye(&self, number: usize) -> Step {
        if number < self.plan.mqtt.acts.len() { Step::Act(number) } else { Step::Goodbye }
    }

    fn begin(&mut self, now: Instant, step: Step) {
        self.step = Some(step);
        let lines = match step {
            Step::Prelude => program::PRELUDE.map(str::to_owned).to_vec(),
            Step::Join => program::join(&self.plan),
            Step::SetUp => program::set_up(&self.plan),
            Step::Connect => program::connect(&self.plan),
            Step::Pause => program::connect_again(&self.plan, self.progress.pause_ms),
            Step::Act(number) => self.plan.mqtt.acts.get(number).map(program::act).unwrap_or_default(),
            Step::Goodbye => program::goodbye(),
        };
        // A step that says nothing of its own is over with its last line.
        self.is_done = matches!(step, Step::Prelude | Step::SetUp) || lines.is_empty();
        self.lines = lines.into();
        match step {
            Step::Prelude => {}
            Step::Join => self.progress.enter(now, Stage::Join),
            Step::SetUp => {
                self.progress.say(Said::Milestone);
                self.progress.enter(now, Stage::Clock);
            }
            Step::Connect => self.dial(now),
            Step::Pause => {}
            Step::Act(number) => {
                if let Some(act) = self.plan.mqtt.acts.get(number) {
                    let stage = stage_of(act);
                    self.progress.enter(now, stage);
                }
                self.look_for_messages();
            }
            Step::Goodbye => self.progress.enter(now, Stage::Goodbye),
        }
    }

    /// An attempt begins, of which the device tells no more until CONNACK.
    fn dial(&mut self, now: Instant) {
        self.missing_block = None;
        self.has_dialled = true;
        self.progress.enter(now, Stage::Resolve);
        let next = if self.plan.tls.is_some() { Stage::Hello } else { Stage::Login };
        self.progress.enter(now, next);
    }

    fn line(&mut self, now: Instant, line: String) {
        // A mark may stand behind a prompt that waits.
        if let Some((_, words)) = line.split_once(MARK) {
            let words = words.to_owned();
            return self.mark(now, &words);
        }
        self.missing_block = self.missing_block.or(code::missing_block(&line));
        let is_refusal = line.contains(REFUSED_LINE) && !line.contains("not enough memory");
        self.progress.say(Said::Text(line.clone()));
        if is_refusal {
            self.progress.fault(Fault::Script { said: line.chars().take(QUOTE_CHARS_MAX).collect() });
        } else if line.contains("not enough memory") {
            let failure =
                code::unnumbered("not enough memory", FailureClass::Memory, self.progress.stage, now.as_millis_u32());
            self.failed(now, failure);
        }
    }

    fn mark(&mut self, now: Instant, words: &str) {
        if !self.progress.takes_mark() {
            return;
        }
        let at_ms = now.as_millis_u32();
        let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
        match (word, self.step) {
            ("joined", Some(Step::Join)) | ("paused", Some(Step::Pause)) => self.is_done = true,
            ("done", Some(Step::Act(_))) | ("closed", Some(Step::Goodbye)) => self.is_done = true,
            ("connack", Some(Step::Connect | Step::Pause)) if self.has_dialled => {
                self.progress.report(Report::Connack { code: 0, session_present: false, at_ms });
                self.is_done = true;
            }
            ("message", _) => {
                let (bytes, topic) = rest.split_once(' ').unwrap_or((rest, ""));
                let payload_bytes = bytes.parse().unwrap_or_default();
                let report = Report::Message { topic: topic.to_owned(), payload_bytes, qos: 0, at_ms };
                self.progress.report(report);
                self.messages = self.messages.saturating_add(1);
                self.look_for_messages();
            }
            ("nonetwork", Some(Step::Join)) => {
                let name = format!("wifi.sta.status() {rest}");
                self.failed(now, code::unnumbered(&name, FailureClass::NoNetwork, self.progress.stage, at_ms));
            }
            ("failed", Some(Step::Connect | Step::Pause)) if self.has_dialled => {
                let number = rest.trim().parse().unwrap_or_default();
                self.failed(now, code::failed(number, self.progress.stage, at_ms));
            }
            ("offline", Some(Step::Connect | Step::Pause | Step::Act(_))) if self.has_dialled => {
                let name = "the client's `offline` event";
                self.failed(now, code::unnumbered(name, FailureClass::PeerClosed, self.progress.stage, at_ms));
            }
            ("gaveup", Some(Step::Connect | Step::Pause)) if self.has_dialled => {
                let name = format!("no callback within {} ms", program::give_up_ms(&self.plan));
                self.failed(now, code::unnumbered(&name, FailureClass::TimedOut, self.progress.stage, at_ms));
            }
            // An error that `m:connect` or a script raises before anything is sent.
            ("dialled" | "script", _) if rest.starts_with("false ") => {
                let name = rest.trim_start_matches("false ");
                self.failed(now, code::unnumbered(name, FailureClass::Refused, self.progress.stage, at_ms));
            }
            _ => {}
        }
    }

    /// Whether the messages have come that the act awaits.
    fn look_for_messages(&mut self) {
        let Some(Step::Act(number)) = self.step else { return };
        let Some(Act::Await { messages }) = self.plan.mqtt.acts.get(number) else { return };
        self.is_done = self.messages >= u32::from(*messages);
        if self.is_done {
            self.messages -= u32::from(*messages);
        }
    }

    fn failed(&mut self, now: Instant, mut failure: control::Failure) {
        self.has_dialled = false;
        failure.failed_allocation_bytes = failure.failed_allocation_bytes.or(self.missing_block.take());
        self.progress.report(Report::Failed(failure));
        let can_try = matches!(self.step, Some(Step::Connect | Step::Pause | Step::Act(_)));
        if !can_try || !self.progress.reconnects() {
            return self.progress.done(now, false);
        }
        self.begin(now, Step::Pause);
        self.go_on(now);
    }
}

#[cfg(test)]
mod tests;
