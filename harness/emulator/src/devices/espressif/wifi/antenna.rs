//! Between a MAC and the air: frames that leave and that arrive, and until when the air is taken. The same for every MAC of
//! this family.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::time::{TICKS_PER_US, Ticks, instant_of, ticks_at};
use super::header::{Header, acknowledgement};
use super::transmit::Attempt;
use super::{airtime, ccmp};
use crate::machine::chip::RadioFrame;
use crate::machine::registers::RegisterFile;

/// Frames under way to the antenna; more are lost, as they would be in a medium that is so crowded.
const ARRIVING_MAX: usize = 256;

/// The antenna.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Antenna {
    /// The channel that the front end is tuned to, as far as it is known.
    pub channel: u8,
    /// Frames on their way here, with the tick at which each is over.
    arriving: VecDeque<(Ticks, RadioFrame)>,
    /// Until when the air is taken, by others or by this chip.
    busy_until: Ticks,
    /// Frames that have left and that nobody has taken yet.
    pub output: Vec<RadioFrame>,
}

impl Antenna {
    /// A reset of the chip; what has left has left.
    pub fn reset(&mut self) {
        let output = std::mem::take(&mut self.output);
        *self = Self { output, busy_until: self.busy_until, ..Self::default() };
    }

    /// The frame of an attempt leaves as soon as the air is free, encrypted if it says so.
    pub fn start(&mut self, mut attempt: Attempt, registers: &RegisterFile, keys_valid: u32, now: Ticks) -> Attempt {
        let begins = now.max(self.busy_until) + airtime::DIFS_US * TICKS_PER_US;
        let frame = ccmp::seal(registers, keys_valid, std::mem::take(&mut attempt.frame));
        let ends = begins + airtime::airtime_us(attempt.rate_500_kbps, frame.len()) * TICKS_PER_US;
        self.emit(begins, attempt.rate_500_kbps, frame);
        attempt.under_way(ends)
    }

    /// The hardware acknowledges a frame that was over at `ends`.
    pub fn acknowledge(&mut self, frame: &RadioFrame, header: Header<'_>, ends: Ticks) {
        let rate = airtime::acknowledgement_rate(frame.rate_500_kbps);
        self.emit(ends + airtime::SIFS_US * TICKS_PER_US, rate, acknowledgement(header.transmitter()));
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
        if self.arriving.len() < ARRIVING_MAX && Header::of(&frame.bytes).is_some() {
            let at = self.arriving.iter().position(|(other, _)| *other > ends).unwrap_or(self.arriving.len());
            self.arriving.insert(at, (ends, frame));
        }
    }

    /// When the next frame is over.
    pub fn due(&self) -> Option<Ticks> {
        self.arriving.front().map(|(at, _)| *at)
    }

    /// The next frame that is over by `now`, with when it was.
    pub fn arrived(&mut self, now: Ticks) -> Option<(Ticks, RadioFrame)> {
        self.arriving.pop_front_if(|(at, _)| *at <= now)
    }
}
