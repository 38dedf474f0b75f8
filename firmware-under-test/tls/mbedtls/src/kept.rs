//! What one connection leaves behind for the next: the session that it may resume.

use alloc::rc::Rc;

use client::tls::Failure;

use crate::configuration::check;
use crate::session::failure;
use crate::{Version, ffi};

/// A session that outlives its connection, if there has been one. Shared by the stack and its connections.
pub(crate) struct Kept(*mut ffi::Kept);

impl Kept {
    /// # Errors
    /// If memory is short.
    pub(crate) fn new<V: Version>() -> Result<Rc<Self>, Failure> {
        // SAFETY: no argument; null says that memory is short.
        let handle = unsafe { ffi::shakedown_kept_new() };
        if handle.is_null() { Err(failure::<V>(ffi::ERR_SSL_ALLOC_FAILED)) } else { Ok(Rc::new(Self(handle))) }
    }

    /// Lets `session` offer what was kept.
    ///
    /// # Errors
    /// In the library's words, if the session's configuration rules out what was kept, or memory is short.
    ///
    /// # Safety
    /// `session` is alive, set up, and has not taken a step yet.
    pub(crate) unsafe fn offer<V: Version>(&self, session: *mut ffi::Session) -> Result<(), Failure> {
        // SAFETY: the caller's promise; the handle is alive as long as `self`.
        check::<V>(unsafe { ffi::shakedown_session_resume(session, self.0) })
    }

    /// Keeps `session` in the place of what was kept before. If that fails, for want of memory, nothing is kept: the next
    /// connection does without, as every client has to be able to.
    ///
    /// # Safety
    /// `session` is alive.
    pub(crate) unsafe fn replace(&self, session: *const ffi::Session) {
        // SAFETY: the caller's promise; the handle is alive as long as `self`, and used by nobody else meanwhile.
        unsafe { ffi::shakedown_session_keep(session, self.0) };
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: the handle came from `shakedown_kept_new` and is freed once.
        unsafe { ffi::shakedown_kept_free(self.0) }
    }
}
