//! SYSTIMER: two 52-bit counters of 16 MHz and three comparators.
//!
//! (Technical reference manual, chapter "System Timer".) A comparator in target mode fires when its counter has
//! reached the target, at once if that is past already; in period mode every period from the moment it was loaded. All
//! share one CONF, and what is written there for one leaves the others as they run: ESP-IDF has its tick in one of them,
//! and switches another off and on for each alarm of `esp_timer`.

use serde::{Deserialize, Serialize};

use super::time::{NEVER, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const TICKS_PER_COUNT: u64 = 10;
const COUNTER_MASK: u64 = (1 << 52) - 1;

const CONF: u32 = 0x00;
const UNIT0_OP: u32 = 0x04;
const UNIT1_OP: u32 = 0x08;
const UNIT0LOAD_HI: u32 = 0x0c;
const TRGT0_HI: u32 = 0x1c;
const TARGET0_CONF: u32 = 0x34;
const TARGET1_CONF: u32 = 0x38;
const TARGET2_CONF: u32 = 0x3c;
const UNIT0_VALUE_HI: u32 = 0x40;
const UNIT0_VALUE_LO: u32 = 0x44;
const UNIT1_VALUE_HI: u32 = 0x48;
const UNIT1_VALUE_LO: u32 = 0x4c;
const COMP0_LOAD: u32 = 0x50;
const COMP1_LOAD: u32 = 0x54;
const COMP2_LOAD: u32 = 0x58;
const UNIT0_LOAD: u32 = 0x5c;
const UNIT1_LOAD: u32 = 0x60;
const INT_ENA: u32 = 0x64;
const INT_RAW: u32 = 0x68;
const INT_CLR: u32 = 0x6c;
const INT_ST: u32 = 0x70;
const DATE: u32 = 0xfc;

const VALUE_VALID: u32 = 1 << 29;
const PERIOD_MODE: u32 = 1 << 30;
const UNIT_SELECT: u32 = 1 << 31;

/// A counter: its count at the moment it was last set, stopped or started.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Counter {
    running: bool,
    base_count: u64,
    base_at: Ticks,
    captured: u64,
}

impl Counter {
    fn count(&self, now: Ticks) -> u64 {
        let passed = if self.running { now / TICKS_PER_COUNT - self.base_at.min(now) / TICKS_PER_COUNT } else { 0 };
        self.base_count.wrapping_add(passed) & COUNTER_MASK
    }

    fn set(&mut self, count: u64, running: bool, now: Ticks) {
        *self = Self { running, base_count: count & COUNTER_MASK, base_at: now, ..*self };
    }

    /// The first tick at which the counter has advanced `counts` further than at `now`.
    fn when_advanced(&self, counts: u64, now: Ticks) -> Ticks {
        if !self.running {
            return NEVER;
        }
        (now / TICKS_PER_COUNT).saturating_add(counts).saturating_mul(TICKS_PER_COUNT)
    }
}

/// A comparator and when it fires next.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Comparator {
    /// A target or period has been loaded since the reset.
    loaded: bool,
    target: u64,
    period: u64,
    due: Ticks,
}

/// The system timer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SystemTimer {
    counters: [Counter; 2],
    comparators: [Comparator; 3],
    raw: u32,
    enabled: u32,
}

impl SystemTimer {
    /// As after a reset at `now`: counter 0 runs, counter 1 does not.
    pub fn new(now: Ticks) -> Self {
        let mut counters = [Counter::default(); 2];
        counters[0].set(0, true, now);
        Self {
            counters,
            comparators: [Comparator { loaded: false, target: 0, period: 0, due: NEVER }; 3],
            raw: 0,
            enabled: 0,
        }
    }

    fn settle(&mut self, registers: &RegisterFile, now: Ticks) {
        for n in 0..self.comparators.len() {
            let conf = registers.get(TARGET0_CONF + 4 * n as u32);
            let comparator = &mut self.comparators[n];
            if comparator.due > now {
                continue;
            }
            self.raw |= 1 << n;
            comparator.due = if conf & PERIOD_MODE != 0 && comparator.period != 0 {
                let period = comparator.period * TICKS_PER_COUNT;
                comparator.due + ((now - comparator.due) / period + 1) * period
            } else {
                NEVER
            };
        }
    }

    /// Starts and stops counters, and switches comparators on and off. What stays as it was goes on.
    fn configure(&mut self, value: u32, registers: &mut RegisterFile, now: Ticks) {
        let changed = registers.get(CONF) ^ value;
        registers.set(CONF, value);
        let mut counter_changed = [false; 2];
        for (n, bit) in [(0, 30), (1, 29)] {
            let running = value & (1 << bit) != 0;
            if running != self.counters[n].running {
                let count = self.counters[n].count(now);
                self.counters[n].set(count, running, now);
                counter_changed[n] = true;
            }
        }
        for n in 0..self.comparators.len() {
            if changed & enable_bit(n) != 0 || counter_changed[counter_of(n, registers)] {
                self.arm(n, registers, now);
            }
        }
    }

    /// Works out when comparator `n` fires, after its target, mode, counter or enable bit changed.
    fn arm(&mut self, n: usize, registers: &RegisterFile, now: Ticks) {
        let conf = registers.get(TARGET0_CONF + 4 * n as u32);
        let counter = self.counters[counter_of(n, registers)];
        let enabled = registers.get(CONF) & enable_bit(n) != 0;
        let comparator = &mut self.comparators[n];
        comparator.due = if !enabled || !comparator.loaded {
            NEVER
        } else if conf & PERIOD_MODE != 0 {
            if comparator.period == 0 { NEVER } else { counter.when_advanced(comparator.period, now) }
        } else {
            let ahead = comparator.target.wrapping_sub(counter.count(now)) & COUNTER_MASK;
            // A target in the half of the circle that lies behind the counter has passed: it fires at once.
            counter.when_advanced(if ahead > COUNTER_MASK / 2 { 0 } else { ahead }, now)
        };
    }
}

/// CONF: comparator `n` is on.
fn enable_bit(n: usize) -> u32 {
    1 << (24 - n)
}

/// The counter that comparator `n` looks at.
fn counter_of(n: usize, registers: &RegisterFile) -> usize {
    usize::from(registers.get(TARGET0_CONF + 4 * n as u32) & UNIT_SELECT != 0)
}

impl Device for SystemTimer {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        self.settle(registers, now);
        match offset {
            UNIT0_OP | UNIT1_OP => Read::Value(VALUE_VALID),
            UNIT0_VALUE_HI | UNIT1_VALUE_HI => {
                Read::Time((self.counters[(offset - UNIT0_VALUE_HI) as usize / 8].captured >> 32) as u32)
            }
            UNIT0_VALUE_LO | UNIT1_VALUE_LO => {
                Read::Value(self.counters[(offset - UNIT0_VALUE_HI) as usize / 8].captured as u32)
            }
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & self.enabled),
            INT_CLR => Read::Value(0),
            CONF | UNIT0LOAD_HI..=TARGET2_CONF | COMP0_LOAD..=INT_ENA | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(registers, now);
        match offset {
            CONF => {
                self.configure(value, registers, now);
                Write::Done
            }
            UNIT0_OP | UNIT1_OP => {
                if value & (1 << 30) != 0 {
                    let counter = &mut self.counters[(offset - UNIT0_OP) as usize / 4];
                    counter.captured = counter.count(now);
                }
                Write::Done
            }
            TARGET0_CONF | TARGET1_CONF | TARGET2_CONF => {
                let changed = registers.get(offset) ^ value;
                registers.set(offset, value);
                // A period counts once it is loaded.
                if changed & (PERIOD_MODE | UNIT_SELECT) != 0 {
                    self.arm((offset - TARGET0_CONF) as usize / 4, registers, now);
                }
                Write::Done
            }
            COMP0_LOAD | COMP1_LOAD | COMP2_LOAD => {
                let n = (offset - COMP0_LOAD) as usize / 4;
                let target = TRGT0_HI + 8 * n as u32;
                let comparator = &mut self.comparators[n];
                comparator.loaded = true;
                comparator.target =
                    u64::from(registers.get(target) & 0xf_ffff) << 32 | u64::from(registers.get(target + 4));
                comparator.period = u64::from(registers.get(TARGET0_CONF + 4 * n as u32) & 0x3ff_ffff);
                self.arm(n, registers, now);
                Write::Done
            }
            UNIT0_LOAD | UNIT1_LOAD => {
                let n = (offset - UNIT0_LOAD) as usize / 4;
                let load = UNIT0LOAD_HI + 8 * n as u32;
                let count = u64::from(registers.get(load)) << 32 | u64::from(registers.get(load + 4));
                let running = self.counters[n].running;
                self.counters[n].set(count, running, now);
                for comparator in 0..self.comparators.len() {
                    if counter_of(comparator, registers) == n {
                        self.arm(comparator, registers, now);
                    }
                }
                Write::Done
            }
            INT_ENA => {
                self.enabled = value & 7;
                Write::Stored
            }
            INT_CLR => {
                self.raw &= !value;
                Write::Done
            }
            INT_RAW | INT_ST => Write::Done,
            UNIT0LOAD_HI..=0x30 | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn interrupts(&mut self, registers: &RegisterFile, now: Ticks) -> u64 {
        self.settle(registers, now);
        u64::from(self.raw & self.enabled)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.comparators.iter().map(|comparator| comparator.due).min().unwrap_or(NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    const MILLISECOND: Ticks = 160_000;

    fn timer() -> (SystemTimer, RegisterFile) {
        (SystemTimer::new(0), RegisterFile::new(peripheral("SYSTIMER"), 0x1000))
    }

    fn count(timer: &mut SystemTimer, registers: &mut RegisterFile, now: Ticks) -> u64 {
        timer.write(UNIT0_OP, 1 << 30, registers, now);
        match (timer.read(0x40, registers, now), timer.read(0x44, registers, now)) {
            (Read::Time(high), Read::Value(low)) => u64::from(high) << 32 | u64::from(low),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn counts_sixteen_million_a_second() {
        let (mut timer, mut registers) = timer();
        assert_eq!(count(&mut timer, &mut registers, MILLISECOND), 16_000);
        assert_eq!(count(&mut timer, &mut registers, MILLISECOND * 1_000), 16_000_000);
    }

    #[test]
    fn a_target_fires_when_it_is_reached_and_once() {
        let (mut timer, mut registers) = timer();
        for (offset, value) in [(INT_ENA, 1), (CONF, 0x4700_0000), (TRGT0_HI + 4, 16_000), (COMP0_LOAD, 1)] {
            if timer.write(offset, value, &mut registers, 0) == Write::Stored {
                registers.set(offset, value);
            }
        }
        assert_eq!(timer.next_event(&registers), MILLISECOND);
        assert_eq!(timer.interrupts(&registers, MILLISECOND - 1), 0);
        assert_eq!(timer.interrupts(&registers, MILLISECOND), 1);
        timer.write(INT_CLR, 1, &mut registers, MILLISECOND + 1);
        assert_eq!(timer.interrupts(&registers, 5 * MILLISECOND), 0);
    }

    #[test]
    fn a_period_fires_again_and_again() {
        let (mut timer, mut registers) = timer();
        for (offset, value) in [(INT_ENA, 2), (CONF, 0x4780_0000), (0x38, PERIOD_MODE | 1_600), (0x54, 1)] {
            if timer.write(offset, value, &mut registers, 0) == Write::Stored {
                registers.set(offset, value);
            }
        }
        for n in 1..4 {
            let due = n * MILLISECOND / 10;
            assert_eq!(timer.next_event(&registers), due);
            assert_eq!(timer.interrupts(&registers, due), 2);
            timer.write(INT_CLR, 2, &mut registers, due);
            assert_eq!(timer.interrupts(&registers, due), 0);
        }
    }

    /// As ESP-IDF uses it: the tick of FreeRTOS is comparator 0 on counter 1, `esp_timer` is comparator 2 on counter 0, and
    /// `systimer_hal_set_alarm_target` switches that off, loads it, and switches it on again.
    #[test]
    fn an_alarm_that_is_set_leaves_the_period_of_another_alone() {
        let (mut timer, mut registers) = timer();
        let mut write = |timer: &mut SystemTimer, offset, value, now| {
            if timer.write(offset, value, &mut registers, now) == Write::Stored {
                registers.set(offset, value);
            }
            timer.next_event(&registers)
        };
        for (offset, value) in [
            (INT_ENA, 0b101),
            (CONF, 0x6200_0000),
            (TARGET0_CONF, UNIT_SELECT | PERIOD_MODE | 160_000),
            (COMP0_LOAD, 1),
            (CONF, 0x6300_0000),
        ] {
            write(&mut timer, offset, value, 0);
        }
        let alarm_ms = 30;
        for at_ms in [2, 7, 9] {
            for (offset, value) in [
                (CONF, 0x6300_0000),
                (TRGT0_HI + 16, 0),
                (TRGT0_HI + 20, alarm_ms * 16_000),
                (COMP2_LOAD, 1),
                (CONF, 0x6340_0000),
            ] {
                assert_eq!(write(&mut timer, offset, value, at_ms * MILLISECOND), 10 * MILLISECOND);
            }
        }
        // Nor does the same word again in the comparator's own register.
        let conf = UNIT_SELECT | PERIOD_MODE | 160_000;
        assert_eq!(write(&mut timer, TARGET0_CONF, conf, 9 * MILLISECOND), 10 * MILLISECOND);
        let fired = |timer: &mut SystemTimer, at_ms| timer.interrupts(&registers, at_ms * MILLISECOND);
        assert_eq!(fired(&mut timer, 10), 0b001);
        assert_eq!(fired(&mut timer, 29), 0b001);
        assert_eq!(fired(&mut timer, 30), 0b101);
    }

    /// A target that has fired does not fire again because somebody writes to CONF for another comparator.
    #[test]
    fn a_target_that_has_fired_stays_so() {
        let (mut timer, mut registers) = timer();
        for (offset, value) in [(INT_ENA, 1), (CONF, 0x4700_0000), (TRGT0_HI + 4, 16_000), (COMP0_LOAD, 1)] {
            if timer.write(offset, value, &mut registers, 0) == Write::Stored {
                registers.set(offset, value);
            }
        }
        assert_eq!(timer.interrupts(&registers, MILLISECOND), 1);
        timer.write(INT_CLR, 1, &mut registers, MILLISECOND);
        timer.write(CONF, 0x4740_0000, &mut registers, 2 * MILLISECOND);
        assert_eq!(timer.interrupts(&registers, 3 * MILLISECOND), 0);
    }
}
