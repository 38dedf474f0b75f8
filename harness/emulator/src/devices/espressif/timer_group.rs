//! TIMG0 and TIMG1: a 54-bit timer, a watchdog, and the measurement of slow clocks against the crystal.
//!
//! (Technical reference manual, chapters "Timer Group" and "Watchdog Timers".) A calibration is over as soon as it is
//! started: its result is exact, and waiting for it would only cost time that no firmware looks at.

use serde::{Deserialize, Serialize};

use super::reset::ResetCause;
use super::time::{NEVER, RC_SLOW_HZ, TICKS_PER_APB, TICKS_PER_RC_FAST, TICKS_PER_XTAL, Ticks};
use super::watchdog::{Stage, Watchdog};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const CONFIG: u32 = 0x00;
const VALUE_LO: u32 = 0x04;
const VALUE_HI: u32 = 0x08;
const UPDATE: u32 = 0x0c;
const ALARM_LO: u32 = 0x10;
const ALARM_HI: u32 = 0x14;
const LOAD_LO: u32 = 0x18;
const LOAD_HI: u32 = 0x1c;
const LOAD: u32 = 0x20;
const WDT_CONFIG0: u32 = 0x48;
const WDT_CONFIG1: u32 = 0x4c;
const WDT_STAGE0: u32 = 0x50;
const WDT_STAGE3: u32 = 0x5c;
const WDT_FEED: u32 = 0x60;
const WDT_PROTECT: u32 = 0x64;
const CALIBRATION: u32 = 0x68;
const CALIBRATION_RESULT: u32 = 0x6c;
const INT_ENA: u32 = 0x70;
const INT_RAW: u32 = 0x74;
const INT_ST: u32 = 0x78;
const INT_CLR: u32 = 0x7c;
const CALIBRATION_TIMEOUT: u32 = 0x80;
const DATE: u32 = 0xf8;
const REGCLK: u32 = 0xfc;

const ALARM_ENABLE: u32 = 1 << 10;
const USE_XTAL: u32 = 1 << 9;
const AUTO_RELOAD: u32 = 1 << 29;
const INCREASE: u32 = 1 << 30;
const ENABLE: u32 = 1 << 31;
const COUNTER_MASK: u64 = (1 << 54) - 1;
const WDT_FLASH_BOOT: u32 = 1 << 14;
const WDT_USE_XTAL: u32 = 1 << 21;
const CALIBRATION_START: u32 = 1 << 31;
const CALIBRATION_CYCLING: u32 = 1 << 12;
const CALIBRATION_READY: u32 = 1 << 15;

const INT_TIMER: u32 = 1;
const INT_WATCHDOG: u32 = 2;

/// The value that opens the watchdog's registers for writing.
pub(crate) const WATCHDOG_KEY: u32 = 0x50d8_3aa1;

/// One timer group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TimerGroup {
    reset_cause: ResetCause,
    base_count: u64,
    base_at: Ticks,
    captured: u64,
    alarm_due: Ticks,
    watchdog: Watchdog,
    raw: u32,
    calibration: u32,
    /// The reset that the watchdog asks for.
    pub requested_reset: Option<ResetCause>,
    /// When the watchdog asked for its interrupt last.
    pub warned_at: Option<Ticks>,
}

impl TimerGroup {
    /// Group `n` (0 or 1) as after a reset.
    pub fn new(n: u32) -> Self {
        Self {
            reset_cause: if n == 0 { ResetCause::TimerGroup0Watchdog } else { ResetCause::TimerGroup1Watchdog },
            base_count: 0,
            base_at: 0,
            captured: 0,
            alarm_due: NEVER,
            watchdog: Watchdog::default(),
            raw: 0,
            calibration: 0,
            requested_reset: None,
            warned_at: None,
        }
    }

    fn ticks_per_count(config: u32) -> u64 {
        let divider = match (config >> 13) & 0xffff {
            0 => 65_536,
            1 => 2,
            divider => divider,
        };
        u64::from(divider) * if config & USE_XTAL != 0 { TICKS_PER_XTAL } else { TICKS_PER_APB }
    }

    fn count(&self, config: u32, now: Ticks) -> u64 {
        if config & ENABLE == 0 {
            return self.base_count;
        }
        let passed = now.saturating_sub(self.base_at) / Self::ticks_per_count(config);
        let count = if config & INCREASE != 0 {
            self.base_count.wrapping_add(passed)
        } else {
            self.base_count.wrapping_sub(passed)
        };
        count & COUNTER_MASK
    }

    fn set_count(&mut self, count: u64, now: Ticks) {
        self.base_count = count & COUNTER_MASK;
        self.base_at = now;
    }

    fn arm(&mut self, registers: &RegisterFile, now: Ticks) {
        let config = registers.get(CONFIG);
        self.alarm_due = if config & (ENABLE | ALARM_ENABLE) != ENABLE | ALARM_ENABLE {
            NEVER
        } else {
            let alarm = (u64::from(registers.get(ALARM_HI)) << 32 | u64::from(registers.get(ALARM_LO))) & COUNTER_MASK;
            let count = self.count(config, now);
            let ahead = if config & INCREASE != 0 { alarm.saturating_sub(count) } else { count.saturating_sub(alarm) };
            let into_period = now.saturating_sub(self.base_at) % Self::ticks_per_count(config);
            (now - into_period).saturating_add(ahead.saturating_mul(Self::ticks_per_count(config))).max(now)
        };
    }

    fn settle(&mut self, registers: &mut RegisterFile, now: Ticks) {
        if self.alarm_due <= now {
            let at = self.alarm_due;
            self.raw |= INT_TIMER;
            self.alarm_due = NEVER;
            let config = registers.get(CONFIG);
            let load = u64::from(registers.get(LOAD_HI)) << 32 | u64::from(registers.get(LOAD_LO));
            self.set_count(if config & AUTO_RELOAD != 0 { load } else { self.count(config, at) }, at);
            // An alarm fires once: hardware clears the enable bit, and firmware sets it again.
            registers.set(CONFIG, config & !ALARM_ENABLE);
        }
        self.settle_watchdog(now);
    }

    fn settle_watchdog(&mut self, now: Ticks) {
        while let Some(stage) = self.watchdog.expire(now) {
            match stage {
                Stage::Off => {}
                Stage::Interrupt => {
                    self.raw |= INT_WATCHDOG;
                    self.warned_at = Some(now);
                }
                Stage::ResetCpu | Stage::ResetSystem | Stage::ResetRtc => {
                    self.requested_reset = Some(match (stage, self.reset_cause) {
                        (Stage::ResetCpu, ResetCause::TimerGroup0Watchdog) => ResetCause::TimerGroup0WatchdogCpu,
                        (Stage::ResetCpu, ResetCause::TimerGroup1Watchdog) => ResetCause::TimerGroup1WatchdogCpu,
                        (_, cause) => cause,
                    });
                    self.watchdog = Watchdog::default();
                }
            }
        }
    }

    /// Switches the watchdog off that guards the flash boot, as a bootloader does that has read its flash.
    pub fn disable_flash_boot_watchdog(registers: &mut RegisterFile) {
        registers.set(WDT_CONFIG0, 0);
    }

    fn configure_watchdog(&mut self, registers: &RegisterFile, now: Ticks) {
        let config = registers.get(WDT_CONFIG0);
        let prescale = u64::from(registers.get(WDT_CONFIG1) >> 16).max(1);
        let period = prescale * if config & WDT_USE_XTAL != 0 { TICKS_PER_XTAL } else { TICKS_PER_APB };
        let enabled = config & (ENABLE | WDT_FLASH_BOOT) != 0;
        let stages = [29, 27, 25, 23].map(|shift| match config >> shift & 3 {
            0 => Stage::Off,
            1 => Stage::Interrupt,
            2 => Stage::ResetCpu,
            _ => Stage::ResetSystem,
        });
        let mut timeouts = [0; 4];
        for (n, timeout) in timeouts.iter_mut().enumerate() {
            *timeout = u64::from(registers.get(WDT_STAGE0 + 4 * n as u32)).saturating_mul(period);
        }
        self.watchdog.configure(enabled, stages, timeouts, now);
    }

    fn calibrate(&mut self, value: u32) {
        let cycles = u64::from(value >> 16 & 0x7fff);
        // What is measured: the slow RC oscillator, the fast one over 256, a 32 kHz crystal (which is not fitted).
        let crystal_periods = match value >> 13 & 3 {
            0 => cycles * 40_000_000 / RC_SLOW_HZ,
            1 => cycles * 256 * TICKS_PER_RC_FAST / TICKS_PER_XTAL,
            _ => 0,
        };
        self.calibration = (crystal_periods as u32) << 7;
    }
}

impl Device for TimerGroup {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            VALUE_LO => Read::Value(self.captured as u32),
            VALUE_HI => Read::Value((self.captured >> 32) as u32),
            UPDATE | LOAD | WDT_FEED | INT_CLR => Read::Value(0),
            CALIBRATION => {
                let value = registers.get(CALIBRATION);
                let done = value & (CALIBRATION_START | CALIBRATION_CYCLING) != 0;
                Read::Value(value & !CALIBRATION_READY | if done { CALIBRATION_READY } else { 0 })
            }
            CALIBRATION_RESULT => Read::Value(self.calibration | u32::from(self.calibration != 0)),
            CALIBRATION_TIMEOUT => Read::Value(registers.get(CALIBRATION_TIMEOUT) & !1),
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & registers.get(INT_ENA)),
            CONFIG | ALARM_LO..=LOAD_HI | WDT_CONFIG0..=WDT_STAGE3 | WDT_PROTECT | INT_ENA | DATE | REGCLK => {
                Read::Stored
            }
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(registers, now);
        match offset {
            CONFIG => {
                let count = self.count(registers.get(CONFIG), now);
                self.set_count(count, now);
                registers.set(CONFIG, value & !(1 << 12));
                self.arm(registers, now);
                Write::Done
            }
            UPDATE => {
                self.captured = self.count(registers.get(CONFIG), now);
                Write::Done
            }
            ALARM_LO | ALARM_HI => {
                registers.set(offset, value);
                self.arm(registers, now);
                Write::Done
            }
            LOAD => {
                let load = u64::from(registers.get(LOAD_HI)) << 32 | u64::from(registers.get(LOAD_LO));
                self.set_count(load, now);
                self.arm(registers, now);
                Write::Done
            }
            WDT_CONFIG0..=WDT_STAGE3 => {
                if registers.get(WDT_PROTECT) == WATCHDOG_KEY {
                    registers.set(offset, value);
                    self.configure_watchdog(registers, now);
                }
                Write::Done
            }
            WDT_FEED => {
                if registers.get(WDT_PROTECT) == WATCHDOG_KEY {
                    self.watchdog.feed(now);
                }
                Write::Done
            }
            CALIBRATION => {
                if value & (CALIBRATION_START | CALIBRATION_CYCLING) != 0 {
                    self.calibrate(value);
                }
                Write::Stored
            }
            INT_CLR => {
                self.raw &= !value;
                Write::Done
            }
            VALUE_LO | VALUE_HI | CALIBRATION_RESULT | INT_RAW | INT_ST => Write::Done,
            LOAD_LO | LOAD_HI | WDT_PROTECT | INT_ENA | CALIBRATION_TIMEOUT | DATE | REGCLK => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn advance(&mut self, registers: &mut RegisterFile, now: Ticks) {
        self.settle(registers, now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw & registers.get(INT_ENA) & 3)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.alarm_due.min(self.watchdog.due())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    const MILLISECOND: Ticks = 160_000;

    fn group() -> (TimerGroup, RegisterFile) {
        (TimerGroup::new(0), RegisterFile::new(peripheral("TIMG0"), 0x1000))
    }

    fn write(group: &mut TimerGroup, registers: &mut RegisterFile, offset: u32, value: u32, now: Ticks) {
        if group.write(offset, value, registers, now) == Write::Stored {
            registers.set(offset, value);
        }
    }

    #[test]
    fn an_alarm_fires_once_and_disables_itself() {
        let (mut group, mut registers) = group();
        write(&mut group, &mut registers, INT_ENA, 1, 0);
        write(&mut group, &mut registers, ALARM_LO, 1_000, 0);
        // 80 MHz over 80: a microsecond a count.
        write(&mut group, &mut registers, CONFIG, ENABLE | INCREASE | ALARM_ENABLE | 80 << 13, 0);
        assert_eq!(group.next_event(&registers), MILLISECOND);
        group.advance(&mut registers, MILLISECOND);
        assert_eq!(group.interrupts(&registers, MILLISECOND), 1);
        assert_eq!(registers.get(CONFIG) & ALARM_ENABLE, 0);
        write(&mut group, &mut registers, UPDATE, 1, 3 * MILLISECOND);
        assert_eq!(group.read(VALUE_LO, &registers, 3 * MILLISECOND), Read::Value(3_000));
    }

    #[test]
    fn the_watchdog_needs_its_key_and_bites_unless_fed() {
        let (mut group, mut registers) = group();
        // Prescaler 40000 of 80 MHz: half a millisecond a count; stage 0 resets the system after 10 ms.
        let arm = [(WDT_CONFIG1, 40_000 << 16), (WDT_STAGE0, 20), (WDT_CONFIG0, ENABLE | 3 << 29)];
        registers.set(WDT_PROTECT, 0);
        for (offset, value) in arm {
            write(&mut group, &mut registers, offset, value, 0);
        }
        assert_eq!(group.next_event(&registers), NEVER, "locked");
        write(&mut group, &mut registers, WDT_PROTECT, WATCHDOG_KEY, 0);
        for (offset, value) in arm {
            write(&mut group, &mut registers, offset, value, 0);
        }
        assert_eq!(group.next_event(&registers), 10 * MILLISECOND);
        write(&mut group, &mut registers, WDT_FEED, 1, 9 * MILLISECOND);
        group.advance(&mut registers, 18 * MILLISECOND);
        assert_eq!(group.requested_reset, None);
        group.advance(&mut registers, 19 * MILLISECOND);
        assert_eq!(group.requested_reset, Some(ResetCause::TimerGroup0Watchdog));
    }

    #[test]
    fn the_watchdog_warns_by_an_interrupt_before_it_bites() {
        let (mut group, mut registers) = group();
        let stages = ENABLE | 1 << 29 | 3 << 27;
        let arm = [(WDT_PROTECT, WATCHDOG_KEY), (WDT_CONFIG1, 40_000 << 16), (WDT_STAGE0, 20), (WDT_STAGE0 + 4, 20)];
        for (offset, value) in arm.into_iter().chain([(WDT_CONFIG0, stages)]) {
            write(&mut group, &mut registers, offset, value, 0);
        }
        group.advance(&mut registers, 10 * MILLISECOND);
        assert_eq!((group.warned_at, group.requested_reset), (Some(10 * MILLISECOND), None));
        group.advance(&mut registers, 20 * MILLISECOND);
        assert_eq!(group.requested_reset, Some(ResetCause::TimerGroup0Watchdog));
    }

    #[test]
    fn a_calibration_counts_crystal_periods() {
        let (mut group, mut registers) = group();
        write(&mut group, &mut registers, CALIBRATION, CALIBRATION_START | 100 << 16, 0);
        assert_eq!(
            group.read(CALIBRATION, &registers, 0),
            Read::Value(CALIBRATION_START | 100 << 16 | CALIBRATION_READY)
        );
        let Read::Value(result) = group.read(CALIBRATION_RESULT, &registers, 0) else { panic!() };
        assert_eq!(result >> 7, 100 * 40_000_000 / 136_000);
    }
}
