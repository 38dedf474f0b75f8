//! SPI1: the controller over which software sends commands to the flash.
//!
//! (Technical reference manual, chapter "SPI Controller"; command codes as in the data sheets of W25Q32-like chips.)
//! A command is over when it is issued. SPI0, which serves the cache, is storage: the cache reads the flash directly.

use serde::{Deserialize, Serialize};

use crate::machine::memory::Memory;

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
const W0: u32 = 0x58;
const W15: u32 = 0x94;
const FLASH_WAITI_CTRL: u32 = 0x98;
const TIMING_CALI: u32 = 0xa8;
const INT_ENA: u32 = 0xc0;
const INT_ST: u32 = 0xcc;
const CLOCK_GATE: u32 = 0xdc;
const DATE: u32 = 0x3fc;

/// A made-up 4 MiB part of Winbond's W25Q series: manufacturer, type, capacity (as a power of two).
const IDENTITY: [u8; 3] = [0xef, 0x40, 0x16];
const WRITE_ENABLED: u32 = 1 << 1;

/// SPI1.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FlashController {
    status: u32,
}

impl FlashController {
    /// Reads the word at `offset`.
    pub fn read(&mut self, offset: u32) -> Read {
        match offset {
            CMD => Read::Value(0),
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
            bit if bit == 1 << 27 => registers.set(RD_STATUS, self.status),
            bit if bit == 1 << 26 => self.status &= !WRITE_ENABLED,
            bit if bit == 1 << 25 => self.program(address, length, registers, flash, memory),
            bit if bit == 1 << 24 => self.erase(address & !(SECTOR_BYTES - 1), SECTOR_BYTES, flash, memory),
            bit if bit == 1 << 23 => self.erase(address & !(PAGE_BYTES - 1), PAGE_BYTES, flash, memory),
            bit if bit == 1 << 22 => self.erase(0, flash.size_bytes(), flash, memory),
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
            0x05 => fill(&mut answer, &self.status.to_le_bytes()[..1]),
            0x35 | 0x15 => {}
            0x01 | 0x31 | 0x11 => self.status &= !WRITE_ENABLED,
            0x9f => fill(&mut answer, &identity(flash)),
            0x03 | 0x0b | 0x3b | 0x6b | 0xbb | 0xeb => flash.read(memory, address, &mut answer),
            0x02 | 0x32 => self.program(address, written.min(64), registers, flash, memory),
            0x20 => self.erase(address & !(SECTOR_BYTES - 1), SECTOR_BYTES, flash, memory),
            0x52 => self.erase(address & !(PAGE_BYTES / 2 - 1), PAGE_BYTES / 2, flash, memory),
            0xd8 => self.erase(address & !(PAGE_BYTES - 1), PAGE_BYTES, flash, memory),
            0x60 | 0xc7 => self.erase(0, flash.size_bytes(), flash, memory),
            // Reset, deep power-down and its end.
            0x66 | 0x99 | 0xb9 | 0xab => {}
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
        flash.program(memory, address, &bytes[..length as usize]);
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
        let mut controller = FlashController::default();
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
    }
}
