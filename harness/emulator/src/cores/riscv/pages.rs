//! Between the hart and its fast path: what may be cached, and when it no longer holds.

use crate::machine::access::AccessKind;
use crate::machine::chip::Tier;
use crate::machine::memory::{Memory, PAGE_BYTES, PAGE_SHIFT};
use crate::machine::stops::Stops;

use super::fast::{Source, Tables, page_of};
use super::hart::Hart;
use super::pmp::{Pmp, Wish};
use super::trap::Privilege;
use super::trigger::Occasion;

/// Beyond this many pages it is cheaper to forget all than to forget each.
const PAGES_FORGOTTEN_ONE_BY_ONE_MAX: u32 = 64;

impl Hart {
    /// The trace that begins at the program counter, made if need be. `None` if the plain interpreter must go on.
    pub(super) fn trace_here(&mut self, memory: &mut Memory) -> Option<u32> {
        if self.tier == Tier::Interpreter || self.triggers.armed(Occasion::Execute) {
            return None;
        }
        if let Some(trace) = self.translations.find(self.pc) {
            return Some(trace);
        }
        if self.stops.contains(self.pc) {
            return None;
        }
        let Self { translations, tables, pmp, privilege, stops, pc, tier, .. } = self;
        let mut source = Code { memory, tables, pmp, privilege: *privilege, stops, open: None };
        translations.translate(*pc, &mut source, *tier == Tier::HostCode)
    }

    /// Drops what was cached if its grounds are gone; `true` if traces were dropped.
    pub(super) fn settle_memory(&mut self, memory: &mut Memory) -> bool {
        let remapped = self.mapping_version != memory.mapping_version();
        let void = remapped || self.translations_are_void || memory.code_is_stale() || self.translations.is_full();
        if void {
            self.mapping_version = memory.mapping_version();
            self.translations_are_void = false;
            self.tables.clear();
            self.translations.clear();
            memory.forget_code();
        }
        void
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
            || self.mapping_version != memory.mapping_version()
            || self.triggers.may_fire(occasion, first, last)
            || self.pmp.uniform(self.privilege, wish, first, last) != Some(true)
        {
            return;
        }
        let Some((backing, access)) = memory.locate(address) else { return };
        match kind {
            AccessKind::Load if access.read => self.tables.allow_reads(address, backing),
            AccessKind::Store if access.write && !memory.page_has_code(backing) => {
                self.tables.allow_writes(address, backing);
            }
            _ => {}
        }
    }

    /// The selected trigger watches something else now.
    pub(super) fn trigger_changed(&mut self) {
        let (first, last) = self.triggers.selected_range();
        let (first, last) = (page_of(first), page_of(last));
        if last - first > PAGES_FORGOTTEN_ONE_BY_ONE_MAX {
            self.tables.clear();
            return;
        }
        for page in first..=last {
            self.tables.forget(page);
        }
    }
}

/// Direct memory as the translator sees it.
struct Code<'a> {
    memory: &'a mut Memory,
    tables: &'a mut Tables,
    pmp: &'a Pmp,
    privilege: Privilege,
    stops: &'a Stops,
    /// A page of which all may be executed: its number, and where the backing bytes hold it.
    open: Option<(u32, u32)>,
}

impl Code<'_> {
    /// Where the backing bytes hold a parcel that may be executed.
    fn locate(&mut self, address: u32) -> Option<u32> {
        let page = page_of(address);
        if let Some((open, backing)) = self.open
            && open == page
        {
            return Some(backing + address % PAGE_BYTES);
        }
        let (backing, access) = self.memory.locate(address)?;
        if !access.execute {
            return None;
        }
        let first = page << PAGE_SHIFT;
        if self.pmp.uniform(self.privilege, Wish::Execute, first, first | (PAGE_BYTES - 1)) == Some(true) {
            self.open = Some((page, backing - address % PAGE_BYTES));
        } else if !self.pmp.allows(self.privilege, Wish::Execute, address, 2) {
            return None;
        }
        Some(backing)
    }
}

impl Source for Code<'_> {
    fn parcel(&mut self, address: u32) -> Option<u16> {
        let backing = self.locate(address)?;
        let parcel = self.memory.parcel(backing);
        if self.memory.mark_code(backing) {
            for alias in self.memory.writable_aliases(backing >> PAGE_SHIFT << PAGE_SHIFT) {
                self.tables.forget_writes(page_of(alias));
            }
        }
        Some(parcel)
    }

    fn stops_at(&self, address: u32) -> bool {
        self.stops.contains(address)
    }
}
