//! How far a device has been brought, and what is told of it: what every driver keeps, whatever is typed.

use std::collections::VecDeque;

use clock::Instant;
use control::{Act, Plan, Report};
use outcome::Stage;

use crate::{Fault, Said};

/// What a line of ours begins with: a character that nobody prints.
pub(crate) const MARK: char = '\u{1e}';
/// So many of our lines a run may have; what comes after them is not looked at.
pub(crate) const MARKS_MAX: u32 = 4_096;

/// How far a device has been brought.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The last stage that the device has entered.
    pub(crate) stage: Stage,
    /// How long to wait before the next connection, in milliseconds.
    pub(crate) pause_ms: u32,
    /// Nothing more is done.
    pub(crate) is_over: bool,
    /// How long to wait after the first failure, in milliseconds.
    first_pause_ms: u32,
    /// Connections have failed before.
    has_reconnected: bool,
    /// Connections that may still be tried after a failure.
    reconnects: u32,
    /// Connections that are still to be made after a success.
    repeats: u32,
    said: VecDeque<Said>,
    /// How many of our lines have come.
    marks: u32,
}

impl Progress {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            stage: Stage::Boot,
            pause_ms: 0,
            is_over: false,
            first_pause_ms: plan.reconnect_pause_ms,
            has_reconnected: false,
            reconnects: plan.reconnects,
            repeats: plan.repeats,
            said: VecDeque::new(),
            marks: 0,
        }
    }

    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        self.said.drain(..).collect()
    }

    pub(crate) fn say(&mut self, said: Said) {
        self.said.push_back(said);
    }

    pub(crate) fn report(&mut self, report: Report) {
        self.say(Said::Report(report));
    }

    pub(crate) fn enter(&mut self, now: Instant, stage: Stage) {
        self.stage = stage;
        self.report(Report::Stage { stage, at_ms: now.as_millis_u32() });
    }

    /// A line of ours has come: whether it is still looked at.
    pub(crate) fn takes_mark(&mut self) -> bool {
        self.marks = self.marks.saturating_add(1);
        self.marks <= MARKS_MAX
    }

    /// After a success: whether another connection is to be made, which is counted.
    pub(crate) fn repeats(&mut self) -> bool {
        let Some(left) = self.repeats.checked_sub(1) else { return false };
        self.repeats = left;
        self.pause_ms = 0;
        true
    }

    /// After a failure: whether another connection may be tried, which is counted; each waits twice as long as the one before.
    pub(crate) fn reconnects(&mut self) -> bool {
        let Some(left) = self.reconnects.checked_sub(1) else { return false };
        self.reconnects = left;
        self.pause_ms = if self.has_reconnected { self.pause_ms.saturating_mul(2) } else { self.first_pause_ms };
        self.has_reconnected = true;
        true
    }

    pub(crate) fn done(&mut self, now: Instant, complete: bool) {
        let at_ms = now.as_millis_u32();
        self.report(Report::Done { complete, heap_peak_bytes: 0, heap_failures: 0, heap_held_bytes: 0, at_ms });
        self.is_over = true;
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.say(Said::Fault(fault));
        self.is_over = true;
    }
}

/// The stage in which an act is done.
pub(crate) const fn stage_of(act: &Act) -> Stage {
    match act {
        Act::Subscribe { .. } => Stage::Subscribe,
        Act::Publish { .. } | Act::Await { .. } => Stage::Exchange,
        Act::Idle { .. } => Stage::KeepAlive,
    }
}
