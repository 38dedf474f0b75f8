//! The SPI flash, and the controller over which software sends it commands.
//!
//! (ESP8266 technical reference, chapter "SPI"; command codes and times as in the data sheet of the W25Q32FV.) The controller is
//! done with a command when it is issued; the flash is busy for as long as its data sheet says is typical. Addresses wrap at
//! the flash's size.

use serde::{Deserialize, Serialize};

use crate::devices::espressif::time::{TICKS_PER_US, Ticks};
use crate::machine::device::{Read, Write};
use crate::machine::flash::{Flash, PAGE_BYTES, SECTOR_BYTES};
use crate::machine::memory::Memory;
use crate::machine::registers::RegisterFile;

const CMD: u32 = 0x00;
const ADDR: u32 = 0x04;
const RD_STATUS: u32 = 0x10;
const USER1: u32 = 0x20;
const USER2: u32 = 0x24;
const W0: u32 = 0x40;
const W15: u32 = 0x7c;
const EXT0: u32 = 0xf0;
const EXT3: u32 = 0xfc;

/// Bits of CMD, each a command.
const CMD_READ: u32 = 1 << 31;
const CMD_WREN: u32 = 1 << 30;
const CMD_WRDI: u32 = 1 << 29;
const CMD_RDID: u32 = 1 << 28;
const CMD_RDSR: u32 = 1 << 27;
const CMD_WRSR: u32 = 1 << 26;
const CMD_PP: u32 = 1 << 25;
const CMD_SE: u32 = 1 << 24;
const CMD_BE: u32 = 1 << 23;
const CMD_CE: u32 = 1 << 22;
const CMD_USR: u32 = 1 << 18;

const BUFFER_BYTES: usize = 64;
/// Manufacturer and type; the capacity is a power of two.
const MAKER_AND_TYPE: u32 = 0x40ef;
const BUSY: u32 = 1 << 0;
const WRITE_ENABLED: u32 = 1 << 1;
const STATUS_WRITABLE: u32 = 0x7bfc;

/// Times of the data sheet, typical.
const PAGE_PROGRAM: Ticks = 700 * TICKS_PER_US;
const SECTOR_ERASE: Ticks = 45_000 * TICKS_PER_US;
const BLOCK_ERASE: Ticks = 150_000 * TICKS_PER_US;
const CHIP_ERASE: Ticks = 10_000_000 * TICKS_PER_US;
const STATUS_WRITE: Ticks = 10_000 * TICKS_PER_US;
/// Bytes that are programmed at once.
const FLASH_PAGE_BYTES: u32 = 256;
/// Two lines at 40 MHz, as images ask for: ten bytes in a microsecond.
const BYTES_PER_US: u64 = 10;

/// The flash part's own state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FlashPart {
    status: u32,
    busy_until: Ticks,
}

/// A flash with its memory, as one.
pub(crate) struct Access<'a> {
    pub flash: &'a mut Flash,
    pub memory: &'a mut Memory,
}

impl Access<'_> {
    /// Reads; behind the end comes the beginning.
    pub fn read(&self, address: u32, bytes: &mut [u8]) {
        let size = self.flash.size_bytes();
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32) % size;
            let run = ((size - at) as usize).min(bytes.len() - done);
            self.flash.read(self.memory, at, &mut bytes[done..done + run]);
            done += run;
        }
    }

    /// Programs; behind the end comes the beginning. How long it takes.
    pub fn program(&mut self, address: u32, bytes: &[u8]) -> Ticks {
        let size = self.flash.size_bytes();
        let (mut done, mut pages) = (0, 0);
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32) % size;
            let run = ((FLASH_PAGE_BYTES - at % FLASH_PAGE_BYTES) as usize).min(bytes.len() - done);
            self.flash.program(self.memory, at, &bytes[done..done + run]);
            done += run;
            pages += 1;
        }
        pages * PAGE_PROGRAM
    }

    /// Erases the sector that an address is in. How long it takes.
    pub fn erase_sector(&mut self, address: u32) -> Ticks {
        let at = address % self.flash.size_bytes() / SECTOR_BYTES * SECTOR_BYTES;
        self.flash.erase(self.memory, at, SECTOR_BYTES);
        SECTOR_ERASE
    }

    /// Erases the block of 64 KiB that an address is in. How long it takes.
    pub fn erase_block(&mut self, address: u32) -> Ticks {
        let at = address % self.flash.size_bytes() / PAGE_BYTES * PAGE_BYTES;
        self.flash.erase(self.memory, at, PAGE_BYTES);
        BLOCK_ERASE
    }

    /// Erases everything. How long it takes.
    pub fn erase_chip(&mut self) -> Ticks {
        self.flash.erase(self.memory, 0, self.flash.size_bytes());
        CHIP_ERASE
    }
}

/// How long reading takes.
pub(crate) fn read_time(bytes: u32) -> Ticks {
    u64::from(bytes).div_ceil(BYTES_PER_US) * TICKS_PER_US
}

impl FlashPart {
    /// What RDID gives: manufacturer in the lowest byte.
    pub fn identity(flash: &Flash) -> u32 {
        MAKER_AND_TYPE | flash.size_bytes().next_power_of_two().trailing_zeros() << 16
    }

    /// The status register.
    pub fn status(&self, now: Ticks) -> u32 {
        self.status | if now < self.busy_until { BUSY } else { 0 }
    }

    /// Sets the status register, as WRSR does.
    pub fn set_status(&mut self, status: u32) {
        self.status = status & STATUS_WRITABLE;
    }

    /// Reads the controller's word at `offset`.
    pub fn read(&self, offset: u32) -> Read {
        match offset {
            CMD => Read::Value(0),
            ADDR..=0x3c | W0..=W15 | EXT0..=EXT3 => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    /// Writes the controller's word at `offset`; a command acts on the flash at once.
    pub fn write(
        &mut self,
        offset: u32,
        value: u32,
        registers: &mut RegisterFile,
        access: &mut Access<'_>,
        now: Ticks,
    ) -> Write {
        match offset {
            CMD => self.command(value, registers, access, now),
            ADDR..=0x3c | W0..=W15 | EXT0..=EXT3 => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn command(&mut self, value: u32, registers: &mut RegisterFile, access: &mut Access<'_>, now: Ticks) -> Write {
        let word = registers.get(ADDR);
        let (address, length) = (word & 0xff_ffff, (word >> 24) as usize);
        let buffer: [u8; BUFFER_BYTES] = registers.bytes(W0);
        let data = &buffer[..length.min(BUFFER_BYTES)];
        match 1_u32.checked_shl(31 - value.leading_zeros()).unwrap_or(0) {
            CMD_READ => show(registers, access, address, length),
            CMD_WREN => self.status |= WRITE_ENABLED,
            CMD_WRDI => self.status &= !WRITE_ENABLED,
            CMD_RDID => registers.set(W0, Self::identity(access.flash)),
            CMD_RDSR => registers.set(RD_STATUS, self.status(now)),
            CMD_WRSR => {
                let status = registers.get(RD_STATUS);
                self.change(now, |part| {
                    part.set_status(status);
                    STATUS_WRITE
                });
            }
            CMD_PP => self.change(now, |_| access.program(address, data)),
            CMD_SE => self.change(now, |_| access.erase_sector(address)),
            CMD_BE => self.change(now, |_| access.erase_block(address)),
            CMD_CE => self.change(now, |_| access.erase_chip()),
            CMD_USR => return self.user_command(registers, access, now),
            0 => {}
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    /// What changes the flash needs WREN before it, and takes time.
    fn change(&mut self, now: Ticks, act: impl FnOnce(&mut Self) -> Ticks) {
        if self.status & WRITE_ENABLED == 0 || now < self.busy_until {
            return;
        }
        let takes = act(self);
        self.status &= !WRITE_ENABLED;
        self.busy_until = now + takes;
    }

    /// A command by its code.
    fn user_command(&mut self, registers: &mut RegisterFile, access: &mut Access<'_>, now: Ticks) -> Write {
        let address = registers.get(ADDR) >> 8;
        let to_read = (registers.get(USER1) >> 8 & 0x1ff) as usize + 1;
        match registers.get(USER2) & 0xff {
            0x03 | 0x0b => show(registers, access, address, to_read / 8),
            0x05 => registers.set(W0, self.status(now) & 0xff),
            0x06 => self.status |= WRITE_ENABLED,
            0x04 => self.status &= !WRITE_ENABLED,
            0x35 => registers.set(W0, self.status(now) >> 8),
            0x9f => registers.set(W0, Self::identity(access.flash)),
            _ => return Write::Unmodelled,
        }
        Write::Done
    }
}

/// Puts bytes of the flash into the controller's buffer.
fn show(registers: &mut RegisterFile, access: &Access<'_>, address: u32, length: usize) {
    let mut bytes: [u8; BUFFER_BYTES] = registers.bytes(W0);
    let length = length.min(BUFFER_BYTES);
    access.read(address, &mut bytes[..length]);
    registers.set_bytes(W0, &bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp8266::registers::peripheral;

    struct Bench {
        part: FlashPart,
        registers: RegisterFile,
        flash: Flash,
        memory: Memory,
    }

    impl Bench {
        fn new() -> Self {
            let (flash, memory) = (Flash::new(1 << 20), Memory::new());
            Self {
                part: FlashPart::default(),
                registers: RegisterFile::whole(peripheral("SPI0"), 0x100),
                flash,
                memory,
            }
        }

        fn set(&mut self, offset: u32, value: u32, now: Ticks) {
            let mut access = Access { flash: &mut self.flash, memory: &mut self.memory };
            if self.part.write(offset, value, &mut self.registers, &mut access, now) == Write::Stored {
                self.registers.set(offset, value);
            }
        }
    }

    #[test]
    fn programming_needs_permission_and_time_and_reads_wrap() {
        let mut bench = Bench::new();
        bench.set(ADDR, 4 << 24 | 0x10_0010, 0);
        bench.set(W0, 0x1234_5678, 0);
        bench.set(CMD, CMD_PP, 0);
        bench.set(CMD, CMD_READ, 0);
        assert_eq!(bench.registers.get(W0), u32::MAX, "without WREN nothing happens");
        bench.set(W0, 0x1234_5678, 0);
        bench.set(CMD, CMD_WREN, 0);
        bench.set(CMD, CMD_PP, 0);
        bench.set(CMD, CMD_RDSR, PAGE_PROGRAM - 1);
        assert_eq!(bench.registers.get(RD_STATUS), BUSY);
        bench.set(CMD, CMD_RDSR, PAGE_PROGRAM);
        assert_eq!(bench.registers.get(RD_STATUS), 0);
        bench.set(ADDR, 4 << 24 | 0x10, PAGE_PROGRAM);
        bench.set(W0, 0, 0);
        bench.set(CMD, CMD_READ, PAGE_PROGRAM);
        assert_eq!(bench.registers.get(W0), 0x1234_5678, "a flash of 1 MiB has the same at 0x100010 and 0x10");
        bench.set(CMD, CMD_RDID, PAGE_PROGRAM);
        assert_eq!(bench.registers.get(W0), 0x14_40ef);
    }
}
