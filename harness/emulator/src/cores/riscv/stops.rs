//! Addresses before which a run stops: hooks of its owner, breakpoints of a debugger.

use core::ops::Range;
use std::collections::BTreeSet;

use super::hart::Stop;

/// Hooks and breakpoints. Most lookups are for addresses that are neither, and answered by a few bits.
#[derive(Default)]
pub(super) struct Stops {
    /// Where every address is a hook.
    hooked: Range<u32>,
    hooks: BTreeSet<u32>,
    breakpoints: BTreeSet<u32>,
    /// One bit for each residue of addresses that may be in one of the sets.
    filter: [u64; 16],
}

impl Stops {
    pub(super) fn hook_range(&mut self, range: Range<u32>) {
        self.hooked = range;
    }

    pub(super) fn add_hook(&mut self, address: u32) {
        self.hooks.insert(address);
        self.resolve();
    }

    pub(super) fn remove_hook(&mut self, address: u32) {
        self.hooks.remove(&address);
        self.resolve();
    }

    pub(super) fn add_breakpoint(&mut self, address: u32) {
        self.breakpoints.insert(address);
        self.resolve();
    }

    pub(super) fn remove_breakpoint(&mut self, address: u32) {
        self.breakpoints.remove(&address);
        self.resolve();
    }

    pub(super) fn contains(&self, address: u32) -> bool {
        self.hooked.contains(&address)
            || self.may_contain(address) && (self.hooks.contains(&address) || self.breakpoints.contains(&address))
    }

    /// What a run that reaches `address` must report.
    pub(super) fn stop_at(&self, address: u32) -> Option<Stop> {
        if self.hooked.contains(&address) {
            Some(Stop::Hook { address })
        } else if !self.may_contain(address) {
            None
        } else if self.hooks.contains(&address) {
            Some(Stop::Hook { address })
        } else {
            self.breakpoints.contains(&address).then_some(Stop::Breakpoint { address })
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

/// Addresses are even: every residue gets its bit.
const fn place(address: u32) -> (usize, u64) {
    let residue = address >> 1 & 0x3ff;
    (residue as usize / 64, 1 << (residue % 64))
}
