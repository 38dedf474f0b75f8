//! How late this machine is: what it loses of a run in wall time is not the device's.
//!
//! A bench that is stopped, starved of its processor, or asleep with its lid closed does not answer, and a device gives up
//! on it as on a broker that is gone. So whatever waits in wall time takes a turn at least every [`TURN`]; what a turn
//! takes beyond that is owed, and paid back slowly, so that a machine that is late again and again counts as one that is
//! late once. Whoever owes more than the limit may have decided what the device did: such an attempt is the bench's failure.

use std::fmt;
use std::time::Duration;

/// No turn is longer, if this machine does its part.
pub const TURN: Duration = Duration::from_millis(250);
/// What may be owed, unless a device is less patient.
pub const LIMIT: Duration = Duration::from_secs(2);
/// So many times as long as it was late a machine has to be in time until nothing is owed.
const PAID_BACK_IN: u32 = 4;

/// The turns of one run.
#[derive(Clone, Copy, Debug)]
pub struct Lateness {
    limit: Duration,
    last: Duration,
    owed: Duration,
}

/// By how much this machine was too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Late(pub Duration);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the bench itself was {:.1} s late (stopped, asleep, or short of processors), so what the device did says \
             nothing",
            self.0.as_secs_f64()
        )
    }
}

impl Lateness {
    /// From `now` on, on a clock that goes on while the machine sleeps: [`now`].
    pub const fn new(limit: Duration, now: Duration) -> Self {
        Self { limit, last: now, owed: Duration::ZERO }
    }

    /// A turn at `now`; by how much it is too late, if it is.
    pub fn turn(&mut self, now: Duration) -> Option<Late> {
        let took = now.saturating_sub(std::mem::replace(&mut self.last, now));
        let late = took.saturating_sub(self.turn_max());
        self.owed = self.owed.saturating_sub((took - late) / PAID_BACK_IN) + late;
        (self.owed > self.limit).then(|| Late(std::mem::take(&mut self.owed)))
    }

    /// How long the next turn may be.
    pub fn turn_max(&self) -> Duration {
        TURN.min(self.limit)
    }
}

/// The time of a clock that goes on while the machine sleeps, where there is one.
#[cfg(unix)]
pub fn now() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// The time of a clock that goes on while the machine sleeps, where there is one.
#[cfg(not(unix))]
pub fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
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
        // In time for long enough.
        let now = (1..=40).fold(S(102) + 2 * TURN, |now, _| {
            assert_eq!(lateness.turn(now + TURN), None);
            now + TURN
        });
        assert_eq!(lateness.turn(now + S(13) + TURN), Some(Late(S(13))), "stopped for 13 s");
        assert_eq!(lateness.turn(now + S(13) + 2 * TURN), None);
        assert_eq!(lateness.turn(S(1)), None, "a clock that is set back");
    }

    #[test]
    fn a_machine_that_is_late_again_and_again_is_late() {
        let mut lateness = Lateness::new(S(2), S(100));
        let mut now = S(100);
        let late = (0..10).find_map(|_| {
            now += Duration::from_millis(100);
            assert_eq!(lateness.turn(now), None);
            now += Duration::from_millis(1_900);
            lateness.turn(now)
        });
        assert!(late.is_some_and(|Late(late)| late > S(3)), "{late:?}");
        // A machine with a load, whose turns are a little late, is not.
        let mut lateness = Lateness::new(S(2), S(100));
        assert!((1..10_000).all(|turn| lateness.turn(S(100) + turn * Duration::from_millis(290)).is_none()));
    }

    #[test]
    fn who_may_be_late_for_less_takes_shorter_turns() {
        let mut lateness = Lateness::new(Duration::from_millis(100), S(100));
        assert_eq!(lateness.turn_max(), Duration::from_millis(100));
        assert_eq!(lateness.turn(S(100) + Duration::from_millis(201)), Some(Late(Duration::from_millis(101))));
    }

    #[test]
    fn the_clock_goes_on() {
        assert!(now() <= now() && now() > Duration::ZERO);
    }
}
