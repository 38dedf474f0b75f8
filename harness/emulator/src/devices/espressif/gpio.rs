//! GPIO: levels out, levels in, and the interrupts of the 22 pins.
//!
//! (Technical reference manual, chapter "IO MUX and GPIO Matrix".) A pin that drives is read back; one that does not
//! reads what stands outside. Where nothing does, its pull decides, and a pin that floats reads high. Routing signals
//! through the matrix is storage.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const OUT: u32 = 0x04;
const OUT_W1TS: u32 = 0x08;
const OUT_W1TC: u32 = 0x0c;
const ENABLE: u32 = 0x20;
const ENABLE_W1TS: u32 = 0x24;
const ENABLE_W1TC: u32 = 0x28;
const STRAP: u32 = 0x38;
const IN: u32 = 0x3c;
const STATUS: u32 = 0x44;
const STATUS_W1TS: u32 = 0x48;
const STATUS_W1TC: u32 = 0x4c;
const PCPU_INT: u32 = 0x5c;
const CPUSDIO_INT: u32 = 0x64;
const PIN0: u32 = 0x74;
const PIN25: u32 = PIN0 + 4 * 25;
const STATUS_NEXT: u32 = 0x14c;
const FUNC0_IN: u32 = 0x154;
const FUNC25_OUT: u32 = 0x5b8;
const CLOCK_GATE: u32 = 0x62c;
const DATE: u32 = 0x6fc;

const PINS: u32 = 22;
/// GPIO2, 8 and 9 high at reset: boot from flash.
const STRAP_FLASH_BOOT: u32 = 0xf;

/// The pins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Gpio {
    /// The pins that somebody outside drives, and to which level.
    driven: u32,
    outside: u32,
    /// Pins with a pull-down and without a pull-up.
    pulled_down: u32,
    levels: u32,
    status: u32,
}

/// IO_MUX: a pad's register, and in it the pull-down and the pull-up.
const PAD0: u32 = 0x04;
const FUN_WPD: u32 = 1 << 7;
const FUN_WPU: u32 = 1 << 8;

impl Gpio {
    /// Pins that nobody outside drives.
    pub fn new() -> Self {
        Self { driven: 0, outside: 0, pulled_down: 0, levels: (1 << PINS) - 1, status: 0 }
    }

    /// A reset: no pin drives, no interrupt is pending.
    pub fn reset(&mut self) {
        self.pulled_down = 0;
        self.levels = self.outside_levels();
        self.status = 0;
    }

    /// What pins read that the chip does not drive.
    fn outside_levels(&self) -> u32 {
        (self.outside & self.driven | !self.pulled_down & !self.driven) & ((1 << PINS) - 1)
    }

    /// Firmware has written `value` to the register at `offset` of IO_MUX.
    pub fn pad_written(&mut self, offset: u32, value: u32, registers: &RegisterFile) {
        let Some(pin) = offset.checked_sub(PAD0).map(|at| at / 4).filter(|pin| *pin < PINS) else { return };
        let is_pulled_down = value & (FUN_WPD | FUN_WPU) == FUN_WPD;
        self.pulled_down = self.pulled_down & !(1 << pin) | u32::from(is_pulled_down) << pin;
        self.settle(registers);
    }

    /// Somebody outside drives a pin.
    pub fn drive(&mut self, pin: u8, high: bool, registers: &RegisterFile) {
        let bit = 1u32.checked_shl(u32::from(pin)).unwrap_or(0) & ((1 << PINS) - 1);
        self.driven |= bit;
        self.outside = if high { self.outside | bit } else { self.outside & !bit };
        self.settle(registers);
    }

    /// The level of every pin.
    pub fn levels(&self) -> u32 {
        self.levels
    }

    fn settle(&mut self, registers: &RegisterFile) {
        let (out, enable) = (registers.get(OUT), registers.get(ENABLE));
        let levels = (out & enable | self.outside_levels() & !enable) & ((1 << PINS) - 1);
        let (rose, fell) = (levels & !self.levels, self.levels & !levels);
        self.levels = levels;
        for pin in 0..PINS {
            let bit = 1 << pin;
            let fires = match registers.get(PIN0 + 4 * pin) >> 7 & 7 {
                1 => rose & bit != 0,
                2 => fell & bit != 0,
                3 => (rose | fell) & bit != 0,
                4 => levels & bit == 0,
                5 => levels & bit != 0,
                _ => false,
            };
            if fires {
                self.status |= bit;
            }
        }
    }

    fn pending(&self, registers: &RegisterFile) -> u32 {
        // INT_ENA is bits 13 to 17 of the pin's register, of which bit 13 is the CPU's.
        (0..PINS).filter(|pin| registers.get(PIN0 + 4 * pin) >> 13 & 1 != 0).map(|pin| self.status & 1 << pin).sum()
    }
}

impl Device for Gpio {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            OUT_W1TS | OUT_W1TC | ENABLE_W1TS | ENABLE_W1TC | STATUS_W1TS | STATUS_W1TC => Read::Value(0),
            STRAP => Read::Value(STRAP_FLASH_BOOT),
            IN => Read::Value(self.levels),
            STATUS | STATUS_NEXT => Read::Value(self.status),
            PCPU_INT => Read::Value(self.pending(registers)),
            0x60 | CPUSDIO_INT => Read::Value(0),
            OUT | ENABLE | PIN0..=PIN25 | FUNC0_IN..=FUNC25_OUT | CLOCK_GATE | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        let change = match offset {
            OUT | ENABLE | PIN0..=PIN25 => Some((offset, value)),
            OUT_W1TS => Some((OUT, registers.get(OUT) | value)),
            OUT_W1TC => Some((OUT, registers.get(OUT) & !value)),
            ENABLE_W1TS => Some((ENABLE, registers.get(ENABLE) | value)),
            ENABLE_W1TC => Some((ENABLE, registers.get(ENABLE) & !value)),
            _ => None,
        };
        if let Some((target, value)) = change {
            registers.set(target, value);
            self.settle(registers);
            return Write::Done;
        }
        match offset {
            STATUS => self.status = value,
            STATUS_W1TS => self.status |= value,
            STATUS_W1TC => {
                self.status &= !value;
                self.settle(registers);
            }
            IN | STRAP | PCPU_INT..=CPUSDIO_INT | STATUS_NEXT => {}
            FUNC0_IN..=FUNC25_OUT | CLOCK_GATE | DATE => return Write::Stored,
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.pending(registers) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn a_pull_decides_where_nobody_drives() {
        let registers = RegisterFile::new(peripheral("GPIO"), 0x1000);
        let mut gpio = Gpio::new();
        let level = |gpio: &Gpio| gpio.levels() >> 4 & 1;
        assert_eq!(level(&gpio), 1, "a floating pin");
        gpio.pad_written(PAD0 + 4 * 4, FUN_WPD, &registers);
        assert_eq!(level(&gpio), 0, "pulled down");
        gpio.drive(4, true, &registers);
        assert_eq!(level(&gpio), 1, "driven, against the pull");
        gpio.drive(4, false, &registers);
        gpio.pad_written(PAD0 + 4 * 4, FUN_WPU, &registers);
        assert_eq!(level(&gpio), 0, "driven low, against the pull-up");
    }

    #[test]
    fn a_pin_that_drives_is_read_back_and_a_falling_edge_interrupts() {
        let mut registers = RegisterFile::new(peripheral("GPIO"), 0x1000);
        let mut gpio = Gpio::new();
        gpio.write(ENABLE_W1TS, 1 << 3, &mut registers, 0);
        assert_eq!(gpio.levels() & 1 << 3, 0);
        gpio.write(OUT_W1TS, 1 << 3, &mut registers, 0);
        assert_eq!(gpio.levels() & 1 << 3, 1 << 3);
        gpio.write(PIN0 + 4 * 9, 2 << 7 | 1 << 13, &mut registers, 0);
        assert_eq!(gpio.interrupts(&registers, 0), 0);
        gpio.drive(9, false, &registers);
        assert_eq!(gpio.interrupts(&registers, 0), 1);
        gpio.write(STATUS_W1TC, 1 << 9, &mut registers, 0);
        assert_eq!(gpio.interrupts(&registers, 0), 0);
    }
}
