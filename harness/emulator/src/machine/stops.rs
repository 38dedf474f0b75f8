//! Addresses before which a run stops: hooks of its owner, breakpoints of a debugger.

use core::ops::Range;
use std::collections::BTreeSet;

/// Why a run stops before an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopsFor {
    /// Its owner has a hook there.
    Hook,
    /// A debugger has a breakpoint there.
    Breakpoint,
}

/// Hooks and breakpoints. Most lookups are for addresses that are neither, and answered by a few bits.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Stops {
    /// Where every address is a hook.
    hooked: Range<u32>,
    hooks: BTreeSet<u32>,
    breakpoints: BTreeSet<u32>,
    /// One bit for each residue of addresses that may be in one of the sets.
    filter: [u64; 16],
}

impl Stops {
    /// Makes every address of a range a hook.
    pub fn hook_range(&mut self, range: Range<u32>) {
        self.hooked = range;
    }

    /// Adds a hook.
    pub fn add_hook(&mut self, address: u32) {
        self.hooks.insert(address);
        self.resolve();
    }

    /// Forgets a hook.
    pub fn remove_hook(&mut self, address: u32) {
        self.hooks.remove(&address);
        self.resolve();
    }

    /// Adds a breakpoint.
    pub fn add_breakpoint(&mut self, address: u32) {
        self.breakpoints.insert(address);
        self.resolve();
    }

    /// Forgets a breakpoint.
    pub fn remove_breakpoint(&mut self, address: u32) {
        self.breakpoints.remove(&address);
        self.resolve();
    }

    /// Whether a run stops before `address`.
    pub fn contains(&self, address: u32) -> bool {
        self.at(address).is_some()
    }

    /// What a run that reaches `address` must report.
    #[inline]
    pub fn at(&self, address: u32) -> Option<StopsFor> {
        if self.hooked.contains(&address) {
            Some(StopsFor::Hook)
        } else if !self.may_contain(address) {
            None
        } else if self.hooks.contains(&address) {
            Some(StopsFor::Hook)
        } else {
            self.breakpoints.contains(&address).then_some(StopsFor::Breakpoint)
        }
    }

    fn may_contain(&self, address: u32) -> bool {
        let (word, bit) = place(address);
        self.filter[word] & bit != 0
    }

    fn resolve(&mut self) {
        self.filter = [0; 16];
        for &address in self.hooks.iter().chain(&self.breakpoints) {
            let (word, bit) = place(address);
            self.filter[word] |= bit;
        }
    }
}

/// Xtensa's instructions may be at odd addresses: every address has its bit.
const fn place(address: u32) -> (usize, u64) {
    let residue = address & 0x3ff;
    (residue as usize / 64, 1 << (residue % 64))
}
