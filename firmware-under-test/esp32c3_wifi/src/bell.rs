//! What the client sleeps on: a semaphore that is given when a byte or a frame arrives, or the driver has news.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, Ordering};
use core::task::{RawWaker, RawWakerVTable, Waker};

use esp_radio_rtos_driver::semaphore::{SemaphoreHandle, SemaphoreKind, SemaphorePtr};

static BELL: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// To be called once, with the scheduler running.
pub fn start() {
    let bell = SemaphoreHandle::new(SemaphoreKind::Counting { max: 1, initial: 0 });
    BELL.store(bell.leak().as_ptr(), Ordering::Release);
}

fn with<R>(f: impl FnOnce(&SemaphoreHandle) -> R) -> Option<R> {
    let pointer: SemaphorePtr = NonNull::new(BELL.load(Ordering::Acquire))?;
    // SAFETY: it came from `SemaphoreHandle::leak`, and is never deleted.
    Some(f(unsafe { SemaphoreHandle::ref_from_ptr(&pointer) }))
}

/// Sleeps until somebody rings, or until `until_us` on the clock of the chip.
pub fn wait(until_us: u64) {
    let _ = with(|bell| bell.take_with_deadline(Some(until_us)));
}

/// Wakes who sleeps, from a task.
fn ring() {
    let _ = with(SemaphoreHandle::give);
}

/// Wakes who sleeps, from an interrupt handler.
pub fn ring_from_interrupt() {
    let _ = with(|bell| bell.try_give_from_isr(None));
}

/// Rings.
pub fn waker() -> Waker {
    const TABLE: RawWakerVTable =
        RawWakerVTable::new(|_| RawWaker::new(core::ptr::null(), &TABLE), |_| ring(), |_| ring(), |_| {});
    // SAFETY: the table's functions do not look at the pointer, and may be called on any thread.
    unsafe { Waker::from_raw(RawWaker::new(core::ptr::null(), &TABLE)) }
}
