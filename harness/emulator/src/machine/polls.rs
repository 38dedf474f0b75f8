//! Firmware that reads one register again and again and waits for what never comes.
//!
//! A loop of that kind is the commonest end of firmware on a chip that is not all modelled, and it says nothing by itself.
//! What is seen here: the same register gives the same value for a whole period. Whether anything else happens
//! meanwhile is seen too: a register that is written, or one that gives another value than before.

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use super::time::Ticks;

/// Registers that are watched at a time; two that share a place displace each other.
const PLACES: usize = 32;
/// How many reads in a period it takes: firmware may well look at a register once a millisecond, and find it unchanged.
const READS_MIN: u32 = 4_096;
/// How many it takes where nothing else happens.
const LONELY_READS_MIN: u32 = 256;

/// A register that is polled without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Poll {
    pub address: u32,
    /// Reads in the last period.
    pub reads: u32,
    /// Nothing else has happened in that time, and nothing that could come from outside would change the register.
    pub nothing_else: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Place {
    address: u32,
    value: u32,
    reads: u32,
    since: Ticks,
}

/// Which registers are polled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Polls {
    places: [Place; PLACES],
    period: Ticks,
    /// When something else than unchanged reads has last happened.
    active_at: Ticks,
    told: BTreeSet<u32>,
}

impl Polls {
    /// Watches for polls that last for `period`.
    pub fn new(period: Ticks) -> Self {
        Self { places: [Place::default(); PLACES], period, active_at: 0, told: BTreeSet::new() }
    }

    /// Something has happened: the chip was reset.
    pub fn note_activity(&mut self, now: Ticks) {
        self.active_at = now;
    }

    /// A register has been written. To read it before that is no poll.
    pub fn note_write(&mut self, address: u32, now: Ticks) {
        self.active_at = now;
        let place = &mut self.places[(address / 4) as usize % PLACES];
        if place.address == address {
            (place.reads, place.since) = (0, now);
        }
    }

    /// A register has been read. `Some` if that has gone on for a period: once for each register, and whenever nothing
    /// else happens any more.
    pub fn note_read(&mut self, address: u32, value: u32, behaves: bool, now: Ticks) -> Option<Poll> {
        let place = &mut self.places[(address / 4) as usize % PLACES];
        if (place.address, place.value) != (address, value) {
            *place = Place { address, value, reads: 0, since: now };
            self.active_at = now;
            return None;
        }
        place.reads = place.reads.saturating_add(1);
        if now.saturating_sub(place.since) < self.period {
            return None;
        }
        let reads = place.reads;
        (place.reads, place.since) = (0, now);
        // What behaves may change yet, by what somebody outside does: a key, a pin.
        let nothing_else = !behaves && now.saturating_sub(self.active_at) >= self.period;
        if reads < if nothing_else { LONELY_READS_MIN } else { READS_MIN } {
            return None;
        }
        (self.told.insert(address) || nothing_else).then_some(Poll { address, reads, nothing_else })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Ticks = 1_000_000;

    /// Reads a register every ten ticks for `periods`; what is told, and when.
    fn poll(
        polls: &mut Polls,
        from: Ticks,
        periods: u64,
        mut other: impl FnMut(&mut Polls, Ticks),
    ) -> Vec<(Ticks, Poll)> {
        let mut told = Vec::new();
        for now in (from..from + periods * PERIOD + 100).step_by(10) {
            other(polls, now);
            told.extend(polls.note_read(0x6004_0044, 0, false, now).map(|poll| (now, poll)));
        }
        told
    }

    #[test]
    fn a_poll_is_told_within_a_period_and_whether_anything_else_happened() {
        let mut polls = Polls::new(PERIOD);
        let told = poll(&mut polls, 0, 1, |_, _| {});
        let [(at, poll)] = told.as_slice() else { panic!("{told:?}") };
        assert!(*at <= PERIOD + 10 && poll.nothing_else, "{told:?}");
        assert!(poll.reads >= 99_000);
    }

    #[test]
    fn while_other_things_happen_it_is_told_once_and_when_they_end_again() {
        let mut polls = Polls::new(PERIOD);
        let ticking = poll(&mut polls, 0, 3, |polls, now| {
            if now % 100_000 == 0 {
                polls.note_activity(now);
            }
        });
        assert_eq!(ticking.len(), 1);
        assert!(!ticking[0].1.nothing_else);
        let dead = poll(&mut polls, 4 * PERIOD, 2, |_, _| {});
        assert!(dead.iter().any(|(_, poll)| poll.nothing_else));
    }

    #[test]
    fn a_register_that_changes_is_not_polled_without_end() {
        let mut polls = Polls::new(PERIOD);
        for now in (0..5 * PERIOD).step_by(10) {
            let changes_twice_a_period = (now / (PERIOD / 2)) as u32;
            assert_eq!(polls.note_read(0x6002_3044, changes_twice_a_period, false, now), None);
        }
    }

    #[test]
    fn a_register_that_is_read_changed_and_written_again_is_not_polled() {
        let mut polls = Polls::new(PERIOD);
        for now in (0..5 * PERIOD).step_by(10) {
            assert_eq!(polls.note_read(0x6002_3034, 7, false, now), None);
            polls.note_write(0x6002_3034, now);
        }
    }

    #[test]
    fn input_that_is_looked_at_every_millisecond_is_not_worth_telling() {
        let mut polls = Polls::new(PERIOD);
        for now in (0..5 * PERIOD).step_by(PERIOD as usize / 1_000) {
            assert_eq!(polls.note_read(0x6000_001c, 0xe000_c000, true, now), None);
        }
    }
}
