//! The faults of one connection's streams, sorted out of the LAN's faults when the connection is opened.

use clock::{Duration, Instant};

use crate::{Cut, Direction, Fault, Teardown, Trigger};

/// The faults of a connection's streams.
#[derive(Debug, Default)]
pub(crate) struct StreamFaults {
    pub(crate) cuts: Vec<Cut>,
    pub(crate) segment_bytes_max: Option<usize>,
    pub(crate) drip: Option<(usize, Duration)>,
    stalls: Vec<Stall>,
    garbles: Vec<(Direction, u64, u8)>,
    read_bytes_max: Option<u64>,
    /// What has acted since this was last asked.
    acted: Vec<Fault>,
    has_stopped_reading: bool,
}

/// A silence of the service.
#[derive(Debug)]
struct Stall {
    after_bytes: u64,
    pause: Duration,
    /// Set once the silence has begun.
    until: Option<Instant>,
}

impl StreamFaults {
    /// Of `faults`, those that concern streams.
    pub(crate) fn new<'a>(faults: impl Iterator<Item = &'a Fault>, opened: Instant) -> Self {
        let mut all = Self::default();
        for fault in faults {
            match *fault {
                // A connection that was opened after the cut is not hit by it.
                Fault::Cut(Cut { when: Trigger::At(at), .. }) if at <= opened => {}
                Fault::Cut(cut) => all.cuts.push(cut),
                Fault::Segment { bytes_max } => all.segment_bytes_max = Some(bytes_max.max(1)),
                Fault::Drip { bytes, every } => all.drip = Some((bytes.max(1), every)),
                Fault::Stall { after_bytes, pause } => all.stalls.push(Stall { after_bytes, pause, until: None }),
                Fault::Garble { direction, at_byte, flip } => all.garbles.push((direction, at_byte, flip)),
                Fault::StopReading { after_bytes } => all.read_bytes_max = Some(after_bytes),
                _ => {}
            }
        }
        all
    }

    /// How the connection is cut at its first SYN.
    pub(crate) fn at_syn(&self) -> Option<Teardown> {
        self.cuts.iter().find(|cut| cut.when == Trigger::Syn).map(|cut| cut.how)
    }

    /// The messages at which the connection is cut.
    pub(crate) fn at_messages(&self) -> Vec<Trigger> {
        let moments = self.cuts.iter().map(|cut| cut.when);
        moments.filter(|when| matches!(when, Trigger::Before(_) | Trigger::After(_))).collect()
    }

    /// The next count of bytes, above `passed`, at which the stream is cut.
    pub(crate) fn next_cut_bytes(&self, way: Direction, passed: u64) -> Option<u64> {
        let counts = self.cuts.iter().filter_map(|cut| match cut.when {
            Trigger::Passed { direction, bytes } if direction == way && bytes > passed => Some(bytes),
            _ => None,
        });
        counts.min()
    }

    /// How many more bytes of the device the service reads, behind `heard` of them.
    pub(crate) fn readable(&mut self, heard: u64) -> u64 {
        let Some(after_bytes) = self.read_bytes_max else { return u64::MAX };
        let readable = after_bytes.saturating_sub(heard);
        if readable == 0 && !self.has_stopped_reading {
            self.has_stopped_reading = true;
            self.acted.push(Fault::StopReading { after_bytes });
        }
        readable
    }

    /// Until when the service says nothing behind `queued` of its bytes, if it falls silent there.
    pub(crate) fn stalled_until(&mut self, queued: u64, now: Instant) -> Option<Instant> {
        let mut latest = None;
        for stall in self.stalls.iter_mut().filter(|stall| stall.after_bytes == queued) {
            if stall.until.is_none() {
                self.acted.push(Fault::Stall { after_bytes: stall.after_bytes, pause: stall.pause });
            }
            latest = latest.max(Some(*stall.until.get_or_insert(now + stall.pause)));
        }
        latest
    }

    /// The next count of bytes, above `queued`, at which the service falls silent.
    pub(crate) fn next_stall_bytes(&self, queued: u64) -> Option<u64> {
        self.stalls.iter().map(|stall| stall.after_bytes).filter(|&at| at > queued).min()
    }

    /// What has acted since this was last asked.
    pub(crate) fn take_acted(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.acted)
    }

    /// Changes those of `bytes`, the first of which is byte `first_byte` of its stream, that are to be changed.
    pub(crate) fn garble(&mut self, way: Direction, first_byte: u64, bytes: &mut [u8]) {
        for &(direction, at_byte, flip) in &self.garbles {
            let index = at_byte.checked_sub(first_byte).and_then(|index| usize::try_from(index).ok());
            if let Some(byte) = index.filter(|_| direction == way).and_then(|index| bytes.get_mut(index)) {
                *byte ^= flip;
                self.acted.push(Fault::Garble { direction, at_byte, flip });
            }
        }
    }
}
