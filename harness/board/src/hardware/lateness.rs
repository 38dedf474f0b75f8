//! How late this machine is: what it loses of a run is not the device's.
//!
//! A bench that is stopped, starved of its processor, or asleep with its lid closed does not answer, and a device gives up
//! on it as on a broker that is gone. The loop takes a turn at least every [`TURN`]; a turn that comes later than that by
//! more than the limit makes the attempt the bench's failure.

use std::time::Duration;

/// No turn is longer, if this machine does its part.
pub(super) const TURN: Duration = Duration::from_millis(250);

/// The turns of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lateness {
    limit: Duration,
    last: Duration,
}

impl Lateness {
    /// From `now` on, on a clock that goes on while the machine sleeps.
    pub fn new(limit: Duration, now: Duration) -> Self {
        Self { limit, last: now }
    }

    /// A turn at `now`; by how much it is too late, if it is.
    pub fn turn(&mut self, now: Duration) -> Option<Duration> {
        let took = now.saturating_sub(std::mem::replace(&mut self.last, now));
        Some(took.saturating_sub(TURN)).filter(|late| *late > self.limit)
    }
}

/// The time of a clock that goes on while the machine sleeps, where there is one.
pub(super) fn now() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_turn_that_comes_too_late_is_told_once() {
        let mut lateness = Lateness::new(S(2), S(100));
        assert_eq!(lateness.turn(S(100) + TURN), None);
        assert_eq!(lateness.turn(S(102) + 2 * TURN), None, "as late as may be");
        assert_eq!(lateness.turn(S(115) + 3 * TURN), Some(S(13)), "stopped for 13 s");
        assert_eq!(lateness.turn(S(115) + 4 * TURN), None);
        assert_eq!(lateness.turn(S(1)), None, "a clock that is set back");
    }

    #[test]
    fn the_clock_goes_on() {
        assert!(now() <= now() && now() > Duration::ZERO);
    }
}
