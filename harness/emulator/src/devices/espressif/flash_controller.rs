//! SPI1: the controller over which software sends commands to the flash.
//!
//! (Technical reference manual, chapter "SPI Controller"; command codes as in the data sheets of W25Q32-like chips.)
//! A command is over when it is issued; erasing and programming take no time. SPI0, which serves the cache, is storage: the cache reads the flash directly.

use serde::{Deserialize, Serialize};

use crate::machine::memory::Memory;

use super::sfdp;
use crate::machine::device::{Read, Write};
use crate::machine::flash::{Flash, PAGE_BYTES, SECTOR_BYTES};
use crate::machine::registers::RegisterFile;

const CMD: u32 = 0x00;
const ADDR: u32 = 0x04;
const USER: u32 = 0x18;
const USER1: u32 = 0x1c;
const USER2: u32 = 0x20;
const MOSI_DLEN: u32 = 0x24;
const MISO_DLEN: u32 = 0x28;
const RD_STATUS: u32 = 0x2c;
const MISC: u32 = 0x34;
const CACHE_FCTRL: u32 = 0x3c;
/// The state machine, which is idle between commands.
const FSM: u32 = 0x54;
const W0: u32 = 0x58;
const W15: u32 = 0x94;
const FLASH_WAITI_CTRL: u32 = 0x98;
const TIMING_CALI: u32 = 0xa8;
const INT_ENA: u32 = 0xc0;
const INT_ST: u32 = 0xcc;
const CLOCK_GATE: u32 = 0xdc;
const DATE: u32 = 0x3fc;

/// A part of Winbond's W25Q series, as its data sheet describes it: manufacturer, type, capacity (as a power of two).
const IDENTITY: [u8; 3] = [0xef, 0x40, 0x16];
/// Bytes in a page: what is programmed over its end goes on at its beginning.
const PAGE: u32 = 256;
const WRITE_ENABLED: u32 = 1 << 1;
/// What WRSR can set in the three status registers, the first in the lowest byte: protection bits, SRL, QE, LB, CMP, and
/// the third's drive strength. BUSY and WEL are the part's own.
const STATUS_WRITABLE: u32 = 0x60_7b_fc;

/// SPI1, and the flash's own registers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FlashController {
    /// The three status registers. All but WEL keep what they have without power.
    status: u32,
    /// The part's serial number, which no other part has.
    unique_id: [u8; 8],
}

impl FlashController {
    /// A part fresh from the factory, in the chip with this address: QE is not set.
    pub fn new(mac: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = mac;
        Self { status: 0, unique_id: [0xd1, 0x64, a, b, c, d, e, f] }
    }

    /// The chip is reset: a part has no pin for that, and loses write enable alone.
    pub fn reset(&mut self) {
        self.status &= !WRITE_ENABLED;
    }

    /// What the status registers keep without power.
    pub fn kept_status(&self) -> u32 {
        self.status & STATUS_WRITABLE
    }

    /// Sets what the status registers have kept from an earlier run.
    pub fn set_kept_status(&mut self, status: u32) {
        self.status = status & STATUS_WRITABLE;
    }

    /// Writes status registers from the one whose lowest bit is `shift`.
    fn write_status(&mut self, shift: u32, bytes: &[u8]) {
        if self.status & WRITE_ENABLED == 0 {
            return;
        }
        for (n, byte) in bytes.iter().enumerate() {
            let shift = shift + 8 * n as u32;
            let mask = STATUS_WRITABLE & 0xff << shift;
            self.status = self.status & !mask | u32::from(*byte) << shift & mask;
        }
        self.status &= !WRITE_ENABLED;
    }

    /// Reads the word at `offset`.
    pub fn read(&self, offset: u32) -> Read {
        match offset {
            CMD | FSM => Read::Value(0),
            ADDR..=RD_STATUS | MISC..=CACHE_FCTRL | W0..=W15 | FLASH_WAITI_CTRL..=TIMING_CALI => Read::Stored,
            INT_ENA..=INT_ST | CLOCK_GATE | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    /// Writes the word at `offset`; a command acts on the flash at once.
    pub fn write(
        &mut self,
        offset: u32,
        value: u32,
        registers: &mut RegisterFile,
        flash: &mut Flash,
        memory: &mut Memory,
    ) -> Write {
        match offset {
            CMD => self.command(value, registers, flash, memory),
            ADDR..=RD_STATUS | MISC..=CACHE_FCTRL | W0..=W15 | FLASH_WAITI_CTRL..=TIMING_CALI => Write::Stored,
            INT_ENA..=INT_ST | CLOCK_GATE | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn command(&mut self, value: u32, registers: &mut RegisterFile, flash: &mut Flash, memory: &mut Memory) -> Write {
        // The address of the controller's own commands is left-aligned in ADDR's low 24 bits; PP has its length above.
        let address = registers.get(ADDR) & 0xff_ffff;
        let length = (registers.get(ADDR) >> 24).min(64);
        match value & !(1 << 17) {
            0 => {}
            bit if bit == 1 << 30 => self.status |= WRITE_ENABLED,
            bit if bit == 1 << 29 => self.status &= !WRITE_ENABLED,
            bit if bit == 1 << 28 => {
                let [manufacturer, kind, capacity] = identity(flash).map(u32::from);
                registers.set(W0, capacity << 16 | kind << 8 | manufacturer);
            }
            bit if bit == 1 << 27 => registers.set(RD_STATUS, self.status & 0xffff),
            bit if bit == 1 << 26 => self.write_status(0, &registers.get(RD_STATUS).to_le_bytes()[..2]),
            bit if bit == 1 << 25 => self.program(address, length, registers, flash, memory),
            bit if bit == 1 << 24 => self.erase(address & !(SECTOR_BYTES - 1), SECTOR_BYTES, flash, memory),
            bit if bit == 1 << 23 => self.erase(address & !(PAGE_BYTES - 1), PAGE_BYTES, flash, memory),
            bit if bit == 1 << 22 => self.erase(0, flash.size_bytes(), flash, memory),
            // Deep power-down, and its end.
            bit if bit == 1 << 21 || bit == 1 << 20 => {}
            bit if bit == 1 << 18 => return self.user_command(registers, flash, memory),
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    fn user_command(&mut self, registers: &mut RegisterFile, flash: &mut Flash, memory: &mut Memory) -> Write {
        let user = registers.get(USER);
        let address_bits = (registers.get(USER1) >> 26) + 1;
        let address = if user & 1 << 30 == 0 {
            0
        } else if address_bits > 24 {
            registers.get(ADDR)
        } else {
            registers.get(ADDR) & 0xff_ffff
        };
        let written = if user & 1 << 27 != 0 { ((registers.get(MOSI_DLEN) & 0x3ff) + 1) / 8 } else { 0 };
        let wanted = if user & 1 << 28 != 0 { ((registers.get(MISO_DLEN) & 0x3ff) + 1) / 8 } else { 0 };
        let mut answer = vec![0; wanted.min(64) as usize];
        match registers.get(USER2) & 0xff {
            0x06 => self.status |= WRITE_ENABLED,
            0x04 => self.status &= !WRITE_ENABLED,
            0x05 => answer.fill(self.status as u8),
            0x35 => answer.fill((self.status >> 8) as u8),
            0x15 => answer.fill((self.status >> 16) as u8),
            // For volatile bits, which are not told apart.
            0x50 => self.status |= WRITE_ENABLED,
            0x01 => self.write_status(0, &registers.get(W0).to_le_bytes()[..written.clamp(1, 2) as usize]),
            0x31 => self.write_status(8, &registers.get(W0).to_le_bytes()[..1]),
            0x11 => self.write_status(16, &registers.get(W0).to_le_bytes()[..1]),
            // Four bytes that mean nothing come first, clocked as dummy cycles or read.
            0x4b if answer.len() > 8 => fill(answer.get_mut(4..).unwrap_or_default(), &self.unique_id),
            0x4b => fill(&mut answer, &self.unique_id),
            0x5a => sfdp::read(flash.size_bytes(), address, &mut answer),
            0x9f => fill(&mut answer, &identity(flash)),
            0x03 | 0x0b | 0x3b | 0x6b | 0xbb | 0xeb => flash.read(memory, address, &mut answer),
            0x02 | 0x32 => self.program(address, written.min(64), registers, flash, memory),
            0x20 => self.erase(address & !(SECTOR_BYTES - 1), SECTOR_BYTES, flash, memory),
            0x52 => self.erase(address & !(PAGE_BYTES / 2 - 1), PAGE_BYTES / 2, flash, memory),
            0xd8 => self.erase(address & !(PAGE_BYTES - 1), PAGE_BYTES, flash, memory),
            0x60 | 0xc7 => self.erase(0, flash.size_bytes(), flash, memory),
            // Reset, deep power-down and its end; suspend and resume, as nothing is ever under way.
            0x66 | 0x99 | 0xb9 | 0xab | 0x75 | 0x7a => {}
            _ => return Write::Unmodelled,
        }
        for (n, chunk) in answer.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            registers.set(W0 + 4 * n as u32, u32::from_le_bytes(word));
        }
        Write::Done
    }

    fn program(&mut self, address: u32, length: u32, registers: &RegisterFile, flash: &mut Flash, memory: &mut Memory) {
        if self.status & WRITE_ENABLED == 0 {
            return;
        }
        let bytes: Vec<u8> = (W0..=W15).step_by(4).flat_map(|offset| registers.get(offset).to_le_bytes()).collect();
        let (here, over) = bytes[..length as usize].split_at((PAGE - address % PAGE).min(length) as usize);
        flash.program(memory, address, here);
        flash.program(memory, address & !(PAGE - 1), over);
        self.status &= !WRITE_ENABLED;
    }

    fn erase(&mut self, address: u32, length: u32, flash: &mut Flash, memory: &mut Memory) {
        if self.status & WRITE_ENABLED != 0 {
            flash.erase(memory, address, length);
            self.status &= !WRITE_ENABLED;
        }
    }
}

fn identity(flash: &Flash) -> [u8; 3] {
    [IDENTITY[0], IDENTITY[1], flash.size_bytes().next_power_of_two().trailing_zeros() as u8]
}

fn fill(answer: &mut [u8], bytes: &[u8]) {
    for (to, from) in answer.iter_mut().zip(bytes) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn a_sector_is_erased_programmed_and_read_back() {
        let (mut memory, mut flash) = (Memory::new(), Flash::new(4 << 20));
        let mut registers = RegisterFile::new(peripheral("SPI1"), 0x1000);
        let mut controller = FlashController::new([0; 6]);
        let mut user = |registers: &mut RegisterFile, code: u32, address, flags, bits: u32| {
            registers.set(USER2, 7 << 28 | code);
            registers.set(USER1, 23 << 26);
            registers.set(USER, flags);
            registers.set(ADDR, address);
            registers.set(MOSI_DLEN, bits - 1);
            registers.set(MISO_DLEN, bits - 1);
            assert_eq!(controller.write(CMD, 1 << 18, registers, &mut flash, &mut memory), Write::Done);
        };
        const ADDRESSED: u32 = 1 << 30;
        registers.set(W0, 0x1234_5678);
        user(&mut registers, 0x02, 0x9000, ADDRESSED | 1 << 27, 32);
        user(&mut registers, 0x03, 0x9000, ADDRESSED | 1 << 28, 32);
        assert_eq!(registers.get(W0), 0xffff_ffff, "not programmed without write enable");
        registers.set(W0, 0x1234_5678);
        user(&mut registers, 0x06, 0, 0, 8);
        user(&mut registers, 0x02, 0x9000, ADDRESSED | 1 << 27, 32);
        registers.set(W0, 0);
        user(&mut registers, 0x03, 0x9000, ADDRESSED | 1 << 28, 32);
        assert_eq!(registers.get(W0), 0x1234_5678);
        user(&mut registers, 0x9f, 0, 1 << 28, 24);
        assert_eq!(registers.get(W0), 0x16_40ef);
        // QE: not without write enable, and then for good.
        let quad_enabled = |registers: &RegisterFile| registers.get(W0) >> 1 & 1;
        registers.set(W0, 2);
        user(&mut registers, 0x31, 0, 1 << 27, 8);
        user(&mut registers, 0x35, 0, 1 << 28, 8);
        assert_eq!(quad_enabled(&registers), 0);
        user(&mut registers, 0x06, 0, 0, 8);
        registers.set(W0, 2);
        user(&mut registers, 0x31, 0, 1 << 27, 8);
        registers.set(W0, 0);
        user(&mut registers, 0x35, 0, 1 << 28, 8);
        assert_eq!(quad_enabled(&registers), 1);
        // "SFDP", and then the first parameter table.
        user(&mut registers, 0x5a, 0, ADDRESSED | 1 << 28, 64);
        assert_eq!(registers.get(W0).to_le_bytes(), *b"SFDP");
    }
}
