//! EFUSE: what is burnt into this chip, and burning.
//!
//! (Technical reference manual, chapter "eFuse Controller"; bit positions: ESP-IDF's `esp_efuse_table.csv` for the
//! ESP32-C3.) Eleven blocks of fuses, of which a bit that is burnt stays so; write protection and read protection are
//! honoured. Burning and reading take no time, and the Reed-Solomon code of a block is not computed: a second burning of
//! the same block adds bits, where silicon would damage the code.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const PGM_DATA0: u32 = 0x00;
const PGM_CHECK_VALUE2: u32 = 0x28;
const RD_WR_DIS: u32 = 0x2c;
const RD_RS_ERR1: u32 = 0x1c4;
const CLK: u32 = 0x1c8;
const CONF: u32 = 0x1cc;
const STATUS: u32 = 0x1d0;
const CMD: u32 = 0x1d4;
const INT_RAW: u32 = 0x1d8;
const INT_ST: u32 = 0x1dc;
const INT_ENA: u32 = 0x1e0;
const INT_CLR: u32 = 0x1e4;
const DAC_CONF: u32 = 0x1e8;
const WR_TIM_CONF2: u32 = 0x1f4;
const DATE: u32 = 0x1fc;

const CMD_READ: u32 = 1 << 0;
const CMD_PROGRAM: u32 = 1 << 1;
const CONF_PROGRAM: u32 = 0x5a5a;
const CONF_READ: u32 = 0x5aa5;
const INT_READ_DONE: u32 = 1 << 0;
const INT_PROGRAM_DONE: u32 = 1 << 1;

/// Where the registers of each block begin, and how many words it has.
const BLOCKS: [(u32, usize); 11] = [
    (RD_WR_DIS, 6),
    (0x44, 6),
    (0x5c, 8),
    (0x7c, 8),
    (0x9c, 8),
    (0xbc, 8),
    (0xdc, 8),
    (0xfc, 8),
    (0x11c, 8),
    (0x13c, 8),
    (0x15c, 8),
];
/// The first of the blocks that hold keys; `RD_DIS` has a bit for each block from here on.
const KEY0: usize = 4;
/// The bit of `WR_DIS` that protects each block from 1 on (`esp_efuse_table.csv`: WR_DIS.BLK1 is bit 20, then in order).
const WR_DIS_BLOCK1: u32 = 20;

/// A chip's version, as its eFuse has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The number before the dot.
    pub major: u8,
    /// The number after the dot.
    pub minor: u8,
}

/// What fuses switch on that this model does not do, each with its bits: block, word, first bit, how many of them.
///
/// `SPI_BOOT_CRYPT_CNT` switches on with an odd number of bits.
static NOT_ENFORCED: [(&str, usize, u32, u32); 2] = [
    (
        "flash encryption is burnt (SPI_BOOT_CRYPT_CNT): nothing is decrypted here, the flash is read as it lies there",
        2,
        18,
        3,
    ),
    (
        "secure boot is burnt (SECURE_BOOT_EN): the mask ROM checks the bootloader's signature as far as it is really run, \
         and nothing else here does",
        3,
        20,
        1,
    ),
];

/// What is burnt: bits of eleven blocks.
pub type Fuses = [[u32; 8]; 11];

/// The eFuse controller, and the fuses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Efuse {
    fuses: Fuses,
    raw: u32,
    /// Of [`NOT_ENFORCED`], those that were told.
    told: u8,
}

impl Efuse {
    /// The fuses of a chip with this revision and address, as it leaves the factory.
    pub fn new(revision: Revision, mac: [u8; 6]) -> Self {
        let mut fuses = [[0; 8]; 11];
        let block1 = &mut fuses[1];
        block1[0] = u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]]);
        block1[1] = u32::from_be_bytes([0, 0, mac[0], mac[1]]);
        // WAFER_VERSION_MINOR_LO is bits 114 to 116, _MINOR_HI bit 183, WAFER_VERSION_MAJOR bits 184 and 185.
        block1[114 / 32] |= u32::from(revision.minor & 7) << (114 % 32);
        block1[183 / 32] |= u32::from(revision.minor >> 3 & 1) << (183 % 32);
        block1[184 / 32] |= u32::from(revision.major & 3) << (184 % 32);
        Self { fuses, raw: 0, told: 0 }
    }

    /// What is burnt.
    pub fn fuses(&self) -> &Fuses {
        &self.fuses
    }

    /// Burns more: a bit that is burnt stays so.
    pub fn burn(&mut self, more: &Fuses, registers: &mut RegisterFile) {
        for (block, more) in self.fuses.iter_mut().zip(more) {
            block.iter_mut().zip(more).for_each(|(word, more)| *word |= more);
        }
        self.show(registers);
    }

    /// What is burnt and not done here, a sentence each; each is told once.
    pub fn take_not_enforced(&mut self) -> impl Iterator<Item = &'static str> {
        let block = self.fuses[0];
        let told = self.told;
        let is_on = |(_, word, at, bits): &(&str, usize, u32, u32)| {
            (block[*word] >> at & ((1 << bits) - 1)).count_ones() % 2 == 1
        };
        let on = NOT_ENFORCED.iter().enumerate().filter(|(_, fuse)| is_on(fuse)).fold(0, |on, (n, _)| on | 1u8 << n);
        self.told |= on;
        NOT_ENFORCED.iter().enumerate().filter(move |(n, _)| on & !told & 1 << n != 0).map(|(_, fuse)| fuse.0)
    }

    /// A key, for the hardware that may see it whatever is read-protected.
    pub fn key(&self, n: usize) -> Option<[u32; 8]> {
        (n < 6).then(|| self.fuses[KEY0 + n])
    }

    /// What a key is for: `KEY_PURPOSE_n`, four bits each from bit 24 of `REPEAT_DATA1` on.
    pub fn key_purpose(&self, n: usize) -> u32 {
        let at = 24 + 4 * n;
        self.fuses[0].get(2 + at / 32).map_or(0, |word| word >> (at % 32) & 0xf)
    }

    /// Reads the fuses into the registers, as happens at every reset.
    pub fn show(&self, registers: &mut RegisterFile) {
        let protected = self.fuses[0][1] & 0x7f;
        for (block, (first, words)) in BLOCKS.into_iter().enumerate() {
            let hidden = block >= KEY0 && protected >> (block - KEY0) & 1 != 0;
            for (n, word) in self.fuses[block].iter().take(words).enumerate() {
                registers.set(first + 4 * n as u32, if hidden { 0 } else { *word });
            }
        }
    }

    fn command(&mut self, value: u32, registers: &mut RegisterFile) {
        let conf = registers.get(CONF) & 0xffff;
        if value & CMD_PROGRAM != 0 && conf == CONF_PROGRAM {
            self.program((value >> 2 & 0xf) as usize, registers);
            self.raw |= INT_PROGRAM_DONE;
        }
        if value & CMD_READ != 0 && conf == CONF_READ {
            self.show(registers);
            self.raw |= INT_READ_DONE;
        }
    }

    /// Burns the programming registers into a block.
    fn program(&mut self, block: usize, registers: &RegisterFile) {
        let write_disabled = self.fuses[0][0];
        let Some(fuses) = self.fuses.get_mut(block) else { return };
        if block > 0 && write_disabled >> (WR_DIS_BLOCK1 + block as u32 - 1) & 1 != 0 {
            return;
        }
        for (n, word) in fuses.iter_mut().take(BLOCKS[block].1).enumerate() {
            *word |= registers.get(PGM_DATA0 + 4 * n as u32);
        }
    }
}

impl Device for Efuse {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            // Idle, no command in progress.
            STATUS => Read::Value(1),
            CMD | INT_CLR => Read::Value(0),
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & registers.get(INT_ENA)),
            PGM_DATA0..=PGM_CHECK_VALUE2 | RD_WR_DIS..=RD_RS_ERR1 | CLK | CONF => Read::Stored,
            INT_ENA | DAC_CONF..=WR_TIM_CONF2 | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            CMD => {
                self.command(value, registers);
                Write::Done
            }
            INT_CLR => {
                self.raw &= !value;
                Write::Done
            }
            RD_WR_DIS..=RD_RS_ERR1 | STATUS | INT_RAW | INT_ST => Write::Done,
            PGM_DATA0..=PGM_CHECK_VALUE2 | CLK | CONF | INT_ENA | DAC_CONF..=WR_TIM_CONF2 | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw & registers.get(INT_ENA) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn chip() -> (Efuse, RegisterFile) {
        let mut registers = RegisterFile::new(peripheral("EFUSE"), 0x800);
        let efuse = Efuse::new(Revision { major: 0, minor: 4 }, [0x84, 0xf7, 0x03, 1, 2, 3]);
        efuse.show(&mut registers);
        (efuse, registers)
    }

    /// Burns as ESP-IDF's `efuse_ll_*` do, and reads back.
    fn burn(efuse: &mut Efuse, registers: &mut RegisterFile, block: u32, data: [u32; 8]) {
        for (n, word) in data.into_iter().enumerate() {
            registers.set(PGM_DATA0 + 4 * n as u32, word);
        }
        registers.set(CONF, CONF_PROGRAM);
        efuse.write(CMD, CMD_PROGRAM | block << 2, registers, 0);
        registers.set(CONF, CONF_READ);
        efuse.write(CMD, CMD_READ, registers, 0);
    }

    #[test]
    fn revision_and_address_lie_where_esp_idf_reads_them() {
        let (_, registers) = chip();
        assert_eq!(registers.get(0x44), 0x0301_0203);
        assert_eq!(registers.get(0x48), 0x84f7);
        assert_eq!(registers.get(0x50) >> 18 & 7, 4);
        assert_eq!(registers.get(0x58) >> 23 & 7, 0);
    }

    #[test]
    fn what_is_burnt_stays_and_shows_when_it_is_read_again() {
        let (mut efuse, mut registers) = chip();
        // UART_PRINT_CONTROL, as Tasmota burns it: PGM_DATA4, and RD_REPEAT_DATA3 shows it.
        burn(&mut efuse, &mut registers, 0, [0, 0, 0, 0, 0xc0, 0, 0, 0]);
        assert_eq!(registers.get(0x3c), 0xc0);
        burn(&mut efuse, &mut registers, 0, [0, 0, 0, 0, 0x01, 0, 0, 0]);
        assert_eq!(registers.get(0x3c), 0xc1);
        registers.set(CONF, 0);
        efuse.write(CMD, CMD_PROGRAM, &mut registers, 0);
        assert_eq!(efuse.fuses()[0][4], 0xc1, "nothing is burnt without the operation's code");
    }

    #[test]
    fn what_is_burnt_and_not_done_is_told_once() {
        let (mut efuse, mut registers) = chip();
        assert_eq!(efuse.take_not_enforced().count(), 0);
        burn(&mut efuse, &mut registers, 0, [0, 0, 1 << 18, 1 << 20, 0, 0, 0, 0]);
        let told: Vec<&str> = efuse.take_not_enforced().collect();
        assert!(told.len() == 2 && told[0].contains("SPI_BOOT_CRYPT_CNT") && told[1].contains("SECURE_BOOT_EN"));
        assert_eq!(efuse.take_not_enforced().count(), 0);
        // An even number of bits is off.
        let (mut efuse, mut registers) = chip();
        burn(&mut efuse, &mut registers, 0, [0, 0, 3 << 18, 0, 0, 0, 0, 0]);
        assert_eq!(efuse.take_not_enforced().count(), 0);
    }

    #[test]
    fn a_protected_key_is_neither_read_nor_written() {
        let (mut efuse, mut registers) = chip();
        burn(&mut efuse, &mut registers, 4, [7; 8]);
        assert_eq!(registers.get(0x9c), 7);
        // RD_DIS and WR_DIS of block 4.
        burn(&mut efuse, &mut registers, 0, [1 << 23, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(registers.get(0x9c), 0);
        burn(&mut efuse, &mut registers, 4, [8; 8]);
        assert_eq!(efuse.key(0), Some([7; 8]));
    }
}
