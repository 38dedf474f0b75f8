//! Time and randomness of the image, under the names that Mbed TLS calls them by (`c/interface/shared_config.h`). Memory has its names in
//! [`client::port`].

use core::ffi::c_void;

use client::port;

use crate::ffi;

#[unsafe(no_mangle)]
extern "C" fn shakedown_unix_time_s(out: *mut i64) -> i64 {
    let unix_time_s = port::unix_time_s();
    // SAFETY: as for time(2): null, or a place for the result.
    if let Some(out) = unsafe { out.as_mut() } {
        *out = unix_time_s;
    }
    unix_time_s
}

#[unsafe(no_mangle)]
extern "C" fn mbedtls_ms_time() -> i64 {
    port::milliseconds()
}

/// The entropy source of Mbed TLS (MBEDTLS_ENTROPY_HARDWARE_ALT), and its only one.
#[unsafe(no_mangle)]
extern "C" fn mbedtls_hardware_poll(_: *mut c_void, output: *mut u8, length: usize, written: *mut usize) -> i32 {
    // SAFETY: Mbed TLS hands over a buffer of `length` bytes and a place for the count.
    let (output, written) = unsafe { (core::slice::from_raw_parts_mut(output, length), &mut *written) };
    if !port::random(output) {
        return ffi::ERR_ENTROPY_SOURCE_FAILED;
    }
    *written = length;
    0
}
