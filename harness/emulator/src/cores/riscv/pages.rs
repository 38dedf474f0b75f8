//! Between the hart and its fast path: what may be cached, and when it no longer holds.

use crate::cores::fast::{FastPath, Tables, page_of};
use crate::machine::access::AccessKind;
use crate::machine::chip::Tier;
use crate::machine::memory::{Memory, PAGE_BYTES};

use super::front_end::Code;
use super::hart::Hart;
use super::pmp::Wish;
use super::trigger::Occasion;

/// Beyond this many pages it is cheaper to forget all than to forget each.
const PAGES_FORGOTTEN_ONE_BY_ONE_MAX: u32 = 64;

impl Hart {
    /// The trace that begins at the program counter, made if need be. `None` if the plain interpreter must go on.
    pub(super) fn trace_here(&mut self, memory: &mut Memory) -> Option<u32> {
        if self.fast.tier() == Tier::Interpreter || self.triggers.armed(Occasion::Execute) {
            return None;
        }
        if let Some(trace) = self.fast.find(self.pc) {
            return Some(trace);
        }
        if self.stops.contains(self.pc) {
            return None;
        }
        let pc = self.pc;
        let (fast, code) = self.fast_path(memory);
        Some(fast.translate(pc, code))
    }

    /// Hands what was translated on to harts that come: this one is done.
    pub fn hand_on(&mut self, memory: &mut Memory) {
        let (fast, code) = self.fast_path(memory);
        fast.hand_on(code);
    }

    /// The fast path, and its front end.
    fn fast_path<'a>(
        &'a mut self,
        memory: &'a mut Memory,
    ) -> (&'a mut FastPath, impl FnOnce(&'a mut Tables) -> Code<'a>) {
        let Self { fast, pmp, privilege, stops, .. } = self;
        (fast, move |tables| Code { memory, tables, pmp, privilege: *privilege, stops, open: None })
    }

    /// After an access that direct memory answered: lets the next ones to the same page take the fast path, if nobody
    /// need see them.
    pub(super) fn open_page(&mut self, memory: &Memory, address: u32, kind: AccessKind) {
        let first = address & !(PAGE_BYTES - 1);
        let last = first | (PAGE_BYTES - 1);
        let (wish, occasion) = match kind {
            AccessKind::Load => (Wish::Read, Occasion::Load),
            AccessKind::Store => (Wish::Write, Occasion::Store),
        };
        let watched = self.watches.iter().any(|watch| watch.kind == kind && watch.first <= last && first <= watch.last);
        if watched
            || !self.fast.is_settled(memory)
            || self.triggers.may_fire(occasion, first, last)
            || self.pmp.uniform(self.privilege, wish, first, last) != Some(true)
        {
            return;
        }
        let Some((backing, access)) = memory.locate(address) else { return };
        self.fast.tables.open(memory, address, backing, access, kind);
    }

    /// The selected trigger watches something else now.
    pub(super) fn trigger_changed(&mut self) {
        let (first, last) = self.triggers.selected_range();
        let (first, last) = (page_of(first), page_of(last));
        if last - first > PAGES_FORGOTTEN_ONE_BY_ONE_MAX {
            self.fast.tables.clear();
            return;
        }
        for page in first..=last {
            self.fast.tables.forget(page);
        }
    }
}
