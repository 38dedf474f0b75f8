//! What a TLS library in C needs of the image: memory, time and randomness.
//!
//! Memory goes to C under the names `shakedown_calloc` and `shakedown_free`; what else a library asks for, under names of
//! its own, its crate passes on from here.

use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};

/// The image's side. All functions may be called at any time once [`install`] has been called.
pub struct Port {
    /// Zeroed memory of so many bytes, aligned to 8, or null.
    pub allocate: fn(usize) -> *mut u8,
    /// Gives back what `allocate` gave. Never called with null.
    ///
    /// # Safety
    /// The memory came from `allocate` and is not used any more.
    pub release: unsafe fn(*mut u8),
    /// The calendar clock, in seconds since 1970-01-01T00:00:00Z.
    pub unix_time_s: fn() -> i64,
    /// Milliseconds since some moment.
    pub milliseconds: fn() -> i64,
    /// Fills memory from the chip's random number generator.
    pub random: fn(&mut [u8]),
}

static PORT: AtomicPtr<Port> = AtomicPtr::new(core::ptr::null_mut());

/// To be called once, before anything that needs it.
pub fn install(port: &'static Port) {
    PORT.store(core::ptr::from_ref(port).cast_mut(), Ordering::Release);
}

fn port() -> Option<&'static Port> {
    // SAFETY: the pointer is null or came from a `&'static Port`, and nobody writes through it.
    unsafe { PORT.load(Ordering::Acquire).as_ref() }
}

/// The calendar clock, in seconds since 1970-01-01T00:00:00Z.
pub fn unix_time_s() -> i64 {
    port().map_or(0, |port| (port.unix_time_s)())
}

/// Milliseconds since some moment.
pub fn milliseconds() -> i64 {
    port().map_or(0, |port| (port.milliseconds)())
}

/// Fills memory with what nobody can guess; `false` if there is no port.
pub fn random(into: &mut [u8]) -> bool {
    port().map(|port| (port.random)(into)).is_some()
}

#[unsafe(no_mangle)]
extern "C" fn shakedown_calloc(count: usize, size_bytes: usize) -> *mut c_void {
    match (count.checked_mul(size_bytes), port()) {
        (Some(bytes), Some(port)) => (port.allocate)(bytes).cast(),
        _ => core::ptr::null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn shakedown_free(memory: *mut c_void) {
    if let (false, Some(port)) = (memory.is_null(), port()) {
        // SAFETY: C gives back what `shakedown_calloc` gave, once.
        unsafe { (port.release)(memory.cast()) }
    }
}
