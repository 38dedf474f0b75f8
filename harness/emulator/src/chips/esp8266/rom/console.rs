//! What prints: `printf` and its kin, and the UART functions behind them.
//!
//! A text is set as a whole, laid on the guest's stack, and then handed to whatever prints a character, one after the other:
//! to firmware's function if it has installed one.

use super::super::map::DeviceName;
use super::variables::PUTC1;
use crate::devices::espressif::uart_line::FIFO_BYTES;

use super::{BadAddress, Function, LENGTH_MAX, LINK, Machine, Outcome, STACK, continuations, returned, zero};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("ets_printf", printf),
    ("ets_vprintf", vprintf),
    ("ets_write_char", write_char),
    ("ets_putc", write_char),
    ("ets_install_putc1", install_putc1),
    ("ets_install_uart_printf", install_uart_printf),
    ("uart_tx_one_char", uart_tx_one_char),
    ("uart_div_modify", uart_div_modify),
    ("uart_buff_switch", zero),
    ("uart_baudrate_detect", zero),
    ("uartAttach", zero),
    ("Uart_Init", zero),
    ("uart_rx_one_char", uart_rx_one_char),
];

const UART_FIFO: u32 = 0x00;
const UART_STATUS: u32 = 0x1c;
const UART_CLKDIV: u32 = 0x14;
const UARTS: [u32; 2] = [0x6000_0000, 0x6000_0f00];
/// A text is not longer than that: it lies on the guest's stack.
const TEXT_BYTES_MAX: usize = 0x400;

/// The frame of a text that is being printed: who called, what prints, how many characters are done, how many there are; and
/// the text.
const FRAME_WORDS_BYTES: u32 = 16;
const FRAME_LINK: u32 = 0;
const FRAME_PUTC: u32 = 4;
const FRAME_DONE: u32 = 8;
const FRAME_LENGTH: u32 = 12;

/// `va_list` of the call0 ABI: arguments on the stack, those that were in registers, and how far it has come.
struct Arguments {
    stack: u32,
    registers: u32,
    offset: u32,
}

/// Six arguments go in registers.
const REGISTERS_END: u32 = 24;
/// From where those on the stack count.
const STACK_BEGIN: u32 = 32;

impl Arguments {
    fn next(&mut self, machine: &Machine<'_>) -> Result<u32, BadAddress> {
        let mut end = self.offset.wrapping_add(4);
        let mut base = self.registers;
        if end > REGISTERS_END {
            if self.offset <= REGISTERS_END {
                end = STACK_BEGIN + 4;
            }
            base = self.stack;
        }
        self.offset = end;
        machine.read_word(base.wrapping_add(end - 4))
    }
}

/// `ets_vprintf(putc, format, va_list)`; the list comes by value, in three words.
fn vprintf(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [putc, format, stack, registers, offset] = [0, 1, 2, 3, 4].map(|n| machine.argument(n));
    let mut arguments = Arguments { stack, registers, offset };
    let text = set(machine, format, |machine| arguments.next(machine))?;
    print(machine, putc, &text)
}

/// `ets_printf(format, …)`
fn printf(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let mut n = 0;
    let text = set(machine, machine.argument(0), |machine| {
        n += 1;
        Ok(machine.argument(n))
    })?;
    print(machine, super::address_of("ets_write_char"), &text)
}

/// Sets a text as `printf` does: `%d %i %u %x %X %p %o %c %s %%`, with flags, width and precision.
fn set(
    machine: &Machine<'_>,
    format: u32,
    mut next: impl FnMut(&Machine<'_>) -> Result<u32, BadAddress>,
) -> Result<Vec<u8>, BadAddress> {
    let format = machine.text(format, LENGTH_MAX)?;
    let mut text = Vec::new();
    let mut rest = format.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let (mut left, mut fill) = (false, b' ');
        while let Some(flag) = rest.next_if(|byte| b"-0+ #".contains(byte)) {
            match flag {
                b'-' => left = true,
                b'0' => fill = b'0',
                _ => {}
            }
        }
        let mut number = |rest: &mut core::iter::Peekable<_>| -> Result<Option<u32>, BadAddress> {
            if rest.next_if_eq(&b'*').is_some() {
                return next(machine).map(Some);
            }
            let mut value = None;
            while let Some(digit) = rest.next_if(u8::is_ascii_digit) {
                value = Some(value.unwrap_or(0_u32).saturating_mul(10).saturating_add(u32::from(digit - b'0')));
            }
            Ok(value)
        };
        let width = number(&mut rest)?.unwrap_or(0) as usize;
        let precision = if rest.next_if_eq(&b'.').is_some() { number(&mut rest)? } else { None };
        while rest.next_if(|byte| b"lhz".contains(byte)).is_some() {}
        let piece = match rest.next() {
            Some(b'd' | b'i') => (next(machine)? as i32).to_string().into_bytes(),
            Some(b'u') => next(machine)?.to_string().into_bytes(),
            Some(b'x' | b'p') => format!("{:x}", next(machine)?).into_bytes(),
            Some(b'X') => format!("{:X}", next(machine)?).into_bytes(),
            Some(b'o') => format!("{:o}", next(machine)?).into_bytes(),
            Some(b'c') => vec![next(machine)? as u8],
            Some(b's') => match next(machine)? {
                0 => b"(null)".to_vec(),
                address => machine.text(address, precision.unwrap_or(LENGTH_MAX))?,
            },
            Some(other) => vec![other],
            None => break,
        };
        let missing = width.min(TEXT_BYTES_MAX).saturating_sub(piece.len());
        let filling = std::iter::repeat_n(if left { b' ' } else { fill }, missing);
        match (left, piece.first()) {
            (true, _) => text.extend(piece.into_iter().chain(filling)),
            // The sign comes before zeroes.
            (false, Some(b'-')) if fill == b'0' => {
                text.push(b'-');
                text.extend(filling.chain(piece.into_iter().skip(1)));
            }
            (false, _) => text.extend(filling.chain(piece)),
        }
    }
    text.truncate(TEXT_BYTES_MAX);
    Ok(text)
}

/// Hands a text to what prints a character, and returns its length.
fn print(machine: &mut Machine<'_>, putc: u32, text: &[u8]) -> Result<Outcome, BadAddress> {
    let length = text.len() as u32;
    let frame = machine.core.register(STACK).wrapping_sub(FRAME_WORDS_BYTES + length.next_multiple_of(16));
    let link = machine.core.register(LINK);
    for (offset, value) in [(FRAME_LINK, link), (FRAME_PUTC, putc), (FRAME_DONE, 0), (FRAME_LENGTH, length)] {
        machine.write_word(frame.wrapping_add(offset), value)?;
    }
    machine.write_bytes(frame.wrapping_add(FRAME_WORDS_BYTES), text)?;
    machine.core.set_register(STACK, frame);
    printed(machine)
}

/// The next character, or the end.
pub(super) fn printed(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let frame = machine.core.register(STACK);
    let [link, putc, done, length] =
        [FRAME_LINK, FRAME_PUTC, FRAME_DONE, FRAME_LENGTH].map(|offset| machine.read_word(frame.wrapping_add(offset)));
    let (link, putc, done, length) = (link?, putc?, done?, length?);
    if done >= length || length as usize > TEXT_BYTES_MAX {
        let frame_bytes = FRAME_WORDS_BYTES.wrapping_add(length.wrapping_add(15) & !15);
        machine.core.set_register(STACK, frame.wrapping_add(frame_bytes));
        machine.core.set_register(LINK, link);
        machine.set_result(length);
        return returned(20);
    }
    let character = machine.read_byte(frame.wrapping_add(FRAME_WORDS_BYTES + done))?;
    machine.write_word(frame.wrapping_add(FRAME_DONE), done + 1)?;
    machine.core.set_register(2, character.into());
    Ok(machine.call(putc, continuations::PRINTED, 30))
}

/// Hands a character to what firmware has installed; else to UART0, a line feed behind a carriage return.
fn write_char(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let installed = machine.read_word(PUTC1)?;
    if installed != 0 {
        return Ok(Outcome::Continue { address: installed, cycles: 10 });
    }
    match machine.argument(0) as u8 {
        b'\r' => returned(10),
        // Room for both, or none is sent.
        b'\n' if !has_room(machine, 2) => Ok(wait_for_room(machine)),
        b'\n' => {
            transmit(machine, b'\r');
            transmit(machine, b'\n');
            returned(40)
        }
        byte if !transmit(machine, byte) => Ok(wait_for_room(machine)),
        _ => returned(40),
    }
}

/// Puts a byte into UART0's FIFO; `false` if it is full.
fn transmit(machine: &mut Machine<'_>, byte: u8) -> bool {
    let now = machine.now();
    machine.soc.with_device(DeviceName::Uart0, now, |devices, registers| devices.uart0.transmit(byte, registers, now))
}

fn has_room(machine: &Machine<'_>, bytes: u32) -> bool {
    let (_, to_send) = machine.soc.devices.uart0.line.counts();
    to_send + bytes <= FIFO_BYTES as u32
}

fn wait_for_room(machine: &mut Machine<'_>) -> Outcome {
    Outcome::WaitUntil(machine.soc.devices.uart0.line.next_departure())
}

fn uart_tx_one_char(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    if transmit(machine, machine.argument(0) as u8) {
        machine.set_result(0);
        returned(30)
    } else {
        Ok(wait_for_room(machine))
    }
}

/// `uart_rx_one_char(&byte)`: one if there is none.
fn uart_rx_one_char(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let received = machine.load_register(UARTS[0] + UART_STATUS) & 0xff;
    if received != 0 {
        let byte = machine.load_register(UARTS[0] + UART_FIFO) as u8;
        machine.write_bytes(machine.argument(0), &[byte])?;
    }
    machine.set_result(u32::from(received == 0));
    returned(30)
}

fn install_putc1(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.write_word(PUTC1, machine.argument(0))?;
    returned(5)
}

fn install_uart_printf(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.write_word(PUTC1, 0)?;
    returned(5)
}

/// `uart_div_modify(uart, divider)`
fn uart_div_modify(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let uart = UARTS[(machine.argument(0) & 1) as usize];
    machine.store_register(uart + UART_CLKDIV, machine.argument(1));
    returned(40)
}
