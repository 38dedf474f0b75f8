//! The message of a panic: raw for whoever listens with a terminal, and as a diagnostic frame for the bench.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use crate::{chip, line};

/// Bytes of a message; the rest is cut off.
const MESSAGE_BYTES_MAX: usize = 512;
/// Return addresses that are told.
const FRAMES_MAX: usize = 16;

/// Text in a place of its own: the heap may be why we are here.
struct Message {
    text: [u8; MESSAGE_BYTES_MAX],
    length: usize,
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.text.get_mut(self.length..).unwrap_or_default();
        let length = text.len().min(room.len());
        if let (Some(room), Some(text)) = (room.get_mut(..length), text.as_bytes().get(..length)) {
            room.copy_from_slice(text);
        }
        self.length += length;
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: nothing runs after this that needs interrupts.
    unsafe { core::arch::asm!("csrci mstatus, 8", options(nomem, nostack)) };
    let mut message = Message { text: [0; MESSAGE_BYTES_MAX], length: 0 };
    // Writing into it never fails.
    let _ = write!(message, "{info}\nbacktrace:");
    for address in backtrace() {
        let _ = write!(message, " {address:#x}");
    }
    let text = message.text.get(..message.length).unwrap_or_default();
    line::write_blindly(b"\r\n");
    line::write_blindly(text);
    line::write_blindly(b"\r\n");
    // slipmux, by hand: a text has no bytes to escape but those of a foreign tongue.
    line::write_blindly(&[wire::slip::END, wire::slipmux::DIAGNOSTIC]);
    for &byte in text.iter().filter(|byte| ![wire::slip::END, wire::slip::ESC].contains(byte)) {
        line::write_blindly(&[byte]);
    }
    line::write_blindly(&[wire::slip::END]);
    loop {
        chip::riscv_wait();
    }
}

/// Return addresses by way of the frame pointers: below s0 lie the caller's address and its s0.
fn backtrace() -> impl Iterator<Item = u32> {
    let mut frame: u32;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mv {}, s0", out(reg) frame, options(nomem, nostack)) };
    core::iter::from_fn(move || {
        // The stack lies in the chip's data RAM.
        if !(0x3fc8_0010..0x3fce_0000).contains(&frame) || frame % 4 != 0 {
            return None;
        }
        // SAFETY: readable memory, aligned.
        let (address, next) = unsafe { (*((frame - 4) as *const u32), *((frame - 8) as *const u32)) };
        // Callers lie above.
        frame = if next > frame { next } else { 0 };
        Some(address)
    })
    .take(FRAMES_MAX)
}
