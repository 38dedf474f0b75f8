//! Asks the flash who it is, and believes what it says: everything that is erased, read or switched on is done with the
//! commands that the flash's own table names (JESD216B). The built file lies beside it (`flash_identity.elf`):
//!
//! ```text
//! RUSTFLAGS="-C link-arg=-Tlink.x -C strip=symbols" cargo build --release --target riscv32imc-unknown-none-elf
//! ```
//!
//! Each answer is a line on UART0: a name, and bytes in hexadecimal.
#![no_std]
#![no_main]

core::arch::global_asm!(".section .text.start", ".global _start", "_start:", "la sp, _stack", "j main");

const UART0_FIFO: usize = 0x6000_0000;
const UART0_STATUS: usize = 0x6000_001c;
const SPI1: usize = 0x6000_2000;
const CMD: usize = SPI1;
const ADDR: usize = SPI1 + 0x04;
const USER: usize = SPI1 + 0x18;
const USER1: usize = SPI1 + 0x1c;
const USER2: usize = SPI1 + 0x20;
const MOSI_DLEN: usize = SPI1 + 0x24;
const MISO_DLEN: usize = SPI1 + 0x28;
const W0: usize = SPI1 + 0x58;

/// A sector that nothing lies in.
const SECTOR: u32 = 0x3f_0000;

fn read_register(at: usize) -> u32 {
    // SAFETY: registers of the chip that this is for.
    unsafe { (at as *const u32).read_volatile() }
}

fn write_register(at: usize, value: u32) {
    // SAFETY: registers of the chip that this is for.
    unsafe { (at as *mut u32).write_volatile(value) }
}

/// A command of SPI1, as its driver builds it: code, address, clocks that mean nothing, bytes out, bytes in.
fn command(code: u8, address: Option<u32>, dummy_clocks: u32, out: &[u8], into: &mut [u8]) {
    let mut user = 1 << 31;
    let mut user1 = 0;
    write_register(USER2, 7 << 28 | u32::from(code));
    if let Some(address) = address {
        user |= 1 << 30;
        user1 |= 23 << 26;
        write_register(ADDR, address);
    }
    if dummy_clocks > 0 {
        user |= 1 << 29;
        user1 |= dummy_clocks - 1;
    }
    if !out.is_empty() {
        user |= 1 << 27;
        write_register(MOSI_DLEN, out.len() as u32 * 8 - 1);
        for (n, chunk) in out.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            write_register(W0 + 4 * n, u32::from_le_bytes(word));
        }
    }
    if !into.is_empty() {
        user |= 1 << 28;
        write_register(MISO_DLEN, into.len() as u32 * 8 - 1);
    }
    write_register(USER, user);
    write_register(USER1, user1);
    write_register(CMD, 1 << 18);
    while read_register(CMD) & 1 << 18 != 0 {}
    for (n, chunk) in into.chunks_mut(4).enumerate() {
        let word = read_register(W0 + 4 * n).to_le_bytes();
        let length = chunk.len();
        chunk.copy_from_slice(&word[..length]);
    }
}

fn status(code: u8) -> u8 {
    let mut status = [0];
    command(code, None, 0, &[], &mut status);
    status[0]
}

fn say(byte: u8) {
    while read_register(UART0_STATUS) >> 16 & 0x3ff >= 120 {}
    write_register(UART0_FIFO, byte.into());
}

fn line(name: &str, bytes: &[u8]) {
    name.bytes().for_each(say);
    say(b' ');
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0xf] {
            say(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
        }
    }
    say(b'\n');
}

fn write_enable() {
    command(0x06, None, 0, &[], &mut []);
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    // The RTC's watchdog: WDTWPROTECT, WDTCONFIG0.
    write_register(0x6000_80a8, 0x50d8_3aa1);
    write_register(0x6000_8090, 0);

    let mut identity = [0; 3];
    command(0x9f, None, 0, &[], &mut identity);
    line("identity", &identity);
    let mut header = [0; 16];
    command(0x5a, Some(0), 8, &[], &mut header);
    line("header", &header);
    let table_at = u32::from_le_bytes([header[12], header[13], header[14], 0]);
    let mut table = [0; 64];
    command(0x5a, Some(table_at), 8, &[], &mut table);
    line("table", &table);
    let mut unique = [0; 8];
    command(0x4b, None, 32, &[], &mut unique);
    line("unique", &unique);

    // What the table says of QE (word 15, bits 22:20; 5 is bit 1 of status register 2, written by 31h).
    let requirements = table[14 * 4 + 2] >> 4 & 7;
    line("quad", &[requirements, status(0x35)]);
    write_enable();
    line("enabled", &[status(0x05)]);
    command(0x31, None, 0, &[status(0x35) | 2], &mut []);
    line("quad", &[requirements, status(0x35)]);
    line("enabled", &[status(0x05)]);

    // Erase type 1 (word 8): size as a power of two, and command.
    let (erase_bytes, erase) = (table[28], table[29]);
    write_enable();
    command(erase, Some(SECTOR), 0, &[], &mut []);
    // Pages of 2^N bytes (word 11, bits 7:4): what is programmed over the end of one goes on at its beginning.
    let page_bytes = 1u32 << (table[40] >> 4);
    write_enable();
    command(0x02, Some(SECTOR + page_bytes - 2), 0, &[1, 2, 3, 4], &mut []);
    // Without write enable nothing happens.
    command(0x02, Some(SECTOR + 8), 0, &[0], &mut []);
    line("sizes", &[erase_bytes, table[40] >> 4]);
    // Each fast read of words 3 and 4: wait and mode clocks, command.
    for (name, at) in [("1-4-4", 8), ("1-1-4", 10), ("1-1-2", 12), ("1-2-2", 14)] {
        let clocks = u32::from(table[at] & 0x1f) + u32::from(table[at] >> 5);
        let mut read = [0; 12];
        command(table[at + 1], Some(SECTOR), clocks, &[], &mut read);
        line(name, &read);
    }
    let mut read = [0; 4];
    command(0x03, Some(SECTOR + page_bytes - 2), 0, &[], &mut read);
    line("end", &read);
    loop {
        // SAFETY: it waits, and changes nothing.
        unsafe { core::arch::asm!("wfi") };
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
