//! The hardware watchdog: an interrupt, and if nobody feeds it then, a reset.
//!
//! (Register names and times: `eagle_soc.h` and the task watchdog of Espressif's ESP8266_RTOS_SDK.)

use serde::{Deserialize, Serialize};

use super::reset::ResetCause;
use crate::devices::espressif::time::{NEVER, TICKS_PER_US, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const CTL: u32 = 0x00;
const OP: u32 = 0x04;
const OP_ND: u32 = 0x08;
const COUNT: u32 = 0x0c;
const STAGE: u32 = 0x10;
const RST: u32 = 0x14;

const ENABLED: u32 = 1 << 0;
/// How it responds when a stage's time is over; 0 is an interrupt first.
const RESPONSE: u32 = 3 << 1;
const FEED: u32 = 0x73;
/// A stage takes two to the power of its register, of these.
const UNIT: Ticks = 819 * TICKS_PER_US;

/// The watchdog.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Watchdog {
    /// In which of its two stages it is.
    stage: u32,
    due: Ticks,
    /// Its interrupt has risen, and nobody has taken it.
    pub edge: bool,
    /// It has bitten.
    pub requested_reset: Option<ResetCause>,
}

impl Watchdog {
    /// As after a reset: off.
    pub fn new() -> Self {
        Self { stage: 0, due: NEVER, edge: false, requested_reset: None }
    }

    /// It has stood still for so long: its clock had stopped.
    pub fn has_stood_still(&mut self, ticks: Ticks) {
        self.due = self.due.saturating_add(ticks);
    }

    fn feed(&mut self, registers: &RegisterFile, now: Ticks) {
        self.stage = 0;
        self.due = if registers.get(CTL) & ENABLED != 0 { now + time_of(registers.get(OP)) } else { NEVER };
    }

    fn settle(&mut self, registers: &RegisterFile, now: Ticks) {
        if self.due > now {
            return;
        }
        if self.stage == 0 && registers.get(CTL) & RESPONSE == 0 {
            self.stage = 1;
            self.edge = true;
            self.due += time_of(registers.get(OP_ND));
        } else {
            self.due = NEVER;
            self.requested_reset = Some(ResetCause::Watchdog);
        }
    }
}

fn time_of(exponent: u32) -> Ticks {
    UNIT << (exponent & 0xf)
}

impl Device for Watchdog {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        self.settle(registers, now);
        match offset {
            STAGE => Read::Value(self.stage),
            CTL | OP | OP_ND | COUNT | RST => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(registers, now);
        let before = registers.get(offset);
        registers.set(offset, value);
        match offset {
            RST if value & 0xff == FEED => self.feed(registers, now),
            CTL if (before ^ value) & ENABLED != 0 => self.feed(registers, now),
            CTL | OP | OP_ND | COUNT | STAGE | RST => {}
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    fn advance(&mut self, registers: &mut RegisterFile, now: Ticks) {
        self.settle(registers, now);
        // Twice, if both stages are over.
        self.settle(registers, now);
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp8266::registers::peripheral;

    #[test]
    fn it_interrupts_then_bites_unless_it_is_fed() {
        let (mut dog, mut registers) = (Watchdog::new(), RegisterFile::whole(peripheral("WDT"), 0x100));
        dog.write(OP, 1, &mut registers, 0);
        dog.write(OP_ND, 2, &mut registers, 0);
        dog.write(CTL, ENABLED, &mut registers, 0);
        dog.write(RST, FEED, &mut registers, UNIT);
        assert_eq!(dog.next_event(&registers), 3 * UNIT);
        dog.advance(&mut registers, 3 * UNIT);
        assert!(dog.edge && dog.requested_reset.is_none());
        dog.advance(&mut registers, 7 * UNIT);
        assert_eq!(dog.requested_reset, Some(ResetCause::Watchdog));
    }
}
