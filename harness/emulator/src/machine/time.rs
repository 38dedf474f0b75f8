//! A chip's measure of time, and how the CPU's cycles map to it. Its rate may change while it runs, so cycles are
//! converted from the last change onwards.

use serde::{Deserialize, Serialize};

/// Periods of the fastest clock that a chip's devices count by, since power-on. How long one is, the chip knows.
pub(crate) type Ticks = u64;

/// Later than any event.
pub(crate) const NEVER: Ticks = u64::MAX;

/// How CPU cycles map to ticks since the CPU's rate last changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CpuClock {
    changed_at_cycle: u64,
    changed_at: Ticks,
    ticks_per_cycle: u64,
}

impl CpuClock {
    /// From power-on, with `ticks_per_cycle` ticks to each cycle.
    pub fn new(ticks_per_cycle: u64) -> Self {
        Self { changed_at_cycle: 0, changed_at: 0, ticks_per_cycle: ticks_per_cycle.max(1) }
    }

    /// From `cycle` on, each cycle takes `ticks_per_cycle` ticks.
    pub fn change(&mut self, cycle: u64, ticks_per_cycle: u64) {
        let now = self.ticks(cycle);
        *self = Self { changed_at_cycle: cycle, changed_at: now, ticks_per_cycle: ticks_per_cycle.max(1) };
    }

    /// When `cycle` happens.
    pub fn ticks(&self, cycle: u64) -> Ticks {
        let cycles = cycle.saturating_sub(self.changed_at_cycle);
        self.changed_at.saturating_add(cycles.saturating_mul(self.ticks_per_cycle))
    }

    /// The first cycle that is not before `ticks`.
    pub fn cycle(&self, ticks: Ticks) -> u64 {
        let since = ticks.saturating_sub(self.changed_at);
        self.changed_at_cycle.saturating_add(since.div_ceil(self.ticks_per_cycle))
    }

    /// Ticks in each cycle at present.
    pub fn ticks_per_cycle(&self) -> u64 {
        self.ticks_per_cycle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_rate_neither_loses_nor_repeats_time() {
        let mut clock = CpuClock::new(2);
        assert_eq!(clock.ticks(1_000), 2_000);
        clock.change(1_000, 1);
        assert_eq!(clock.ticks(1_000), 2_000);
        assert_eq!(clock.ticks(1_010), 2_010);
        assert_eq!(clock.cycle(2_010), 1_010);
        clock.change(1_010, 4);
        assert_eq!(clock.cycle(2_011), 1_011);
    }
}
