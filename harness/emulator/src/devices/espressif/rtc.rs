//! RTC_CNTL: the slow timer, the RTC watchdog, resets and their cause, registers that survive them.
//!
//! (Technical reference manual, chapters "Low-Power Management", "Reset and Clock", "Watchdog Timers".) Sleep modes
//! are not modelled: a write that would start one is reported. Voltages and power domains are storage.

use serde::{Deserialize, Serialize};

use super::reset::ResetCause;
use super::time::{NEVER, RC_SLOW_HZ, Ticks, periods_at, ticks_after_periods};
use super::watchdog::{Stage, Watchdog};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const OPTIONS0: u32 = 0x00;
const SLP_TIMER1: u32 = 0x08;
const TIME_UPDATE: u32 = 0x0c;
const TIME_LOW0: u32 = 0x10;
const TIME_HIGH0: u32 = 0x14;
const STATE0: u32 = 0x18;
const TIMER1: u32 = 0x1c;
const ANA_CONF: u32 = 0x34;
const RESET_STATE: u32 = 0x38;
const WAKEUP_STATE: u32 = 0x3c;
const INT_ENA: u32 = 0x40;
const INT_RAW: u32 = 0x44;
const INT_ST: u32 = 0x48;
const INT_CLR: u32 = 0x4c;
const STORE0: u32 = 0x50;
const DIG_ISO: u32 = 0x8c;
const WDT_CONFIG0: u32 = 0x90;
const WDT_CONFIG1: u32 = 0x94;
const WDT_CONFIG4: u32 = 0xa0;
const WDT_FEED: u32 = 0xa4;
const WDT_PROTECT: u32 = 0xa8;
const SWD_CONF: u32 = 0xac;
const STORE6: u32 = 0xc0;
const STORE7: u32 = 0xc4;
const LOW_POWER_ST: u32 = 0xc8;
const USB_CONF: u32 = 0xec;
const OPTION1: u32 = 0xf4;
const DATE: u32 = 0x1fc;

const SW_SYS_RST: u32 = 1 << 31;
const SW_CPU_RST: u32 = 1 << 5;
const SLEEP_EN: u32 = 1 << 31;
const WDT_ENABLE: u32 = 1 << 31;
const WDT_FLASH_BOOT: u32 = 1 << 12;
const INT_WATCHDOG: u32 = 1 << 3;
/// The main state machine is awake and idle: RDY_FOR_WAKEUP and MAIN_STATE_IN_IDLE.
const AWAKE: u32 = 1 << 19 | 1 << 27;

/// The real-time controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rtc {
    captured: u64,
    watchdog: Watchdog,
    raw: u32,
    reset_cause: ResetCause,
    /// The reset that software or the watchdog asks for.
    pub requested_reset: Option<ResetCause>,
}

/// What firmware of ESP-IDF has noted for its next start, if it is going to reset itself because it has failed
/// (`components/esp_system/port/soc/esp32c3/reset_reason.c`: the reason twice, and a bit that says so).
pub(crate) fn noted_failure(registers: &RegisterFile) -> Option<&'static str> {
    let noted = registers.get(STORE6);
    let (high, low) = (noted >> 16 & 0x7fff, noted & 0x7fff);
    match low {
        _ if noted >> 31 == 0 || high != low => None,
        4 => Some("a panic"),
        5 => Some("a panic by the interrupt watchdog"),
        6 => Some("a panic by the task watchdog"),
        _ => None,
    }
}

impl Rtc {
    /// As after a reset with this cause.
    pub fn new(reset_cause: ResetCause) -> Self {
        Self { captured: 0, watchdog: Watchdog::default(), raw: 0, reset_cause, requested_reset: None }
    }

    /// The CPU alone was reset: only the cause changes.
    pub fn note_cpu_reset(&mut self, cause: ResetCause) {
        self.reset_cause = cause;
        self.requested_reset = None;
    }

    /// Puts the watchdog into the state in which the second-stage bootloader hands over: stage 0 resets the system
    /// after nine seconds (ESP-IDF's default, `CONFIG_BOOTLOADER_WDT_TIME_MS`).
    pub fn arm_as_bootloader_leaves_it(&mut self, registers: &mut RegisterFile, now: Ticks) {
        registers.set(WDT_CONFIG0, WDT_ENABLE | 4 << 28);
        registers.set(WDT_CONFIG1, (9 * RC_SLOW_HZ / 2) as u32);
        self.configure_watchdog(registers, now);
    }

    fn settle(&mut self, now: Ticks) {
        while let Some(stage) = self.watchdog.expire(now) {
            match stage {
                Stage::Off => {}
                Stage::Interrupt => self.raw |= INT_WATCHDOG,
                Stage::ResetCpu => self.requested_reset = Some(ResetCause::RtcWatchdogCpu),
                Stage::ResetSystem => self.requested_reset = Some(ResetCause::RtcWatchdogCore),
                Stage::ResetRtc => self.requested_reset = Some(ResetCause::RtcWatchdogSystem),
            }
            if self.requested_reset.is_some() {
                self.watchdog = Watchdog::default();
            }
        }
    }

    fn configure_watchdog(&mut self, registers: &RegisterFile, now: Ticks) {
        let config = registers.get(WDT_CONFIG0);
        let enabled = config & (WDT_ENABLE | WDT_FLASH_BOOT) != 0;
        let stages = [28, 25, 22, 19].map(|shift| match config >> shift & 7 {
            1 => Stage::Interrupt,
            2 => Stage::ResetCpu,
            3 => Stage::ResetSystem,
            4 => Stage::ResetRtc,
            _ => Stage::Off,
        });
        let mut timeouts = [0; 4];
        for (n, timeout) in timeouts.iter_mut().enumerate() {
            // Stage 0 is stretched by an eFuse field (WDT_DELAY_SEL, 0: by two); the others are not.
            let stretch = if n == 0 { 2 } else { 1 };
            let periods = u64::from(registers.get(WDT_CONFIG1 + 4 * n as u32)) * stretch;
            *timeout = ticks_after_periods(periods, RC_SLOW_HZ);
        }
        self.watchdog.configure(enabled, stages, timeouts, now);
    }
}

/// The value that opens the watchdog's registers for writing.
const WATCHDOG_KEY: u32 = 0x50d8_3aa1;

impl Device for Rtc {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            TIME_UPDATE | WDT_FEED | INT_CLR => Read::Value(0),
            TIME_LOW0 => Read::Value(self.captured as u32),
            TIME_HIGH0 => Read::Value((self.captured >> 32) as u32 & 0xffff),
            RESET_STATE => Read::Value(registers.get(RESET_STATE) & !0x3f | self.reset_cause as u32),
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & registers.get(INT_ENA)),
            LOW_POWER_ST => Read::Value(AWAKE),
            OPTIONS0..=SLP_TIMER1 | STATE0..=ANA_CONF | WAKEUP_STATE | INT_ENA => Read::Stored,
            STORE0..=DIG_ISO | WDT_CONFIG0..=WDT_CONFIG4 | WDT_PROTECT..=STORE7 | 0xcc..=0x124 | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(now);
        match offset {
            OPTIONS0 => {
                if value & SW_SYS_RST != 0 {
                    self.requested_reset = Some(ResetCause::SoftwareSystem);
                } else if value & SW_CPU_RST != 0 {
                    self.requested_reset = Some(ResetCause::SoftwareCpu);
                }
                registers.set(OPTIONS0, value & !(SW_SYS_RST | SW_CPU_RST));
                Write::Done
            }
            TIME_UPDATE => {
                if value & (1 << 31) != 0 {
                    self.captured = periods_at(now, RC_SLOW_HZ);
                }
                Write::Done
            }
            WDT_CONFIG0..=WDT_CONFIG4 => {
                if registers.get(WDT_PROTECT) == WATCHDOG_KEY {
                    registers.set(offset, value);
                    self.configure_watchdog(registers, now);
                }
                Write::Done
            }
            WDT_FEED => {
                if registers.get(WDT_PROTECT) == WATCHDOG_KEY && value & (1 << 31) != 0 {
                    self.watchdog.feed(now);
                }
                Write::Done
            }
            INT_CLR => {
                self.raw &= !value;
                Write::Done
            }
            STATE0 => {
                if value & SLEEP_EN != 0 {
                    return Write::Unmodelled;
                }
                Write::Stored
            }
            RESET_STATE => {
                registers.set(RESET_STATE, value);
                Write::Done
            }
            TIME_LOW0 | TIME_HIGH0 | INT_RAW | INT_ST | LOW_POWER_ST => Write::Done,
            SWD_CONF..=USB_CONF => Write::Stored,
            0x04 | SLP_TIMER1 | TIMER1..=ANA_CONF | WAKEUP_STATE | INT_ENA => Write::Stored,
            STORE0..=DIG_ISO | WDT_PROTECT | 0xf0 | OPTION1..=0x124 | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn advance(&mut self, _registers: &mut RegisterFile, now: Ticks) {
        self.settle(now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw & registers.get(INT_ENA) != 0)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        if self.requested_reset.is_some() { NEVER } else { self.watchdog.due() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn a_reason_counts_if_it_stands_twice_with_its_bit() {
        let mut registers = RegisterFile::new(peripheral("RTC_CNTL"), 0x800);
        let mut noted = |value| {
            registers.set(STORE6, value);
            noted_failure(&registers)
        };
        assert_eq!(noted(0x8004_0004), Some("a panic"));
        assert_eq!(noted(0x8003_0003), None, "esp_restart");
        assert_eq!(noted(0x0004_0004), None, "without the bit");
        assert_eq!(noted(0x8004_0005), None, "not the same twice");
    }

    #[test]
    fn the_bootloaders_watchdog_bites_after_nine_seconds_unless_it_is_disabled() {
        let mut registers = RegisterFile::new(peripheral("RTC_CNTL"), 0x800);
        let mut rtc = Rtc::new(ResetCause::PowerOn);
        rtc.arm_as_bootloader_leaves_it(&mut registers, 0);
        assert_eq!(rtc.next_event(&registers), 9 * 160_000_000);
        let mut disabled = rtc.clone();
        rtc.advance(&mut registers, 9 * 160_000_000);
        assert_eq!(rtc.requested_reset, Some(ResetCause::RtcWatchdogSystem));
        registers.set(WDT_PROTECT, WATCHDOG_KEY);
        disabled.write(WDT_CONFIG0, 0, &mut registers, 0);
        assert_eq!(disabled.next_event(&registers), NEVER);
    }

    #[test]
    fn software_can_reset_the_chip_and_learns_that_it_did() {
        let mut registers = RegisterFile::new(peripheral("RTC_CNTL"), 0x800);
        let mut rtc = Rtc::new(ResetCause::SoftwareSystem);
        rtc.write(OPTIONS0, 0x9c00_a000, &mut registers, 0);
        assert_eq!(rtc.requested_reset, Some(ResetCause::SoftwareSystem));
        assert_eq!(rtc.read(RESET_STATE, &registers, 0), Read::Value(0x3003));
    }
}
