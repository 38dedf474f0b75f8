//! EFUSE: what is burnt into this chip — its revision and its address.
//!
//! Bit positions: ESP-IDF's `esp_efuse_table.csv` for the ESP32-C3, block 1. Burning is not modelled.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const RD_WR_DIS: u32 = 0x2c;
const BLOCK1: u32 = 0x44;
const RD_RS_ERR1: u32 = 0x1c4;
const CLK: u32 = 0x1c8;
const CONF: u32 = 0x1cc;
const STATUS: u32 = 0x1d0;
const CMD: u32 = 0x1d4;
const INT_RAW: u32 = 0x1d8;
const DAC_CONF: u32 = 0x1e8;
const DATE: u32 = 0x1fc;

/// The version that a chip carries in its eFuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The number before the dot.
    pub major: u8,
    /// The number after the dot.
    pub minor: u8,
}

/// The eFuse controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Efuse;

impl Efuse {
    /// Writes the fuses of a chip with this revision and address into its registers.
    pub fn burn(registers: &mut RegisterFile, revision: Revision, mac: [u8; 6]) {
        let mut block1 = [0u32; 6];
        block1[0] = u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]]);
        block1[1] = u32::from_be_bytes([0, 0, mac[0], mac[1]]);
        // WAFER_VERSION_MINOR_LO is bits 114 to 116, _MINOR_HI bit 183, WAFER_VERSION_MAJOR bits 184 and 185.
        block1[114 / 32] |= u32::from(revision.minor & 7) << (114 % 32);
        block1[183 / 32] |= u32::from(revision.minor >> 3 & 1) << (183 % 32);
        block1[184 / 32] |= u32::from(revision.major & 3) << (184 % 32);
        for (n, word) in block1.into_iter().enumerate() {
            registers.set(BLOCK1 + 4 * n as u32, word);
        }
    }
}

impl Device for Efuse {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            // Idle, no command in progress.
            STATUS => Read::Value(1),
            CMD => Read::Value(0),
            RD_WR_DIS..=RD_RS_ERR1 | CLK | CONF | INT_RAW..=DAC_CONF | 0x1ec..=DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            // Reading the fuses again changes nothing; burning them is not modelled.
            CMD if value & 2 == 0 => Write::Done,
            RD_WR_DIS..=RD_RS_ERR1 | STATUS => Write::Done,
            CLK | CONF | 0x1e0..=DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn revision_and_address_lie_where_esp_idf_reads_them() {
        let mut registers = RegisterFile::new(peripheral("EFUSE"), 0x800);
        Efuse::burn(&mut registers, Revision { major: 0, minor: 4 }, [0x84, 0xf7, 0x03, 1, 2, 3]);
        assert_eq!(registers.get(0x44), 0x0301_0203);
        assert_eq!(registers.get(0x48), 0x84f7);
        assert_eq!(registers.get(0x50) >> 18 & 7, 4);
        assert_eq!(registers.get(0x58) >> 23 & 7, 0);
    }
}
