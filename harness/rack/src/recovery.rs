//! The recovery ladder: what is tried with a board that does not do its part, from the mildest to the last.
//!
//! Data and a state machine without I/O. Whoever recovers a board does what a step says, looks whether the board takes its image, and
//! tells; the ladder says what is next. Every step has a limit and is taken a bounded number of times in a run, so that
//! a board that fails again and again is given up.

use std::fmt;
use std::time::Duration;

use board::FaultKind;

/// What can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
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

/// A step and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What is tried.
    pub step: Step,
    /// How often in one run.
    pub times_max: u32,
    /// How long it may take.
    pub limit: Duration,
}

/// The ladder, from its foot.
pub const STEPS: [Bounds; 5] = [
    Bounds { step: Step::Reattach, times_max: 6, limit: Duration::from_secs(20) },
    Bounds { step: Step::Reset, times_max: 6, limit: Duration::from_secs(10) },
    Bounds { step: Step::UsbReset, times_max: 4, limit: Duration::from_secs(15) },
    Bounds { step: Step::EraseAndReflash, times_max: 2, limit: Duration::from_secs(240) },
    Bounds { step: Step::PowerCycle, times_max: 2, limit: Duration::from_secs(45) },
];

impl fmt::Display for Step {
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
    Try(Step, Duration),
    /// The board is wedged: it leaves the run.
    Wedged,
}

/// How often each step of a board's ladder has been taken.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The steps that this board has: without a switch there is no power cycle.
    steps: Vec<(Bounds, u32)>,
    /// The step that comes next.
    at: usize,
}

impl Recovery {
    /// The ladder of a board for which `is_there` tells what can be done.
    pub fn new(is_there: impl Fn(Step) -> bool) -> Self {
        Self {
            steps: STEPS.into_iter().filter(|bounds| is_there(bounds.step)).map(|bounds| (bounds, 0)).collect(),
            at: 0,
        }
    }

    /// The board does not do its part: begins at the first step that can help with this.
    pub fn begin(&mut self, kind: Option<FaultKind>) {
        let first = match kind {
            // No step helps: eFuses stay burnt, and permissions are a person's to give.
            Some(FaultKind::ChipLocked | FaultKind::PermissionDenied) => None,
            Some(FaultKind::VerifyFailed) => Some(Step::EraseAndReflash),
            _ => Some(Step::Reattach),
        };
        self.at = match first {
            Some(first) => self.steps.iter().position(|(bounds, _)| bounds.step >= first).unwrap_or(self.steps.len()),
            None => self.steps.len(),
        };
    }

    /// What to try now. Each call goes one step up; once the board answers again, nobody calls.
    pub fn next_step(&mut self) -> Next {
        while let Some((bounds, taken)) = self.steps.get_mut(self.at) {
            self.at += 1;
            if *taken < bounds.times_max {
                *taken += 1;
                return Next::Try(bounds.step, bounds.limit);
            }
        }
        Next::Wedged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(recovery: &mut Recovery, kind: FaultKind) -> Vec<Step> {
        recovery.begin(Some(kind));
        let mut steps = Vec::new();
        while let Next::Try(step, limit) = recovery.next_step() {
            assert!(limit > Duration::ZERO);
            steps.push(step);
        }
        steps
    }

    #[test]
    fn recovery_goes_from_the_mildest_to_the_last() {
        let mut recovery = Recovery::new(|_| true);
        let steps = taken(&mut recovery, FaultKind::Hung);
        assert_eq!(steps, [Step::Reattach, Step::Reset, Step::UsbReset, Step::EraseAndReflash, Step::PowerCycle]);
        assert_eq!(recovery.next_step(), Next::Wedged);
    }

    #[test]
    fn steps_that_a_board_lacks_are_left_out() {
        let mut recovery = Recovery::new(|step| !matches!(step, Step::PowerCycle | Step::UsbReset));
        assert_eq!(taken(&mut recovery, FaultKind::ChipAbsent), [Step::Reattach, Step::Reset, Step::EraseAndReflash]);
    }

    #[test]
    fn what_no_step_can_help_with_is_not_tried() {
        let mut recovery = Recovery::new(|_| true);
        assert_eq!(taken(&mut recovery, FaultKind::PermissionDenied), []);
        assert_eq!(taken(&mut recovery, FaultKind::ChipLocked), []);
        assert_eq!(taken(&mut recovery, FaultKind::VerifyFailed), [Step::EraseAndReflash, Step::PowerCycle]);
    }

    #[test]
    fn a_board_that_fails_for_ever_is_given_up() {
        let mut recovery = Recovery::new(|_| true);
        let tried: usize = (0..1_000).map(|_| taken(&mut recovery, FaultKind::Hung).len()).sum();
        assert_eq!(tried, STEPS.iter().map(|bounds| bounds.times_max as usize).sum::<usize>());
        recovery.begin(None);
        assert_eq!(recovery.next_step(), Next::Wedged);
    }
}
