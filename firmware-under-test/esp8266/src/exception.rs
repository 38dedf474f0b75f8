//! Exceptions: interrupts, and loads of less than a word from memory that gives words alone.
//!
//! Constants stay in the flash, as a sketch has them with PROGMEM, and everything in it is read as if it lay in RAM: a load of
//! a byte or a half-word raises an exception, and is done here. NodeMCU does the same (`app/user/user_exceptions.c`).

use core::fmt::{self, Display};

use crate::{chip, core_registers, line};

/// The registers of what was interrupted, as `start.S` lays them down.
#[repr(C)]
struct Frame {
    /// a0 to a15.
    registers: [u32; 16],
    pc: u32,
    shift: u32,
    cause: u32,
    address: u32,
}

/// EXCCAUSE (Xtensa manual, table "Exception Causes").
const LOAD_STORE_ERROR: u32 = 3;
const LEVEL_1_INTERRUPT: u32 = 4;

/// An exception that is the end of the program.
struct Fatal<'a>(&'a Frame);

impl Display for Fatal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { pc, cause, address, registers: [link, stack, ..], .. } = self.0;
        write!(f, "exception {cause} at {pc:#x}, address {address:#x}, a0 {link:#x}, a1 {stack:#x}")
    }
}

#[unsafe(no_mangle)]
extern "C" fn esp8266_exception(frame: &mut Frame) {
    let is_done = match frame.cause {
        LEVEL_1_INTERRUPT => {
            serve_interrupts();
            true
        }
        LOAD_STORE_ERROR => emulate_load(frame).is_some(),
        _ => false,
    };
    assert!(is_done, "{}", Fatal(frame));
}

fn serve_interrupts() {
    let interrupts = core_registers::take_interrupts();
    if interrupts & core_registers::UART != 0 {
        line::on_interrupt();
    }
    if interrupts & core_registers::FRC2 != 0 {
        chip::on_alarm();
    }
}

/// Does the load that was interrupted, by words, and goes on behind it. `None` if it was none: a store, or an address that
/// is in no such memory.
fn emulate_load(frame: &mut Frame) -> Option<()> {
    /// IRAM and the window to the flash.
    const WORDS_ALONE: core::ops::Range<u32> = 0x4010_0000..0x4030_0000;
    let instruction = instruction_at(frame.pc);
    let [s, t] = [instruction >> 8 & 15, instruction >> 4 & 15];
    let immediate = instruction >> 16 & 0xff;
    let base = *frame.registers.get(s as usize)?;
    // The low four bits are the opcode of loads and stores, and four others which of them it is.
    let (offset, is_signed, mask) = match (instruction & 15, instruction >> 12 & 15) {
        (2, 0) => (immediate, false, 0xff),
        (2, 1) => (2 * immediate, false, 0xffff),
        (2, 9) => (2 * immediate, true, 0xffff),
        _ => return None,
    };
    let address = base.wrapping_add(offset);
    if !WORDS_ALONE.contains(&address) {
        return None;
    }
    let value = word_at(address) >> (8 * (address & 3)) & mask;
    *frame.registers.get_mut(t as usize)? = if is_signed { value as u16 as i16 as u32 } else { value };
    frame.pc += 3;
    Some(())
}

fn instruction_at(pc: u32) -> u32 {
    let shift = 8 * (pc & 3);
    let first = word_at(pc) >> shift;
    if shift > 8 { first | word_at(pc + 4) << (32 - shift) } else { first }
}

fn word_at(address: u32) -> u32 {
    // SAFETY: aligned, and in memory: the core was there a moment ago.
    unsafe { ((address & !3) as *const u32).read() }
}
