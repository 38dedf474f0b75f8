//! The MAC's time and power unit: a counter of microseconds, the timing synchronisation function, beacons' times, random
//! numbers.

use serde::{Deserialize, Serialize};

use super::super::time::{NEVER, TICKS_PER_US, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::random::Random;
use crate::machine::registers::RegisterFile;

const NOW_US: u32 = 0x000;
const CONTROL: u32 = 0x00c;
const TSF_LOAD: u32 = 0x010;
const TSF_LATCHED: u32 = 0x018;
const TSF_LATCHED_HIGH: u32 = 0x01c;
const TBTT_START: u32 = 0x020;
const TBTT_INTERVAL: u32 = 0x030;
const TIMERS: u32 = 0x05c;
const TIMERS_END: u32 = 0x07c;
const RANDOM: u32 = 0x07c;
const INTERRUPT_ENABLE: u32 = 0x110;
const INTERRUPT_RAW: u32 = 0x114;
const INTERRUPT_STATUS: u32 = 0x118;
const INTERRUPT_CLEAR: u32 = 0x11c;

/// CONTROL: take the TSF from [`TSF_LOAD`]; take the time of the first beacon from [`TBTT_START`].
const LOAD_TSF: u32 = 1 << 4;
const LOAD_TBTT: u32 = 1 << 8;
/// The beacon's time of the station interface.
const TBTT_OF_STATION: u32 = 1 << 4;
/// The first of four timers; the others are the bits below it.
const TIMER_0: u32 = 0x100;
const TIMER_ON: u32 = 1 << 31;
/// Bits of a beacon's time.
const TBTT_MASK: u32 = 0x3ff_ffff;
/// A time unit.
const TIME_UNIT_US: u64 = 1024;

/// The time and power unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WifiPower {
    /// The TSF minus the microseconds since power-on, modulo 2⁶⁴.
    tsf_ahead_us: u64,
    raw: u32,
    next_tbtt_us: Option<u64>,
    timers_us: [Option<u64>; 4],
    random: Random,
}

impl WifiPower {
    /// The unit after a reset; its random numbers are those of `seed`.
    pub fn new(seed: u64) -> Self {
        /// Not the numbers of the chip's other source.
        const STREAM: u64 = 0x5769_4669;
        let random = Random::new(seed ^ STREAM);
        Self { tsf_ahead_us: 0, raw: 0, next_tbtt_us: None, timers_us: [None; 4], random }
    }

    /// The unit after a reset, with the random numbers going on.
    pub fn reset(&mut self) {
        *self = Self { random: self.random.clone(), ..Self::new(0) };
    }

    fn tsf_us(&self, now: Ticks) -> u64 {
        (now / TICKS_PER_US).wrapping_add(self.tsf_ahead_us)
    }

    fn load_tsf(&mut self, registers: &RegisterFile, now: Ticks) {
        let wanted = u64::from(registers.get(TSF_LOAD)) | u64::from(registers.get(TSF_LOAD + 4)) << 32;
        self.tsf_ahead_us = wanted.wrapping_sub(now / TICKS_PER_US);
    }

    /// From the first time on, beacons are due at each interval; the interrupt is so much ahead.
    fn load_tbtt(&mut self, registers: &RegisterFile, now: Ticks) {
        let (start, interval) = (registers.get(TBTT_START), registers.get(TBTT_INTERVAL));
        let ahead = interval >> 16;
        let until = start.wrapping_sub(ahead).wrapping_sub(self.tsf_us(now) as u32) & TBTT_MASK;
        let period = u64::from(interval & 0xffff) * TIME_UNIT_US;
        let until = if period > 0 { u64::from(until) % period } else { u64::from(until) };
        self.next_tbtt_us = Some(now / TICKS_PER_US + until.max(1));
    }

    fn set_timer(&mut self, n: usize, registers: &RegisterFile, now: Ticks) {
        let control = registers.get(TIMERS + 8 * n as u32);
        let target = registers.get(TIMERS + 8 * n as u32 + 4);
        let until = target.wrapping_sub(self.tsf_us(now) as u32);
        // A time that has just passed is due at once, and not in an hour.
        let until = if until > i32::MAX as u32 { 1 } else { u64::from(until.max(1)) };
        self.timers_us[n] = (control & TIMER_ON != 0).then(|| now / TICKS_PER_US + until);
    }
}

impl Device for WifiPower {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        match offset {
            NOW_US => Read::Value((now / TICKS_PER_US) as u32),
            TSF_LATCHED => Read::Value(self.tsf_us(now) as u32),
            TSF_LATCHED_HIGH => Read::Value((self.tsf_us(now) >> 32) as u32),
            RANDOM => Read::Value(self.random.next_word()),
            INTERRUPT_RAW => Read::Value(self.raw),
            INTERRUPT_STATUS => Read::Value(self.raw & registers.get(INTERRUPT_ENABLE)),
            0x004..=0x0ff | INTERRUPT_ENABLE | INTERRUPT_CLEAR..=0x13f => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        match offset {
            CONTROL => {
                if value & LOAD_TSF != 0 {
                    self.load_tsf(registers, now);
                }
                if value & LOAD_TBTT != 0 {
                    self.load_tbtt(registers, now);
                }
                registers.set(CONTROL, value & !(LOAD_TSF | LOAD_TBTT));
                Write::Done
            }
            TIMERS..TIMERS_END => {
                registers.set(offset, value);
                self.set_timer(((offset - TIMERS) / 8) as usize, registers, now);
                Write::Done
            }
            INTERRUPT_CLEAR => {
                self.raw &= !value;
                Write::Done
            }
            0x000..=0x0ff | INTERRUPT_ENABLE | 0x120..=0x13f => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn advance(&mut self, registers: &mut RegisterFile, now: Ticks) {
        let now_us = now / TICKS_PER_US;
        if let Some(due) = self.next_tbtt_us.filter(|due| *due <= now_us) {
            self.raw |= TBTT_OF_STATION;
            let period = u64::from(registers.get(TBTT_INTERVAL) & 0xffff).max(1) * TIME_UNIT_US;
            self.next_tbtt_us = Some(due + period * ((now_us - due) / period + 1));
        }
        for (n, timer) in self.timers_us.iter_mut().enumerate() {
            if timer.take_if(|due| *due <= now_us).is_some() {
                self.raw |= TIMER_0 >> n;
            }
        }
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw & registers.get(INTERRUPT_ENABLE) != 0)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        let timers = self.timers_us.iter().flatten().chain(&self.next_tbtt_us);
        timers.min().map_or(NEVER, |us| us.saturating_mul(TICKS_PER_US))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn unit() -> (WifiPower, RegisterFile) {
        (WifiPower::new(1), RegisterFile::new(peripheral(""), 0x1000))
    }

    fn at_us(us: u64) -> Ticks {
        us * TICKS_PER_US
    }

    #[test]
    fn the_tsf_is_what_was_loaded_and_goes_on() {
        let (mut unit, mut registers) = unit();
        registers.set(TSF_LOAD, 0xffff_fff0);
        registers.set(TSF_LOAD + 4, 1);
        unit.write(CONTROL, LOAD_TSF, &mut registers, at_us(1_000));
        assert_eq!(unit.read(TSF_LATCHED, &registers, at_us(1_000)), Read::Value(0xffff_fff0));
        assert_eq!(unit.read(TSF_LATCHED, &registers, at_us(1_020)), Read::Value(4));
        assert_eq!(unit.read(TSF_LATCHED_HIGH, &registers, at_us(1_020)), Read::Value(2));
    }

    #[test]
    fn beacons_are_due_each_interval_so_much_ahead() {
        let (mut unit, mut registers) = unit();
        registers.set(INTERRUPT_ENABLE, TBTT_OF_STATION);
        registers.set(TBTT_START, 102_400);
        registers.set(TBTT_INTERVAL, 3_000 << 16 | 100);
        unit.write(CONTROL, LOAD_TBTT, &mut registers, 0);
        assert_eq!(unit.next_event(&registers), at_us(99_400));
        unit.advance(&mut registers, at_us(99_400));
        assert_eq!(unit.interrupts(&registers, at_us(99_400)), 1);
        assert_eq!(unit.next_event(&registers), at_us(201_800));
        unit.write(INTERRUPT_CLEAR, TBTT_OF_STATION, &mut registers, at_us(99_401));
        assert_eq!(unit.interrupts(&registers, at_us(99_401)), 0);
        // Long asleep: the next one is in the future.
        unit.advance(&mut registers, at_us(1_000_000));
        assert!(unit.next_event(&registers) > at_us(1_000_000));
    }

    #[test]
    fn timers_are_due_once() {
        let (mut unit, mut registers) = unit();
        unit.write(TIMERS + 12, 500, &mut registers, 0);
        unit.write(TIMERS + 8, TIMER_ON, &mut registers, 0);
        assert_eq!(unit.next_event(&registers), at_us(500));
        unit.advance(&mut registers, at_us(500));
        assert_eq!(unit.read(INTERRUPT_RAW, &registers, at_us(500)), Read::Value(TIMER_0 >> 1));
        assert_eq!(unit.next_event(&registers), NEVER);
    }
}
