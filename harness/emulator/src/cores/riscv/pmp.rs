//! Physical memory protection (the RISC-V privileged architecture, section "Physical Memory Protection").
//!
//! Sixteen entries with a granularity of four bytes, as in the ESP32-C3's technical reference manual, section 1.8.

use serde::{Deserialize, Serialize};

use super::trap::Privilege;

pub(super) const ENTRY_COUNT: usize = 16;

const READ: u8 = 1 << 0;
const WRITE: u8 = 1 << 1;
const EXECUTE: u8 = 1 << 2;
const MODE_SHIFT: u8 = 3;
const MODE_MASK: u8 = 3 << MODE_SHIFT;
const LOCKED: u8 = 1 << 7;
/// Bits 5 and 6 of a configuration byte are reserved and read as zero.
const IMPLEMENTED: u8 = READ | WRITE | EXECUTE | MODE_MASK | LOCKED;

const OFF: u8 = 0;
const TOP_OF_RANGE: u8 = 1;
const NATURALLY_ALIGNED_FOUR: u8 = 2;

/// What an access wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Write,
    Execute,
}

/// The bytes that an entry matches, and what it says about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Range {
    first: u64,
    /// Inclusive.
    last: u64,
    configuration: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pmp {
    configurations: [u8; ENTRY_COUNT],
    addresses: [u32; ENTRY_COUNT],
    /// Those entries that match anything, by falling priority.
    ranges: Vec<Range>,
    any_locked: bool,
}

impl Pmp {
    pub(super) const fn new() -> Self {
        Self { configurations: [0; ENTRY_COUNT], addresses: [0; ENTRY_COUNT], ranges: Vec::new(), any_locked: false }
    }

    /// `pmpcfg0` to `pmpcfg3`.
    pub(super) fn configuration(&self, register: usize) -> u32 {
        let first = register * 4;
        u32::from_le_bytes(std::array::from_fn(|i| self.configurations[first + i]))
    }

    pub(super) fn set_configuration(&mut self, register: usize, value: u32) {
        for (i, byte) in value.to_le_bytes().into_iter().enumerate() {
            let entry = &mut self.configurations[register * 4 + i];
            if *entry & LOCKED == 0 {
                *entry = byte & IMPLEMENTED;
            }
        }
        self.resolve();
    }

    /// `pmpaddr0` to `pmpaddr15`.
    pub(super) fn address(&self, entry: usize) -> u32 {
        self.addresses[entry]
    }

    pub(super) fn set_address(&mut self, entry: usize, value: u32) {
        let configuration = self.configurations[entry];
        let next = self.configurations.get(entry + 1).copied().unwrap_or(0);
        let bounds_a_locked_range = next & LOCKED != 0 && mode(next) == TOP_OF_RANGE;
        if configuration & LOCKED == 0 && !bounds_a_locked_range {
            self.addresses[entry] = value;
            self.resolve();
        }
    }

    /// Whether every access is allowed to this mode, so that nobody need ask.
    pub(super) fn allows_everything(&self, privilege: Privilege) -> bool {
        privilege == Privilege::Machine && !self.any_locked
    }

    pub(super) fn allows(&self, privilege: Privilege, wish: Wish, address: u32, bytes: u32) -> bool {
        if self.allows_everything(privilege) {
            return true;
        }
        let first = u64::from(address);
        let last = first + u64::from(bytes) - 1;
        for range in &self.ranges {
            if range.first > last || range.last < first {
                continue;
            }
            // The first entry that matches any byte must match them all.
            return range.first <= first && last <= range.last && permits(range.configuration, privilege, wish);
        }
        privilege == Privilege::Machine
    }

    /// The one answer for all accesses inside `first..=last`; `None` if they differ.
    pub(super) fn uniform(&self, privilege: Privilege, wish: Wish, first: u32, last: u32) -> Option<bool> {
        if self.allows_everything(privilege) {
            return Some(true);
        }
        let (first, last) = (u64::from(first), u64::from(last));
        for range in &self.ranges {
            if range.first > last || range.last < first {
                continue;
            }
            let covers = range.first <= first && last <= range.last;
            return covers.then(|| permits(range.configuration, privilege, wish));
        }
        Some(privilege == Privilege::Machine)
    }

    fn resolve(&mut self) {
        self.any_locked = false;
        self.ranges.clear();
        for (entry, (&configuration, &address)) in self.configurations.iter().zip(&self.addresses).enumerate() {
            let at = u64::from(address) << 2;
            let (first, last) = match mode(configuration) {
                OFF => continue,
                TOP_OF_RANGE => {
                    let below = if entry == 0 { 0 } else { u64::from(self.addresses[entry - 1]) << 2 };
                    // A range that ends before it begins matches nothing.
                    (below, at.saturating_sub(1))
                }
                NATURALLY_ALIGNED_FOUR => (at, at + 3),
                _ => {
                    // The trailing ones say how large: none is eight bytes, each one more doubles it.
                    let size = 8u64 << address.trailing_ones();
                    let first = at & !(size - 1);
                    (first, first + (size - 1))
                }
            };
            self.any_locked |= configuration & LOCKED != 0;
            if first <= last && !(mode(configuration) == TOP_OF_RANGE && at == 0) {
                self.ranges.push(Range { first, last, configuration });
            }
        }
    }
}

const fn mode(configuration: u8) -> u8 {
    (configuration & MODE_MASK) >> MODE_SHIFT
}

fn permits(configuration: u8, privilege: Privilege, wish: Wish) -> bool {
    if privilege == Privilege::Machine && configuration & LOCKED == 0 {
        return true;
    }
    let needed = match wish {
        Wish::Read => READ,
        Wish::Write => WRITE,
        Wish::Execute => EXECUTE,
    };
    configuration & needed != 0
}
