//! The SPI flash: 64 KiB pages that exist once they hold something, and what its commands do to them.

use serde::{Deserialize, Serialize};

use crate::machine::memory::{Memory, Store};

/// Bytes in a page of the flash cache's memory management unit.
pub(crate) const PAGE_BYTES: u32 = 0x1_0000;
/// Bytes in the smallest area that can be erased.
pub(crate) const SECTOR_BYTES: u32 = 0x1000;

/// A flash chip. Erased bytes read 0xFF.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Flash {
    size_bytes: u32,
    pages: Vec<Option<(Store, u32)>>,
}

impl Flash {
    /// An erased chip of `size_bytes`, rounded up to pages.
    pub fn new(size_bytes: u32) -> Self {
        let pages = size_bytes.div_ceil(PAGE_BYTES);
        Self { size_bytes: pages * PAGE_BYTES, pages: vec![None; pages as usize] }
    }

    /// Whether all pages that exist lie in one of the first `stores` stores of a memory, and none is cut.
    pub fn lies_in(&self, stores: usize) -> bool {
        self.size_bytes as usize == self.pages.len() * PAGE_BYTES as usize
            && self
                .pages
                .iter()
                .flatten()
                .all(|(store, offset)| store.is_below(stores) && offset.is_multiple_of(PAGE_BYTES))
    }

    /// How much the chip holds.
    pub fn size_bytes(&self) -> u32 {
        self.size_bytes
    }

    /// Makes `count` pages from `first` exist in one stretch of memory, erased, if none of them exists yet.
    pub fn reserve(&mut self, memory: &mut Memory, first: u32, count: u32) {
        let range = first as usize..(first + count).min(self.pages.len() as u32) as usize;
        if range.is_empty() || self.pages[range.clone()].iter().any(Option::is_some) {
            return;
        }
        let bytes = range.len() * PAGE_BYTES as usize;
        let store = memory.add_store(bytes as u32);
        memory.write_store(store, 0, &vec![0xff; bytes]);
        for (n, page) in self.pages[range].iter_mut().enumerate() {
            *page = Some((store, n as u32 * PAGE_BYTES));
        }
    }

    /// Where page `n` lies in memory; it comes to exist if it did not. `None` if the chip is smaller.
    pub fn page(&mut self, memory: &mut Memory, n: u32) -> Option<(Store, u32)> {
        self.pages.get(n as usize)?;
        self.reserve(memory, n, 1);
        self.pages[n as usize]
    }

    /// What it holds, up to the last byte that is not erased.
    pub fn content(&self, memory: &Memory) -> Vec<u8> {
        let mut bytes = self.pages_of(memory, self.pages.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        let used = bytes.iter().rposition(|byte| *byte != 0xff).map_or(0, |last| last + 1);
        bytes.truncate(used);
        bytes
    }

    /// All that it holds.
    pub fn whole(&self, memory: &Memory) -> Vec<u8> {
        self.pages_of(memory, self.pages.len())
    }

    /// What the first `pages` pages hold.
    fn pages_of(&self, memory: &Memory, pages: usize) -> Vec<u8> {
        let mut bytes = vec![0xff; pages * PAGE_BYTES as usize];
        for (chunk, page) in bytes.chunks_mut(PAGE_BYTES as usize).zip(&self.pages) {
            if let Some((store, offset)) = page {
                let from = *offset as usize;
                chunk.copy_from_slice(&memory.store_bytes(*store)[from..from + PAGE_BYTES as usize]);
            }
        }
        bytes
    }

    /// Reads; what lies beyond the chip reads as erased.
    pub fn read(&self, memory: &Memory, address: u32, bytes: &mut [u8]) {
        for (n, byte) in bytes.iter_mut().enumerate() {
            let address = address.wrapping_add(n as u32);
            *byte = match self.pages.get((address / PAGE_BYTES) as usize) {
                Some(Some((store, offset))) => memory.store_bytes(*store)[(offset + address % PAGE_BYTES) as usize],
                _ => 0xff,
            };
        }
    }

    /// Programs: bits can only be cleared. What lies beyond the chip is lost.
    pub fn program(&mut self, memory: &mut Memory, address: u32, bytes: &[u8]) {
        let mut present = vec![0; bytes.len()];
        self.read(memory, address, &mut present);
        let programmed: Vec<u8> = present.iter().zip(bytes).map(|(old, new)| old & new).collect();
        self.overwrite(memory, address, &programmed);
    }

    /// Erases `length` bytes.
    pub fn erase(&mut self, memory: &mut Memory, address: u32, length: u32) {
        let end = address.saturating_add(length).min(self.size_bytes);
        let mut at = address;
        while at < end {
            let run = (PAGE_BYTES - at % PAGE_BYTES).min(end - at);
            if self.pages[(at / PAGE_BYTES) as usize].is_some() {
                self.overwrite(memory, at, &vec![0xff; run as usize]);
            }
            at += run;
        }
    }

    /// Sets bytes whatever they were, as a loader does.
    pub fn overwrite(&mut self, memory: &mut Memory, address: u32, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32);
            let Some((store, offset)) = self.page(memory, at / PAGE_BYTES) else { return };
            let run = ((PAGE_BYTES - at % PAGE_BYTES) as usize).min(bytes.len() - done);
            memory.write_store(store, offset + at % PAGE_BYTES, &bytes[done..done + run]);
            done += run;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programming_clears_bits_and_erasing_sets_them() {
        let (mut memory, mut flash) = (Memory::new(), Flash::new(4 << 20));
        let read = |flash: &Flash, memory: &Memory, address| {
            let mut bytes = [0; 2];
            flash.read(memory, address, &mut bytes);
            bytes
        };
        assert_eq!(read(&flash, &memory, 0xffff), [0xff, 0xff]);
        flash.program(&mut memory, 0xffff, &[0x0f, 0xf0]);
        flash.program(&mut memory, 0xffff, &[0x3c, 0xff]);
        assert_eq!(read(&flash, &memory, 0xffff), [0x0c, 0xf0]);
        flash.erase(&mut memory, 0xf000, SECTOR_BYTES);
        assert_eq!(read(&flash, &memory, 0xffff), [0xff, 0xf0]);
        flash.program(&mut memory, 4 << 20, &[0]);
        assert_eq!(read(&flash, &memory, 4 << 20), [0xff, 0xff], "beyond the chip");
    }
}
