//! Time as an argument.
//!
//! Everything between the serial port and the broker is a function of time: an [`Instant`] goes in, and what comes
//! out says at which [`Instant`] it wants to be asked again. Nothing in here reads a clock, so the same code runs in
//! virtual time (an emulated chip: instructions retired over the clock rate) and in wall time (a real board).
//!
//! This crate does not know what the time is for.
#![no_std]

pub mod calendar;

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
pub use core::time::Duration;

/// A point in a run, in nanoseconds since the device was powered. Runs start at [`Instant::ZERO`].
///
/// 64 bits hold 584 years of nanoseconds; arithmetic saturates, so a hostile deadline cannot wrap round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    since_power_on_ns: u64,
}

impl Instant {
    /// The moment at which the device was powered.
    pub const ZERO: Self = Self::from_nanos(0);
    /// Later than every deadline: "never", where a number is wanted.
    pub const FAR_FUTURE: Self = Self::from_nanos(u64::MAX);

    /// `nanos` nanoseconds after power-on.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self { since_power_on_ns: nanos }
    }

    /// `micros` microseconds after power-on.
    pub const fn from_micros(micros: u64) -> Self {
        Self::from_nanos(micros.saturating_mul(1_000))
    }

    /// `millis` milliseconds after power-on.
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_nanos(millis.saturating_mul(1_000_000))
    }

    /// Whole nanoseconds since power-on.
    pub const fn as_nanos(self) -> u64 {
        self.since_power_on_ns
    }

    /// Whole microseconds since power-on, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.since_power_on_ns / 1_000
    }

    /// Whole milliseconds since power-on, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.since_power_on_ns / 1_000_000
    }

    /// The same in 32 bits, as a device reports times: after 49 days, the most that they hold.
    pub fn as_millis_u32(self) -> u32 {
        u32::try_from(self.as_millis()).unwrap_or(u32::MAX)
    }

    /// How long after `earlier` this is; zero if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.since_power_on_ns.saturating_sub(earlier.since_power_on_ns))
    }

    /// The earlier of two deadlines, where `None` means "never".
    pub fn earliest(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, None) | (None, one) => one,
        }
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self::from_nanos(self.since_power_on_ns.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, rhs: Self) -> Duration {
        self.since(rhs)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} ms", self.as_millis(), self.since_power_on_ns % 1_000_000)
    }
}

/// A calendar time: seconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX.1-2017 §4.16).
///
/// A run has one date, at which its certificates are minted and which SNTP tells; it advances with the run's
/// [`Instant`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    /// Seconds since the epoch; negative before it.
    pub seconds: i64,
}

impl UnixTime {
    /// `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds }
    }

    /// The calendar time at `now`, if this was the time at power-on.
    pub const fn at(self, now: Instant) -> Self {
        Self { seconds: self.seconds.saturating_add((now.as_nanos() / 1_000_000_000) as i64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Instant::FAR_FUTURE + Duration::from_secs(1), Instant::FAR_FUTURE);
        assert_eq!(Instant::from_millis(u64::MAX), Instant::FAR_FUTURE);
        assert_eq!(Instant::ZERO - Instant::from_millis(5), Duration::ZERO);
    }

    #[test]
    fn the_calendar_advances_with_the_run() {
        let at_power_on = UnixTime::from_seconds(1_767_225_600);
        assert_eq!(at_power_on.at(Instant::from_millis(1_999)).seconds, 1_767_225_601);
    }

    #[test]
    fn never_loses_against_any_deadline() {
        let soon = Some(Instant::from_millis(1));
        assert_eq!(Instant::earliest(soon, None), soon);
        assert_eq!(Instant::earliest(None, None), None);
        assert_eq!(Instant::earliest(soon, Some(Instant::ZERO)), Some(Instant::ZERO));
    }
}
