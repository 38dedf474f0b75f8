//! What resets the chip, and what the ROM calls it.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Why the chip was reset, by the numbers that `rtc_get_reset_reason` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetCause {
    /// The power has come on.
    PowerOn,
    /// The reset pin, or the timer that ends deep sleep, which is wired to it.
    External,
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
            Self::External | Self::Software => 2,
            Self::Watchdog => 4,
        }
    }

    /// Whether what the RTC keeps is lost.
    pub const fn clears_rtc(self) -> bool {
        matches!(self, Self::PowerOn)
    }
}

impl fmt::Display for ResetCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOn => "power-on",
            Self::External => "reset pin",
            Self::Software => "software",
            Self::Watchdog => "hardware watchdog",
        })
    }
}
