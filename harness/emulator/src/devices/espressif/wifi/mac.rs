//! The MAC's registers: events, addresses, rings and queues.

use serde::{Deserialize, Serialize};

use super::super::gdma;
use super::super::time::{NEVER, TICKS_PER_US, Ticks};
use super::antenna::Antenna;
use super::ccmp;
use super::header::{Header, own_address};
use super::receive::{Received, Ring};
use super::transmit::{Attempt, OPPORTUNITIES, QUEUES, queue_of_plcp0};
use crate::machine::chip::RadioFrame;
use crate::machine::device::{Device, Read, Write};
use crate::machine::memory::Memory;
use crate::machine::registers::RegisterFile;

/// Own addresses, two words for each interface, and masks with a bit that switches the interface on.
const OWN_ADDRESSES: u32 = 0x040;
const OWN_MASKS: u32 = 0x060;
const INTERFACES: u32 = 2;
/// Reception: bit 31 on; bit 0 looks again at the ring, and clears itself.
const RECEIVE_CONTROL: u32 = 0x084;
const RECEIVE_ON: u32 = 1 << 31;
const RING_RELOAD: u32 = 1 << 0;
const RING_BASE: u32 = 0x088;
const RING_NEXT: u32 = 0x08c;
const RING_LAST: u32 = 0x090;
/// A bit for each slot that holds a key.
const KEYS_VALID: u32 = 0x814;
const EVENTS: u32 = 0xc3c;
const EVENTS_CLEAR: u32 = 0xc40;
const DMA_HIGH: u32 = 0xc64;
const TRANSMIT_ERROR_CLEAR: u32 = 0xca4;
const TRANSMIT_ERROR: u32 = 0xca8;
const TRANSMIT_DONE_CLEAR: u32 = 0xcac;
const TRANSMIT_DONE: u32 = 0xcb0;
const READY: u32 = 0xd14;

/// Events: a frame was received; an attempt to send is over.
const EVENT_RECEIVED: u32 = 0x0100_4000;
const EVENT_TRANSMITTED: u32 = 0x80;

/// The MAC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WifiMac {
    events: u32,
    done: u32,
    ring: Ring,
    /// Where frames leave and arrive.
    pub antenna: Antenna,
    attempts: [Option<Attempt>; QUEUES],
    /// Frames that found no descriptor.
    pub overflowed: u64,
}

impl WifiMac {
    /// Writes the word at `offset`. What is to be sent is read from memory at once.
    pub fn write_with_memory(
        &mut self,
        offset: u32,
        value: u32,
        registers: &mut RegisterFile,
        memory: &Memory,
        now: Ticks,
    ) -> Write {
        match offset {
            EVENTS_CLEAR => self.events &= !value,
            TRANSMIT_DONE_CLEAR => self.done &= !value,
            TRANSMIT_ERROR_CLEAR => {}
            RECEIVE_CONTROL => {
                registers.set(RECEIVE_CONTROL, value & !RING_RELOAD);
                if value & RING_RELOAD != 0 {
                    self.ring.reload(address(registers.get(RING_BASE)));
                }
            }
            RING_BASE => {
                registers.set(RING_BASE, value);
                let is_on = registers.get(RECEIVE_CONTROL) & RECEIVE_ON != 0;
                self.ring.set_base(address(value), is_on);
            }
            offset => {
                if let Some(queue) = queue_of_plcp0(offset) {
                    registers.set(offset, value);
                    self.start(queue, value, registers, memory, now);
                } else if is_kept(offset) {
                    return Write::Stored;
                } else {
                    return Write::Unmodelled;
                }
            }
        }
        Write::Done
    }

    /// The driver says *go*: the frame leaves as soon as the air is free.
    fn start(&mut self, queue: usize, plcp0: u32, registers: &RegisterFile, memory: &Memory, now: Ticks) {
        let Some(attempt) = Attempt::read(queue, plcp0, registers, memory) else { return };
        self.attempts[queue] = Some(self.antenna.start(attempt, registers, KEYS_VALID, now));
    }

    /// When the MAC will next write to memory, or raise an event, of itself.
    pub fn due(&self) -> Ticks {
        let attempts = self.attempts.iter().flatten().map(Attempt::due);
        attempts.chain(self.antenna.due()).min().unwrap_or(NEVER)
    }

    /// Lets everything happen that is due by `now`.
    pub fn advance_with_memory(&mut self, registers: &mut RegisterFile, memory: &mut Memory, now: Ticks) {
        while let Some((ends, frame)) = self.antenna.arrived(now) {
            self.arrive(&frame, ends, registers, memory);
        }
        for queue in 0..QUEUES {
            if let Some(attempt) = self.attempts[queue].take_if(|attempt| attempt.due() <= now) {
                attempt.finish(queue, registers, false);
                self.finished(queue);
            }
        }
    }

    fn finished(&mut self, queue: usize) {
        self.done |= 1 << queue;
        self.events |= EVENT_TRANSMITTED;
    }

    /// A frame is over at the antenna.
    fn arrive(&mut self, frame: &RadioFrame, ends: Ticks, registers: &mut RegisterFile, memory: &mut Memory) {
        if frame.channel != self.antenna.channel {
            return;
        }
        let Some(header) = Header::of(&frame.bytes) else { return };
        let interface =
            (0..INTERFACES).find(|n| own_address(registers, OWN_ADDRESSES, OWN_MASKS, *n) == Some(header.receiver()));
        if header.is_acknowledgement() {
            let awaits = |attempt: &mut Attempt| attempt.is_acknowledged_at(ends);
            let queue = (0..QUEUES).find(|queue| self.attempts[*queue].as_mut().is_some_and(awaits));
            if let (Some(queue), true) = (queue, interface.is_some())
                && let Some(attempt) = self.attempts[queue].take()
            {
                attempt.finish(queue, registers, true);
                self.finished(queue);
            }
            return;
        }
        let is_on = registers.get(RECEIVE_CONTROL) & RECEIVE_ON != 0;
        if !is_on || header.is_control() || interface.is_none() && !header.is_group() {
            return;
        }
        if !header.is_group() {
            // The hardware acknowledges what is whole, whether or not there is room for it.
            self.antenna.acknowledge(frame, header, ends);
        }
        let Some(bytes) = ccmp::open(registers, KEYS_VALID, frame.bytes.clone()) else { return };
        let timestamp_us = ends / TICKS_PER_US;
        let received = Received { frame, bytes: &bytes, interface, timestamp_us };
        if self.ring.take(memory, &received.content()) {
            self.events |= EVENT_RECEIVED;
        } else {
            self.overflowed += 1;
        }
    }
}

/// Registers and interrupts. What touches memory has methods of its own: [`WifiMac::write_with_memory`], and
/// [`WifiMac::advance_with_memory`] at [`WifiMac::due`].
impl Device for WifiMac {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            EVENTS => Read::Value(self.events),
            TRANSMIT_DONE => Read::Value(self.done),
            TRANSMIT_ERROR => Read::Value(0),
            RING_NEXT => Read::Value(self.ring.next & gdma::ADDRESS),
            RING_LAST => Read::Value(self.ring.last & gdma::ADDRESS),
            DMA_HIGH => Read::Value(registers.get(DMA_HIGH) & gdma::ADDRESS | gdma::ADDRESS_BASE),
            READY => Read::Value(registers.get(READY) | 1),
            offset if is_kept(offset) => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, _offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        Write::Stored
    }

    fn interrupts(&mut self, _registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.events != 0)
    }
}

/// The whole address of what a register names.
fn address(low: u32) -> u32 {
    if low == 0 { 0 } else { gdma::whole_address(low) }
}

/// Configuration that the driver writes and reads back, and that changes nothing here: filters, rates of
/// acknowledgements, coexistence, back-off, transmit opportunities.
fn is_kept(offset: u32) -> bool {
    let is_configuration = matches!(
        offset,
        0x000..=0x17f
            | 0x2a0..=0x33f
            | 0x400..=0x41f
            | 0x800..=0x84f
            | 0xc00..=0xd1f
            | 0x1000..=0x133f
            | 0x1400..=0x17e7
    );
    is_configuration || OPPORTUNITIES.contains(&offset)
}

#[cfg(test)]
mod tests;
