//! UART0 and UART1: registers. What is on the lines is [`Line`]'s.
//!
//! (ESP8266 technical reference, chapter "UART Interface".) Autobaud is measured as soon as it is switched on, at the rate
//! that the UART is set to: nobody sends at another one here.

use serde::{Deserialize, Serialize};

use crate::devices::espressif::time::{TICKS_PER_APB, Ticks};
use crate::devices::espressif::uart_line::{Line, Pace};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const FIFO: u32 = 0x00;
const INT_RAW: u32 = 0x04;
const INT_ST: u32 = 0x08;
const INT_ENA: u32 = 0x0c;
const INT_CLR: u32 = 0x10;
const CLKDIV: u32 = 0x14;
const AUTOBAUD: u32 = 0x18;
const STATUS: u32 = 0x1c;
const CONF0: u32 = 0x20;
const CONF1: u32 = 0x24;
const LOWPULSE: u32 = 0x28;
const HIGHPULSE: u32 = 0x2c;
const PULSE_NUM: u32 = 0x30;
const DATE: u32 = 0x78;
const ID: u32 = 0x7c;

const RXFIFO_RST: u32 = 1 << 17;
const TXFIFO_RST: u32 = 1 << 18;
const RX_TOUT_EN: u32 = 1 << 31;
/// Interrupts that there are.
const INTERRUPTS: u32 = 0x1ff;
/// Idle lines are high: TXD, RTSN, DTRN; RXD, CTSN.
const LINES_IDLE: u32 = 0xe000_c000;
/// More edges than any driver asks for.
const PULSES: u32 = 0x3ff;

/// One UART.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Uart {
    pub line: Line,
}

impl Uart {
    /// As after a reset.
    pub fn new() -> Self {
        Self { line: Line::new() }
    }

    /// The other side sends `bytes`, one after the other, at the rate that this side is set to.
    pub fn line_sends(&mut self, bytes: &[u8], registers: &RegisterFile, now: Ticks) {
        self.line.line_sends(bytes, pace(registers), now);
    }

    /// Firmware or the ROM puts a byte into the transmit FIFO; `false` if it is full.
    pub fn transmit(&mut self, byte: u8, registers: &RegisterFile, now: Ticks) -> bool {
        self.line.transmit(byte, pace(registers), now)
    }

    /// Somebody who has waited until there was room puts a byte behind all others.
    pub fn say(&mut self, byte: u8, registers: &RegisterFile, now: Ticks) {
        self.line.transmit_waiting(byte, pace(registers), now);
    }
}

fn pace(registers: &RegisterFile) -> Pace {
    let (conf0, conf1) = (registers.get(CONF0), registers.get(CONF1));
    let ticks_per_bit = u64::from(registers.get(CLKDIV) & 0xf_ffff).max(1) * TICKS_PER_APB;
    let data_bits = 5 + u64::from(conf0 >> 2 & 3);
    let parity_bits = u64::from(conf0 & 1);
    // Stop bits in halves: 1, 1.5 or 2.
    let stop_halves = match conf0 >> 4 & 3 {
        2 => 3,
        3 => 4,
        _ => 2,
    };
    let halves = 2 * (1 + data_bits + parity_bits) + stop_halves;
    // The threshold of silence counts times of eight bits.
    let silence = 8 * u64::from(conf1 >> 24 & 0x7f) * ticks_per_bit;
    Pace {
        ticks_per_byte: ticks_per_bit * halves / 2,
        full_at: conf1 & 0x7f,
        empty_below: conf1 >> 8 & 0x7f,
        silence: (conf1 & RX_TOUT_EN != 0).then_some(silence),
    }
}

impl Device for Uart {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        self.line.settle(pace(registers), now);
        let raw = self.line.raw & INTERRUPTS;
        Read::Value(match offset {
            FIFO => self.line.receive().into(),
            INT_RAW => raw,
            INT_ST => raw & registers.get(INT_ENA),
            INT_CLR => 0,
            STATUS => {
                let (received, to_send) = self.line.counts();
                LINES_IDLE | received | to_send << 16
            }
            LOWPULSE | HIGHPULSE => registers.get(CLKDIV),
            PULSE_NUM => {
                if registers.get(AUTOBAUD) & 1 != 0 {
                    PULSES
                } else {
                    0
                }
            }
            INT_ENA | CLKDIV | AUTOBAUD | CONF0 | CONF1 | DATE | ID => return Read::Stored,
            _ => return Read::Unmodelled,
        })
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.line.settle(pace(registers), now);
        match offset {
            FIFO => {
                self.transmit(value as u8, registers, now);
            }
            CONF0 => {
                self.line.clear(value & RXFIFO_RST != 0, value & TXFIFO_RST != 0);
                registers.set(CONF0, value);
            }
            INT_CLR => {
                self.line.raw &= !value;
                self.line.raise_levels(pace(registers));
            }
            CONF1 => {
                registers.set(CONF1, value);
                self.line.raise_levels(pace(registers));
            }
            INT_RAW | INT_ST | STATUS | LOWPULSE | HIGHPULSE | PULSE_NUM => {}
            INT_ENA | CLKDIV | AUTOBAUD | DATE | ID => return Write::Stored,
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    fn advance(&mut self, registers: &mut RegisterFile, now: Ticks) {
        self.line.settle(pace(registers), now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.line.raw & INTERRUPTS & registers.get(INT_ENA) != 0)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.line.next_event()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp8266::registers::peripheral;
    use crate::devices::espressif::time::TICKS_HZ;

    #[test]
    fn a_byte_takes_ten_bits_of_its_baud_rate_and_silence_is_told() {
        let mut registers = RegisterFile::whole(peripheral("UART0"), 0x100);
        let mut uart = Uart::new();
        // 80 MHz / 115,200 baud; eight bits; silence of two times eight bits.
        registers.set(CLKDIV, 694);
        registers.set(CONF0, 3 << 2 | 1 << 4);
        registers.set(CONF1, RX_TOUT_EN | 2 << 24 | 100);
        registers.set(INT_ENA, 1 << 8);
        uart.line_sends(b"x", &registers, 0);
        let byte = TICKS_HZ / 115_200 * 10;
        let arrives = uart.next_event(&registers);
        assert!(arrives.abs_diff(byte) < byte / 100, "{arrives}, {byte}");
        uart.advance(&mut registers, arrives);
        assert_eq!(uart.interrupts(&registers, arrives), 0);
        let silent = uart.next_event(&registers);
        assert_eq!(silent - arrives, 2 * 8 * 694 * TICKS_PER_APB);
        uart.advance(&mut registers, silent);
        assert_eq!(uart.interrupts(&registers, silent), 1);
        assert_eq!(uart.read(FIFO, &registers, silent), Read::Value(b'x'.into()));
        uart.write(INT_CLR, 1 << 8, &mut registers, silent);
        assert_eq!(uart.interrupts(&registers, silent), 0);
    }
}
