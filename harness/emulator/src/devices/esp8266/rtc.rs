//! The real-time controller: resets by software, a counter that never stops, and registers that survive resets.
//!
//! It is hardly documented; what stands here is what the SDK waits for and what its system calls write. Sleep is not modelled:
//! a core that waits for an interrupt is what a sleeping chip is here.

use serde::{Deserialize, Serialize};

use super::reset::ResetCause;
use crate::devices::espressif::time::{Ticks, periods_at};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const CONTROL: u32 = 0x00;
const RESET_STATE: u32 = 0x14;
const COUNTER: u32 = 0x1c;
const WAKE_STATE: u32 = 0x28;

const SOFTWARE_RESET: u32 = 1 << 31;
/// Why the chip woke: it was never asleep for the RTC's timer.
const WOKEN: u32 = 1;
/// The RTC's clock: a period is 5.75 microseconds, as [`super::gpio`] measures it.
const RTC_HZ: u64 = 173_913;

/// The real-time controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rtc {
    cause: ResetCause,
    /// The reset that software has asked for.
    pub requested_reset: Option<ResetCause>,
}

impl Rtc {
    /// As it is after a reset.
    pub fn new(cause: ResetCause) -> Self {
        Self { cause, requested_reset: None }
    }

    /// What the chip was last reset by.
    pub fn cause(&self) -> ResetCause {
        self.cause
    }
}

impl Device for Rtc {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        match offset {
            RESET_STATE => Read::Value(registers.get(RESET_STATE) & !7 | self.cause.number()),
            COUNTER => Read::Value(periods_at(now, RTC_HZ) as u32),
            WAKE_STATE => Read::Value(registers.get(WAKE_STATE) & !3 | WOKEN),
            _ => Read::Stored,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            CONTROL => {
                registers.set(CONTROL, value & !SOFTWARE_RESET);
                if value & SOFTWARE_RESET != 0 {
                    self.requested_reset = Some(ResetCause::Software);
                }
            }
            COUNTER => {}
            _ => return Write::Stored,
        }
        Write::Done
    }
}
