//! Pre-decoded code, taken out of one memory and recognised in another.

use super::{CodeMap, Memory, PAGE_BYTES, PAGE_SHIFT};

/// Which bytes a core has decoded, and what they were: all of them, page by page.
pub(crate) struct Decoded {
    pages: Vec<Page>,
}

struct Page {
    /// Its number in the backing bytes.
    number: u32,
    /// Which halfwords were decoded.
    map: Box<CodeMap>,
    /// All of its bytes, those that were not decoded too.
    bytes: Box<[u8; PAGE_BYTES as usize]>,
}

impl Page {
    /// Whether every halfword that was decoded is the same in these bytes.
    fn is_in(&self, bytes: &[u8]) -> bool {
        let differs = |n: usize| self.bytes[2 * n..2 * n + 2] != bytes[2 * n..2 * n + 2];
        let is_decoded = |n: usize| self.map[n / 64] >> (n % 64) & 1 != 0;
        bytes == *self.bytes || !(0..self.bytes.len() / 2).any(|n| is_decoded(n) && differs(n))
    }
}

impl Decoded {
    /// The pages, by where they begin in the backing bytes.
    pub(crate) fn pages(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().map(|page| page.number << PAGE_SHIFT)
    }

    /// What it takes of the host's memory, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.pages.len() * (size_of::<Page>() + size_of::<CodeMap>() + PAGE_BYTES as usize)
    }
}

impl Memory {
    /// What was decoded; `None` if some of that was overwritten since.
    pub(crate) fn decoded(&self) -> Option<Decoded> {
        let page = |&number: &u32| {
            let bytes = self.page(number)?.try_into().ok()?;
            Some(Page { number, map: self.code[number as usize].clone()?, bytes: Box::new(bytes) })
        };
        let pages = if self.code_is_stale { None } else { self.code_pages.iter().map(page).collect::<Option<_>>() };
        pages.map(|pages| Decoded { pages })
    }

    /// Whether all that was decoded is here, at the same places of the backing bytes.
    pub(crate) fn has(&self, decoded: &Decoded) -> bool {
        decoded.pages.iter().all(|page| self.page(page.number).is_some_and(|bytes| page.is_in(bytes)))
    }

    /// Remembers that this was decoded. It [is here](Self::has).
    pub(crate) fn mark_decoded(&mut self, decoded: Decoded) {
        for Page { number, map, .. } in decoded.pages {
            match &mut self.code[number as usize] {
                Some(ours) => ours.iter_mut().zip(&*map).for_each(|(ours, theirs)| *ours |= theirs),
                none => {
                    *none = Some(map);
                    self.code_pages.push(number);
                }
            }
        }
    }

    /// The bytes of a page of the backing bytes.
    fn page(&self, number: u32) -> Option<&[u8]> {
        let first = (number as usize) << PAGE_SHIFT;
        self.backing.get(first..first + PAGE_BYTES as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::memory::{Access, Window};

    const ADDRESS: u32 = 0x1000;

    /// Two pages in RAM, of which some halfwords were decoded.
    fn memory() -> Memory {
        let mut memory = Memory::new();
        let store = memory.add_store(2 * PAGE_BYTES);
        let window =
            Window { address: ADDRESS, length: 2 * PAGE_BYTES, store, offset: 0, access: Access::READ_WRITE_EXECUTE };
        memory.map(window).unwrap();
        memory.write_store(store, 0, &[1, 2, 3, 4, 5, 6, 7, 8]);
        memory
    }

    #[test]
    fn only_what_was_decoded_has_to_be_the_same() {
        let mut memory = memory();
        memory.mark_code(2, 4);
        memory.mark_code(PAGE_BYTES + 8, 2);
        let decoded = memory.decoded().unwrap();
        assert!(decoded.pages().eq([0, PAGE_BYTES]));
        assert!(memory.has(&decoded));
        for (offset, is_decoded) in [(0, false), (1, false), (2, true), (5, true), (6, false), (0x408, true)] {
            let mut other = self::memory();
            assert!(other.has(&decoded));
            let mut byte = [0];
            other.read_slice(ADDRESS + offset, &mut byte).unwrap();
            other.write_slice(ADDRESS + offset, &[!byte[0]]).unwrap();
            assert_eq!(other.has(&decoded), !is_decoded, "{offset}");
        }
        assert!(!Memory::new().has(&decoded), "there is no such page");
    }

    #[test]
    fn what_was_overwritten_is_nobodys() {
        let mut memory = memory();
        memory.mark_code(2, 4);
        memory.write_word(ADDRESS + 4, 0).unwrap();
        assert!(memory.decoded().is_none());
    }

    #[test]
    fn it_is_code_where_it_is_marked() {
        let mut memory = memory();
        memory.mark_code(2, 4);
        let decoded = memory.decoded().unwrap();
        let mut other = self::memory();
        other.mark_code(6, 2);
        other.mark_decoded(decoded);
        assert!(other.page_has_code(0) && !other.page_has_code(PAGE_BYTES));
        other.write_slice(ADDRESS, &[9, 9]).unwrap();
        assert!(!other.code_is_stale());
        let mut again = self::memory();
        again.mark_decoded(other.decoded().unwrap());
        for address in [2, 4, 6] {
            again.code_is_stale = false;
            again.write_slice(ADDRESS + address, &[9]).unwrap();
            assert!(again.code_is_stale(), "{address}");
        }
        again.forget_code();
        assert!(!again.page_has_code(0));
    }
}
