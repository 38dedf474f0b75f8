//! A watchdog's four stages, as the timer groups and the RTC have them.

use serde::{Deserialize, Serialize};

use super::time::{NEVER, Ticks};

/// What a stage does when its time is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    #[default]
    Off,
    Interrupt,
    ResetCpu,
    ResetSystem,
    ResetRtc,
}

/// A watchdog that moves from stage to stage unless it is fed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Watchdog {
    enabled: bool,
    stages: [Stage; 4],
    timeouts: [Ticks; 4],
    stage: usize,
    stage_due: Ticks,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { enabled: false, stages: [Stage::Off; 4], timeouts: [0; 4], stage: 0, stage_due: NEVER }
    }
}

impl Watchdog {
    /// Sets what it does. A change starts it anew, as the hardware does when its configuration is taken over.
    pub fn configure(&mut self, enabled: bool, stages: [Stage; 4], timeouts: [Ticks; 4], now: Ticks) {
        if (enabled, stages, timeouts) == (self.enabled, self.stages, self.timeouts) {
            return;
        }
        *self = Self { enabled, stages, timeouts, stage: 0, stage_due: NEVER };
        self.feed(now);
    }

    /// Back to stage 0.
    pub fn feed(&mut self, now: Ticks) {
        self.stage = 0;
        let active = self.enabled && self.stages.iter().any(|stage| *stage != Stage::Off);
        self.stage_due = if active { now.saturating_add(self.timeouts[0]) } else { NEVER };
    }

    /// When the present stage is over.
    pub fn due(&self) -> Ticks {
        self.stage_due
    }

    /// The next stage that is over by `now`, if one is; to be called until it gives `None`.
    pub fn expire(&mut self, now: Ticks) -> Option<Stage> {
        if self.stage_due > now || self.stage_due == NEVER {
            return None;
        }
        let expired = self.stages[self.stage];
        self.stage = (self.stage + 1) % self.stages.len();
        // A stage of no length would be over infinitely often: the hardware needs a clock at least.
        self.stage_due = self.stage_due.saturating_add(self.timeouts[self.stage].max(1_000));
        Some(expired)
    }
}
