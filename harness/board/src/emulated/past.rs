//! What has been between a chip and its bench until an instant, and the chip at that instant: so a run is continued.
//!
//! A snapshot of the bench's side (network, broker, modem, tap) is what it has heard and when. The bench is a function of
//! that: it hears it again, which costs what the bench costs and nothing of what the chip costs, and is in the same state
//! after that; sessions of TLS libraries, which cannot be copied, are made again. The chip goes on from its own snapshot.
//! Where the bench does otherwise than it did (it says something else, or speaks earlier, or asks what there is at an
//! instant in between), the chip runs from power-on after all, so that nothing is ever different.

use std::fmt;
use std::sync::Arc;

use clock::Instant;
use emulator::snapshot::Snapshot;

use crate::{Heard, PortId};

/// What a run of a chip depends on, beside what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) chip: &'static str,
    pub(super) seed: u64,
    pub(super) image: Arc<[u8]>,
    /// What the flash holds, if the image was not loaded directly.
    pub(super) flash: Option<Arc<[u8]>>,
}

/// A run until an instant.
pub struct Past {
    key: Key,
    steps: Vec<Step>,
    snapshot: Snapshot,
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, steps, .. } = self;
        f.debug_struct("Past").field("chip", &key.chip).field("seed", &key.seed).field("steps", &steps.len()).finish()
    }
}

/// What the bench did, and what came of it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It looked at the chip until an instant, and heard this.
    Looked { deadline: Instant, heard: Heard },
    /// It spoke.
    Sent { port: PortId, bytes: Vec<u8> },
}

impl Step {
    /// A look at which nothing was heard.
    fn is_empty(&self) -> bool {
        matches!(
            self,
            Self::Looked { heard, .. } if heard.ports.is_empty() && heard.air.is_empty() && heard.incidents.is_empty()
        )
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Looked { heard, .. } => {
                let ports = heard.ports.iter().map(|(_, bytes)| bytes.len());
                ports.chain(heard.air.iter().map(|frame| frame.bytes.len())).sum()
            }
            Self::Sent { bytes, .. } => bytes.len(),
        }
    }
}

impl Past {
    pub(super) fn is_of(&self, key: &Key) -> bool {
        self.key == *key
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.key == other.key
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// A run on its way to being kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    steps: Vec<Step>,
    bytes: usize,
}

impl Recorder {
    /// Notes one step; `false` if this has become more than anybody wants to keep.
    pub(super) fn note(&mut self, step: Step, limits: &Limits) -> bool {
        self.bytes += step.bytes();
        self.steps.push(step);
        self.bytes <= limits.bytes_max && self.steps.len() <= limits.steps_max
    }

    pub(super) fn finish(self, key: Key, snapshot: Snapshot) -> Past {
        Past { key, steps: self.steps, snapshot }
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes said on either side.
    bytes_max: usize,
    /// Looks and words.
    steps_max: usize,
}

impl Limits {
    /// A boot in which more happens is none.
    pub(super) const BOOT: Self = Self { bytes_max: 1 << 20, steps_max: 10_000 };
    /// A run of which nobody knows how long it is.
    pub(super) const RUN: Self = Self { bytes_max: 64 << 20, steps_max: 10_000_000 };
}

/// A run that is heard again.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) past: Arc<Past>,
    next: usize,
    /// What the bench has done so far.
    pub(super) done: Vec<Done>,
}

/// What a bench did, whatever came of it.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// It looked until then.
    Looked(Instant),
    /// It spoke.
    Sent(PortId, Vec<u8>),
}

/// What the replay has for the bench.
#[derive(Debug)]
pub(super) enum Next {
    /// This was heard.
    Heard(Heard),
    /// The past is over.
    Over,
    /// The bench does otherwise than it did.
    Otherwise,
}

impl Replay {
    pub(super) fn new(past: Arc<Past>) -> Self {
        Self { past, next: 0, done: Vec::new() }
    }

    /// Whether all of it has been heard.
    pub(super) fn is_over(&self) -> bool {
        self.next == self.past.steps.len()
    }

    /// The bench looks until `deadline`.
    ///
    /// What is said is said at its instant, however long anybody looks; how late it is when nothing is said depends on
    /// how long was looked.
    pub(super) fn listen(&mut self, deadline: Instant) -> Next {
        let rest = self.past.steps.get(self.next..).unwrap_or_default();
        let found = match rest {
            [] => return Next::Over,
            [first @ Step::Looked { deadline: looked, .. }, ..] if first.is_empty() && *looked == deadline => Some(0),
            _ => rest.iter().position(|step| !step.is_empty()),
        };
        match found.and_then(|n| Some((n, rest.get(n)?))) {
            Some((n, Step::Looked { heard, .. })) if heard.at <= deadline || n == 0 && rest[0].is_empty() => {
                let heard = heard.clone();
                self.next += n + 1;
                self.done.push(Done::Looked(deadline));
                Next::Heard(heard)
            }
            _ => Next::Otherwise,
        }
    }

    /// The bench speaks; `false` if it said something else then, or nothing.
    pub(super) fn send(&mut self, port: PortId, bytes: &[u8]) -> bool {
        let is_same = match self.past.steps.get(self.next) {
            Some(Step::Sent { port: other, bytes: said }) => *other == port && said == bytes,
            _ => false,
        };
        if is_same {
            self.next += 1;
            self.done.push(Done::Sent(port, bytes.to_vec()));
        }
        is_same
    }
}
