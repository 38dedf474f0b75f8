//! The few functions of the C library that TLS libraries use and that the compiler does not bring.
//!
//! The chip's ROM has them too, but an image that asks little of the ROM is easier to trust on a chip that is only
//! modelled.

use core::ffi::{CStr, c_char, c_int};
use core::ptr;

/// strchr(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn strchr(text: *const c_char, wanted: c_int) -> *const c_char {
    // SAFETY: the caller hands over a terminated string.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes_with_nul();
    match bytes.iter().position(|byte| c_int::from(*byte) == wanted & 0xff) {
        // SAFETY: inside the string.
        Some(at) => unsafe { text.add(at) },
        None => ptr::null(),
    }
}

/// strstr(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn strstr(text: *const c_char, wanted: *const c_char) -> *const c_char {
    // SAFETY: the caller hands over terminated strings.
    let (bytes, wanted) = unsafe { (CStr::from_ptr(text).to_bytes(), CStr::from_ptr(wanted).to_bytes()) };
    let found = if wanted.is_empty() { Some(0) } else { bytes.windows(wanted.len()).position(|here| here == wanted) };
    match found {
        // SAFETY: inside the string.
        Some(at) => unsafe { text.add(at) },
        None => ptr::null(),
    }
}

/// strcmp(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn strcmp(left: *const c_char, right: *const c_char) -> c_int {
    // SAFETY: the caller hands over terminated strings.
    let (left, right) = unsafe { (CStr::from_ptr(left), CStr::from_ptr(right)) };
    left.cmp(right) as c_int
}

/// strncmp(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn strncmp(left: *const c_char, right: *const c_char, length: usize) -> c_int {
    for at in 0..length {
        // SAFETY: both strings go on as long as no terminator has been seen.
        let (left, right) = unsafe { (left.add(at).read() as u8, right.add(at).read() as u8) };
        if left != right || left == 0 {
            return c_int::from(left) - c_int::from(right);
        }
    }
    0
}
