//! I2C_ANA_MST: the bus on the chip to its analogue blocks (PLL, regulators, ADC).
//!
//! Commands to the blocks go through two registers below the documented ones; what the mask ROM's `rom_i2c_*`
//! functions write there is all that is known of them. The blocks are bytes that are kept: nothing is calibrated, and
//! a PLL is locked as soon as it is asked for, as is the search for the band gap's code (`I2C_ULP`) over.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const HOST0_COMMAND: u32 = 0x00;
const HOST1_COMMAND: u32 = 0x04;
const COMMAND_WRITE: u32 = 1 << 24;
const COMMAND_BUSY: u32 = 1 << 25;

const ANA_CONF0: u32 = 0x00;
/// I2C_ULP's register 3, and in it I2C_ULP_O_DONE_FLAG and I2C_ULP_BG_O_DONE_FLAG (ESP-IDF, `regi2c_ulp.h`).
const ULP_STATUS: (u8, u8) = (0x61, 3);
const ULP_CODES_FOUND: u8 = 1 << 0 | 1 << 3;
/// ANA_CONF3: the loop that measures the transmitter's DC offset has been run, and its two comparators, which are zero.
const ANA_CONF3: u32 = 0x0c;
const TRANSMIT_DC_DONE: u32 = 1 << 24;
const TRANSMIT_DC_SIGNS: u32 = 0b11 << 30;
/// The radio's power detector is ready.
const POWER_DETECTOR: u32 = 0x10;
const POWER_DETECTOR_READY: u32 = 0b111 << 24;
/// The synthesiser's frequency: megahertz above 2400, from bit 20 on.
const FREQUENCY: u32 = 0x110;
/// The registers that the radio's driver writes and reads back, and that change nothing here: synthesiser, calibration.
const KEPT_END: u32 = 0x1c0;
/// ANA_CONF0: the PLL's calibration has ended.
const CALIBRATION_DONE: u32 = 1 << 24;

/// The bus with the blocks on it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AnalogBus {
    bytes: BTreeMap<(u8, u8), u8>,
}

impl AnalogBus {
    /// A register of a block.
    pub fn read_register(&self, block: u8, register: u8) -> u8 {
        let kept = self.bytes.get(&(block, register)).copied().unwrap_or(0);
        if (block, register) == ULP_STATUS { kept | ULP_CODES_FOUND } else { kept }
    }

    /// Sets a register of a block.
    pub fn write_register(&mut self, block: u8, register: u8, value: u8) {
        self.bytes.insert((block, register), value);
    }
}

impl Device for AnalogBus {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            HOST0_COMMAND | HOST1_COMMAND => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    /// A command: block, register, data; it is over at once, and the data can be read from the command's register.
    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        if !matches!(offset, HOST0_COMMAND | HOST1_COMMAND) {
            return Write::Unmodelled;
        }
        let [block, register, data, _] = value.to_le_bytes();
        if value & COMMAND_WRITE != 0 {
            self.write_register(block, register, data);
        }
        let data = u32::from(self.read_register(block, register));
        registers.set(offset, value & !(COMMAND_BUSY | 0xff_0000) | data << 16);
        Write::Done
    }
}

/// The bus's configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnalogI2c;

impl AnalogI2c {
    /// The channel of the 2.4 GHz band that the radio's synthesiser is tuned to; 0 if it is tuned to none.
    pub fn channel(registers: &RegisterFile) -> u8 {
        match registers.get(FREQUENCY) >> 20 {
            84 => 14,
            above @ 12..=72 if above % 5 == 2 => ((above - 7) / 5) as u8,
            _ => 0,
        }
    }
}

impl Device for AnalogI2c {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            ANA_CONF0 => Read::Value(registers.get(ANA_CONF0) | CALIBRATION_DONE),
            ANA_CONF3 => Read::Value(registers.get(ANA_CONF3) & !TRANSMIT_DC_SIGNS | TRANSMIT_DC_DONE),
            POWER_DETECTOR => Read::Value(registers.get(POWER_DETECTOR) | POWER_DETECTOR_READY),
            _ if offset < KEPT_END => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            ..KEPT_END => Write::Stored,
            _ => Write::Unmodelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn a_byte_written_to_a_block_is_read_back() {
        let mut registers = RegisterFile::new(peripheral(""), 0x40);
        let mut bus = AnalogBus::default();
        bus.write(HOST0_COMMAND, 0x05a5_0d6d, &mut registers, 0);
        assert_eq!(bus.read_register(0x6d, 0x0d), 0xa5);
        bus.write(HOST1_COMMAND, 0x0400_0d6d, &mut registers, 0);
        assert_eq!(registers.get(HOST1_COMMAND) >> 16 & 0xff, 0xa5);
        assert_eq!(registers.get(HOST1_COMMAND) & COMMAND_BUSY, 0);
    }
}
