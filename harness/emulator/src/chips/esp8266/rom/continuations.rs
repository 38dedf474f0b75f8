//! Where ROM functions go on after firmware that they have called has returned: addresses in the ROM that are nobody's.

use super::{Function, boot, console, exceptions, services, tasks};

const fn at(n: u32) -> u32 {
    0x4000_ff00 + 4 * n
}

/// An image's entry point has returned.
pub(super) const ENTRY_RETURNED: u32 = at(0);
/// What firmware has set as its start has returned.
pub(super) const START_RETURNED: u32 = at(1);
/// A task has returned.
pub(super) const TASK_RETURNED: u32 = at(2);
/// What is done when nothing is to be done has returned.
pub(super) const IDLE_RETURNED: u32 = at(3);
/// A handler of an interrupt has returned.
pub(super) const INTERRUPT_RETURNED: u32 = at(4);
/// A handler of an exception has returned.
pub(super) const EXCEPTION_RETURNED: u32 = at(5);
/// What prints a character has returned.
pub(super) const PRINTED: u32 = at(6);
/// A function that is done waits until its time is over.
pub(super) const BUSY: u32 = at(7);

/// All of them, with names.
pub(super) const ALL: &[(u32, &str, Function)] = &[
    (ENTRY_RETURNED, "(entry returned)", boot::entry_returned),
    (START_RETURNED, "(start returned)", boot::start_returned),
    (TASK_RETURNED, "(task returned)", tasks::task_returned),
    (IDLE_RETURNED, "(idle returned)", tasks::idle_returned),
    (INTERRUPT_RETURNED, "(interrupt handled)", exceptions::interrupt_returned),
    (EXCEPTION_RETURNED, "(exception handled)", exceptions::exception_returned),
    (PRINTED, "(character printed)", console::printed),
    (BUSY, "(busy)", services::busy_loop),
];
