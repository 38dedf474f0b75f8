//! Certificates that are minted once for all stacks of a scenario.
//!
//! What is minted depends on nothing but specification, seed and date. Stacks meet a scenario one after the other, so the
//! last few are all that is worth keeping.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use clock::UnixTime;
use pki::Minted;
use pki::spec::Certificates;

/// So many are kept: some for each scenario that is run at the same time.
const KEPT_MAX: usize = 32;

struct Kept {
    certificates: Certificates,
    seed: u64,
    date: UnixTime,
    minted: Arc<Minted>,
}

static KEPT: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());

/// As [`pki::mint`].
pub(super) fn mint(certificates: &Certificates, seed: u64, date: UnixTime) -> Result<Arc<Minted>, pki::Error> {
    let is_same = |kept: &&Kept| kept.seed == seed && kept.date == date && kept.certificates == *certificates;
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept().iter().rev().find(is_same) {
        return Ok(Arc::clone(&known.minted));
    }
    // Not under the lock: others need not wait, and what two mint at the same time is the same.
    let minted = Arc::new(pki::mint(certificates, seed, date)?);
    let mut kept = kept();
    if kept.len() == KEPT_MAX {
        kept.pop_front();
    }
    kept.push_back(Kept { certificates: certificates.clone(), seed, date, minted: Arc::clone(&minted) });
    Ok(minted)
}
