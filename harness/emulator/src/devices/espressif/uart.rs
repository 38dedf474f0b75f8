//! UART0 and UART1: bytes at the pace of the baud rate, FIFOs of 128 bytes, interrupts.
//!
//! (Technical reference manual, chapter "UART Controller".) Bytes are what the model moves: no start bits, parity
//! errors or breaks on the line, no RS485, no flow control. What arrives while the receive FIFO is full is lost, as in
//! the hardware, and raises RXFIFO_OVF.

use serde::{Deserialize, Serialize};

use std::collections::VecDeque;

use super::time::{NEVER, TICKS_PER_APB, TICKS_PER_RC_FAST, TICKS_PER_XTAL, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const FIFO: u32 = 0x00;
const INT_RAW: u32 = 0x04;
const INT_ST: u32 = 0x08;
const INT_ENA: u32 = 0x0c;
const INT_CLR: u32 = 0x10;
const CLKDIV: u32 = 0x14;
const RX_FILT: u32 = 0x18;
const STATUS: u32 = 0x1c;
const CONF0: u32 = 0x20;
const CONF1: u32 = 0x24;
const FLOW_CONF: u32 = 0x34;
const TXBRK_CONF: u32 = 0x44;
const IDLE_CONF: u32 = 0x48;
const RS485_CONF: u32 = 0x4c;
const AT_CMD_PRECNT: u32 = 0x50;
const AT_CMD_CHAR: u32 = 0x5c;
const MEM_CONF: u32 = 0x60;
const MEM_TX_STATUS: u32 = 0x64;
const MEM_RX_STATUS: u32 = 0x68;
const FSM_STATUS: u32 = 0x6c;
const CLK_CONF: u32 = 0x78;
const DATE: u32 = 0x7c;
const ID: u32 = 0x80;

/// CLK_CONF: the crystal is the source; the clock is on, for the core, for the transmitter and for the receiver.
const SCLK_SEL_XTAL: u32 = 3 << 20;
const SCLK_EN: u32 = 1 << 22;
const TX_SCLK_EN: u32 = 1 << 24;
const RX_SCLK_EN: u32 = 1 << 25;

/// CLKDIV for 115200 baud from the 40 MHz crystal: 347 periods and 3/16 a bit.
const CLKDIV_115200: u32 = 347 | 3 << 20;

const INT_RXFIFO_FULL: u32 = 1 << 0;
const INT_TXFIFO_EMPTY: u32 = 1 << 1;
const INT_RXFIFO_OVF: u32 = 1 << 4;
const INT_RXFIFO_TOUT: u32 = 1 << 8;
const INT_TX_DONE: u32 = 1 << 14;

const FIFO_BYTES: usize = 128;
const RXFIFO_RST: u32 = 1 << 17;
const TXFIFO_RST: u32 = 1 << 18;
const RX_TOUT_EN: u32 = 1 << 21;
const REG_UPDATE: u32 = 1 << 31;

/// What the UART puts on its STATUS register besides the counts: idle lines are high.
const LINES_IDLE: u32 = 0xe000_c000;

/// One UART.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Uart {
    to_line: VecDeque<u8>,
    /// The byte on the transmit line, and when its last stop bit is over.
    sending: Option<(u8, Ticks)>,
    from_line: VecDeque<u8>,
    waiting: VecDeque<u8>,
    /// When the byte now on the receive line is complete.
    arrives_at: Ticks,
    /// When the receive line has been silent for long enough to tell.
    silent_at: Ticks,
    raw: u32,
    /// Bytes that have left on the transmit line.
    pub output: Vec<u8>,
    /// How many received bytes found the FIFO full.
    pub overflowed_bytes: u64,
}

impl Uart {
    /// As after a reset.
    pub fn new() -> Self {
        Self {
            to_line: VecDeque::new(),
            sending: None,
            from_line: VecDeque::new(),
            waiting: VecDeque::new(),
            arrives_at: NEVER,
            silent_at: NEVER,
            raw: INT_TXFIFO_EMPTY,
            output: Vec::new(),
            overflowed_bytes: 0,
        }
    }

    /// A reset of the chip: what is on the receive line goes on arriving.
    pub fn reset(&mut self) {
        let output = std::mem::take(&mut self.output);
        let waiting = std::mem::take(&mut self.waiting);
        *self = Self {
            output,
            waiting,
            arrives_at: self.arrives_at,
            overflowed_bytes: self.overflowed_bytes,
            ..Self::new()
        };
    }

    /// Sets the registers as the ROM does when it opens its console: 115200 baud from the crystal.
    pub fn open_console_of_rom(registers: &mut RegisterFile) {
        registers.set(CLKDIV, CLKDIV_115200);
        registers.set(CLK_CONF, SCLK_SEL_XTAL | SCLK_EN | TX_SCLK_EN | RX_SCLK_EN);
    }

    /// The other side sends `bytes`, one after the other, at the rate that this side is set to.
    pub fn line_sends(&mut self, bytes: &[u8], registers: &RegisterFile, now: Ticks) {
        self.waiting.extend(bytes);
        if self.arrives_at == NEVER && !self.waiting.is_empty() {
            self.arrives_at = now.saturating_add(ticks_per_byte(registers));
        }
    }

    /// Firmware or the ROM puts a byte into the transmit FIFO; `false` if it is full.
    pub fn transmit(&mut self, byte: u8, registers: &RegisterFile, now: Ticks) -> bool {
        self.settle(registers, now);
        if self.to_line.len() >= FIFO_BYTES {
            return false;
        }
        self.to_line.push_back(byte);
        self.start_sending(registers, now);
        true
    }

    /// When the byte on the line will have left, so that there is room for another.
    pub fn next_departure(&self) -> Ticks {
        self.sending.map_or(0, |(_, done)| done)
    }

    /// When everything that was written will have left.
    pub fn idle_at(&self, registers: &RegisterFile, now: Ticks) -> Ticks {
        let first = self.sending.map_or(now, |(_, done)| done);
        first.saturating_add(self.to_line.len() as u64 * ticks_per_byte(registers))
    }

    fn start_sending(&mut self, registers: &RegisterFile, now: Ticks) {
        if self.sending.is_none() {
            self.sending = self.to_line.pop_front().map(|byte| (byte, now.saturating_add(ticks_per_byte(registers))));
        }
    }

    fn settle(&mut self, registers: &RegisterFile, now: Ticks) {
        while let Some((byte, done)) = self.sending.filter(|(_, done)| *done <= now) {
            self.output.push(byte);
            self.sending = None;
            self.start_sending(registers, done);
            if self.sending.is_none() {
                self.raw |= INT_TX_DONE;
            }
        }
        while self.arrives_at <= now {
            self.receive_byte(registers);
        }
        if self.silent_at <= now {
            self.silent_at = NEVER;
            if !self.from_line.is_empty() {
                self.raw |= INT_RXFIFO_TOUT;
            }
        }
        self.raise_levels(registers);
    }

    fn receive_byte(&mut self, registers: &RegisterFile) {
        let at = self.arrives_at;
        if let Some(byte) = self.waiting.pop_front() {
            if self.from_line.len() < FIFO_BYTES {
                self.from_line.push_back(byte);
            } else {
                self.overflowed_bytes += 1;
                self.raw |= INT_RXFIFO_OVF;
            }
        }
        self.arrives_at = if self.waiting.is_empty() { NEVER } else { at.saturating_add(ticks_per_byte(registers)) };
        if registers.get(CONF1) & RX_TOUT_EN != 0 {
            // The threshold counts bit times.
            let bits = u64::from(registers.get(MEM_CONF) >> 16 & 0x3ff);
            self.silent_at = at.saturating_add(bits * ticks_per_bit_times_16(registers) / 16);
        }
    }

    /// These two interrupts are levels: cleared, they come back as long as the FIFO is as full or as empty.
    fn raise_levels(&mut self, registers: &RegisterFile) {
        let conf1 = registers.get(CONF1);
        if self.from_line.len() as u32 >= (conf1 & 0x1ff).max(1) {
            self.raw |= INT_RXFIFO_FULL;
        }
        if (self.to_line.len() as u32) < (conf1 >> 9 & 0x1ff).max(1) {
            self.raw |= INT_TXFIFO_EMPTY;
        }
    }
}

/// Ticks of a bit, times 16 since the divider has a fraction of four bits.
fn ticks_per_bit_times_16(registers: &RegisterFile) -> u64 {
    let clk_conf = registers.get(CLK_CONF);
    let source_ticks = match clk_conf >> 20 & 3 {
        1 => TICKS_PER_APB,
        2 => TICKS_PER_RC_FAST,
        _ => TICKS_PER_XTAL,
    };
    let prescale = u64::from(clk_conf >> 12 & 0xff) + 1;
    let clkdiv = registers.get(CLKDIV);
    let divider_times_16 = u64::from(clkdiv & 0xfff) * 16 + u64::from(clkdiv >> 20 & 0xf);
    (source_ticks * prescale * divider_times_16).max(16)
}

fn ticks_per_byte(registers: &RegisterFile) -> Ticks {
    let conf0 = registers.get(CONF0);
    let data_bits = 5 + u64::from(conf0 >> 2 & 3);
    let parity_bits = u64::from(conf0 >> 1 & 1);
    // Stop bits in halves: 1, 1.5 or 2.
    let stop_halves = match conf0 >> 4 & 3 {
        2 => 3,
        3 => 4,
        _ => 2,
    };
    let halves = 2 * (1 + data_bits + parity_bits) + stop_halves;
    (ticks_per_bit_times_16(registers) * halves).div_ceil(32)
}

impl Device for Uart {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        self.settle(registers, now);
        match offset {
            FIFO => Read::Value(u32::from(self.from_line.pop_front().unwrap_or(0))),
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & registers.get(INT_ENA)),
            INT_CLR => Read::Value(0),
            STATUS => Read::Value(LINES_IDLE | self.from_line.len() as u32 | (self.to_line.len() as u32) << 16),
            MEM_TX_STATUS | MEM_RX_STATUS => Read::Stored,
            // ST_UTX_OUT: 0 is idle, 2 is "sending data bits".
            FSM_STATUS => Read::Value(if self.sending.is_some() { 2 << 4 } else { 0 }),
            // The clock domains synchronise at once.
            ID => Read::Value(registers.get(ID) & !REG_UPDATE),
            INT_ENA
            | CLKDIV
            | RX_FILT
            | CONF0
            | CONF1
            | FLOW_CONF
            | TXBRK_CONF
            | IDLE_CONF
            | RS485_CONF
            | AT_CMD_PRECNT..=AT_CMD_CHAR
            | MEM_CONF
            | CLK_CONF
            | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(registers, now);
        match offset {
            FIFO => {
                self.transmit(value as u8, registers, now);
                Write::Done
            }
            CONF0 => {
                if value & RXFIFO_RST != 0 {
                    self.from_line.clear();
                }
                if value & TXFIFO_RST != 0 {
                    self.to_line.clear();
                }
                registers.set(CONF0, value);
                Write::Done
            }
            INT_CLR => {
                self.raw &= !value;
                self.raise_levels(registers);
                Write::Done
            }
            CONF1 => {
                registers.set(CONF1, value);
                self.raise_levels(registers);
                Write::Done
            }
            INT_RAW | INT_ST | STATUS | FSM_STATUS => Write::Done,
            INT_ENA
            | CLKDIV
            | RX_FILT
            | FLOW_CONF
            | TXBRK_CONF
            | IDLE_CONF
            | RS485_CONF
            | AT_CMD_PRECNT..=AT_CMD_CHAR
            | MEM_CONF
            | CLK_CONF
            | DATE
            | ID => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn advance(&mut self, registers: &mut RegisterFile, now: Ticks) {
        self.settle(registers, now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw & registers.get(INT_ENA) != 0)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        let sent = self.sending.map_or(NEVER, |(_, done)| done);
        sent.min(self.arrives_at).min(self.silent_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn uart() -> (Uart, RegisterFile) {
        let mut registers = RegisterFile::new(peripheral("UART0"), 0x1000);
        registers.set(CLKDIV, CLKDIV_115200);
        registers.set(CLK_CONF, SCLK_SEL_XTAL);
        (Uart::new(), registers)
    }

    #[test]
    fn a_byte_takes_ten_bit_times() {
        let (mut uart, mut registers) = uart();
        uart.write(FIFO, u32::from(b'A'), &mut registers, 0);
        // 160 MHz / 115200 baud * 10 bits = 13889 ticks; the divider's fraction makes it 13887.5.
        let done = uart.next_event(&registers);
        assert_eq!(done, 13_888);
        uart.advance(&mut registers, done - 1);
        assert!(uart.output.is_empty());
        assert_ne!(uart.read(FSM_STATUS, &registers, done - 1), Read::Value(0));
        uart.advance(&mut registers, done);
        assert_eq!(uart.output, b"A");
        assert_eq!(uart.read(FSM_STATUS, &registers, done), Read::Value(0));
        assert_eq!(uart.raw & INT_TX_DONE, INT_TX_DONE);
    }

    #[test]
    fn received_bytes_are_paced_and_overflow_the_fifo() {
        let (mut uart, mut registers) = uart();
        uart.line_sends(&[7; 130], &registers, 0);
        uart.advance(&mut registers, 13_888 * 3);
        assert_eq!(uart.read(STATUS, &registers, 13_888 * 3), Read::Value(LINES_IDLE | 3));
        uart.advance(&mut registers, 13_888 * 130);
        assert_eq!(uart.from_line.len(), FIFO_BYTES);
        assert_eq!(uart.overflowed_bytes, 2);
        assert_eq!(uart.raw & INT_RXFIFO_OVF, INT_RXFIFO_OVF);
    }

    #[test]
    fn silence_after_a_byte_is_told() {
        let (mut uart, mut registers) = uart();
        registers.set(CONF1, 120 | RX_TOUT_EN);
        registers.set(INT_ENA, INT_RXFIFO_TOUT);
        uart.line_sends(b"x", &registers, 0);
        uart.advance(&mut registers, 13_888);
        assert_eq!(uart.interrupts(&registers, 13_888), 0);
        // The reset value of the threshold is ten bit times.
        assert_eq!(uart.next_event(&registers), 13_888 + 13_887);
        uart.advance(&mut registers, 2 * 13_888);
        assert_eq!(uart.interrupts(&registers, 0), 1);
    }
}
