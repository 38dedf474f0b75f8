//! What is remembered by the page: where in memory's bytes an address is, for the plain interpreter, and which pages the fast
//! path may touch.
//!
//! Windows begin and end at pages, so what was found for one address holds for its page until memory is mapped anew.

use crate::cores::fast::{FastPath, Tables};
use crate::machine::access::AccessKind;
use crate::machine::chip::Tier;
use crate::machine::memory::{Access, Memory, PAGE_BYTES, PAGE_SHIFT};

use super::core::Lx106;
use super::front_end::Code;

const PLACES: usize = 256;
const NONE: Access = Access { read: false, write: false, execute: false };

#[derive(Clone, Copy)]
struct Place {
    page: u32,
    backing: u32,
    access: Access,
}

/// The pages that were last looked up; two that share a place displace each other.
pub(super) struct Pages {
    places: Box<[Place; PLACES]>,
    mapping_version: u64,
}

impl Pages {
    pub fn new() -> Self {
        // No address is in this page.
        let place = Place { page: u32::MAX, backing: 0, access: NONE };
        Self { places: Box::new([place; PLACES]), mapping_version: 0 }
    }

    /// Where memory's bytes hold `address`, and what may be done there; nothing may where nothing is.
    #[inline]
    pub fn find(&mut self, memory: &Memory, address: u32) -> (u32, Access) {
        if self.mapping_version != memory.mapping_version() {
            self.mapping_version = memory.mapping_version();
            self.places.iter_mut().for_each(|place| place.page = u32::MAX);
        }
        let page = address >> PAGE_SHIFT;
        let place = &mut self.places[page as usize % PLACES];
        if place.page != page {
            let (backing, access) = memory.locate(page << PAGE_SHIFT).unwrap_or((0, NONE));
            *place = Place { page, backing, access };
        }
        (place.backing + address % PAGE_BYTES, place.access)
    }
}

impl Lx106 {
    /// The trace that begins at the program counter, made if need be. `None` where the core has to stop.
    pub(super) fn trace_here(&mut self, memory: &mut Memory) -> Option<u32> {
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

    /// Hands what was translated on to cores that come: this one is done.
    pub fn hand_on(&mut self, memory: &mut Memory) {
        let (fast, code) = self.fast_path(memory);
        fast.hand_on(code);
    }

    /// The fast path, and its front end.
    fn fast_path<'a>(
        &'a mut self,
        memory: &'a mut Memory,
    ) -> (&'a mut FastPath, impl FnOnce(&'a mut Tables) -> Code<'a>) {
        let (literals_are_relative, literals_are_known) = (self.litbase & 1 == 0, self.watches.is_empty());
        let Self { fast, decoder, stops, .. } = self;
        (fast, move |tables| Code { memory, tables, decoder, stops, literals_are_relative, literals_are_known })
    }

    /// After an access that direct memory answered: lets the next ones to the same page take the fast path, if nobody
    /// need see them.
    pub(super) fn open_page(&mut self, memory: &Memory, address: u32, kind: AccessKind) {
        if self.fast.tier() == Tier::Interpreter || !self.fast.is_settled(memory) {
            return;
        }
        let first = address & !(PAGE_BYTES - 1);
        let last = first | (PAGE_BYTES - 1);
        if self.watches.iter().any(|watch| watch.kind == kind && watch.first <= last && first <= watch.last) {
            return;
        }
        let (backing, access) = self.pages.find(memory, address);
        self.fast.tables.open(memory, address, backing, access, kind);
    }
}
