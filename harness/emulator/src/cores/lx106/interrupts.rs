//! Interrupts: which inputs are pending, and when one is taken.
//!
//! (The ISA manual, section "Interrupt Option" and those after it.) The LX106 has 15 inputs; 14 of them are of level 1.

use super::bus::Bus;
use super::core::{Lx106, Stop};
use super::exception::{Cause, Exception, Vector};
use super::special::{PS_EXCM, PS_INTLEVEL};

/// Inputs 0 to 5 are pending while they are high.
const LEVEL: u32 = 0x3f;
/// Input 6 is CCOUNT reaching CCOMPARE0.
const TIMER: u32 = 1 << 6;
/// Input 7 is software's.
pub(super) const SOFTWARE: u32 = 1 << 7;
/// Inputs 8 to 13 are pending from when they rise.
const EDGE: u32 = 0x3f00;
/// Input 14 is the NMI.
const NMI: u32 = 1 << 14;
const NMI_LEVEL: u32 = 3;
/// What INTCLEAR clears.
pub(super) const CLEARABLE: u32 = EDGE | SOFTWARE;
/// The interrupts of level 1.
const LEVEL_1: u32 = LEVEL | TIMER | SOFTWARE | EDGE;

impl Lx106 {
    /// The interrupts of level 1 that are pending and enabled.
    pub fn pending_interrupts(&self) -> u32 {
        self.pending & self.enabled & LEVEL_1
    }

    /// CCOUNT: cycles, from where software has set it.
    pub(super) fn ccount(&self) -> u32 {
        (self.cycle as u32).wrapping_add(self.ccount_offset)
    }

    pub(super) fn set_ccount(&mut self, value: u32) {
        self.ccount_offset = value.wrapping_sub(self.cycle as u32);
        self.settle_timer();
    }

    /// A new comparison takes back the interrupt of the last one.
    pub(super) fn set_ccompare(&mut self, value: u32) {
        self.ccompare = value;
        self.pending &= !TIMER;
        self.settle_timer();
    }

    /// When CCOUNT reaches CCOMPARE0 next.
    fn settle_timer(&mut self) {
        let distance = self.ccompare.wrapping_sub(self.ccount());
        self.timer_due = self.cycle + if distance == 0 { 1 << 32 } else { u64::from(distance) };
    }

    /// Looks at interrupts where they may have changed, enters the one that is due, and sleeps if asleep.
    pub(super) fn settle_interrupts(&mut self, bus: &mut dyn Bus, until_cycle: u64) -> Option<Stop> {
        loop {
            self.look(bus);
            if self.pending & NMI != 0 {
                self.pending &= !NMI;
                self.waiting = false;
                self.enter_high_priority(NMI_LEVEL, Vector::Nmi);
                // Nothing masks the next one.
                continue;
            }
            if self.pending_interrupts() != 0 && self.ps & (PS_INTLEVEL | PS_EXCM) == 0 {
                self.waiting = false;
                self.enter_exception(Exception::new(Cause::Level1Interrupt, self.pc));
                self.attention = false;
            }
            if !self.waiting {
                return None;
            }
            // A timer that nobody has enabled wakes nobody.
            let timer = if self.enabled & TIMER != 0 { self.timer_due } else { u64::MAX };
            let next = self.next_event_cycle.min(timer);
            if next >= until_cycle || next <= self.cycle {
                return Some(Stop::WaitForInterrupt);
            }
            self.skip_to(next);
        }
    }

    fn look(&mut self, bus: &mut dyn Bus) {
        if !self.attention && self.cycle < self.next_event_cycle.min(self.timer_due) {
            return;
        }
        self.attention = false;
        let lines = bus.interrupts(self.cycle);
        self.pending = self.pending & !LEVEL | lines.levels & LEVEL | lines.edges & (EDGE | NMI);
        self.next_event_cycle = bus.next_event_cycle(self.cycle);
        if self.cycle >= self.timer_due {
            self.pending |= TIMER;
            // It may have come several times while the core slept.
            self.timer_due += (((self.cycle - self.timer_due) >> 32) + 1) << 32;
        }
    }
}
