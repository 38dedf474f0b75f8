//! Direct memory: what loads, stores and fetches reach without the bus.
//!
//! Bytes live in *stores* (a chip's SRAM, its ROM, its flash). *Windows* show a stretch of a store at a guest address;
//! several windows may show the same bytes, as IRAM and DRAM do on the ESP32-C3, and a window may be mapped and
//! unmapped while the chip runs, as its flash pages are.
//!
//! Memory remembers which bytes a hart has pre-decoded. Every write to them, from the hart or from outside, through
//! whichever window, is noted, and the hart drops what it had decoded.
//!
//! It does not know who accesses it, nor privilege: permissions here are what the wires can do, and the hart's PMP
//! comes on top.

mod decoded;

use serde::{Deserialize, Serialize};

pub(crate) use decoded::Decoded;

/// Guest addresses and store offsets of windows are multiples of this.
///
/// Small enough for the boundaries in the map of the ESP32-C3, large enough for the page tables of the hart to stay
/// small.
pub const PAGE_BYTES: u32 = 1 << PAGE_SHIFT;
pub(crate) const PAGE_SHIFT: u32 = 10;

/// Halfwords in a page: code is remembered by the halfword, so that data beside it stays data.
const PAGE_HALFWORDS: usize = PAGE_BYTES as usize / 2;

const ZEROES: [u8; PAGE_BYTES as usize] = [0; PAGE_BYTES as usize];

/// One bit for each halfword of a page that holds pre-decoded code.
type CodeMap = [u64; PAGE_HALFWORDS / 64];

/// What may be done through a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Loads hit it.
    pub read: bool,
    /// Stores hit it. Stores to a window that is not writable go to the bus, which may fault or take note.
    pub write: bool,
    /// Instructions can be fetched from it.
    pub execute: bool,
}

impl Access {
    /// Data RAM.
    pub const READ_WRITE: Self = Self { read: true, write: true, execute: false };
    /// RAM on the instruction bus.
    pub const READ_WRITE_EXECUTE: Self = Self { read: true, write: true, execute: true };
    /// ROM, flash on the instruction bus.
    pub const READ_EXECUTE: Self = Self { read: true, write: false, execute: true };
    /// Flash on the data bus.
    pub const READ: Self = Self { read: true, write: false, execute: false };
}

/// Names a store of bytes inside one [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Store(usize);

impl Store {
    pub(crate) fn is_below(self, count: usize) -> bool {
        self.0 < count
    }
}

/// A stretch of a store, shown at a guest address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First guest address.
    pub address: u32,
    /// Bytes shown.
    pub length: u32,
    /// Whose bytes.
    pub store: Store,
    /// Where in the store the window begins, in bytes.
    pub offset: u32,
    /// What may be done through it.
    pub access: Access,
}

/// Why a window cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// Address, length or offset is not a multiple of [`PAGE_BYTES`], or the length is zero.
    NotPages,
    /// The window reaches past the end of its store or of the address space.
    OutOfRange,
}

impl core::fmt::Display for MapError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotPages => {
                write!(f, "a window's address, length and offset must be multiples of {PAGE_BYTES} bytes")
            }
            Self::OutOfRange => write!(f, "the window reaches past the end of its store or of the address space"),
        }
    }
}

impl core::error::Error for MapError {}

/// A guest address that no window shows (or not with the access asked for).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDirect {
    /// The first such address.
    pub address: u32,
}

impl core::fmt::Display for NotDirect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#010x} is not direct memory", self.address)
    }
}

impl core::error::Error for NotDirect {}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StoreExtent {
    start: u32,
    length: u32,
}

/// A mapped window with its place in the backing bytes resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapped {
    pub(crate) address: u32,
    pub(crate) last: u32,
    pub(crate) backing: u32,
    pub(crate) access: Access,
    store: Store,
}

/// How stores lie in the backing bytes, and which windows show them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// The length of the backing bytes.
    pub(crate) bytes: u32,
    stores: Vec<StoreExtent>,
    windows: Vec<Mapped>,
}

impl Layout {
    /// No chip has more memory, in bytes.
    const BYTES_MAX: u32 = 64 << 20;

    /// How many stores there are.
    pub(crate) fn store_count(&self) -> usize {
        self.stores.len()
    }

    /// Whether everything lies where it can.
    fn check(&self) -> Result<(), MapError> {
        let pages = |value: u32| value.is_multiple_of(PAGE_BYTES);
        let inside = |start: u32, length: u32, end: u32| start.checked_add(length).is_some_and(|last| last <= end);
        if !pages(self.bytes) || self.bytes > Self::BYTES_MAX {
            return Err(MapError::OutOfRange);
        }
        for StoreExtent { start, length } in &self.stores {
            if !pages(*start) || !pages(*length) || !inside(*start, *length, self.bytes) {
                return Err(MapError::OutOfRange);
            }
        }
        let mut free_from = Some(0);
        for window in &self.windows {
            let length = window.last.checked_sub(window.address).ok_or(MapError::OutOfRange)?.wrapping_add(1);
            let extent = self.stores.get(window.store.0).ok_or(MapError::OutOfRange)?;
            let is_ordered = free_from.is_some_and(|free| window.address >= free);
            if length == 0 || !pages(window.address | length | window.backing) {
                return Err(MapError::NotPages);
            }
            if !is_ordered
                || window.backing < extent.start
                || !inside(window.backing, length, extent.start + extent.length)
            {
                return Err(MapError::OutOfRange);
            }
            free_from = window.last.checked_add(1);
        }
        Ok(())
    }
}

/// All direct memory of one chip.
#[derive(Default)]
pub struct Memory {
    backing: Vec<u8>,
    stores: Vec<StoreExtent>,
    /// Sorted by address, without overlaps.
    windows: Vec<Mapped>,
    /// For each page of `backing`, where it holds pre-decoded code.
    code: Vec<Option<Box<CodeMap>>>,
    /// The pages of `code` that are not empty.
    code_pages: Vec<u32>,
    /// Pre-decoded code was overwritten since the hart last looked.
    code_is_stale: bool,
    mapping_version: u64,
}

impl Memory {
    /// Memory without a byte in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a store of `length` zero bytes, rounded up to whole pages.
    pub fn add_store(&mut self, length: u32) -> Store {
        let start = self.backing.len() as u32;
        let length = length.next_multiple_of(PAGE_BYTES);
        // Fresh zeroes cost no memory until they are written, copied ones would.
        let old = std::mem::replace(&mut self.backing, vec![0; (start + length) as usize]);
        let page_bytes = PAGE_BYTES as usize;
        for (new, old) in self.backing.chunks_mut(page_bytes).zip(old.chunks(page_bytes)) {
            if old != ZEROES {
                new.copy_from_slice(old);
            }
        }
        self.code.resize(self.backing.len() / page_bytes, None);
        self.stores.push(StoreExtent { start, length });
        self.mapping_version += 1;
        Store(self.stores.len() - 1)
    }

    /// The bytes of a store.
    pub fn store_bytes(&self, store: Store) -> &[u8] {
        let extent = self.stores[store.0];
        &self.backing[extent.start as usize..(extent.start + extent.length) as usize]
    }

    /// Overwrites bytes of a store from the outside, as a flash write or a reset does. What would reach past its end
    /// is dropped.
    pub fn write_store(&mut self, store: Store, offset: u32, bytes: &[u8]) {
        let extent = self.stores[store.0];
        let room = extent.length.saturating_sub(offset) as usize;
        let length = bytes.len().min(room);
        let start = extent.start + offset.min(extent.length);
        self.backing[start as usize..start as usize + length].copy_from_slice(&bytes[..length]);
        self.note_write(start, length as u32);
    }

    /// Shows a stretch of a store at a guest address. Where older windows overlap it, the new one wins.
    pub fn map(&mut self, window: Window) -> Result<(), MapError> {
        let Window { address, length, store, offset, access } = window;
        if length == 0 || !(address | length | offset).is_multiple_of(PAGE_BYTES) {
            return Err(MapError::NotPages);
        }
        let extent = self.stores[store.0];
        let fits = offset.checked_add(length).is_some_and(|end| end <= extent.length);
        let last = address.checked_add(length - 1).ok_or(MapError::OutOfRange)?;
        if !fits {
            return Err(MapError::OutOfRange);
        }
        self.cut_out(address, last);
        let mapped = Mapped { address, last, backing: extent.start + offset, access, store };
        let place = self.windows.partition_point(|other| other.address < address);
        self.windows.insert(place, mapped);
        self.mapping_version += 1;
        Ok(())
    }

    /// Removes whatever is shown at `address..address + length`. Both must be multiples of [`PAGE_BYTES`].
    pub fn unmap(&mut self, address: u32, length: u32) -> Result<(), MapError> {
        if length == 0 || !(address | length).is_multiple_of(PAGE_BYTES) {
            return Err(MapError::NotPages);
        }
        let last = address.checked_add(length - 1).ok_or(MapError::OutOfRange)?;
        self.cut_out(address, last);
        self.mapping_version += 1;
        Ok(())
    }

    /// The windows now mapped, by ascending address.
    pub fn windows(&self) -> impl Iterator<Item = Window> + '_ {
        self.windows.iter().map(|mapped| Window {
            address: mapped.address,
            length: mapped.last - mapped.address + 1,
            store: mapped.store,
            offset: mapped.backing - self.stores[mapped.store.0].start,
            access: mapped.access,
        })
    }

    /// Bytes that the stores hold on the host.
    pub fn footprint_bytes(&self) -> usize {
        self.backing.len()
    }

    /// How the stores lie and what is shown where: all but the bytes.
    pub(crate) fn layout(&self) -> Layout {
        Layout { bytes: self.backing.len() as u32, stores: self.stores.clone(), windows: self.windows.clone() }
    }

    /// All bytes, store by store.
    pub(crate) fn backing(&self) -> &[u8] {
        &self.backing
    }

    /// Takes a layout with its bytes, in the place of everything that was there. `fill` writes the bytes.
    ///
    /// # Errors
    ///
    /// If the layout is none.
    pub(crate) fn replace(&mut self, layout: Layout, fill: impl FnOnce(&mut [u8])) -> Result<(), MapError> {
        layout.check()?;
        let Layout { bytes, stores, windows } = layout;
        if self.backing.len() != bytes as usize {
            self.backing = vec![0; bytes as usize];
        }
        fill(&mut self.backing);
        (self.stores, self.windows) = (stores, windows);
        self.forget_code();
        self.code.clear();
        self.code.resize(self.backing.len() / PAGE_BYTES as usize, None);
        // Whoever decoded something decoded other bytes.
        self.code_is_stale = true;
        self.mapping_version += 1;
        Ok(())
    }

    /// Reads bytes as a debugger would: as [`read_slice`](Self::read_slice), and where nothing is direct memory, from the
    /// words of registers that `peek` shows without the effects of reading them.
    pub(crate) fn read_slice_or(
        &self,
        address: u32,
        bytes: &mut [u8],
        peek: impl Fn(u32) -> Option<u32>,
    ) -> Result<(), NotDirect> {
        let Err(missing) = self.read_slice(address, bytes) else { return Ok(()) };
        let mut word = 0;
        for (n, byte) in bytes.iter_mut().enumerate() {
            let at = address.wrapping_add(n as u32);
            if n == 0 || at.is_multiple_of(4) {
                word = peek(at).ok_or(missing)?;
            }
            *byte = word.to_le_bytes()[(at & 3) as usize];
        }
        Ok(())
    }

    /// Reads bytes as a debugger or a DMA engine would: through any window, whatever its access.
    pub fn read_slice(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32);
            let (backing, run) = self.run_at(at, bytes.len() - done)?;
            bytes[done..done + run].copy_from_slice(&self.backing[backing..backing + run]);
            done += run;
        }
        Ok(())
    }

    /// Writes bytes as a loader, a debugger or a DMA engine would: through any window, whatever its access. On an
    /// error the bytes before the address that it names are written.
    pub fn write_slice(&mut self, address: u32, bytes: &[u8]) -> Result<(), NotDirect> {
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32);
            let (backing, run) = self.run_at(at, bytes.len() - done)?;
            self.backing[backing..backing + run].copy_from_slice(&bytes[done..done + run]);
            self.note_write(backing as u32, run as u32);
            done += run;
        }
        Ok(())
    }

    /// Reads one little-endian word, from any window.
    pub fn read_word(&self, address: u32) -> Result<u32, NotDirect> {
        let mut bytes = [0; 4];
        self.read_slice(address, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Writes one little-endian word, to any window.
    pub fn write_word(&mut self, address: u32, value: u32) -> Result<(), NotDirect> {
        self.write_slice(address, &value.to_le_bytes())
    }

    /// Every window, by ascending address.
    pub(crate) fn mapped(&self) -> &[Mapped] {
        &self.windows
    }

    /// Changes whenever a window appears or goes.
    pub(crate) fn mapping_version(&self) -> u64 {
        self.mapping_version
    }

    /// The window that shows `address`.
    pub(crate) fn window_at(&self, address: u32) -> Option<&Mapped> {
        let after = self.windows.partition_point(|window| window.address <= address);
        let window = &self.windows[after.checked_sub(1)?];
        (address <= window.last).then_some(window)
    }

    /// Where the backing bytes hold `address`, and what may be done to it.
    pub(crate) fn locate(&self, address: u32) -> Option<(u32, Access)> {
        let window = self.window_at(address)?;
        Some((window.backing + (address - window.address), window.access))
    }

    /// The two bytes at this offset into the backing bytes.
    pub(crate) fn parcel(&self, backing: u32) -> u16 {
        self.backing_load(backing as usize, 2) as u16
    }

    /// All bytes behind all windows. To write pre-decoded code through this is forbidden.
    pub(crate) fn backing_mut(&mut self) -> &mut [u8] {
        &mut self.backing
    }

    /// Whether these bytes are at this offset into the backing bytes.
    pub(crate) fn holds(&self, backing: u32, bytes: &[u8]) -> bool {
        self.backing.get(backing as usize..backing as usize + bytes.len()) == Some(bytes)
    }

    /// Remembers that so many bytes at this offset into the backing bytes were decoded, all of them in one page. `true` if
    /// they are the first of their page.
    pub(crate) fn mark_code(&mut self, backing: u32, bytes: u32) -> bool {
        let page = (backing >> PAGE_SHIFT) as usize;
        let first = self.code[page].is_none();
        if first {
            self.code_pages.push(page as u32);
        }
        let map = self.code[page].get_or_insert_default();
        let (from, to) = (backing % PAGE_BYTES / 2, (backing % PAGE_BYTES + bytes - 1) / 2);
        for word in from / 64..=to / 64 {
            let (from, to) = (from.max(word * 64) - word * 64, to.min(word * 64 + 63) - word * 64);
            map[word as usize] |= u64::MAX << from & u64::MAX >> (63 - to);
        }
        first
    }

    /// Whether any halfword of the page at this offset into the backing bytes was decoded.
    pub(crate) fn page_has_code(&self, backing: u32) -> bool {
        self.code[(backing >> PAGE_SHIFT) as usize].is_some()
    }

    /// Forgets what was decoded.
    pub(crate) fn forget_code(&mut self) {
        for page in self.code_pages.drain(..) {
            self.code[page as usize] = None;
        }
        self.code_is_stale = false;
    }

    /// Whether code was overwritten after it was decoded.
    pub(crate) fn code_is_stale(&self) -> bool {
        self.code_is_stale
    }

    /// The guest addresses of writable windows that show the page at this offset into the backing bytes.
    pub(crate) fn writable_aliases(&self, backing: u32) -> impl Iterator<Item = u32> + '_ {
        self.windows.iter().filter_map(move |window| {
            let into = backing.checked_sub(window.backing)?;
            (window.access.write && into <= window.last - window.address).then_some(window.address + into)
        })
    }

    /// Loads up to four bytes, all of which one readable window must show.
    pub(crate) fn load(&self, address: u32, bytes: u32) -> Option<u32> {
        let window = self.window_at(address)?;
        if !window.access.read || bytes - 1 > window.last - address {
            return None;
        }
        Some(self.backing_load((window.backing + (address - window.address)) as usize, bytes))
    }

    /// Fetches the two bytes at an even address.
    pub(crate) fn fetch(&self, address: u32) -> Option<u16> {
        let window = self.window_at(address)?;
        if !window.access.execute {
            return None;
        }
        Some(self.backing_load((window.backing + (address - window.address)) as usize, 2) as u16)
    }

    /// Fetches the four bytes at an even address, if one executable window shows them all.
    pub(crate) fn fetch_word(&self, address: u32) -> Option<u32> {
        let window = self.window_at(address)?;
        if !window.access.execute || window.last - address < 3 {
            return None;
        }
        Some(self.backing_load((window.backing + (address - window.address)) as usize, 4))
    }

    /// Stores up to four bytes, all of which one writable window must show. `false` leaves memory as it was.
    pub(crate) fn store(&mut self, address: u32, bytes: u32, value: u32) -> bool {
        let Some(window) = self.window_at(address) else { return false };
        if !window.access.write || bytes - 1 > window.last - address {
            return false;
        }
        let at = window.backing + (address - window.address);
        let length = bytes as usize;
        self.backing[at as usize..at as usize + length].copy_from_slice(&value.to_le_bytes()[..length]);
        self.note_write(at, bytes);
        true
    }

    /// Loads up to four bytes at an offset into the backing bytes, as [`Self::locate`] gave it.
    #[inline]
    pub(crate) fn load_at(&self, backing: u32, bytes: u32) -> u32 {
        let at = backing as usize;
        // The widths apart: each is one load.
        match bytes {
            1 => u32::from(self.backing[at]),
            2 => u32::from(u16::from_le_bytes([self.backing[at], self.backing[at + 1]])),
            _ => self.backing_load(at, 4),
        }
    }

    /// Stores up to four bytes at an offset into the backing bytes, as [`Self::locate`] gave it for a window that may be
    /// written.
    #[inline]
    pub(crate) fn store_at(&mut self, backing: u32, bytes: u32, value: u32) {
        let (at, length) = (backing as usize, bytes as usize);
        self.backing[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
        self.note_write(backing, bytes);
    }

    #[inline]
    fn backing_load(&self, at: usize, bytes: u32) -> u32 {
        let mut word = [0; 4];
        word[..bytes as usize].copy_from_slice(&self.backing[at..at + bytes as usize]);
        u32::from_le_bytes(word)
    }

    /// How many of the next `wanted` bytes lie together, and where in the backing they begin.
    fn run_at(&self, address: u32, wanted: usize) -> Result<(usize, usize), NotDirect> {
        let window = self.window_at(address).ok_or(NotDirect { address })?;
        let run = wanted.min((window.last - address) as usize + 1);
        Ok(((window.backing + (address - window.address)) as usize, run))
    }

    /// Removes `first..=last` from every window, splitting those that reach beyond it.
    fn cut_out(&mut self, first: u32, last: u32) {
        let mut kept = Vec::with_capacity(self.windows.len() + 1);
        for window in &self.windows {
            if window.last < first || window.address > last {
                kept.push(*window);
                continue;
            }
            if window.address < first {
                kept.push(Mapped { last: first - 1, ..*window });
            }
            if window.last > last {
                let backing = window.backing + (last + 1 - window.address);
                kept.push(Mapped { address: last + 1, backing, ..*window });
            }
        }
        self.windows = kept;
    }

    fn note_write(&mut self, backing: u32, length: u32) {
        if self.code_pages.is_empty() || length == 0 {
            return;
        }
        let (first, last) = (backing / 2, (backing + length - 1) / 2);
        for page in backing >> PAGE_SHIFT..=(backing + length - 1) >> PAGE_SHIFT {
            let Some(map) = &self.code[page as usize] else { continue };
            let begin = page * PAGE_HALFWORDS as u32;
            let (from, to) = (first.max(begin) - begin, last.min(begin + PAGE_HALFWORDS as u32 - 1) - begin);
            let hit = (from..=to).any(|halfword| map[halfword as usize / 64] >> (halfword % 64) & 1 != 0);
            self.code_is_stale |= hit;
        }
    }
}
