//! The ROM's variables in RAM that firmware shares with it, and what they hold when firmware starts.

use crate::machine::flash::{Flash, PAGE_BYTES, SECTOR_BYTES};
use crate::machine::memory::Memory;

use super::super::{ROM_RAM, ROM_RAM_BYTES};
use super::{analog, exceptions};
use crate::devices::esp8266::flash_controller::FlashPart;

/// A word for each cause: the ROM's or firmware's handler, entered with the frame begun.
pub(super) const EXCEPTION_TABLE: u32 = 0x3fff_c000;
/// A word for each cause: a function that is called.
pub(super) const C_HANDLERS: u32 = 0x3fff_c100;
/// Handler and argument for each interrupt.
pub(super) const INTERRUPT_HANDLERS: u32 = 0x3fff_c200;
/// The priority of the task that runs.
pub(super) const CURRENT_PRIORITY: u32 = 0x3fff_c6fc;
pub(super) const CPU_MHZ: u32 = 0x3fff_c704;
/// Points to the description of the flash that follows it.
const FLASH_CHIP_POINTER: u32 = 0x3fff_c714;
pub(super) const FLASH_CHIP: u32 = 0x3fff_c718;
const PHY_TABLE_POINTER: u32 = 0x3fff_c730;
pub(super) const PHY_TABLE: u32 = 0x3fff_c734;
/// What `sprintf` of some SDKs takes its digits from.
const DIGITS: u32 = 0x3fff_d848;
const UPPER_DIGITS: u32 = 0x3fff_d85c;
pub(super) const IDLE_CALLBACK: u32 = 0x3fff_dab0;
pub(super) const IDLE_ARGUMENT: u32 = 0x3fff_dab4;
/// A bit for each priority with events.
pub(super) const READY: u32 = 0x3fff_dab8;
pub(super) const TASKS: u32 = 0x3fff_dac0;
pub(super) const USER_START: u32 = 0x3fff_dcd0;
/// What prints a character; zero is the ROM's own. Where the ROM has it is not known: nobody looks.
pub(super) const PUTC1: u32 = 0x3fff_dcd4;
/// UART0's description, with its receive buffer.
pub(super) const UART_DEVICE: u32 = 0x3fff_de10;
const UART_BUFFER: u32 = 0x3fff_de60;
const UART_BUFFER_BYTES: u32 = 0x100;

/// Sets the ROM's variables as they are when an image is entered; the rest of the ROM's RAM is cleared.
pub(crate) fn initialise(memory: &mut Memory, flash: &Flash) {
    let mut set = |address: u32, bytes: &[u8]| {
        let written = memory.write_slice(address, bytes);
        debug_assert!(written.is_ok(), "the ROM's RAM is there");
    };
    set(ROM_RAM, &vec![0; ROM_RAM_BYTES as usize]);
    for cause in 0..64 {
        set(EXCEPTION_TABLE + 4 * cause, &exceptions::default_handler(cause).to_le_bytes());
    }
    set(CPU_MHZ, &80_u32.to_le_bytes());
    set(FLASH_CHIP_POINTER, &FLASH_CHIP.to_le_bytes());
    let page_bytes = 0x100_u32;
    let chip = [FlashPart::identity(flash), flash.size_bytes(), PAGE_BYTES, SECTOR_BYTES, page_bytes, 0xffff];
    for (n, word) in (0..).zip(chip) {
        set(FLASH_CHIP + 4 * n, &word.to_le_bytes());
    }
    set(PHY_TABLE_POINTER, &PHY_TABLE.to_le_bytes());
    for (n, address) in (0..).zip(analog::phy_table()) {
        set(PHY_TABLE + 4 * n, &address.to_le_bytes());
    }
    set(DIGITS, b"0123456789abcdef\0");
    set(UPPER_DIGITS, b"0123456789ABCDEF\0");
    // Rate, bits, parity, stop bits, flow control; the buffer with its ends, and neither a trigger level nor anything in it.
    let device = [115_200, 3, 0, 0, 1, 0, UART_BUFFER_BYTES, UART_BUFFER, UART_BUFFER, UART_BUFFER, 0, 0];
    for (n, word) in (0..).zip(device) {
        set(UART_DEVICE + 4 * n, &u32::to_le_bytes(word));
    }
}
