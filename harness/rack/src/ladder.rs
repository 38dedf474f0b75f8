//! The recovery ladder: what is tried with a board that does not do its part, from the mildest to the last.
//!
//! Data and a state machine without I/O. Whoever climbs does what a rung says, looks whether the board is well, and
//! tells; the ladder says what is next. Every rung has a limit and is taken a bounded number of times in a run, so that
//! a board that falls ill again and again is given up.

use std::fmt;
use std::time::Duration;

use board::FaultKind;

/// What can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// Let go of the probe and attach anew: a flashing process that hung is replaced.
    Reattach,
    /// Reset the chip.
    Reset,
    /// Reset the USB port of the board (USBDEVFS_RESET): probe-rs#2023, openocd-esp32#167.
    UsbReset,
    /// Erase the whole flash and flash again: esp-hal#1809, probe-rs#2310.
    EraseAndReflash,
    /// Take the power away and give it back.
    PowerCycle,
}

/// A rung and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What is tried.
    pub rung: Rung,
    /// How often in one run.
    pub times_max: u32,
    /// How long it may take.
    pub limit: Duration,
}

/// The ladder, from its foot.
pub const LADDER: [Bounds; 5] = [
    Bounds { rung: Rung::Reattach, times_max: 6, limit: Duration::from_secs(20) },
    Bounds { rung: Rung::Reset, times_max: 6, limit: Duration::from_secs(10) },
    Bounds { rung: Rung::UsbReset, times_max: 4, limit: Duration::from_secs(15) },
    Bounds { rung: Rung::EraseAndReflash, times_max: 2, limit: Duration::from_secs(240) },
    Bounds { rung: Rung::PowerCycle, times_max: 2, limit: Duration::from_secs(45) },
];

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reattach => "re-attach",
            Self::Reset => "reset",
            Self::UsbReset => "USB reset",
            Self::EraseAndReflash => "erase and reflash",
            Self::PowerCycle => "power cycle",
        })
    }
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try this, within the limit.
    Try(Rung, Duration),
    /// The board is wedged: it leaves the run.
    Wedged,
}

/// How often each rung of a board's ladder has been taken.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// The rungs that this board has: without a switch there is no power cycle.
    rungs: Vec<(Bounds, u32)>,
    /// Where the present ascent stands.
    at: usize,
}

impl Ladder {
    /// The ladder of a board for which `is_there` tells what can be done.
    pub fn new(is_there: impl Fn(Rung) -> bool) -> Self {
        Self {
            rungs: LADDER.into_iter().filter(|bounds| is_there(bounds.rung)).map(|bounds| (bounds, 0)).collect(),
            at: 0,
        }
    }

    /// The board has fallen ill: an ascent begins, at the first rung that can help with this.
    pub fn begin(&mut self, kind: Option<FaultKind>) {
        let first = match kind {
            // No ascent helps: eFuses stay burnt, and permissions are a person's to give.
            Some(FaultKind::ChipLocked | FaultKind::PermissionDenied) => None,
            Some(FaultKind::VerifyFailed) => Some(Rung::EraseAndReflash),
            _ => Some(Rung::Reattach),
        };
        self.at = match first {
            Some(first) => self.rungs.iter().position(|(bounds, _)| bounds.rung >= first).unwrap_or(self.rungs.len()),
            None => self.rungs.len(),
        };
    }

    /// What to try now. Each call goes one rung up; the board being well again, nobody calls.
    pub fn climb(&mut self) -> Next {
        while let Some((bounds, taken)) = self.rungs.get_mut(self.at) {
            self.at += 1;
            if *taken < bounds.times_max {
                *taken += 1;
                return Next::Try(bounds.rung, bounds.limit);
            }
        }
        Next::Wedged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascent(ladder: &mut Ladder, kind: FaultKind) -> Vec<Rung> {
        ladder.begin(Some(kind));
        let mut rungs = Vec::new();
        while let Next::Try(rung, limit) = ladder.climb() {
            assert!(limit > Duration::ZERO);
            rungs.push(rung);
        }
        rungs
    }

    #[test]
    fn an_ascent_goes_from_the_mildest_to_the_last() {
        let mut ladder = Ladder::new(|_| true);
        let rungs = ascent(&mut ladder, FaultKind::Hung);
        assert_eq!(rungs, [Rung::Reattach, Rung::Reset, Rung::UsbReset, Rung::EraseAndReflash, Rung::PowerCycle]);
        assert_eq!(ladder.climb(), Next::Wedged);
    }

    #[test]
    fn rungs_that_a_board_lacks_are_left_out() {
        let mut ladder = Ladder::new(|rung| !matches!(rung, Rung::PowerCycle | Rung::UsbReset));
        assert_eq!(ascent(&mut ladder, FaultKind::ChipAbsent), [Rung::Reattach, Rung::Reset, Rung::EraseAndReflash]);
    }

    #[test]
    fn what_no_rung_can_help_with_is_not_tried() {
        let mut ladder = Ladder::new(|_| true);
        assert_eq!(ascent(&mut ladder, FaultKind::PermissionDenied), []);
        assert_eq!(ascent(&mut ladder, FaultKind::ChipLocked), []);
        assert_eq!(ascent(&mut ladder, FaultKind::VerifyFailed), [Rung::EraseAndReflash, Rung::PowerCycle]);
    }

    #[test]
    fn a_board_that_falls_ill_for_ever_is_given_up() {
        let mut ladder = Ladder::new(|_| true);
        let taken: usize = (0..1_000).map(|_| ascent(&mut ladder, FaultKind::Hung).len()).sum();
        assert_eq!(taken, LADDER.iter().map(|bounds| bounds.times_max as usize).sum::<usize>());
        ladder.begin(None);
        assert_eq!(ladder.climb(), Next::Wedged);
    }
}
