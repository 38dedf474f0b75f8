//! FRC1 and FRC2: a counter of 23 bits that counts down, and one of 32 bits that counts up to an alarm.
//!
//! (ESP8266 technical reference, chapter "Hardware Timer"; FRC2's alarm is what the ROM's and the SDK's timers are made of.)
//! Both count the peripheral bus's clock, divided by 1, 16 or 256. Their interrupts are edges, if DPORT lets them through.

use serde::{Deserialize, Serialize};

use crate::devices::espressif::time::{NEVER, TICKS_PER_APB, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const FRC1_LOAD: u32 = 0x00;
const FRC1_COUNT: u32 = 0x04;
const FRC1_CTRL: u32 = 0x08;
const FRC1_INT: u32 = 0x0c;
const FRC2_LOAD: u32 = 0x20;
const FRC2_COUNT: u32 = 0x24;
const FRC2_CTRL: u32 = 0x28;
const FRC2_INT: u32 = 0x2c;
const FRC2_ALARM: u32 = 0x30;

const ENABLED: u32 = 1 << 7;
const RELOADS: u32 = 1 << 6;
const FRC1_MASK: u32 = 0x7f_ffff;
/// So many counts behind the alarm are late; more are early.
const FRC2_LATE: u32 = 1 << 30;

/// Which of the device's interrupts have risen.
pub(crate) const FRC1_EDGE: u32 = 1;
pub(crate) const FRC2_EDGE: u32 = 2;

/// A counter: what it showed, when, and how long it shows each number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Counter {
    value: u32,
    at: Ticks,
    ticks_per_count: u64,
    runs: bool,
}

impl Counter {
    const STOPPED: Self = Self { value: 0, at: 0, ticks_per_count: TICKS_PER_APB, runs: false };

    fn counts_by(self, now: Ticks) -> u64 {
        if self.runs { now.saturating_sub(self.at) / self.ticks_per_count } else { 0 }
    }

    /// Goes on from `value`, as a control register says.
    fn set(&mut self, value: u32, control: u32, now: Ticks) {
        let divider = match control >> 2 & 3 {
            0 => 1,
            1 => 16,
            _ => 256,
        };
        *self = Self { value, at: now, ticks_per_count: divider * TICKS_PER_APB, runs: control & ENABLED != 0 };
    }

    /// When so many counts are over.
    fn after(self, counts: u64) -> Ticks {
        if self.runs { self.at.saturating_add(counts.saturating_mul(self.ticks_per_count)) } else { NEVER }
    }
}

/// Both timers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Timers {
    frc1: Counter,
    frc2: Counter,
    frc1_due: Ticks,
    frc2_due: Ticks,
    /// The alarm that is set has come.
    frc2_is_over: bool,
    /// Interrupts that have risen and that nobody has taken.
    pub edges: u32,
}

impl Timers {
    /// As after a reset.
    pub fn new() -> Self {
        Self {
            frc1: Counter::STOPPED,
            frc2: Counter::STOPPED,
            frc1_due: NEVER,
            frc2_due: NEVER,
            frc2_is_over: true,
            edges: 0,
        }
    }

    /// Both have stood still for so long, until now: their clock had stopped.
    pub fn have_stood_still(&mut self, ticks: Ticks) {
        for counter in [&mut self.frc1, &mut self.frc2] {
            counter.at = counter.at.saturating_add(ticks);
        }
        for due in [&mut self.frc1_due, &mut self.frc2_due] {
            *due = due.saturating_add(ticks);
        }
    }

    fn frc1_count(&self, now: Ticks) -> u32 {
        self.frc1.value.wrapping_sub(self.frc1.counts_by(now) as u32) & FRC1_MASK
    }

    fn frc2_count(&self, now: Ticks) -> u32 {
        self.frc2.value.wrapping_add(self.frc2.counts_by(now) as u32)
    }

    /// From zero it goes round, or on from its load.
    fn settle_frc1(&mut self, counts: u32) {
        self.frc1_due = self.frc1.after(u64::from(counts).max(1));
    }

    /// An alarm that the counter has passed comes at once, if that was not long ago: the SDK lives by it.
    fn settle_frc2(&mut self, alarm: u32) {
        let passed = self.frc2.value.wrapping_sub(alarm);
        let counts = match u64::from(passed.wrapping_neg()) {
            _ if !self.frc2_is_over && passed < FRC2_LATE => 0,
            0 => 1 << 32,
            counts => counts,
        };
        self.frc2_due = self.frc2.after(counts);
    }

    fn settle(&mut self, registers: &RegisterFile, now: Ticks) {
        while self.frc1_due <= now {
            self.edges |= FRC1_EDGE;
            let (at, control) = (self.frc1_due, registers.get(FRC1_CTRL));
            let from = if control & RELOADS != 0 { registers.get(FRC1_LOAD) & FRC1_MASK } else { 0 };
            self.frc1.set(from, control, at);
            self.settle_frc1(if from == 0 { FRC1_MASK + 1 } else { from });
        }
        while self.frc2_due <= now {
            self.edges |= FRC2_EDGE;
            self.frc2_is_over = true;
            self.frc2_due = self.frc2_due.saturating_add(self.frc2.ticks_per_count << 32);
        }
    }
}

impl Device for Timers {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        self.settle(registers, now);
        match offset {
            FRC1_COUNT => Read::Value(self.frc1_count(now)),
            FRC2_COUNT => Read::Value(self.frc2_count(now)),
            FRC1_INT | FRC2_INT => Read::Value(0),
            FRC1_LOAD | FRC1_CTRL | FRC2_LOAD | FRC2_CTRL | FRC2_ALARM => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(registers, now);
        registers.set(offset, value);
        let (control_1, control_2) = (registers.get(FRC1_CTRL), registers.get(FRC2_CTRL));
        match offset {
            FRC1_LOAD => {
                self.frc1.set(value & FRC1_MASK, control_1, now);
                self.settle_frc1(value & FRC1_MASK);
            }
            FRC1_CTRL => {
                let count = self.frc1_count(now);
                self.frc1.set(count, value, now);
                self.settle_frc1(count);
            }
            FRC1_INT => self.edges &= !FRC1_EDGE,
            FRC2_LOAD => {
                self.frc2.set(value, control_2, now);
                self.settle_frc2(registers.get(FRC2_ALARM));
            }
            FRC2_CTRL => {
                self.frc2.set(self.frc2_count(now), value, now);
                self.settle_frc2(registers.get(FRC2_ALARM));
            }
            FRC2_ALARM => {
                self.frc2.set(self.frc2_count(now), control_2, now);
                self.frc2_is_over = false;
                self.settle_frc2(value);
            }
            FRC2_INT => self.edges &= !FRC2_EDGE,
            FRC1_COUNT | FRC2_COUNT => {}
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    fn advance(&mut self, registers: &mut RegisterFile, now: Ticks) {
        self.settle(registers, now);
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.frc1_due.min(self.frc2_due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp8266::registers::peripheral;

    fn timers() -> (Timers, RegisterFile) {
        (Timers::new(), RegisterFile::whole(peripheral("FRC"), 0x100))
    }

    #[test]
    fn frc2_counts_up_to_its_alarm_and_on() {
        let (mut timers, mut registers) = timers();
        timers.write(FRC2_CTRL, ENABLED | 2 << 2, &mut registers, 0);
        timers.write(FRC2_ALARM, 100, &mut registers, 0);
        assert_eq!(timers.next_event(&registers), 100 * 256 * TICKS_PER_APB);
        timers.advance(&mut registers, 100 * 512 - 1);
        assert_eq!(timers.edges, 0);
        timers.advance(&mut registers, 100 * 512);
        assert_eq!(timers.edges, FRC2_EDGE);
        assert_eq!(timers.read(FRC2_COUNT, &registers, 250 * 512), Read::Value(250));
        // An alarm that has just passed comes at once, and one that is far ahead when the counter is there.
        timers.edges = 0;
        timers.write(FRC2_ALARM, 249, &mut registers, 250 * 512);
        assert_eq!(timers.next_event(&registers), 250 * 512);
        timers.write(FRC2_ALARM, 0x8000_0000, &mut registers, 250 * 512);
        assert_eq!(timers.next_event(&registers), 0x8000_0000 * 512);
    }

    #[test]
    fn frc1_counts_down_and_reloads() {
        let (mut timers, mut registers) = timers();
        timers.write(FRC1_CTRL, ENABLED | RELOADS, &mut registers, 0);
        timers.write(FRC1_LOAD, 1_000, &mut registers, 0);
        assert_eq!(timers.read(FRC1_COUNT, &registers, 200), Read::Value(900));
        timers.advance(&mut registers, 2_000);
        assert_eq!(timers.edges, FRC1_EDGE);
        assert_eq!(timers.next_event(&registers), 4_000);
        timers.write(FRC1_INT, 0, &mut registers, 2_000);
        assert_eq!(timers.edges, 0);
    }
}
