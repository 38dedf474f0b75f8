//! The core's special registers, by the functions of `start.S`: this compiler has no inline assembly for Xtensa.

use critical_section::RawRestoreState;

unsafe extern "C" {
    safe fn esp8266_disable() -> u32;
    fn esp8266_restore(ps: u32);
    fn esp8266_wait();
    safe fn esp8266_interrupts() -> u32;
    safe fn esp8266_clear(interrupts: u32);
    safe fn esp8266_listen(interrupts: u32);
}

/// The UARTs' interrupt, a level.
pub(crate) const UART: u32 = 1 << 5;
/// FRC2's interrupt, an edge.
pub(crate) const FRC2: u32 = 1 << 10;

/// From now on these interrupts are heard, where no critical section is open.
pub(crate) fn listen_to(interrupts: u32) {
    esp8266_listen(interrupts);
}

/// Nothing gets through from now on.
pub(crate) fn disable_interrupts() {
    esp8266_disable();
}

/// Opens the chip to interrupts for the first time.
///
/// # Safety
/// Handlers are in place, and no critical section is open.
pub(crate) unsafe fn enable_interrupts() {
    /// User mode, and no interrupt is masked by its level.
    const PS_USER: u32 = 0x20;
    // SAFETY: the caller's promise.
    unsafe { esp8266_restore(PS_USER) }
}

/// The interrupts that have come and are heard; those that are edges are taken by that.
pub(crate) fn take_interrupts() -> u32 {
    let interrupts = esp8266_interrupts();
    esp8266_clear(interrupts & FRC2);
    interrupts
}

/// Waits for an interrupt, and lets it through: what comes between the question whether to wait and the wait ends it too.
///
/// # Safety
/// Within the outermost critical section only, whose data is borrowed by nobody: handlers run.
pub(crate) unsafe fn wait() {
    // SAFETY: the caller's promise. The level is raised again before anything else is done.
    unsafe { esp8266_wait() };
    esp8266_disable();
}

struct Interrupts;

critical_section::set_impl!(Interrupts);

// SAFETY: with all levels masked nothing else runs on a chip with one core; NMI is not used.
unsafe impl critical_section::Impl for Interrupts {
    unsafe fn acquire() -> RawRestoreState {
        esp8266_disable()
    }

    unsafe fn release(before: RawRestoreState) {
        // SAFETY: what `acquire` gave.
        unsafe { esp8266_restore(before) }
    }
}
