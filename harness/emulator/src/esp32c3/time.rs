//! The chip's common measure of time, and how the CPU's cycles map to it.
//!
//! Devices count *ticks* of 160 MHz, the fastest clock of the chip, of which every other clock that matters is a whole
//! fraction: APB 80 MHz, crystal 40 MHz, SYSTIMER 16 MHz. The CPU's own rate changes while it runs (20, 40, 80, 160
//! MHz), so cycles are converted from the last change onwards.

use clock::Instant;

/// Periods of 160 MHz (6.25 ns) since power-on.
pub(crate) type Ticks = u64;

/// Later than any event.
pub(crate) const NEVER: Ticks = u64::MAX;

/// Ticks in a second.
pub(crate) const TICKS_HZ: u64 = 160_000_000;
/// Ticks in a period of the 80 MHz peripheral bus.
pub(crate) const TICKS_PER_APB: u64 = 2;
/// Ticks in a period of the 40 MHz crystal.
pub(crate) const TICKS_PER_XTAL: u64 = 4;
/// Ticks in a period of the fast RC oscillator: nominally 17.5 MHz, 9.14 ticks, taken as 9.
pub(crate) const TICKS_PER_RC_FAST: u64 = 9;
/// The slow RC oscillator, nominally 136 kHz.
pub(crate) const RC_SLOW_HZ: u64 = 136_000;

/// The first tick that is not before `instant`; never, for the far future.
pub(crate) fn ticks_at(instant: Instant) -> Ticks {
    if instant == Instant::FAR_FUTURE {
        return NEVER;
    }
    let ticks = (u128::from(instant.as_nanos()) * 4).div_ceil(25);
    u64::try_from(ticks).unwrap_or(NEVER)
}

/// The instant of a tick, rounded down to nanoseconds.
pub(crate) fn instant_of(ticks: Ticks) -> Instant {
    let nanos = u128::from(ticks) * 25 / 4;
    Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Periods of `rate_hz` that have passed by `ticks`.
pub(crate) fn periods_at(ticks: Ticks, rate_hz: u64) -> u64 {
    (u128::from(ticks) * u128::from(rate_hz) / u128::from(TICKS_HZ)) as u64
}

/// The first tick at which `periods` of `rate_hz` have passed.
pub(crate) fn ticks_after_periods(periods: u64, rate_hz: u64) -> Ticks {
    let ticks = (u128::from(periods) * u128::from(TICKS_HZ)).div_ceil(u128::from(rate_hz.max(1)));
    u64::try_from(ticks).unwrap_or(NEVER)
}

/// How CPU cycles map to ticks since the CPU's rate last changed.
#[derive(Clone, Copy, Debug)]
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

    /// The CPU's rate in Hz.
    pub fn rate_hz(&self) -> u64 {
        TICKS_HZ / self.ticks_per_cycle
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

    #[test]
    fn ticks_are_six_and_a_quarter_nanoseconds() {
        assert_eq!(ticks_at(Instant::from_millis(1)), 160_000);
        assert_eq!(instant_of(160_000), Instant::from_millis(1));
        assert_eq!(instant_of(ticks_at(Instant::from_nanos(7))), Instant::from_nanos(12));
        assert_eq!(ticks_at(Instant::FAR_FUTURE), NEVER);
    }

    #[test]
    fn periods_and_ticks_are_inverse() {
        for periods in [0, 1, 7, 136_000] {
            assert_eq!(periods_at(ticks_after_periods(periods, RC_SLOW_HZ), RC_SLOW_HZ), periods);
        }
    }
}
