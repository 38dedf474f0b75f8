//! The common measure of time of Espressif's chips.
//!
//! Devices count *ticks* of 160 MHz, the fastest clock of the ESP32-C3, of which every other clock that matters is a whole
//! fraction: APB 80 MHz, crystal 40 MHz, SYSTIMER 16 MHz.

use clock::Instant;

pub(crate) use crate::machine::time::{NEVER, Ticks};

/// Ticks in a second.
pub(crate) const TICKS_HZ: u64 = 160_000_000;
/// Ticks in a period of the 80 MHz peripheral bus.
pub(crate) const TICKS_PER_APB: u64 = 2;
/// Ticks in a period of the 40 MHz crystal.
pub(crate) const TICKS_PER_XTAL: u64 = 4;
/// Ticks in a microsecond.
pub(crate) const TICKS_PER_US: u64 = 160;
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

#[cfg(test)]
mod tests {
    use super::*;

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
