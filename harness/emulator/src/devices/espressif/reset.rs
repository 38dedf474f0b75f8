//! Why the chip was reset.

use serde::{Deserialize, Serialize};

use core::fmt;

/// The cause of a reset; the discriminant is the code that RTC_CNTL and the ROM tell (technical reference manual,
/// chapter "Reset and Clock", table "Reset Source").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum ResetCause {
    /// Power-on.
    #[default]
    PowerOn = 0x01,
    /// Software asked for a reset of the digital core (`esp_restart`).
    SoftwareSystem = 0x03,
    /// Deep sleep ended.
    DeepSleep = 0x05,
    /// The watchdog of timer group 0 reset the digital core.
    TimerGroup0Watchdog = 0x07,
    /// The watchdog of timer group 1 reset the digital core.
    TimerGroup1Watchdog = 0x08,
    /// The RTC watchdog reset the digital core.
    RtcWatchdogCore = 0x09,
    /// The watchdog of timer group 0 reset the CPU.
    TimerGroup0WatchdogCpu = 0x0b,
    /// Software reset the CPU.
    SoftwareCpu = 0x0c,
    /// The RTC watchdog reset the CPU.
    RtcWatchdogCpu = 0x0d,
    /// The supply was too low.
    BrownOut = 0x0f,
    /// The RTC watchdog reset the digital core and the RTC.
    RtcWatchdogSystem = 0x10,
    /// The watchdog of timer group 1 reset the CPU.
    TimerGroup1WatchdogCpu = 0x11,
    /// The super watchdog.
    SuperWatchdog = 0x12,
    /// A reset over USB-Serial-JTAG's control lines.
    UsbUart = 0x15,
    /// A reset by a debugger.
    UsbJtag = 0x16,
}

impl ResetCause {
    /// Only the CPU is reset: the devices keep their state.
    pub fn is_cpu_only(self) -> bool {
        matches!(
            self,
            Self::TimerGroup0WatchdogCpu | Self::TimerGroup1WatchdogCpu | Self::SoftwareCpu | Self::RtcWatchdogCpu
        )
    }

    /// The RTC, its memory and its retained registers are reset too.
    pub fn clears_rtc(self) -> bool {
        matches!(self, Self::PowerOn | Self::BrownOut | Self::RtcWatchdogSystem | Self::SuperWatchdog)
    }

    /// A watchdog did it.
    pub fn is_watchdog(self) -> bool {
        matches!(
            self,
            Self::TimerGroup0Watchdog
                | Self::TimerGroup1Watchdog
                | Self::RtcWatchdogCore
                | Self::TimerGroup0WatchdogCpu
                | Self::RtcWatchdogCpu
                | Self::RtcWatchdogSystem
                | Self::TimerGroup1WatchdogCpu
                | Self::SuperWatchdog
        )
    }
}

impl fmt::Display for ResetCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOn => "power-on",
            Self::SoftwareSystem => "software reset",
            Self::DeepSleep => "end of deep sleep",
            Self::TimerGroup0Watchdog => "watchdog of timer group 0",
            Self::TimerGroup1Watchdog => "watchdog of timer group 1",
            Self::RtcWatchdogCore => "RTC watchdog (core)",
            Self::TimerGroup0WatchdogCpu => "watchdog of timer group 0 (CPU)",
            Self::SoftwareCpu => "software reset (CPU)",
            Self::RtcWatchdogCpu => "RTC watchdog (CPU)",
            Self::BrownOut => "brown-out",
            Self::RtcWatchdogSystem => "RTC watchdog (system)",
            Self::TimerGroup1WatchdogCpu => "watchdog of timer group 1 (CPU)",
            Self::SuperWatchdog => "super watchdog",
            Self::UsbUart => "USB-Serial-JTAG control lines",
            Self::UsbJtag => "debugger",
        })
    }
}
