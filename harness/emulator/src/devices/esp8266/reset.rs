//! What resets the chip, and what the ROM calls it.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Why the chip was reset, by the numbers that `rtc_get_reset_reason` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetCause {
    /// The power has come on.
    PowerOn,
    /// The reset pin.
    External,
    /// GPIO16, which the RTC's timer pulls down at the end of deep sleep, and which is wired to the reset pin.
    DeepSleepIsOver,
    /// Firmware has asked for it: by a register, or by going to the ROM's reset vector.
    Software,
    /// The watchdog has bitten.
    Watchdog,
}

impl ResetCause {
    /// What `rtc_get_reset_reason` gives, and the ROM prints.
    pub const fn number(self) -> u32 {
        match self {
            Self::PowerOn => 1,
            Self::External | Self::DeepSleepIsOver | Self::Software => 2,
            Self::Watchdog => 4,
        }
    }

    /// Whether what the RTC keeps is lost.
    pub const fn clears_rtc(self) -> bool {
        matches!(self, Self::PowerOn)
    }

    /// Whether RAM has been without power.
    pub const fn clears_ram(self) -> bool {
        matches!(self, Self::PowerOn | Self::DeepSleepIsOver)
    }
}

impl fmt::Display for ResetCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOn => "power-on",
            Self::External => "reset pin",
            Self::DeepSleepIsOver => "end of deep sleep",
            Self::Software => "software",
            Self::Watchdog => "hardware watchdog",
        })
    }
}
