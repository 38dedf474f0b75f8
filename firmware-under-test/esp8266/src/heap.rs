//! A heap that counts, and that a plan can make smaller than it is.
//!
//! Rust's allocations and the TLS library's share it, and both count. A plan's limits refuse the library's only: to Rust a refusal is
//! the end of the program, and how the client fares without memory is not what the bench asks.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use client::{HeapLimits, HeapRecord};
use critical_section::Mutex;
use rlsf::Tlsf;

unsafe extern "C" {
    /// What is left of the data RAM, by the linker's script.
    static mut _heap_start: MaybeUninit<u8>;
    static mut _heap_end: MaybeUninit<u8>;
}

/// In front of each of the library's blocks: its size, as free(3) is not told it. Keeps blocks aligned to 8.
const HEADER_BYTES: usize = 8;

struct Heap {
    /// 13 powers of two above 16 bytes are 128 KiB; 8 steps in each.
    blocks: Tlsf<'static, u16, u8, 13, 8>,
    held_bytes: usize,
    limits: HeapLimits,
    /// Allocations of the TLS library since the plan started.
    allocations: u32,
    peak_bytes: usize,
    held_before_bytes: usize,
    failures: u32,
    first_failure_bytes: Option<usize>,
}

static HEAP: Mutex<RefCell<Heap>> = Mutex::new(RefCell::new(Heap {
    blocks: Tlsf::new(),
    held_bytes: 0,
    limits: HeapLimits { cap_bytes: None, block_max_bytes: None, failing_allocation: None },
    allocations: 0,
    peak_bytes: 0,
    held_before_bytes: 0,
    failures: 0,
    first_failure_bytes: None,
}));

struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn with_heap<R>(f: impl FnOnce(&mut Heap) -> R) -> R {
    critical_section::with(|section| f(&mut HEAP.borrow_ref_mut(section)))
}

/// To be called once, before the first allocation.
pub fn start() {
    let (start, end) = ((&raw mut _heap_start).cast::<u8>(), (&raw mut _heap_end).cast::<u8>());
    let Some(start) = NonNull::new(start) else { return };
    let bytes = (end as usize).saturating_sub(start.as_ptr() as usize);
    // SAFETY: nothing else lies between the two, and this function is called once.
    with_heap(|heap| unsafe { heap.blocks.insert_free_block_ptr(NonNull::slice_from_raw_parts(start, bytes)) });
}

impl Heap {
    /// Whether the plan lets the TLS library have a block of that size.
    fn allows(&mut self, bytes: usize) -> bool {
        let within = |limit: Option<u32>, bytes: usize| limit.is_none_or(|limit| bytes <= limit as usize);
        self.allocations = self.allocations.saturating_add(1);
        within(self.limits.cap_bytes, self.held_bytes.saturating_add(bytes))
            && within(self.limits.block_max_bytes, bytes)
            && self.limits.failing_allocation != Some(self.allocations)
    }

    fn allocate(&mut self, layout: Layout, is_allowed: bool) -> *mut u8 {
        match is_allowed.then(|| self.blocks.allocate(layout)).flatten() {
            Some(block) => {
                self.held_bytes += layout.size();
                self.peak_bytes = self.peak_bytes.max(self.held_bytes);
                block.as_ptr()
            }
            None => {
                self.failures += 1;
                self.first_failure_bytes.get_or_insert(layout.size());
                ptr::null_mut()
            }
        }
    }

    /// # Safety
    /// `block` came from [`Heap::allocate`] with this layout.
    unsafe fn release(&mut self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: the caller's promise.
            unsafe { self.blocks.deallocate(block, layout.align()) };
            self.held_bytes = self.held_bytes.saturating_sub(layout.size());
        }
    }
}

// SAFETY: blocks come from a TLSF allocator behind a critical section.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        with_heap(|heap| heap.allocate(layout, true))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        with_heap(|heap| unsafe { heap.release(block, layout) });
    }
}

fn layout_with_header(size_bytes: usize) -> Option<Layout> {
    Layout::from_size_align(size_bytes.checked_add(HEADER_BYTES)?, HEADER_BYTES).ok()
}

/// calloc(3) for the TLS library.
pub fn allocate_zeroed(size_bytes: usize) -> *mut u8 {
    let Some(layout) = layout_with_header(size_bytes) else { return ptr::null_mut() };
    let block = with_heap(|heap| {
        let is_allowed = heap.allows(layout.size());
        heap.allocate(layout, is_allowed)
    });
    if block.is_null() {
        return block;
    }
    // SAFETY: the block is that large, and aligned for the header.
    unsafe {
        block.write_bytes(0, layout.size());
        block.cast::<usize>().write(size_bytes);
        block.add(HEADER_BYTES)
    }
}

/// free(3) for the TLS library.
///
/// # Safety
/// `memory` came from [`allocate_zeroed`], and is not used any more.
pub unsafe fn release(memory: *mut u8) {
    // SAFETY: the header lies in front of every block that `allocate_zeroed` gave.
    let (block, size_bytes) = unsafe {
        let block = memory.sub(HEADER_BYTES);
        (block, block.cast::<usize>().read())
    };
    if let Some(layout) = layout_with_header(size_bytes) {
        // SAFETY: as above.
        with_heap(|heap| unsafe { heap.release(block, layout) });
    }
}

/// A plan starts.
pub fn watch(limits: HeapLimits) {
    with_heap(|heap| {
        heap.limits = limits;
        heap.allocations = 0;
        heap.held_before_bytes = heap.held_bytes;
        heap.peak_bytes = heap.held_bytes;
        heap.failures = 0;
        heap.first_failure_bytes = None;
    });
}

/// What happened since [`watch`].
pub fn record() -> HeapRecord {
    with_heap(|heap| HeapRecord {
        peak_bytes: heap.peak_bytes.saturating_sub(heap.held_before_bytes) as u32,
        failures: heap.failures,
        held_bytes: heap.held_bytes.saturating_sub(heap.held_before_bytes) as u32,
    })
}

/// The first allocation that failed since this was last asked.
pub fn take_first_failure_bytes() -> Option<u32> {
    with_heap(|heap| heap.first_failure_bytes.take()).map(|bytes| bytes as u32)
}
