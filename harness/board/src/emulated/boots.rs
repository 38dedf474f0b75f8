//! Boots that are not run twice.
//!
//! From power-on until the bench first speaks to it, what a chip does depends on nothing but the chip, its seed and its
//! image. So that is run once, and kept: what was heard and when, and a snapshot of the chip at the end. Later runs hear
//! the same at the same instants, and go on from the snapshot.
//!
//! The bench's own side is not kept: it hears what there was to hear, as in any run, and is in the same state after
//! that. Where it behaves otherwise than in the run that was kept (it speaks earlier, or asks what there is at an instant
//! in between), the boot is run after all, so that nothing is ever different.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clock::Instant;
use emulator::snapshot::Snapshot;

use crate::Heard;

/// So many boots are kept; the oldest goes first. Each takes about as much memory as its image.
const BOOTS_MAX: usize = 32;
/// A boot in which more is said is none.
const BYTES_MAX: usize = 1 << 20;
/// A boot in which more happens is none.
const STEPS_MAX: usize = 10_000;

/// Boots of one run of the bench.
#[derive(Debug, Default)]
pub struct Boots {
    known: Mutex<VecDeque<(Key, Arc<Boot>)>>,
}

/// What a boot depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) chip: &'static str,
    pub(super) seed: u64,
    pub(super) image: Arc<[u8]>,
    /// What the flash holds, if the image was not loaded directly.
    pub(super) flash: Option<Arc<[u8]>>,
}

/// What a chip did until the bench first spoke to it.
#[derive(Debug)]
pub(super) struct Boot {
    pub(super) steps: Vec<Step>,
    pub(super) snapshot: Snapshot,
}

/// One look at the chip.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Until when it was looked at.
    pub(super) deadline: Instant,
    pub(super) heard: Heard,
}

impl Step {
    fn is_empty(&self) -> bool {
        self.heard.ports.is_empty() && self.heard.air.is_empty() && self.heard.incidents.is_empty()
    }
}

impl Boots {
    /// None yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.known().len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.known().is_empty()
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Boot>> {
        self.known().iter().find(|(known, _)| known == key).map(|(_, boot)| Arc::clone(boot))
    }

    pub(super) fn keep(&self, key: Key, boot: Boot) {
        let mut known = self.known();
        if known.iter().any(|(other, _)| *other == key) {
            return;
        }
        if known.len() >= BOOTS_MAX {
            known.pop_front();
        }
        known.push_back((key, Arc::new(boot)));
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<(Key, Arc<Boot>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A boot on its way to being kept.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    steps: Vec<Step>,
    bytes: usize,
}

impl Recorder {
    /// Notes one look; `false` if this has become too much to be a boot.
    pub(super) fn note(&mut self, step: Step) -> bool {
        self.bytes += step.heard.ports.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        self.steps.push(step);
        self.bytes <= BYTES_MAX && self.steps.len() <= STEPS_MAX
    }

    pub(super) fn finish(self, snapshot: Snapshot) -> Boot {
        Boot { steps: self.steps, snapshot }
    }
}

/// A boot that is heard again.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) boot: Arc<Boot>,
    next: usize,
    /// Until when the bench has looked, each time.
    pub(super) asked: Vec<Instant>,
}

/// What the replay has for the bench.
#[derive(Debug)]
pub(super) enum Next {
    /// This was heard.
    Heard(Heard),
    /// The boot is over.
    Over,
    /// The bench looks otherwise than it did.
    Otherwise,
}

impl Replay {
    pub(super) fn new(boot: Arc<Boot>) -> Self {
        Self { boot, next: 0, asked: Vec::new() }
    }

    /// Whether all of it has been heard.
    pub(super) fn is_over(&self) -> bool {
        self.next == self.boot.steps.len()
    }

    /// The bench looks until `deadline`.
    ///
    /// What is said is said at its instant, however long anybody looks; how late it is when nothing is said depends on
    /// how long was looked.
    pub(super) fn listen(&mut self, deadline: Instant) -> Next {
        let rest = self.boot.steps.get(self.next..).unwrap_or_default();
        let [first, ..] = rest else { return Next::Over };
        let found = if first.is_empty() && first.deadline == deadline {
            Some(0)
        } else {
            rest.iter().position(|step| !step.is_empty()).filter(|n| rest[*n].heard.at <= deadline)
        };
        let Some(step) = found.and_then(|n| rest.get(n).map(|step| (n, step))) else { return Next::Otherwise };
        let (n, heard) = (step.0, step.1.heard.clone());
        self.next += n + 1;
        self.asked.push(deadline);
        Next::Heard(heard)
    }
}
