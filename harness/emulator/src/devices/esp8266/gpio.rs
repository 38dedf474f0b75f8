//! The pins: what firmware drives, what is read back, and interrupts of edges and levels.
//!
//! (ESP8266 technical reference, chapter "GPIO".) A pin that nobody drives is high: modules have pull-ups where it matters.

use serde::{Deserialize, Serialize};

use crate::devices::espressif::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const OUT: u32 = 0x00;
const OUT_W1TS: u32 = 0x04;
const OUT_W1TC: u32 = 0x08;
const ENABLE: u32 = 0x0c;
const ENABLE_W1TS: u32 = 0x10;
const ENABLE_W1TC: u32 = 0x14;
const IN: u32 = 0x18;
const STATUS: u32 = 0x1c;
const STATUS_W1TS: u32 = 0x20;
const STATUS_W1TC: u32 = 0x24;
const PIN0: u32 = 0x28;
const PIN15: u32 = 0x64;
const SIGMA_DELTA: u32 = 0x68;
const RTC_CALIB_SYNC: u32 = 0x6c;
const RTC_CALIB_VALUE: u32 = 0x70;

const PINS: u32 = 0xffff;
const OPEN_DRAIN: u32 = 1 << 2;
/// The level for which the pin interrupts ends light sleep too.
const WAKES: u32 = 1 << 10;
/// What a measurement of the RTC's clock gives: it is over, and a period is 5.75 microseconds, by 1/4096 microseconds.
const RTC_CALIBRATED: u32 = 1 << 31 | 0x5c00;

/// The pins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Gpio {
    /// Pins that somebody outside drives, and how.
    driven: u32,
    outside: u32,
    levels: u32,
}

impl Gpio {
    /// As after power-on, with nobody outside.
    pub fn new() -> Self {
        Self { driven: 0, outside: 0, levels: PINS }
    }

    /// Somebody outside drives a pin.
    pub fn drive(&mut self, pin: u8, high: bool, registers: &mut RegisterFile) {
        let bit = 1 << pin & PINS;
        self.driven |= bit;
        self.outside = if high { self.outside | bit } else { self.outside & !bit };
        self.settle(registers);
    }

    /// The level of every pin.
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// Whether a pin is as it has to be to end light sleep.
    pub fn wakes(&self, registers: &RegisterFile) -> bool {
        (0..16).any(|pin| {
            let control = registers.get(PIN0 + 4 * pin);
            let is_high = self.levels >> pin & 1 != 0;
            control & WAKES != 0 && matches!((control >> 7 & 7, is_high), (4, false) | (5, true))
        })
    }

    fn settle(&mut self, registers: &mut RegisterFile) {
        let before = self.levels;
        let (out, enable) = (registers.get(OUT), registers.get(ENABLE));
        let mut levels = 0;
        let mut status = registers.get(STATUS);
        for pin in 0..16 {
            let bit = 1 << pin;
            let control = registers.get(PIN0 + 4 * pin);
            let drives = enable & bit != 0 && (control & OPEN_DRAIN == 0 || out & bit == 0);
            let is_high = if drives { out & bit != 0 } else { self.driven & bit == 0 || self.outside & bit != 0 };
            if is_high {
                levels |= bit;
            }
            let was_high = before & bit != 0;
            // 1 rises, 2 falls, 3 either, 4 is low, 5 is high.
            let raised = match control >> 7 & 7 {
                1 => is_high && !was_high,
                2 => !is_high && was_high,
                3 => is_high != was_high,
                4 => !is_high,
                5 => is_high,
                _ => false,
            };
            if raised {
                status |= bit;
            }
        }
        self.levels = levels;
        registers.set(STATUS, status);
    }
}

impl Device for Gpio {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            IN => Read::Value(self.levels),
            OUT_W1TS | OUT_W1TC | ENABLE_W1TS | ENABLE_W1TC | STATUS_W1TS | STATUS_W1TC => Read::Value(0),
            RTC_CALIB_VALUE => Read::Value(RTC_CALIBRATED),
            OUT | ENABLE | STATUS | PIN0..=PIN15 | SIGMA_DELTA | RTC_CALIB_SYNC => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        let (register, value) = match offset {
            OUT | ENABLE | STATUS | PIN0..=PIN15 => (offset, value),
            OUT_W1TS | ENABLE_W1TS | STATUS_W1TS => (offset - 4, registers.get(offset - 4) | value),
            OUT_W1TC | ENABLE_W1TC | STATUS_W1TC => (offset - 8, registers.get(offset - 8) & !value),
            IN | RTC_CALIB_VALUE => return Write::Done,
            SIGMA_DELTA | RTC_CALIB_SYNC => return Write::Stored,
            _ => return Write::Unmodelled,
        };
        registers.set(register, value);
        self.settle(registers);
        Write::Done
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(registers.get(STATUS) & PINS != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp8266::registers::peripheral;

    #[test]
    fn an_edge_is_told_until_it_is_cleared_and_a_level_as_long_as_it_lasts() {
        let (mut gpio, mut registers) = (Gpio::new(), RegisterFile::whole(peripheral("GPIO"), 0x100));
        gpio.write(PIN0 + 4 * 5, 2 << 7, &mut registers, 0);
        assert_eq!(gpio.interrupts(&registers, 0), 0);
        gpio.drive(5, false, &mut registers);
        assert_eq!(gpio.interrupts(&registers, 0), 1);
        gpio.write(STATUS_W1TC, 1 << 5, &mut registers, 0);
        assert_eq!(gpio.interrupts(&registers, 0), 0);
        gpio.write(PIN0 + 4 * 5, 4 << 7, &mut registers, 0);
        gpio.write(STATUS_W1TC, 1 << 5, &mut registers, 0);
        assert_eq!(gpio.interrupts(&registers, 0), 1, "it is still low");
    }

    #[test]
    fn an_open_drain_pulls_down_alone() {
        let (mut gpio, mut registers) = (Gpio::new(), RegisterFile::whole(peripheral("GPIO"), 0x100));
        gpio.write(PIN0 + 8, OPEN_DRAIN, &mut registers, 0);
        gpio.write(OUT_W1TS, 1 << 2, &mut registers, 0);
        gpio.write(ENABLE_W1TS, 1 << 2, &mut registers, 0);
        gpio.drive(2, false, &mut registers);
        assert_eq!(gpio.levels() & 1 << 2, 0, "somebody else pulls");
        gpio.drive(2, true, &mut registers);
        gpio.write(OUT_W1TC, 1 << 2, &mut registers, 0);
        assert_eq!(gpio.levels() & 1 << 2, 0);
    }
}
