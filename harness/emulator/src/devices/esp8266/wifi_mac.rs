//! The MAC of the radio: events, addresses, the receive ring, transmit queues, a timer.
//!
//! Nothing of it is documented by its maker. It is the older sister of the ESP32-C3's
//! ([`crate::devices::espressif::wifi`]): the ring, the keys and the way of an attempt are the same, and lie there. Frames leave
//! and enter as they are on the air, encrypted, without frame check sequence.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::devices::espressif::time::{NEVER, TICKS_PER_US, Ticks};
use crate::devices::espressif::wifi::airtime::{self, FCS_BYTES};
use crate::devices::espressif::wifi::antenna::Antenna;
use crate::devices::espressif::wifi::ccmp;
use crate::devices::espressif::wifi::header::{Header, own_address};
use crate::devices::espressif::wifi::receive::Ring;
use crate::devices::espressif::wifi::transmit::Attempt;
use crate::machine::chip::RadioFrame;
use crate::machine::device::{Device, Read, Write};
use crate::machine::memory::Memory;
use crate::machine::registers::RegisterFile;

/// Reception: bit 31 on; bit 0 looks again at the ring, and clears itself.
const RECEIVE_CONTROL: u32 = 0x004;
const RECEIVE_ON: u32 = 1 << 31;
const RING_RELOAD: u32 = 1 << 0;
const RING_BASE: u32 = 0x008;
const RING_LAST: u32 = 0x014;
const RING_NEXT: u32 = 0x018;
/// A bit for each slot that holds a key.
const KEYS_VALID: u32 = 0x80c;
const MICROSECONDS: u32 = 0xc00;
const EVENTS_ENABLED: u32 = 0xc18;
const EVENTS: u32 = 0xc20;
const EVENTS_CLEAR: u32 = 0xc24;
/// Own addresses, two words for each interface, and masks with a bit that switches the interface on.
const OWN_ADDRESSES: u32 = 0xc48;
const OWN_MASKS: u32 = 0xc58;
const INTERFACES: u32 = 2;
/// How an attempt went: status on top, the queue in bits 15 to 12.
const RESULT: u32 = 0xc84;
const RESULT_QUEUE_SHIFT: u32 = 12;
const NO_ACKNOWLEDGEMENT: u32 = 5 << 28;
/// The first queue's back-off; the others are below it. Descriptor and length follow it.
const QUEUE: u32 = 0xdc0;
const QUEUE_STEP: u32 = 0x18;
const QUEUES: usize = 11;
const GO: u32 = 0b11 << 30;
const ACKNOWLEDGED: u32 = 1 << 24;
const DESCRIPTOR: u32 = 0x3_ffff;
const DESCRIPTOR_BASE: u32 = 0x3ffc_0000;
/// The counter of the second timer, and that timer, which is over when the counter has come to what stands behind it.
const COUNTER: u32 = 0x1048;
const COUNTER_HIGH: u32 = 0x104c;
const TIMER: u32 = 0x10c8;
const TIMER_ARMED: u32 = 1 << 31;
const TIMER_AT: u32 = 0x10cc;
const TIMER_AT_HIGH: u32 = 0x10d0;

/// Events.
const EVENT_RECEIVED: u32 = 1 << 8;
/// An attempt has begun, and is over: the driver wants both.
const EVENT_TRANSMITTED: u32 = 1 << 18 | 1 << 19;
const EVENT_TIMER: u32 = 1 << 26;

/// In the receive header: for the first interface, for the second; from the first's access point.
const FOR_STATION: u32 = 1 << 28;
const FOR_ACCESS_POINT: u32 = 1 << 29;
const FROM_ACCESS_POINT: u32 = 1 << 30;
const GROUP: u32 = 1 << 12;
/// Signal strengths count from here.
const SIGNAL_ZERO_DBM: i16 = -96;

/// A driver that clears the event of one attempt has to look at its result before there is the next.
const RESULT_STANDS: Ticks = 20 * TICKS_PER_US;
/// A chain of descriptors that makes up a frame is not longer.
const DESCRIPTORS_MAX: usize = 8;

/// The MAC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WifiMac {
    events: u32,
    ring: Ring,
    /// Where frames leave and arrive.
    pub antenna: Antenna,
    attempts: [Option<Attempt>; QUEUES],
    /// Queues whose attempt is over, with its status, and that the driver has not been told of.
    finished: VecDeque<(usize, u32)>,
    /// Until when the last result has to stand.
    result_until: Ticks,
    timer_at: Option<Ticks>,
    /// How long its counter has stood still, in light sleep.
    stood_still: Ticks,
    /// Frames that found no descriptor.
    pub overflowed: u64,
}

impl WifiMac {
    /// A reset of the chip; what has left the antenna has left it.
    pub fn reset(&mut self) {
        let mut antenna = std::mem::take(&mut self.antenna);
        antenna.reset();
        *self = Self { antenna, overflowed: self.overflowed, stood_still: self.stood_still, ..Self::default() };
    }

    /// Its clock had stopped for so long, until now: what came meanwhile was not heard.
    pub fn has_stood_still(&mut self, ticks: Ticks, now: Ticks) {
        while self.antenna.arrived(now).is_some() {}
        self.stood_still += ticks;
        self.timer_at = self.timer_at.map(|at| at.saturating_add(ticks));
    }

    /// What its counter of microseconds shows.
    fn counter_us(&self, now: Ticks) -> u64 {
        now.saturating_sub(self.stood_still) / TICKS_PER_US
    }

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
            EVENTS => {}
            EVENTS_CLEAR => {
                self.events &= !value;
                if value & EVENT_TRANSMITTED != 0 {
                    self.result_until = now + RESULT_STANDS;
                }
            }
            RECEIVE_CONTROL => registers.set(RECEIVE_CONTROL, value & !RING_RELOAD),
            RING_BASE => {
                registers.set(RING_BASE, value);
                self.ring = Ring { next: value, last: 0 };
            }
            TIMER => {
                registers.set(TIMER, value);
                let at_us = u64::from(registers.get(TIMER_AT)) | u64::from(registers.get(TIMER_AT_HIGH)) << 32;
                let at = at_us.saturating_mul(TICKS_PER_US).saturating_add(self.stood_still).max(now + TICKS_PER_US);
                self.timer_at = (value & TIMER_ARMED != 0).then_some(at);
            }
            offset => {
                registers.set(offset, value);
                if let Some(queue) = queue_at(offset) {
                    self.start(queue, registers, memory, now);
                }
            }
        }
        Write::Done
    }

    /// The driver says *go*: the frame leaves as soon as the air is free.
    fn start(&mut self, queue: usize, registers: &RegisterFile, memory: &Memory, now: Ticks) {
        let Some(attempt) = read_attempt(queue, registers, memory) else { return };
        self.attempts[queue] = Some(self.antenna.start(attempt, registers, KEYS_VALID, now));
    }

    /// When the MAC will next write to memory, or raise an event, of itself.
    pub fn due(&self) -> Ticks {
        let attempts = self.attempts.iter().flatten().map(Attempt::due);
        let result = (self.can_tell() && !self.finished.is_empty()).then_some(self.result_until);
        attempts.chain(self.antenna.due()).chain(result).chain(self.timer_at).min().unwrap_or(NEVER)
    }

    /// Whether the driver is done with the last result.
    fn can_tell(&self) -> bool {
        self.events & EVENT_TRANSMITTED == 0
    }

    /// Lets everything happen that is due by `now`.
    pub fn advance_with_memory(&mut self, registers: &mut RegisterFile, memory: &mut Memory, now: Ticks) {
        while let Some((ends, frame)) = self.antenna.arrived(now) {
            self.arrive(&frame, ends, registers, memory);
        }
        for queue in 0..QUEUES {
            if let Some(attempt) = self.attempts[queue].take_if(|attempt| attempt.due() <= now) {
                let failed = attempt.expects_acknowledgement();
                self.finished.push_back((queue, if failed { NO_ACKNOWLEDGEMENT } else { 0 }));
            }
        }
        if self.timer_at.take_if(|at| *at <= now).is_some() {
            registers.set(TIMER, registers.get(TIMER) & !TIMER_ARMED);
            self.events |= EVENT_TIMER;
        }
        if self.can_tell()
            && self.result_until <= now
            && let Some((queue, status)) = self.finished.pop_front()
        {
            registers.set(RESULT, status | (queue as u32) << RESULT_QUEUE_SHIFT);
            let at = queue_register(queue) + 4;
            registers.set(at, registers.get(at) & !GO);
            self.events |= EVENT_TRANSMITTED;
        }
    }

    /// A frame is over at the antenna.
    fn arrive(&mut self, frame: &RadioFrame, ends: Ticks, registers: &RegisterFile, memory: &mut Memory) {
        if frame.channel != self.antenna.channel {
            return;
        }
        let Some(header) = Header::of(&frame.bytes) else { return };
        let interface =
            (0..INTERFACES).find(|n| own_address(registers, OWN_ADDRESSES, OWN_MASKS, *n) == Some(header.receiver()));
        if header.is_acknowledgement() {
            let awaits = |attempt: &mut Attempt| attempt.is_acknowledged_at(ends);
            let queue = (0..QUEUES).find(|queue| self.attempts[*queue].as_mut().is_some_and(awaits));
            if let (Some(queue), true) = (queue, interface.is_some()) {
                self.attempts[queue] = None;
                self.finished.push_back((queue, 0));
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
        if self.ring.take(memory, &content(frame, &bytes, interface)) {
            self.events |= EVENT_RECEIVED;
        } else {
            self.overflowed += 1;
        }
    }
}

/// What lies in a buffer: three words, the frame, and its check sequence, at which the driver does not look.
fn content(frame: &RadioFrame, bytes: &[u8], interface: Option<u32>) -> Vec<u8> {
    let is_group = bytes.get(4).is_some_and(|first| first & 1 != 0);
    let length = (bytes.len() + FCS_BYTES) as u32 & 0xfff;
    let signal = (i16::from(frame.signal_dbm) - SIGNAL_ZERO_DBM).clamp(0, 127) as u32;
    let place = if interface == Some(1) { FOR_ACCESS_POINT } else { FOR_STATION | FROM_ACCESS_POINT };
    let group = if is_group { GROUP } else { 0 };
    let rate = airtime::code_of_rate(frame.rate_500_kbps);
    let words = [signal | rate << 8 | group | length << 16 | place, 0, u32::from(frame.channel & 0xf) << 16];
    let mut content: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    content.extend(bytes);
    content.extend([0; FCS_BYTES]);
    content
}

/// What a queue's registers say is to be sent, if they say *go*.
fn read_attempt(queue: usize, registers: &RegisterFile, memory: &Memory) -> Option<Attempt> {
    let word = registers.get(queue_register(queue) + 4);
    if word & GO != GO {
        return None;
    }
    let mut descriptor = DESCRIPTOR_BASE | word & DESCRIPTOR;
    let mut frame = Vec::new();
    for _ in 0..DESCRIPTORS_MAX {
        let [control, buffer, next] = [0, 4, 8].map(|n| memory.read_word(descriptor.wrapping_add(n)).unwrap_or(0));
        let begin = frame.len();
        frame.resize(begin + (control >> 12 & 0xfff) as usize, 0);
        memory.read_slice(buffer, &mut frame[begin..]).ok()?;
        if control >> 30 & 1 != 0 || next == 0 {
            break;
        }
        descriptor = next;
    }
    frame.truncate(frame.len().saturating_sub(FCS_BYTES));
    let is_group = Header::of(&frame)?.is_group();
    let rate = airtime::rate_of_code(registers.get(queue_register(queue) + 8) >> 12 & 0xf);
    Some(Attempt::new(frame, rate, word & ACKNOWLEDGED != 0 && !is_group))
}

fn queue_register(queue: usize) -> u32 {
    QUEUE - QUEUE_STEP * queue as u32
}

/// The queue whose descriptor register is at `offset`.
fn queue_at(offset: u32) -> Option<usize> {
    (0..QUEUES).find(|queue| queue_register(*queue) + 4 == offset)
}

/// Registers and interrupts. What touches memory has methods of its own: [`WifiMac::write_with_memory`], and
/// [`WifiMac::advance_with_memory`] at [`WifiMac::due`].
impl Device for WifiMac {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, now: Ticks) -> Read {
        match offset {
            EVENTS => Read::Value(self.events),
            RING_NEXT => Read::Value(self.ring.next),
            RING_LAST => Read::Value(self.ring.last),
            MICROSECONDS | COUNTER => Read::Value(self.counter_us(now) as u32),
            COUNTER_HIGH => Read::Value((self.counter_us(now) >> 32) as u32),
            // Configuration that the driver writes and reads back, and that changes nothing here.
            _ => Read::Stored,
        }
    }

    fn write(&mut self, _offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        Write::Stored
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.events & registers.get(EVENTS_ENABLED) != 0)
    }
}

#[cfg(test)]
mod tests;
