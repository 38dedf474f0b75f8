//! The C library's memory, under the names that `esp-radio` and `esp-rtos` ask for.

use core::ptr;

use esp32c3::heap;

#[unsafe(no_mangle)]
extern "C" fn malloc(size_bytes: usize) -> *mut u8 {
    heap::allocate_for_driver(size_bytes)
}

#[unsafe(no_mangle)]
extern "C" fn malloc_internal(size_bytes: usize) -> *mut u8 {
    heap::allocate_for_driver(size_bytes)
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: u32, size_bytes: usize) -> *mut u8 {
    let Some(bytes) = size_bytes.checked_mul(count as usize) else { return ptr::null_mut() };
    let memory = heap::allocate_for_driver(bytes);
    if !memory.is_null() {
        // SAFETY: so many bytes were given.
        unsafe { memory.write_bytes(0, bytes) };
    }
    memory
}

#[unsafe(no_mangle)]
extern "C" fn calloc_internal(count: u32, size_bytes: usize) -> *mut u8 {
    calloc(count, size_bytes)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc_internal(memory: *mut u8, size_bytes: usize) -> *mut u8 {
    let larger = heap::allocate_for_driver(size_bytes);
    if !larger.is_null() && !memory.is_null() {
        // SAFETY: C gives back what `malloc` gave, once; both are as large as is copied.
        unsafe {
            ptr::copy_nonoverlapping(memory, larger, heap::size_for_driver(memory).min(size_bytes));
            heap::release_for_driver(memory);
        }
    }
    larger
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(memory: *mut u8) {
    if !memory.is_null() {
        // SAFETY: C gives back what `malloc` gave, once.
        unsafe { heap::release_for_driver(memory) };
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free_internal(memory: *mut u8) {
    // SAFETY: as for `free`.
    unsafe { free(memory) };
}

#[unsafe(no_mangle)]
extern "C" fn get_free_internal_heap_size() -> usize {
    heap::free_bytes()
}
