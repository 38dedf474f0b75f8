//! What the broker has yet to do to the wire, in order and not before its time.

use clock::{Duration, Instant};
use network::{Action, Trigger};
use std::collections::VecDeque;

/// The most that waits to be sent: who reads nothing is not worth more memory.
const QUEUED_BYTES_MAX: usize = 4 << 20;

/// Actions with the instants before which they must not happen.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<(Instant, Action)>,
    queued_bytes: usize,
    held_until: Instant,
    /// Nothing more is accepted.
    shut: bool,
}

impl Outbox {
    /// Sends `bytes`. Gives `false`, and drops them, if too much is waiting already.
    pub(crate) fn send(&mut self, now: Instant, bytes: Vec<u8>) -> bool {
        if bytes.is_empty() || self.shut {
            return true;
        }
        if self.queued_bytes + bytes.len() > QUEUED_BYTES_MAX {
            return false;
        }
        self.queued_bytes += bytes.len();
        self.push(now, Action::Send(bytes));
        true
    }

    /// Sends `bytes` one by one.
    pub(crate) fn drip(&mut self, now: Instant, bytes: &[u8], pause: Duration) {
        for byte in bytes {
            self.send(now, vec![*byte]);
            self.hold(now, pause);
        }
    }

    /// Holds back whatever is sent from now on.
    pub(crate) fn hold(&mut self, now: Instant, pause: Duration) {
        self.held_until = self.held_until.max(now) + pause;
    }

    /// Ends the stream. Nothing more is accepted.
    pub(crate) fn fin(&mut self, now: Instant) {
        self.push(now, Action::Fin);
        self.shut = true;
    }

    /// Resets the connection, after what was sent. Nothing more is accepted.
    pub(crate) fn reset(&mut self, now: Instant) {
        self.push(now, Action::Reset);
        self.shut = true;
    }

    /// Tells the network that the moment has come for which it waits, after what was sent. Nothing more is accepted.
    pub(crate) fn reach(&mut self, now: Instant, moment: Trigger) {
        self.push(now, Action::Reached(moment));
        self.shut = true;
    }

    /// Accepts nothing more, but says nothing either.
    pub(crate) fn silence(&mut self) {
        self.shut = true;
    }

    /// Forgets what waits, and accepts nothing more: the connection is gone.
    pub(crate) fn abandon(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.shut = true;
    }

    /// Whether nothing more is accepted.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut
    }

    /// The next action whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Action> {
        if self.queue.front().is_none_or(|(at, _)| *at > now) {
            return None;
        }
        let (_, action) = self.queue.pop_front()?;
        if let Action::Send(bytes) = &action {
            self.queued_bytes -= bytes.len();
        }
        Some(action)
    }

    /// When the next action is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }

    fn push(&mut self, now: Instant, action: Action) {
        if !self.shut {
            self.queue.push_back((self.held_until.max(now), action));
        }
    }
}
