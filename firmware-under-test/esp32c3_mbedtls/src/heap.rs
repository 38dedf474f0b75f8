//! A heap that counts, and that a plan can make smaller than it is.
//!
//! Rust's allocations and Mbed TLS's share it, and both count. The cap refuses Mbed TLS's only: to Rust a refusal is
//! the end of the program, and how the client fares without memory is not what the bench asks.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use client::HeapRecord;
use critical_section::Mutex;
use rlsf::Tlsf;

/// What the chip's data RAM can spare beside 16 KiB of stack many times over.
const MAIN_BYTES: usize = 192 * 1024;
/// RAM that the second-stage boot loader has used and left.
const RECLAIMED_BYTES: usize = 64 * 1024;

static mut MAIN: [MaybeUninit<u8>; MAIN_BYTES] = [MaybeUninit::uninit(); MAIN_BYTES];
#[esp_hal::ram(reclaimed)]
static mut RECLAIMED: MaybeUninit<[u8; RECLAIMED_BYTES]> = MaybeUninit::uninit();

/// In front of each of Mbed TLS's blocks: its size, as free(3) is not told it. Keeps blocks aligned to 8.
const HEADER_BYTES: usize = 8;

struct Heap {
    /// 15 powers of two above 16 bytes are 512 KiB; 8 steps in each.
    blocks: Tlsf<'static, u16, u8, 15, 8>,
    held_bytes: usize,
    cap_bytes: usize,
    peak_bytes: usize,
    held_before_bytes: usize,
    failures: u32,
    first_failure_bytes: Option<usize>,
}

static HEAP: Mutex<RefCell<Heap>> = Mutex::new(RefCell::new(Heap {
    blocks: Tlsf::new(),
    held_bytes: 0,
    cap_bytes: usize::MAX,
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
    with_heap(|heap| {
        for (start, bytes) in
            [((&raw mut MAIN).cast::<u8>(), MAIN_BYTES), ((&raw mut RECLAIMED).cast(), RECLAIMED_BYTES)]
        {
            let Some(start) = NonNull::new(start) else { continue };
            // SAFETY: both are statics that nothing else touches, and this function is called once.
            unsafe { heap.blocks.insert_free_block_ptr(NonNull::slice_from_raw_parts(start, bytes)) };
        }
    });
}

impl Heap {
    fn allocate(&mut self, layout: Layout, cap_bytes: usize) -> *mut u8 {
        let is_allowed = self.held_bytes.saturating_add(layout.size()) <= cap_bytes;
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
        with_heap(|heap| heap.allocate(layout, usize::MAX))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        with_heap(|heap| unsafe { heap.release(block, layout) });
    }
}

fn layout_with_header(size_bytes: usize) -> Option<Layout> {
    Layout::from_size_align(size_bytes.checked_add(HEADER_BYTES)?, HEADER_BYTES).ok()
}

/// calloc(3) for Mbed TLS.
pub fn allocate_zeroed(size_bytes: usize) -> *mut u8 {
    let Some(layout) = layout_with_header(size_bytes) else { return ptr::null_mut() };
    let block = with_heap(|heap| {
        let cap_bytes = heap.cap_bytes;
        heap.allocate(layout, cap_bytes)
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

/// free(3) for Mbed TLS.
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
pub fn watch(cap_bytes: Option<u32>) {
    with_heap(|heap| {
        heap.cap_bytes = cap_bytes.map_or(usize::MAX, |bytes| bytes as usize);
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
    })
}

/// The first allocation that failed since this was last asked.
pub fn take_first_failure_bytes() -> Option<u32> {
    with_heap(|heap| heap.first_failure_bytes.take()).map(|bytes| bytes as u32)
}
