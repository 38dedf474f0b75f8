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

use crate::{FlashContent, Heard, PortId, RadioFrame};

/// What a run of a chip depends on, beside what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) chip: &'static str,
    pub(super) seed: u64,
    pub(super) image: Arc<[u8]>,
    /// What the flash holds and how large it is, if the image was not loaded directly.
    pub(super) flash: Option<FlashContent>,
    /// The mask ROM, if it is a real one.
    pub(super) rom: Option<Arc<[u8]>>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It looked at the chip until an instant, and heard this.
    Looked { deadline: Instant, heard: Heard },
    /// It spoke.
    Sent { port: PortId, bytes: Vec<u8> },
    /// A frame reached the antenna.
    SentAir(RadioFrame),
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
            Self::SentAir(frame) => frame.bytes.len(),
        }
    }
}

impl Past {
    pub(super) fn is_of(&self, key: &Key) -> bool {
        self.key == *key
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.key == other.key && self.steps == other.steps
    }

    /// How much was done and heard.
    pub(super) fn length(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// A run on its way to being kept.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    steps: Vec<Step>,
    bytes: usize,
    limits: Limits,
    /// Whether the bench has spoken on a wire.
    pub(super) has_spoken: bool,
}

impl Recorder {
    /// Of a run that begins.
    pub(super) fn new(limits: Limits) -> Self {
        Self { steps: Vec::new(), bytes: 0, limits, has_spoken: false }
    }

    /// Of a run that has `past` behind it.
    pub(super) fn after(past: &Past, limits: Limits) -> Self {
        let has_spoken = past.steps.iter().any(|step| matches!(step, Step::Sent { .. }));
        let bytes = past.steps.iter().map(Step::bytes).sum();
        Self { steps: past.steps.clone(), bytes, limits, has_spoken }
    }

    /// Notes one step; `false` if this has become more than anybody wants to keep.
    pub(super) fn note(&mut self, step: Step) -> bool {
        self.has_spoken |= matches!(step, Step::Sent { .. });
        self.bytes += step.bytes();
        self.steps.push(step);
        self.bytes <= self.limits.bytes_max && self.steps.len() <= self.limits.steps_max
    }

    pub(super) fn finish(&self, key: Key, snapshot: Snapshot) -> Past {
        Past { key, steps: self.steps.clone(), snapshot }
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
    /// A beginning in which more happens is none.
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
    /// A frame reached the antenna.
    SentAir(RadioFrame),
}

impl Replay {
    pub(super) fn new(past: Arc<Past>) -> Self {
        Self { past, next: 0, done: Vec::new() }
    }

    /// With what the bench has `done` behind it; `None` if that is not what was done then.
    pub(super) fn after(past: Arc<Past>, done: &[Done]) -> Option<Self> {
        let mut replay = Self::new(past);
        let is_same = done.iter().all(|done| match done {
            Done::Looked(deadline) => replay.listen(*deadline).is_some(),
            Done::Sent(..) | Done::SentAir(_) => replay.act(done),
        });
        is_same.then_some(replay)
    }

    /// Whether all of it has been heard.
    pub(super) fn is_over(&self) -> bool {
        self.next == self.past.steps.len()
    }

    /// Whether the bench can do this now: it did so then, or all of this is over.
    pub(super) fn allows(&self, next: &Done) -> bool {
        let step = self.past.steps.get(self.next);
        self.is_over()
            || match next {
                Done::Looked(deadline) => self.heard_by(*deadline).is_some(),
                Done::Sent(port, bytes) => {
                    matches!(step, Some(Step::Sent { port: at, bytes: said }) if at == port && said == bytes)
                }
                Done::SentAir(frame) => matches!(step, Some(Step::SentAir(sent)) if sent == frame),
            }
    }

    /// The step whose look has heard what is heard until `deadline`.
    ///
    /// What is said is said at its instant, however long anybody looks; how late it is when nothing is said depends on
    /// how long was looked.
    fn heard_by(&self, deadline: Instant) -> Option<(usize, &Heard)> {
        let rest = self.past.steps.get(self.next..)?;
        let first = rest.first()?;
        let n = match first {
            Step::Looked { deadline: looked, .. } if first.is_empty() && *looked == deadline => 0,
            _ => rest.iter().position(|step| !step.is_empty())?,
        };
        match rest.get(n)? {
            Step::Looked { heard, .. } if heard.at <= deadline || n == 0 && first.is_empty() => {
                Some((self.next + n, heard))
            }
            _ => None,
        }
    }

    /// The bench looks until `deadline`; `None` if what it hears then is not known.
    pub(super) fn listen(&mut self, deadline: Instant) -> Option<Heard> {
        let (at, heard) = self.heard_by(deadline)?;
        let heard = heard.clone();
        self.next = at + 1;
        self.done.push(Done::Looked(deadline));
        Some(heard)
    }

    /// The bench does something to the chip; `false` if it did something else then, or nothing.
    pub(super) fn act(&mut self, act: &Done) -> bool {
        let is_same = !self.is_over() && self.allows(act);
        if is_same {
            self.next += 1;
            self.done.push(act.clone());
        }
        is_same
    }
}
