//! Page tables of the fast path: where the host keeps the pages that loads and stores may touch freely.
//!
//! They are filled when the plain interpreter has accessed a page, and hold a page only if every access to it is
//! allowed, watched by nobody, and (for stores) cannot hit pre-decoded code. Being caches, they may be emptied at any
//! time.

use translate::memory::PAGE_COUNT;
pub(super) use translate::memory::{Page, READS, WRITES};

use crate::machine::access::AccessKind;
use crate::machine::memory::{Access, Decoded, Memory, PAGE_BYTES, PAGE_SHIFT};

const _: () = assert!(PAGE_SHIFT == translate::memory::PAGE_SHIFT, "one page table serves all tiers");

/// When pages are noted more often, notes of the same page are made one. Larger than any chip's memory has pages.
const NOTES_MAX: usize = 1 << 16;

/// The number of the page that holds an address.
#[inline(always)]
pub(in crate::cores) const fn page_of(address: u32) -> u32 {
    address >> PAGE_SHIFT
}

/// The pages by number: all there can be, of which the host gives memory only to the parts in use.
///
/// It is one allocation of 32 MiB because of glibc, which maps so large a one afresh each time. Smaller ones it takes
/// from the heap once one has been freed, and then zeroes them by hand.
pub(in crate::cores) struct Tables {
    pages: Vec<Page>,
    filled: Vec<u32>,
}

impl Tables {
    pub(in crate::cores) fn new() -> Self {
        Self { pages: vec![[0; 2]; PAGE_COUNT], filled: Vec::new() }
    }

    /// Lets accesses of this kind to the page of `address` through, of which every byte may be accessed so, watched by nobody:
    /// unless its window forbids them, or stores could hit code. `backing` is where the backing bytes hold `address`.
    pub(in crate::cores) fn open(
        &mut self,
        memory: &Memory,
        address: u32,
        backing: u32,
        access: Access,
        kind: AccessKind,
    ) {
        let which = match kind {
            AccessKind::Load if access.read => READS,
            AccessKind::Store if access.write && !memory.page_has_code(backing) => WRITES,
            _ => return,
        };
        self.pages[page_of(address) as usize][which] = entry(address, backing);
        self.note(page_of(address));
    }

    /// Remembers that so many bytes of code were read at this place of the backing bytes, all in one page, and lets no store
    /// to that through.
    pub(in crate::cores) fn close_for_code(&mut self, memory: &mut Memory, backing: u32, bytes: u32) {
        if memory.mark_code(backing, bytes) {
            for alias in memory.writable_aliases(backing >> PAGE_SHIFT << PAGE_SHIFT) {
                self.forget_writes(page_of(alias));
            }
        }
    }

    /// Remembers that all this was decoded, and lets no store to any of it through.
    pub(super) fn close_for_decoded(&mut self, memory: &mut Memory, decoded: Decoded) {
        for page in decoded.pages() {
            for alias in memory.writable_aliases(page) {
                self.forget_writes(page_of(alias));
            }
        }
        memory.mark_decoded(decoded);
    }

    /// Forgets a page.
    pub(in crate::cores) fn forget(&mut self, page: u32) {
        self.pages[page as usize] = [0; 2];
    }

    fn forget_writes(&mut self, page: u32) {
        self.pages[page as usize][WRITES] = 0;
    }

    /// Forgets every page.
    pub(in crate::cores) fn clear(&mut self) {
        for page in self.filled.drain(..) {
            self.pages[page as usize] = [0; 2];
        }
    }

    fn note(&mut self, page: u32) {
        // A page that comes and goes is noted each time.
        if self.filled.len() > NOTES_MAX {
            self.filled.sort_unstable();
            self.filled.dedup();
        }
        self.filled.push(page);
    }

    pub(super) fn as_ptr(&self) -> *const Page {
        self.pages.as_ptr()
    }
}

/// One more than what added to a guest address gives an offset into the backing bytes. Both are multiples of the page
/// size, so the sum is never zero, which stands for "not here".
const fn entry(address: u32, offset: u32) -> u32 {
    (offset & !(PAGE_BYTES - 1)).wrapping_sub(address & !(PAGE_BYTES - 1)) | 1
}
