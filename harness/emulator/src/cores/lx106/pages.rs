//! Where in memory's bytes an address is, remembered by the page.
//!
//! Windows begin and end at pages, so what was found for one address holds for its page until memory is mapped anew.

use crate::machine::memory::{Access, Memory, PAGE_BYTES, PAGE_SHIFT};

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
