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

use super::past::{Key, Past};

/// So many boots are kept; the oldest goes first. Each takes about as much memory as its image.
const BOOTS_MAX: usize = 32;

/// Boots of one run of the bench.
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

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Past>> {
        self.known().iter().find(|past| past.is_of(key)).map(Arc::clone)
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
