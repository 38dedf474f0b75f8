//! The client's traits on top of `c/session.c`.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::Cell;
use core::ffi::{c_int, c_uint, c_void};

use client::tls::{Agreed, Failure, Probe, Session, Stack, Wire, WireEnd};
use control::{Blob, Tls, Trust};
use outcome::{FailureClass, Stage};

use crate::configuration::{Wishes, blobs};
use crate::ffi::{self, Validator};
use crate::names;
use crate::probe::FragmentLengthProbe;

/// The version that `build.rs` insists on. The library itself does not say.
const NAME: &str = "BearSSL 0.6";

/// BearSSL, ready for sessions. [`client::port::install`] comes before this.
pub struct BearSsl {
    /// The `BearSSL::Session` of the sketch, for plans that keep sessions.
    kept: Rc<Cell<ffi::Kept>>,
}

impl Default for BearSsl {
    fn default() -> Self {
        Self { kept: Rc::new(Cell::new(ffi::Kept::NONE)) }
    }
}

impl Stack for BearSsl {
    type Session = BearSslSession;

    fn name(&self) -> String {
        NAME.to_string()
    }

    /// Reads certificates and keys, as a sketch does in `setup()`. What cannot be read is left out without a word, as
    /// most sketches do not ask: the handshake will show it. Memory for the connection is not asked for yet.
    fn open(&mut self, plan: &Tls) -> Result<BearSslSession, Failure> {
        let wishes = Wishes::of(plan)?;
        // SAFETY: no argument; null says that memory is short.
        let handle = unsafe { ffi::shakedown_session_new() };
        if handle.is_null() {
            return Err(exhausted());
        }
        let kept = plan.keeps_session.then(|| Rc::clone(&self.kept));
        let session = BearSslSession { handle, wishes, is_started: false, kept };
        // SAFETY: the handle is alive; the slices live during the calls, and everything is copied.
        unsafe {
            for blob in blobs(plan.authorities.as_ref()) {
                ffi::shakedown_session_add_anchors(handle, blob.as_ptr(), blob.len());
            }
            for blob in blobs(plan.client_certificate.as_ref()) {
                ffi::shakedown_session_add_own_certificates(handle, blob.as_ptr(), blob.len());
            }
            for blob in blobs(plan.client_key.as_ref()) {
                ffi::shakedown_session_set_own_key(handle, blob.as_ptr(), blob.len());
            }
        }
        let has_pin = match (session.wishes.validator(), &plan.trust) {
            (Validator::KnownKey, Trust::KnownKey(certificate)) => session.pins(certificate),
            _ => true,
        };
        if !has_pin || session.is_exhausted() { Err(exhausted()) } else { Ok(session) }
    }

    fn probe(&mut self, plan: &Tls) -> Result<Option<Box<dyn Probe>>, Failure> {
        if !plan.probes_fragment_length {
            return Ok(None);
        }
        Wishes::of(plan)?;
        match plan.max_fragment_length_bytes.and_then(FragmentLengthProbe::of) {
            Some(probe) => Ok(Some(Box::new(probe))),
            None => Err(Failure::unsupported("the core probes for 512, 1024, 2048 or 4096")),
        }
    }
}

/// One connection of BearSSL.
pub struct BearSslSession {
    handle: *mut ffi::Session,
    wishes: Wishes,
    is_started: bool,
    /// What `setSession` was given.
    kept: Option<Rc<Cell<ffi::Kept>>>,
}

impl Drop for BearSslSession {
    fn drop(&mut self) {
        // SAFETY: the handle came from `shakedown_session_new` and is freed once, before the wishes.
        unsafe { ffi::shakedown_session_free(self.handle) }
    }
}

impl BearSslSession {
    /// Whether memory was refused where the core would have stopped.
    fn is_exhausted(&self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { ffi::shakedown_session_is_exhausted(self.handle) != 0 }
    }

    /// The session is kept as soon as there is one. The core's `stop` does so, and finds the same.
    fn keep(&self) {
        if let Some(kept) = &self.kept {
            let mut parameters = ffi::Kept::NONE;
            // SAFETY: the handle is alive and started.
            unsafe { ffi::shakedown_session_keep(self.handle, &raw mut parameters) };
            kept.set(parameters);
        }
    }

    /// Pins the key of a certificate that the bench has minted, and so one that can be read if there is memory.
    fn pins(&self, certificate: &Blob) -> bool {
        // SAFETY: the handle is alive; the slice lives during the call, and everything is copied.
        blobs(Some(certificate))
            .iter()
            .any(|blob| unsafe { ffi::shakedown_session_set_known_key(self.handle, blob.as_ptr(), blob.len()) != 0 })
    }

    fn state(&self) -> c_uint {
        // SAFETY: the handle is alive and started.
        unsafe { ffi::shakedown_session_state(self.handle) }
    }

    /// The engine is closed: why.
    fn failure(&self) -> Failure {
        // SAFETY: the handle is alive and started.
        match unsafe { ffi::shakedown_session_error(self.handle) } {
            0 => Failure { name: names::of_code(0) + ": close_notify", ..failure(0) },
            code => failure(code),
        }
    }

    fn enter(&self, wire: &mut dyn Wire) {
        // SAFETY: the handle is alive and started.
        wire.enter(stage(unsafe { ffi::shakedown_session_stage(self.handle) }));
    }

    /// Moves records as far as wire and engine allow, until the engine is in one of the `wanted` states. `false` if the
    /// wire has nothing more to give or to take for now. Sending comes first, as in the core's `_run_until`.
    fn run_until(&mut self, wire: &mut dyn Wire, wanted: c_uint) -> Result<bool, Failure> {
        loop {
            let state = self.state();
            if state & ffi::CLOSED != 0 {
                return Err(self.failure());
            }
            if state & ffi::SENDS_RECORDS != 0 {
                if !self.send_records(wire)? {
                    return Ok(false);
                }
            } else if state & wanted != 0 {
                return Ok(true);
            } else if state & ffi::TAKES_RECORDS != 0 {
                if !self.receive_records(wire)? {
                    return Ok(false);
                }
            } else {
                // Data that nobody has read stands in the way; it is the caller's turn.
                return Ok(false);
            }
        }
    }

    fn send_records(&mut self, wire: &mut dyn Wire) -> Result<bool, Failure> {
        let mut length = 0;
        // SAFETY: the handle is alive and started; the buffer is not touched by BearSSL until it is acknowledged.
        let records = unsafe {
            let start = ffi::shakedown_session_records_out(self.handle, &raw mut length);
            slice(start, length)
        };
        let sent = wire.write(records).map_err(ended)?;
        if sent > 0 {
            // SAFETY: as above, and no more is acknowledged than was offered.
            unsafe { ffi::shakedown_session_records_sent(self.handle, sent.min(length)) };
        }
        Ok(sent > 0)
    }

    fn receive_records(&mut self, wire: &mut dyn Wire) -> Result<bool, Failure> {
        let mut length = 0;
        // SAFETY: the handle is alive and started; the buffer is ours until it is acknowledged.
        let room = unsafe {
            let start = ffi::shakedown_session_records_in(self.handle, &raw mut length);
            if start.is_null() { &mut [][..] } else { core::slice::from_raw_parts_mut(start, length) }
        };
        let received = wire.read(room).map_err(ended)?;
        if received == 0 {
            return Ok(false);
        }
        // The judge says when it starts and when it is through; a chain may take a second.
        // The callback gets a pointer to this pointer, as a pointer to a trait object is two words wide.
        let mut wire: *mut (dyn Wire + '_) = wire;
        let io: *mut c_void = (&raw mut wire).cast();
        // SAFETY: `wire` outlives the call that uses it, and is taken away again at once; no more is acknowledged than
        // there was room for.
        unsafe {
            ffi::shakedown_session_set_io(self.handle, io, Some(enter));
            ffi::shakedown_session_records_received(self.handle, received.min(length));
            ffi::shakedown_session_set_io(self.handle, core::ptr::null_mut(), None);
        }
        Ok(true)
    }
}

impl Session for BearSslSession {
    fn handshake(&mut self, wire: &mut dyn Wire) -> Result<bool, Failure> {
        if !self.is_started {
            // Memory is asked for when TCP is up, as in the core.
            let kept = self.kept.as_ref().map(|kept| kept.get());
            // SAFETY: the handle is alive, and `drop` frees it before the wishes.
            if !unsafe { self.wishes.start(self.handle, kept.as_ref()) } {
                return Err(if self.is_exhausted() { exhausted() } else { failure(names::OUT_OF_MEMORY) });
            }
            self.is_started = true;
        }
        loop {
            let state = self.state();
            if state & ffi::CLOSED != 0 {
                // In the stage that was entered last: whatever the engine has read since, it did not get through.
                return Err(self.failure());
            }
            self.enter(wire);
            let has_moved = if state & ffi::SENDS_RECORDS != 0 {
                self.send_records(wire)?
            } else if state & ffi::TAKES_DATA != 0 {
                self.keep();
                return Ok(true);
            } else {
                self.receive_records(wire)?
            };
            if !has_moved {
                return Ok(false);
            }
        }
    }

    /// The core's `_timeout`, measured by `_run_until` from the first byte to the last.
    fn handshake_ms_max(&self) -> Option<u32> {
        Some(15_000)
    }

    fn agreed(&self) -> Agreed {
        // SAFETY: the handle is alive and started.
        let (version, cipher_suite, is_resumed) = unsafe {
            (
                ffi::shakedown_session_version(self.handle),
                ffi::shakedown_session_cipher_suite(self.handle),
                ffi::shakedown_session_is_resumed(self.handle) != 0,
            )
        };
        Agreed {
            version: u16::try_from(version).unwrap_or(0),
            cipher_suite: u16::try_from(cipher_suite).map(names::of_cipher_suite).unwrap_or_default(),
            is_resumed,
            // BearSSL lets nothing pass, and so has nothing to tell.
            ..Agreed::default()
        }
    }

    fn read(&mut self, wire: &mut dyn Wire, into: &mut [u8]) -> Result<usize, Failure> {
        if !self.run_until(wire, ffi::HAS_DATA)? {
            return Ok(0);
        }
        let mut length = 0;
        // SAFETY: the handle is alive and started; the buffer is not touched by BearSSL until it is acknowledged.
        let data = unsafe {
            let start = ffi::shakedown_session_data_in(self.handle, &raw mut length);
            slice(start, length)
        };
        let count = data.len().min(into.len());
        if let (Some(into), Some(data)) = (into.get_mut(..count), data.get(..count)) {
            into.copy_from_slice(data);
        }
        if count > 0 {
            // SAFETY: as above, and no more is acknowledged than there was.
            unsafe { ffi::shakedown_session_data_read(self.handle, count) };
        }
        Ok(count)
    }

    fn write(&mut self, wire: &mut dyn Wire, bytes: &[u8]) -> Result<usize, Failure> {
        if bytes.is_empty() || !self.run_until(wire, ffi::TAKES_DATA)? {
            return Ok(0);
        }
        let mut length = 0;
        // SAFETY: the handle is alive and started; the buffer is ours until it is acknowledged.
        let room = unsafe {
            let start = ffi::shakedown_session_data_out(self.handle, &raw mut length);
            if start.is_null() { &mut [][..] } else { core::slice::from_raw_parts_mut(start, length) }
        };
        let count = room.len().min(bytes.len());
        if let (Some(room), Some(bytes)) = (room.get_mut(..count), bytes.get(..count)) {
            room.copy_from_slice(bytes);
        }
        if count > 0 {
            // SAFETY: as above, and no more is acknowledged than there was room for.
            unsafe { ffi::shakedown_session_data_written(self.handle, count) };
            // What the wire does not take now goes with the next call.
            while self.state() & ffi::SENDS_RECORDS != 0 && self.send_records(wire)? {}
        }
        Ok(count)
    }

    /// The core's `stop()` closes the TCP connection and says nothing to the TLS peer: no close_notify.
    fn close(&mut self, wire: &mut dyn Wire) {
        while self.is_started
            && self.state() & ffi::SENDS_RECORDS != 0
            && self.send_records(wire).is_ok_and(|sent| sent)
        {}
    }
}

fn stage(number: c_int) -> Stage {
    match number {
        0 => Stage::Hello,
        1 => Stage::Certificate,
        2 => Stage::KeyExchange,
        _ => Stage::Finished,
    }
}

/// # Safety
/// `start` is null, or the start of `length` readable bytes that nobody changes meanwhile.
unsafe fn slice<'a>(start: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    if start.is_null() { &[] } else { unsafe { core::slice::from_raw_parts(start, length) } }
}

fn failure(code: c_int) -> Failure {
    Failure {
        class: names::class_of(code),
        alert_received: names::alert_received(code),
        code,
        name: names::of_code(code),
        ..Failure::default()
    }
}

/// The core's program ends here, and the chip starts anew; this one tells, and gives up the attempt.
fn exhausted() -> Failure {
    Failure { class: FailureClass::Memory, name: names::UNHANDLED_EXCEPTION.to_string(), ..Failure::default() }
}

/// TCP has ended, and the core does not tell BearSSL: `getLastSSLError` is 0 then, "OK".
fn ended(end: WireEnd) -> Failure {
    let (class, what) = match end {
        WireEnd::Closed => (FailureClass::PeerClosed, ": connection closed"),
        WireEnd::Reset => (FailureClass::PeerReset, ": connection reset"),
    };
    Failure { class, name: names::of_code(0) + what, ..Failure::default() }
}

unsafe extern "C" fn enter(io: *mut c_void, number: c_int) {
    // SAFETY: BearSSL calls this only below `receive_records`, whose pointer this is.
    unsafe { (**io.cast::<*mut dyn Wire>()).enter(stage(number)) }
}
