//! SYSTEM: which clock the CPU runs on, and the four interrupts that software raises.
//!
//! (Technical reference manual, chapters "Reset and Clock" and "System Registers".) Clock gates and peripheral resets
//! are storage: a device whose clock is off answers all the same, and a peripheral reset leaves it as it is.

use serde::{Deserialize, Serialize};

use super::time::{TICKS_PER_RC_FAST, TICKS_PER_XTAL, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const CPU_PER_CONF: u32 = 0x08;
const FROM_CPU0: u32 = 0x28;
const FROM_CPU3: u32 = 0x34;
const SYSCLK_CONF: u32 = 0x58;
const MEM_PVT: u32 = 0x5c;
const DATE: u32 = 0xffc;

/// SYSTEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct System;

impl System {
    /// How long a CPU cycle is at present.
    pub fn ticks_per_cpu_cycle(registers: &RegisterFile) -> u64 {
        let sysclk = registers.get(SYSCLK_CONF);
        let divider = u64::from(sysclk & 0x3ff) + 1;
        match sysclk >> 10 & 3 {
            0 => TICKS_PER_XTAL * divider,
            2 => TICKS_PER_RC_FAST * divider,
            _ if registers.get(CPU_PER_CONF) & 3 == 0 => 2,
            _ => 1,
        }
    }

    /// Selects 80 or 160 MHz from the PLL, as a bootloader does.
    pub fn run_from_pll(registers: &mut RegisterFile) {
        registers.set(SYSCLK_CONF, 1 << 10 | 40 << 12);
        registers.set(CPU_PER_CONF, 1 << 2);
    }
}

impl Device for System {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            0..=MEM_PVT | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            0..=MEM_PVT | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        (FROM_CPU0..=FROM_CPU3)
            .step_by(4)
            .enumerate()
            .map(|(n, offset)| u64::from(registers.get(offset) & 1) << n)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn the_cpu_runs_at_twenty_to_a_hundred_and_sixty_megahertz() {
        let mut registers = RegisterFile::new(peripheral("SYSTEM"), 0x1000);
        assert_eq!(System::ticks_per_cpu_cycle(&registers), 8, "20 MHz out of reset");
        System::run_from_pll(&mut registers);
        assert_eq!(System::ticks_per_cpu_cycle(&registers), 2, "80 MHz");
        registers.set(CPU_PER_CONF, 1 << 2 | 1);
        assert_eq!(System::ticks_per_cpu_cycle(&registers), 1, "160 MHz");
    }
}
