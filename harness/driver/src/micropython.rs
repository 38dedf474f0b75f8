//! MicroPython: programs at its raw REPL, that do with `network`, `ssl` and `umqtt.simple` what a plan says.
//!
//! The device runs what its owner's program would run, module by module as they are in the image. Beside them lie a few
//! lines of ours (`prelude/`): they print a mark as a stage is entered, by standing between `umqtt.simple` and the
//! modules `socket` and `ssl` that it calls. What is printed of exceptions is MicroPython's own.

pub mod exception;
pub mod plan;
mod program;

use clock::Instant;
use control::{Plan, Report};
use outcome::Stage;

use self::program::Library;
use crate::progress::{MARK, Progress, stage_of};
use crate::raw_repl::{Event, RawRepl};
use crate::{Fault, Said};

/// Before the number that axTLS prints of a failed handshake.
const AXTLS_STATUS: &str = "ssl_handshake_status: ";

/// What is done, program by program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Our lines beside the image's modules. It depends on nothing in the plan.
    Prelude,
    /// The network.
    Join,
    /// Clock and files.
    SetUp,
    /// A client, and CONNECT.
    Connect,
    /// The act of this number.
    Act(usize),
    /// DISCONNECT.
    Goodbye,
}

/// A conversation with a MicroPython.
#[derive(Debug)]
pub(crate) struct Session {
    repl: RawRepl,
    plan: Plan,
    /// What is being done.
    step: Option<Step>,
    progress: Progress,
    library: Library,
    /// What axTLS has printed of the handshake that failed.
    axtls_status: Option<i32>,
}

impl Session {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            repl: RawRepl::new(),
            plan: plan.clone(),
            step: None,
            progress: Progress::new(plan),
            library: Library::MbedTls,
            axtls_status: None,
        }
    }

    pub(crate) fn hear(&mut self, now: Instant, bytes: &[u8]) {
        self.repl.hear(now, bytes);
        self.act(now);
    }

    pub(crate) fn poll_at(&self) -> Option<Instant> {
        self.repl.poll_at().filter(|_| !self.progress.is_over)
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        self.repl.poll(now);
        self.act(now);
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        self.repl.take_output()
    }

    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        self.progress.take_said()
    }

    fn act(&mut self, now: Instant) {
        for event in self.repl.take_events() {
            if self.progress.is_over {
                return;
            }
            match event {
                Event::Banner(line) => {
                    self.library = Library::of_banner(&line);
                    self.progress.say(Said::Text(line));
                }
                Event::Ready => self.ready(now),
                Event::Line(line) => self.line(now, line),
                Event::Finished(error) if error.is_empty() => {}
                Event::Finished(error) => self.failed(now, &error),
                Event::Fault(fault) => self.progress.fault(fault),
            }
        }
    }

    /// The device waits for the next program.
    fn ready(&mut self, now: Instant) {
        if self.progress.is_over {
            return;
        }
        let next = match self.step {
            None => Some(Step::Prelude),
            Some(Step::Prelude) => Some(Step::Join),
            Some(Step::Join) => Some(Step::SetUp),
            Some(Step::SetUp) => Some(Step::Connect),
            Some(Step::Connect) => Some(self.act_or_goodbye(0)),
            Some(Step::Act(number)) => Some(self.act_or_goodbye(number + 1)),
            Some(Step::Goodbye) if self.progress.repeats() => Some(Step::Connect),
            Some(Step::Goodbye) => None,
        };
        match next {
            Some(step) => self.run(now, step),
            None => self.progress.done(now, true),
        }
    }

    fn act_or_goodbye(&self, number: usize) -> Step {
        if number < self.plan.mqtt.acts.len() { Step::Act(number) } else { Step::Goodbye }
    }

    fn run(&mut self, now: Instant, step: Step) {
        self.step = Some(step);
        let program = match step {
            Step::Prelude => program::prelude(self.library),
            Step::Join => program::join(&self.plan),
            Step::SetUp => program::set_up(&self.plan),
            Step::Connect => program::connect(&self.plan, self.progress.pause_ms),
            Step::Act(number) => match self.plan.mqtt.acts.get(number).cloned() {
                Some(act) => {
                    self.progress.enter(now, stage_of(&act));
                    program::act(&act, self.plan.mqtt.keep_alive_s)
                }
                None => String::new(),
            },
            Step::Goodbye => {
                self.progress.enter(now, Stage::Goodbye);
                program::GOODBYE.to_owned()
            }
        };
        if step == Step::SetUp {
            self.progress.say(Said::Milestone);
            self.progress.enter(now, Stage::Clock);
        }
        self.repl.run(now, &program);
    }

    fn line(&mut self, now: Instant, line: String) {
        let Some(words) = line.strip_prefix(MARK) else {
            if let Some(status) = line.strip_prefix(AXTLS_STATUS) {
                self.axtls_status = status.trim().parse().ok();
            }
            return self.progress.say(Said::Text(line));
        };
        if !self.progress.takes_mark() {
            return;
        }
        let at_ms = now.as_millis_u32();
        let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
        let mut rest = rest.split(' ');
        let report = match word {
            "stage" => match rest.next().and_then(stage_by_name) {
                Some(stage) => return self.progress.enter(now, stage),
                None => return,
            },
            "secured" => Report::Secured {
                version: rest.next().and_then(version).unwrap_or_default(),
                cipher_suite: rest.next().unwrap_or("an unnamed cipher suite").to_owned(),
                verify_flags: 0,
                verify_flag_names: Vec::new(),
                resumed: false,
                at_ms,
            },
            "connack" => Report::Connack { code: 0, session_present: rest.next() == Some("True"), at_ms },
            "message" => Report::Message {
                payload_bytes: rest.next().and_then(|bytes| bytes.parse().ok()).unwrap_or_default(),
                topic: rest.collect::<Vec<_>>().join(" "),
                qos: 0,
                at_ms,
            },
            _ => return self.progress.say(Said::Text(words.to_owned())),
        };
        self.progress.report(report);
    }

    /// A program has ended with an exception.
    fn failed(&mut self, now: Instant, error: &str) {
        if self.step == Some(Step::Prelude) {
            return self.progress.fault(Fault::Script { said: error.to_owned() });
        }
        for line in error.lines() {
            self.progress.say(Said::Text(line.to_owned()));
        }
        let failure = exception::read(error, self.progress.stage, now.as_millis_u32());
        let status = self.axtls_status.take();
        let failure = match self.library {
            Library::MbedTls => failure,
            Library::AxTls => exception::with_axtls_status(failure, status),
        };
        self.progress.report(Report::Failed(failure));
        let can_try = matches!(self.step, Some(Step::Connect | Step::Act(_) | Step::Goodbye));
        if !can_try || !self.progress.reconnects() {
            return self.progress.done(now, false);
        }
        // It is ready next, and connects again.
        self.step = Some(Step::SetUp);
    }
}

/// The stages that our lines name.
fn stage_by_name(name: &str) -> Option<Stage> {
    [Stage::Join, Stage::Clock, Stage::Resolve, Stage::Connect, Stage::Hello, Stage::Login]
        .into_iter()
        .find(|stage| stage.name() == name)
}

/// A version as Mbed TLS names it, as on the wire.
fn version(name: &str) -> Option<u16> {
    match name {
        "TLSv1.0" => Some(0x0301),
        "TLSv1.1" => Some(0x0302),
        "TLSv1.2" => Some(0x0303),
        "TLSv1.3" => Some(0x0304),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
