//! UART0 and UART1: bytes at the pace of the baud rate, FIFOs of 128 bytes, interrupts.
//!
//! (Technical reference manual, chapter "UART Controller".) What is on the lines is [`Line`]'s; no RS485 besides.

use serde::{Deserialize, Serialize};

use super::time::{TICKS_PER_APB, TICKS_PER_RC_FAST, TICKS_PER_XTAL, Ticks};
use super::uart_line::{Line, Pace};
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

const RXFIFO_RST: u32 = 1 << 17;
const TXFIFO_RST: u32 = 1 << 18;
const RX_TOUT_EN: u32 = 1 << 21;
const REG_UPDATE: u32 = 1 << 31;

/// What the UART puts on its STATUS register besides the counts: idle lines are high.
const LINES_IDLE: u32 = 0xe000_c000;

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

    /// A reset of the chip: what is on the receive line goes on arriving.
    pub fn reset(&mut self) {
        self.line.reset();
    }

    /// Sets the registers as the ROM does when it opens its console: 115200 baud from the crystal.
    pub fn open_console_of_rom(registers: &mut RegisterFile) {
        registers.set(CLKDIV, CLKDIV_115200);
        registers.set(CLK_CONF, SCLK_SEL_XTAL | SCLK_EN | TX_SCLK_EN | RX_SCLK_EN);
    }

    /// The other side sends `bytes`, one after the other, at the rate that this side is set to.
    pub fn line_sends(&mut self, bytes: &[u8], registers: &RegisterFile, now: Ticks) {
        self.line.line_sends(bytes, pace(registers), now);
    }

    /// Firmware or the ROM puts a byte into the transmit FIFO; `false` if it is full.
    pub fn transmit(&mut self, byte: u8, registers: &RegisterFile, now: Ticks) -> bool {
        self.line.transmit(byte, pace(registers), now)
    }

    /// When the byte on the line will have left, so that there is room for another.
    pub fn next_departure(&self) -> Ticks {
        self.line.next_departure()
    }

    /// When everything that was written will have left.
    pub fn idle_at(&self, registers: &RegisterFile, now: Ticks) -> Ticks {
        self.line.idle_at(pace(registers), now)
    }
}

fn pace(registers: &RegisterFile) -> Pace {
    let conf1 = registers.get(CONF1);
    // The threshold of silence counts bit times.
    let bits = u64::from(registers.get(MEM_CONF) >> 16 & 0x3ff);
    Pace {
        ticks_per_byte: ticks_per_byte(registers),
        full_at: conf1 & 0x1ff,
        empty_below: conf1 >> 9 & 0x1ff,
        silence: (conf1 & RX_TOUT_EN != 0).then(|| bits * ticks_per_bit_times_16(registers) / 16),
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
        self.line.settle(pace(registers), now);
        match offset {
            FIFO => Read::Value(self.line.receive().into()),
            INT_RAW => Read::Value(self.line.raw),
            INT_ST => Read::Value(self.line.raw & registers.get(INT_ENA)),
            INT_CLR => Read::Value(0),
            STATUS => {
                let (received, to_send) = self.line.counts();
                Read::Value(LINES_IDLE | received | to_send << 16)
            }
            MEM_TX_STATUS | MEM_RX_STATUS => Read::Stored,
            // ST_UTX_OUT: 0 is idle, 2 is "sending data bits".
            FSM_STATUS => Read::Value(if self.line.is_sending() { 2 << 4 } else { 0 }),
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
        self.line.settle(pace(registers), now);
        match offset {
            FIFO => {
                self.transmit(value as u8, registers, now);
                Write::Done
            }
            CONF0 => {
                self.line.clear(value & RXFIFO_RST != 0, value & TXFIFO_RST != 0);
                registers.set(CONF0, value);
                Write::Done
            }
            INT_CLR => {
                self.line.raw &= !value;
                self.line.raise_levels(pace(registers));
                Write::Done
            }
            CONF1 => {
                registers.set(CONF1, value);
                self.line.raise_levels(pace(registers));
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
        self.line.settle(pace(registers), now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.line.raw & registers.get(INT_ENA) != 0)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.line.next_event()
    }
}

#[cfg(test)]
mod tests {
    use super::super::uart_line::{FIFO_BYTES, INT_RXFIFO_OVF, INT_RXFIFO_TOUT, INT_TX_DONE};
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
        assert!(uart.line.output.is_empty());
        assert_ne!(uart.read(FSM_STATUS, &registers, done - 1), Read::Value(0));
        uart.advance(&mut registers, done);
        assert_eq!(uart.line.output, b"A");
        assert_eq!(uart.read(FSM_STATUS, &registers, done), Read::Value(0));
        assert_eq!(uart.line.raw & INT_TX_DONE, INT_TX_DONE);
    }

    #[test]
    fn received_bytes_are_paced_and_overflow_the_fifo() {
        let (mut uart, mut registers) = uart();
        uart.line_sends(&[7; 130], &registers, 0);
        uart.advance(&mut registers, 13_888 * 3);
        assert_eq!(uart.read(STATUS, &registers, 13_888 * 3), Read::Value(LINES_IDLE | 3));
        uart.advance(&mut registers, 13_888 * 130);
        assert_eq!(uart.line.counts().0 as usize, FIFO_BYTES);
        assert_eq!(uart.line.overflowed_bytes, 2);
        assert_eq!(uart.line.raw & INT_RXFIFO_OVF, INT_RXFIFO_OVF);
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
