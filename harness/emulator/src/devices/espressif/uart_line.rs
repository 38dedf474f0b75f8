//! What the UARTs of Espressif's chips have in common: two FIFOs of 128 bytes, bytes on the lines at the pace of the baud
//! rate, and the interrupts that come of both.
//!
//! Bytes are what the model moves: no start bits, parity errors or breaks on the line, no flow control. What arrives while the
//! receive FIFO is full is lost, as in the hardware.
//!
//! It does not know registers: how a UART is set is given with each call ([`Pace`]).

use serde::{Deserialize, Serialize};

use std::collections::VecDeque;

use super::time::{NEVER, Ticks};

/// Interrupts, by their bits in every INT register.
pub(crate) const INT_RXFIFO_FULL: u32 = 1 << 0;
pub(crate) const INT_TXFIFO_EMPTY: u32 = 1 << 1;
pub(crate) const INT_RXFIFO_OVF: u32 = 1 << 4;
pub(crate) const INT_RXFIFO_TOUT: u32 = 1 << 8;
/// The chips that have it.
pub(crate) const INT_TX_DONE: u32 = 1 << 14;

pub(crate) const FIFO_BYTES: usize = 128;

/// How a UART is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub ticks_per_byte: Ticks,
    /// So many received bytes are many.
    pub full_at: u32,
    /// Fewer bytes than that to be sent are few.
    pub empty_below: u32,
    /// How long the line has to be silent behind a byte to be told; `None` if nobody asks.
    pub silence: Option<Ticks>,
}

/// Both lines of a UART, and its FIFOs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    to_line: VecDeque<u8>,
    /// The byte on the transmit line, and when its last stop bit is over.
    sending: Option<(u8, Ticks)>,
    from_line: VecDeque<u8>,
    waiting: VecDeque<u8>,
    /// When the byte now on the receive line is complete.
    arrives_at: Ticks,
    /// When the receive line has been silent for long enough to tell.
    silent_at: Ticks,
    /// INT_RAW.
    pub raw: u32,
    /// Bytes that have left on the transmit line.
    pub output: Vec<u8>,
    /// How many received bytes found the FIFO full.
    pub overflowed_bytes: u64,
}

impl Line {
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

    /// The other side sends `bytes`, one after the other, at the rate that this side is set to.
    pub fn line_sends(&mut self, bytes: &[u8], pace: Pace, now: Ticks) {
        self.waiting.extend(bytes);
        if self.arrives_at == NEVER && !self.waiting.is_empty() {
            self.arrives_at = now.saturating_add(pace.ticks_per_byte);
        }
    }

    /// Firmware or the ROM puts a byte into the transmit FIFO; `false` if it is full.
    pub fn transmit(&mut self, byte: u8, pace: Pace, now: Ticks) -> bool {
        self.settle(pace, now);
        if self.to_line.len() >= FIFO_BYTES {
            return false;
        }
        self.transmit_waiting(byte, pace, now);
        true
    }

    /// Puts a byte behind all others, however many there are: somebody who has waited until there was room.
    pub fn transmit_waiting(&mut self, byte: u8, pace: Pace, now: Ticks) {
        self.to_line.push_back(byte);
        self.start_sending(pace, now);
    }

    /// Firmware takes a byte out of the receive FIFO; an empty one gives 0.
    pub fn receive(&mut self) -> u8 {
        self.from_line.pop_front().unwrap_or(0)
    }

    /// Bytes in the receive FIFO, and in the transmit FIFO.
    pub fn counts(&self) -> (u32, u32) {
        (self.from_line.len() as u32, self.to_line.len() as u32)
    }

    /// Whether a byte is on the transmit line.
    pub fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Empties FIFOs.
    pub fn clear(&mut self, receive: bool, transmit: bool) {
        if receive {
            self.from_line.clear();
        }
        if transmit {
            self.to_line.clear();
        }
    }

    /// When the byte on the line will have left, so that there is room for another.
    pub fn next_departure(&self) -> Ticks {
        self.sending.map_or(0, |(_, done)| done)
    }

    /// When everything that was written will have left.
    pub fn idle_at(&self, pace: Pace, now: Ticks) -> Ticks {
        let first = self.sending.map_or(now, |(_, done)| done);
        first.saturating_add(self.to_line.len() as u64 * pace.ticks_per_byte)
    }

    /// When a byte leaves or arrives, or silence is told.
    pub fn next_event(&self) -> Ticks {
        let sent = self.sending.map_or(NEVER, |(_, done)| done);
        sent.min(self.arrives_at).min(self.silent_at)
    }

    fn start_sending(&mut self, pace: Pace, now: Ticks) {
        if self.sending.is_none() {
            self.sending = self.to_line.pop_front().map(|byte| (byte, now.saturating_add(pace.ticks_per_byte)));
        }
    }

    /// Lets happen what happens by `now`.
    pub fn settle(&mut self, pace: Pace, now: Ticks) {
        while let Some((byte, done)) = self.sending.filter(|(_, done)| *done <= now) {
            self.output.push(byte);
            self.sending = None;
            self.start_sending(pace, done);
            if self.sending.is_none() {
                self.raw |= INT_TX_DONE;
            }
        }
        while self.arrives_at <= now {
            self.receive_byte(pace);
        }
        if self.silent_at <= now {
            self.silent_at = NEVER;
            if !self.from_line.is_empty() {
                self.raw |= INT_RXFIFO_TOUT;
            }
        }
        self.raise_levels(pace);
    }

    fn receive_byte(&mut self, pace: Pace) {
        let at = self.arrives_at;
        if let Some(byte) = self.waiting.pop_front() {
            if self.from_line.len() < FIFO_BYTES {
                self.from_line.push_back(byte);
            } else {
                self.overflowed_bytes += 1;
                self.raw |= INT_RXFIFO_OVF;
            }
        }
        self.arrives_at = if self.waiting.is_empty() { NEVER } else { at.saturating_add(pace.ticks_per_byte) };
        if let Some(silence) = pace.silence {
            self.silent_at = at.saturating_add(silence);
        }
    }

    /// These two interrupts are levels: cleared, they come back as long as the FIFO is as full or as empty.
    pub fn raise_levels(&mut self, pace: Pace) {
        let (received, to_send) = self.counts();
        if received >= pace.full_at.max(1) {
            self.raw |= INT_RXFIFO_FULL;
        }
        if to_send < pace.empty_below.max(1) {
            self.raw |= INT_TXFIFO_EMPTY;
        }
    }
}
