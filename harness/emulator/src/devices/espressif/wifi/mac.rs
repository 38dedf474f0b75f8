//! The MAC's registers: events, addresses, rings and queues.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::gdma;
use super::super::time::{NEVER, TICKS_PER_US, Ticks, instant_of, ticks_at};
use super::header::{Address, Header, acknowledgement, address_at};
use super::receive::{Received, Ring};
use super::transmit::{Attempt, OPPORTUNITIES, QUEUES, queue_of_plcp0};
use super::{airtime, ccmp};
use crate::machine::chip::RadioFrame;
use crate::machine::device::{Device, Read, Write};
use crate::machine::memory::Memory;
use crate::machine::registers::RegisterFile;

/// Own addresses, two words for each interface, and masks with a bit that switches the interface on.
const OWN_ADDRESSES: u32 = 0x040;
const OWN_MASKS: u32 = 0x060;
const INTERFACE_ON: u32 = 1 << 16;
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

/// Frames under way to the antenna; more are lost, as they would be in a medium that is so crowded.
const ARRIVING_MAX: usize = 256;

/// The MAC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WifiMac {
    events: u32,
    done: u32,
    ring: Ring,
    /// The channel that the front end is tuned to, as far as it is known.
    pub channel: u8,
    /// Frames on their way to the antenna, with the tick at which each is over.
    arriving: VecDeque<(Ticks, RadioFrame)>,
    attempts: [Option<Attempt>; QUEUES],
    /// Until when the air is taken, by others or by this chip.
    busy_until: Ticks,
    /// Frames that have left the antenna and that nobody has taken yet.
    pub output: Vec<RadioFrame>,
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
        let Some(mut attempt) = Attempt::read(queue, plcp0, registers, memory) else { return };
        let begins = now.max(self.busy_until) + airtime::DIFS_US * TICKS_PER_US;
        let frame = ccmp::seal(registers, KEYS_VALID, std::mem::take(&mut attempt.frame));
        let ends = begins + airtime::airtime_us(attempt.rate_500_kbps, frame.len()) * TICKS_PER_US;
        self.emit(begins, attempt.rate_500_kbps, frame);
        self.attempts[queue] = Some(attempt.under_way(ends));
    }

    fn emit(&mut self, begins: Ticks, rate_500_kbps: u8, bytes: Vec<u8>) {
        /// A chip that nobody listens to must not fill its owner's memory.
        const OUTPUT_MAX: usize = 256;
        let ends = begins + airtime::airtime_us(rate_500_kbps, bytes.len()) * TICKS_PER_US;
        self.busy_until = self.busy_until.max(ends);
        if self.output.len() < OUTPUT_MAX {
            let (at, channel) = (instant_of(begins), self.channel);
            self.output.push(RadioFrame { at, channel, rate_500_kbps, signal_dbm: 0, bytes });
        }
    }

    /// A frame reaches the antenna.
    pub fn hear(&mut self, frame: RadioFrame, now: Ticks) {
        let airtime_us = airtime::airtime_us(frame.rate_500_kbps, frame.bytes.len());
        let ends = ticks_at(frame.at).saturating_add(airtime_us * TICKS_PER_US).max(now + 1);
        if frame.channel == self.channel {
            self.busy_until = self.busy_until.max(ends);
        }
        if self.arriving.len() < ARRIVING_MAX && frame.bytes.len() >= 10 {
            let at = self.arriving.iter().position(|(other, _)| *other > ends).unwrap_or(self.arriving.len());
            self.arriving.insert(at, (ends, frame));
        }
    }

    /// Whether a frame has left that nobody has taken.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// When the MAC will next write to memory, or raise an event, of itself.
    pub fn due(&self) -> Ticks {
        let arrival = self.arriving.front().map(|(at, _)| *at);
        let attempts = self.attempts.iter().flatten().map(Attempt::due);
        attempts.chain(arrival).min().unwrap_or(NEVER)
    }

    /// Lets everything happen that is due by `now`.
    pub fn advance_with_memory(&mut self, registers: &mut RegisterFile, memory: &mut Memory, now: Ticks) {
        while let Some((ends, frame)) = self.arriving.pop_front_if(|(at, _)| *at <= now) {
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
        if frame.channel != self.channel {
            return;
        }
        let Some(header) = Header::of(&frame.bytes) else { return };
        let interface = (0..INTERFACES).find(|n| own_address(registers, *n) == Some(header.receiver()));
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
            let rate = airtime::acknowledgement_rate(frame.rate_500_kbps);
            let begins = ends + airtime::SIFS_US * TICKS_PER_US;
            self.emit(begins, rate, acknowledgement(header.transmitter()));
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

/// The address of an interface that is on.
fn own_address(registers: &RegisterFile, interface: u32) -> Option<Address> {
    if registers.get(OWN_MASKS + 8 * interface + 4) & INTERFACE_ON == 0 {
        return None;
    }
    Some(address_at(registers, OWN_ADDRESSES + 8 * interface))
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
