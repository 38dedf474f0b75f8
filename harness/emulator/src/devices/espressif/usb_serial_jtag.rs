//! USB_DEVICE: the USB-Serial-JTAG controller's serial port.
//!
//! (Technical reference manual, chapter "USB Serial/JTAG Controller".) Bytes travel in bulk packets of up to 64. A
//! full-speed bus moves at most 19 such packets in a frame of 1 ms, so each takes 52.6 µs here, whichever way it goes.
//! The host is always attached and always reads; it holds back what the chip has no room for, so nothing is lost.
//! JTAG is not modelled.

use serde::{Deserialize, Serialize};

use std::collections::VecDeque;

use super::time::{NEVER, TICKS_HZ, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const EP1: u32 = 0x00;
const EP1_CONF: u32 = 0x04;
const INT_RAW: u32 = 0x08;
const INT_ST: u32 = 0x0c;
const INT_ENA: u32 = 0x10;
const INT_CLR: u32 = 0x14;
const CONF0: u32 = 0x18;
const TEST: u32 = 0x1c;
const JFIFO_ST: u32 = 0x20;
const FRAME_NUMBER: u32 = 0x24;
const IN_EP0_ST: u32 = 0x28;
const IN_EP1_ST: u32 = 0x2c;
const OUT_EP1_ST: u32 = 0x3c;
const OUT_EP2_ST: u32 = 0x40;
const MISC_CONF: u32 = 0x44;
const MEM_CONF: u32 = 0x48;
const DATE: u32 = 0x80;

const WRITE_DONE: u32 = 1 << 0;
const IN_FREE: u32 = 1 << 1;
const OUT_AVAILABLE: u32 = 1 << 2;

const INT_SOF: u32 = 1 << 1;
const INT_OUT_PACKET: u32 = 1 << 2;
const INT_IN_EMPTY: u32 = 1 << 3;

const PACKET_BYTES: usize = 64;
const TICKS_PER_FRAME: Ticks = TICKS_HZ / 1_000;
const TICKS_PER_PACKET: Ticks = TICKS_PER_FRAME / 19;

/// The serial port of the USB-Serial-JTAG controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UsbSerialJtag {
    /// Bytes that firmware has written and not sent, or that the host has not fetched yet.
    to_host: Vec<u8>,
    /// When the host will have fetched the packet that is on offer.
    fetched_at: Ticks,
    from_host: VecDeque<u8>,
    /// What the host still holds back.
    waiting: VecDeque<u8>,
    /// When the host's next packet arrives, if there is room.
    arrives_at: Ticks,
    raw: u32,
    frame_seen: u64,
    /// Bytes that the host has fetched.
    pub output: Vec<u8>,
}

impl UsbSerialJtag {
    /// As after power-on, with a host attached.
    pub fn new() -> Self {
        Self {
            to_host: Vec::new(),
            fetched_at: NEVER,
            from_host: VecDeque::new(),
            waiting: VecDeque::new(),
            arrives_at: NEVER,
            raw: INT_IN_EMPTY,
            frame_seen: 0,
            output: Vec::new(),
        }
    }

    /// A reset of the chip. What the host has fetched, and what it has yet to send, is not lost.
    pub fn reset(&mut self, now: Ticks) {
        let waiting = std::mem::take(&mut self.waiting);
        let output = std::mem::take(&mut self.output);
        *self = Self { output, frame_seen: self.frame_seen, ..Self::new() };
        self.host_sends(&Vec::from(waiting), now);
    }

    /// The host sends `bytes` from `now` on, as fast as the chip takes them.
    pub fn host_sends(&mut self, bytes: &[u8], now: Ticks) {
        self.waiting.extend(bytes);
        self.schedule_arrival(now);
    }

    fn schedule_arrival(&mut self, now: Ticks) {
        if !self.waiting.is_empty() && self.from_host.is_empty() && self.arrives_at == NEVER {
            self.arrives_at = now.saturating_add(TICKS_PER_PACKET);
        }
    }

    fn settle(&mut self, now: Ticks) {
        if self.fetched_at <= now {
            self.output.append(&mut self.to_host);
            self.fetched_at = NEVER;
            self.raw |= INT_IN_EMPTY;
        }
        if self.arrives_at <= now {
            let packet = self.waiting.len().min(PACKET_BYTES);
            self.from_host.extend(self.waiting.drain(..packet));
            self.arrives_at = NEVER;
            self.raw |= INT_OUT_PACKET;
        }
        if now / TICKS_PER_FRAME > self.frame_seen {
            self.frame_seen = now / TICKS_PER_FRAME;
            self.raw |= INT_SOF;
        }
    }

    fn offer_packet(&mut self, now: Ticks) {
        if self.fetched_at == NEVER {
            self.fetched_at = now.saturating_add(TICKS_PER_PACKET);
        }
    }
}

impl Device for UsbSerialJtag {
    fn read(&mut self, offset: u32, registers: &RegisterFile, now: Ticks) -> Read {
        self.settle(now);
        match offset {
            EP1 => {
                let byte = self.from_host.pop_front().unwrap_or(0);
                self.schedule_arrival(now);
                Read::Value(u32::from(byte))
            }
            EP1_CONF => {
                let free = self.fetched_at == NEVER && self.to_host.len() < PACKET_BYTES;
                let available = !self.from_host.is_empty();
                Read::Value(if free { IN_FREE } else { 0 } | if available { OUT_AVAILABLE } else { 0 })
            }
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & registers.get(INT_ENA)),
            INT_CLR => Read::Value(0),
            FRAME_NUMBER => Read::Value((now / TICKS_PER_FRAME) as u32 & 0x7ff),
            IN_EP1_ST => {
                let state = if self.fetched_at == NEVER { 1 } else { 0 };
                Read::Value(state | (self.to_host.len() as u32) << 2)
            }
            OUT_EP1_ST => {
                let count = self.from_host.len() as u32;
                Read::Value((u32::from(count != 0) << 1) | (count << 2) | (count << 16))
            }
            INT_ENA | CONF0 | TEST | MISC_CONF | MEM_CONF | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, _registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(now);
        match offset {
            EP1 => {
                if self.fetched_at == NEVER && self.to_host.len() < PACKET_BYTES {
                    self.to_host.push(value as u8);
                    if self.to_host.len() == PACKET_BYTES {
                        self.offer_packet(now);
                    }
                }
                Write::Done
            }
            EP1_CONF => {
                if value & WRITE_DONE != 0 {
                    self.offer_packet(now);
                }
                Write::Done
            }
            INT_CLR => {
                self.raw &= !value;
                Write::Done
            }
            INT_RAW | INT_ST | JFIFO_ST | FRAME_NUMBER | IN_EP0_ST..=OUT_EP2_ST => Write::Done,
            INT_ENA | CONF0 | TEST | MISC_CONF | MEM_CONF | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn advance(&mut self, _registers: &mut RegisterFile, now: Ticks) {
        self.settle(now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw & registers.get(INT_ENA) != 0)
    }

    fn next_event(&self, registers: &RegisterFile) -> Ticks {
        let frame = if registers.get(INT_ENA) & INT_SOF != 0 { (self.frame_seen + 1) * TICKS_PER_FRAME } else { NEVER };
        self.fetched_at.min(self.arrives_at).min(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn port() -> (UsbSerialJtag, RegisterFile) {
        (UsbSerialJtag::new(), RegisterFile::new(peripheral("USB_DEVICE"), 0x1000))
    }

    fn conf(port: &mut UsbSerialJtag, registers: &RegisterFile, now: Ticks) -> u32 {
        match port.read(EP1_CONF, registers, now) {
            Read::Value(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_packet_is_fetched_by_the_host_and_then_there_is_room_again() {
        let (mut port, mut registers) = port();
        port.write(INT_CLR, INT_IN_EMPTY, &mut registers, 0);
        for byte in b"hello" {
            port.write(EP1, u32::from(*byte), &mut registers, 0);
        }
        assert!(port.output.is_empty());
        assert_eq!(conf(&mut port, &registers, 1) & IN_FREE, IN_FREE);
        port.write(EP1_CONF, WRITE_DONE, &mut registers, 1);
        assert_eq!(conf(&mut port, &registers, 2) & IN_FREE, 0);
        let fetched = port.next_event(&registers);
        assert_eq!(fetched, 1 + TICKS_PER_PACKET);
        port.advance(&mut registers, fetched);
        assert_eq!(port.output, b"hello");
        assert_eq!(conf(&mut port, &registers, fetched) & IN_FREE, IN_FREE);
        registers.set(INT_ENA, INT_IN_EMPTY);
        assert_eq!(port.interrupts(&registers, fetched), 1);
    }

    #[test]
    fn sixty_four_bytes_send_themselves() {
        let (mut port, mut registers) = port();
        for n in 0..70 {
            port.write(EP1, n, &mut registers, 0);
        }
        port.advance(&mut registers, TICKS_PER_PACKET);
        assert_eq!(port.output, (0..64).collect::<Vec<u8>>(), "what is written while the FIFO is full is lost");
    }

    #[test]
    fn the_host_holds_back_what_does_not_fit() {
        let (mut port, registers) = port();
        let sent: Vec<u8> = (0..150).collect();
        port.host_sends(&sent, 0);
        let (mut received, mut packets) = (Vec::new(), 0);
        while received.len() < sent.len() {
            let now = port.next_event(&registers);
            port.settle(now);
            packets += 1;
            while conf(&mut port, &registers, now) & OUT_AVAILABLE != 0 {
                let Read::Value(byte) = port.read(EP1, &registers, now) else { panic!() };
                received.push(byte as u8);
            }
        }
        assert_eq!((received, packets), (sent, 3));
    }

    #[test]
    fn frames_start_every_millisecond() {
        let (mut port, mut registers) = port();
        assert_eq!(port.read(INT_RAW, &registers, TICKS_PER_FRAME - 1), Read::Value(INT_IN_EMPTY));
        assert_eq!(port.read(INT_RAW, &registers, TICKS_PER_FRAME), Read::Value(INT_IN_EMPTY | INT_SOF));
        port.write(INT_CLR, INT_SOF, &mut registers, TICKS_PER_FRAME);
        assert_eq!(port.read(INT_RAW, &registers, TICKS_PER_FRAME + 1), Read::Value(INT_IN_EMPTY));
    }
}
