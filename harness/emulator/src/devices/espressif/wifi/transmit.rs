//! The transmit queues: one attempt each time the driver says *go*. Retries are the driver's.

use serde::{Deserialize, Serialize};

use super::super::gdma;
use super::super::time::{TICKS_PER_US, Ticks};
use super::airtime::{self, FCS_BYTES};
use super::header::Header;
use crate::machine::memory::Memory;
use crate::machine::registers::RegisterFile;

/// Queues that there are.
pub(super) const QUEUES: usize = 11;
/// The first queue's PLCP0; the others are below it, two words apart.
const PLCP0: u32 = 0xd08;
const PLCP0_STEP: u32 = 8;
/// PLCP0: go; an acknowledgement is expected.
const GO: u32 = 0b11 << 30;
const ACKNOWLEDGED: u32 = 1 << 24;
/// The first queue's PLCP1 and result; the others are below them. PLCP1 is what `mac_tx_set_plcp1` of Espressif's libpp writes:
/// length (bits 11 to 0), rate (16 to 12), 802.11n (25).
const PLCP1: u32 = 0x12f8;
const RATE_SHIFT: u32 = 12;
const RATE_MASK: u32 = 0x1f;
const RESULT: u32 = 0x1320;
const QUEUE_STEP: u32 = 76;
/// Result: bits 15 to 12. 0 is success.
const STATUS_MASK: u32 = 0xf000;
/// Result: how many of the frames that were to follow in the same transmit opportunity ([`OPPORTUNITIES`]) were sent and
/// acknowledged. None ever is: what is left over the driver sends by itself, as after an opportunity that was too short.
const FOLLOWED_MASK: u32 = 0xf000_0000;
/// Three tables of up to fifteen frames that may follow one in its transmit opportunity: bits 19 to 0 descriptor, 31 to 20
/// length. That there are any stands in bits 27 to 24 of the word before the result, and which table in bits 29 and 28.
pub(super) const OPPORTUNITIES: core::ops::RangeInclusive<u32> = 0x1340..=0x13ff;
const NO_ACKNOWLEDGEMENT: u32 = 5 << 12;
const LENGTH_SHIFT: u32 = 12;
const LENGTH_MASK: u32 = 0xfff;
/// How much later than it has to an acknowledgement may be over: a slot, and the receiver's own delay.
const PATIENCE_US: u64 = airtime::SLOT_US + 20;

/// An attempt to send a frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// As the driver handed it over, until it is under way.
    pub frame: Vec<u8>,
    pub rate_500_kbps: u8,
    expects_acknowledgement: bool,
    /// When the frame is over on the air.
    ends: Ticks,
    /// When it is decided.
    due: Ticks,
}

/// The queue whose PLCP0 is at `offset`.
pub(super) fn queue_of_plcp0(offset: u32) -> Option<usize> {
    let below = PLCP0.checked_sub(offset).filter(|below| below % PLCP0_STEP == 0)?;
    Some((below / PLCP0_STEP) as usize).filter(|queue| *queue < QUEUES)
}

impl Attempt {
    /// What the driver wants to be sent, if it says *go*.
    pub fn read(queue: usize, plcp0: u32, registers: &RegisterFile, memory: &Memory) -> Option<Self> {
        if plcp0 & GO != GO {
            return None;
        }
        let descriptor = gdma::whole_address(plcp0);
        let control = memory.read_word(descriptor).ok()?;
        let buffer = memory.read_word(descriptor.wrapping_add(4)).ok()?;
        let length = (control >> LENGTH_SHIFT & LENGTH_MASK) as usize;
        let mut frame = vec![0; length];
        memory.read_slice(buffer, &mut frame).ok()?;
        frame.truncate(length.saturating_sub(FCS_BYTES));
        let header = Header::of(&frame)?;
        let expects_acknowledgement = plcp0 & ACKNOWLEDGED != 0 && !header.is_group();
        let plcp1 = registers.get(PLCP1 - QUEUE_STEP * queue as u32);
        let rate_500_kbps = airtime::rate_of_code(plcp1 >> RATE_SHIFT & RATE_MASK);
        Some(Self::new(frame, rate_500_kbps, expects_acknowledgement))
    }

    /// What is to be sent, at which rate.
    pub fn new(frame: Vec<u8>, rate_500_kbps: u8, expects_acknowledgement: bool) -> Self {
        Self { frame, rate_500_kbps, expects_acknowledgement, ends: 0, due: 0 }
    }

    /// Whether it is over only when somebody says that the frame came.
    pub fn expects_acknowledgement(&self) -> bool {
        self.expects_acknowledgement
    }

    /// The attempt, once its frame is under way until `ends`.
    pub fn under_way(self, ends: Ticks) -> Self {
        let slowest = if airtime::is_dsss(self.rate_500_kbps) { 2 } else { 12 };
        let wait_us = if self.expects_acknowledgement {
            airtime::SIFS_US + airtime::airtime_us(slowest, airtime::ACKNOWLEDGEMENT_OCTETS) + PATIENCE_US
        } else {
            0
        };
        Self { ends, due: ends + wait_us * TICKS_PER_US, ..self }
    }

    pub fn due(&self) -> Ticks {
        self.due
    }

    /// Whether an acknowledgement that is over at `at` is this frame's.
    pub fn is_acknowledged_at(&self, at: Ticks) -> bool {
        self.expects_acknowledgement && (self.ends..=self.due).contains(&at)
    }

    /// Writes down how it went.
    pub fn finish(self, queue: usize, registers: &mut RegisterFile, acknowledged: bool) {
        let failed = self.expects_acknowledgement && !acknowledged;
        let result = RESULT - QUEUE_STEP * queue as u32;
        let status = if failed { NO_ACKNOWLEDGEMENT } else { 0 };
        registers.set(result, registers.get(result) & !(STATUS_MASK | FOLLOWED_MASK) | status);
        let plcp0 = PLCP0 - PLCP0_STEP * queue as u32;
        registers.set(plcp0, registers.get(plcp0) & !GO);
    }
}
