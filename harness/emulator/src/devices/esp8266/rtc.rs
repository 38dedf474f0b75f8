//! The real-time controller: resets by software, a counter that never stops, deep sleep, GPIO16, and registers that survive
//! resets.
//!
//! It is hardly documented; what stands here is what the SDK waits for and what its system calls write. Deep sleep is what they
//! ask for last of all: with [`POWER_DOWN`] set, the bit [`SLEEP`] takes the power from everything but the RTC. GPIO16 is wired
//! to the reset pin here, as it has to be on a board. The same bit without `POWER_DOWN` is light sleep: all clocks but
//! the RTC's stop until its alarm or a pin, and the core goes on where it was. The SDK sleeps so for some milliseconds at each boot.

use serde::{Deserialize, Serialize};

use super::reset::ResetCause;
use crate::devices::espressif::time::{NEVER, Ticks, periods_at, ticks_after_periods};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const CONTROL: u32 = 0x00;
const ALARM: u32 = 0x04;
const STATE: u32 = 0x08;
const RESET_STATE: u32 = 0x14;
/// What ends sleep.
const WAKE_BY: u32 = 0x18;
const COUNTER: u32 = 0x1c;
/// Forgets that the chip has woken.
const WAKE_CLEAR: u32 = 0x24;
const WAKE_STATE: u32 = 0x28;
const POWER: u32 = 0x44;
/// GPIO16: its level, whether it is driven, and what is read back.
const GPIO16_OUT: u32 = 0x68;
const GPIO16_ENABLE: u32 = 0x74;
const GPIO16_IN: u32 = 0x8c;

const SOFTWARE_RESET: u32 = 1 << 31;
const SLEEP: u32 = 1 << 20;
const POWER_DOWN: u32 = 1 << 5;
/// The counter has come to the alarm.
const WAKE_BY_ALARM: u32 = 1 << 3;
/// The chip has woken: firmware that has asked for sleep waits for that.
const WOKEN: u32 = 1;
/// The RTC's clock: a period is 5.75 microseconds, as [`super::gpio`] measures it.
const RTC_HZ: u64 = 173_913;

/// Sleep that the chip is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sleep {
    pub since: Ticks,
    /// When the alarm ends it; [`NEVER`] if there is none.
    pub until: Ticks,
    /// Everything but the RTC has no power, and a reset is at the end. Otherwise clocks stand still, and it goes on.
    pub is_deep: bool,
}

/// The real-time controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rtc {
    cause: ResetCause,
    /// The reset that software has asked for.
    pub requested_reset: Option<ResetCause>,
    pub sleep: Option<Sleep>,
    /// Nobody has cleared it since, or has slept.
    has_woken: bool,
}

impl Rtc {
    /// As it is after a reset.
    pub fn new(cause: ResetCause) -> Self {
        Self { cause, requested_reset: None, sleep: None, has_woken: true }
    }

    /// What the chip was last reset by.
    pub fn cause(&self) -> ResetCause {
        self.cause
    }

    /// The end of light sleep.
    pub fn wake(&mut self) {
        self.sleep = None;
        self.has_woken = true;
    }

    /// When the counter comes to the alarm next.
    fn alarm(registers: &RegisterFile, now: Ticks) -> Ticks {
        let passed = periods_at(now, RTC_HZ);
        let more = registers.get(ALARM).wrapping_sub(passed as u32);
        let periods = passed + if more == 0 { 1 << 32 } else { u64::from(more) };
        ticks_after_periods(periods, RTC_HZ)
    }
}

impl Device for Rtc {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        match offset {
            RESET_STATE => Read::Value(registers.get(RESET_STATE) & !7 | self.cause.number()),
            COUNTER => Read::Value(periods_at(now, RTC_HZ) as u32),
            WAKE_STATE => Read::Value(registers.get(WAKE_STATE) & !3 | if self.has_woken { WOKEN } else { 0 }),
            // Nobody pulls it down, and the reset pin's resistor up.
            GPIO16_IN => Read::Value(!registers.get(GPIO16_ENABLE) & 1 | registers.get(GPIO16_OUT) & 1),
            _ => Read::Stored,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        match offset {
            CONTROL => {
                registers.set(CONTROL, value & !SOFTWARE_RESET);
                if value & SOFTWARE_RESET != 0 {
                    self.requested_reset = Some(ResetCause::Software);
                }
            }
            STATE => {
                registers.set(STATE, value & !SLEEP);
                if value & SLEEP != 0 {
                    let has_alarm = registers.get(WAKE_BY) & WAKE_BY_ALARM != 0;
                    let until = if has_alarm { Self::alarm(registers, now) } else { NEVER };
                    let is_deep = registers.get(POWER) & POWER_DOWN != 0;
                    self.sleep = Some(Sleep { since: now, until, is_deep });
                    self.has_woken = false;
                }
            }
            WAKE_CLEAR => self.has_woken = false,
            COUNTER => {}
            _ => return Write::Stored,
        }
        Write::Done
    }
}
