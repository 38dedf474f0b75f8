//! Beginnings of runs that are not run twice.
//!
//! What a chip does depends on nothing but the chip, its seed, its image, its mask ROM, and what reaches it from outside. So the
//! beginnings of runs are kept: until the bench first speaks on a wire, and until each milestone that it names
//! ([`crate::Board::milestone`]): what was done and heard and when, and a snapshot of the chip at the end. Later runs that do
//! the same hear the same at the same instants, and go on from the snapshot.
//!
//! The bench's own side is not kept: it hears what there was to hear, as in any run, and is in the same state after
//! that. Where it behaves otherwise than in the run that was kept (it says something else, speaks earlier, or asks what there
//! is at an instant in between), another beginning is looked for in which it did as it does; and if there is none, the chip
//! runs from power-on after all, so that nothing is ever different.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::past::{Past, Replay};

/// So many are kept; the one that was not used for longest goes first. Each takes about as much memory as its image.
const BOOTS_MAX: usize = 32;

/// Beginnings of the runs of one bench.
#[derive(Debug, Default)]
pub struct Boots {
    known: Mutex<VecDeque<Arc<Past>>>,
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

    /// The longest of those of which `fits` makes something to hear again.
    pub(super) fn find(&self, fits: &dyn Fn(&Arc<Past>) -> Option<Replay>) -> Option<Replay> {
        let mut known = self.known();
        let fitting = known.iter().enumerate().filter_map(|(at, past)| Some((at, fits(past)?)));
        let (at, replay) = fitting.max_by_key(|(_, replay)| replay.past.length())?;
        if let Some(used) = known.remove(at) {
            known.push_back(used);
        }
        Some(replay)
    }

    pub(super) fn keep(&self, boot: Past) {
        let mut known = self.known();
        if known.iter().any(|other| other.is_like(&boot)) {
            return;
        }
        if known.len() >= BOOTS_MAX {
            known.pop_front();
        }
        known.push_back(Arc::new(boot));
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<Arc<Past>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
