//! The message of a panic: raw for whoever listens with a terminal, and as a diagnostic frame for the bench.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use crate::{core_registers, line};

/// Bytes of a message; the rest is cut off.
const MESSAGE_BYTES_MAX: usize = 512;

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
    core_registers::disable_interrupts();
    let mut message = Message { text: [0; MESSAGE_BYTES_MAX], length: 0 };
    // Writing into it never fails.
    let _ = write!(message, "{info}");
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
    core_registers::listen_to(0);
    loop {
        // SAFETY: no interrupt is heard any more, so that no handler runs.
        unsafe { core_registers::wait() };
    }
}
