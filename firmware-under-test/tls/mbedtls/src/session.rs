//! The client's traits on top of `c/session.c`.

use alloc::rc::Rc;
use alloc::string::String;
use core::ffi::{CStr, c_int, c_void};
use core::marker::PhantomData;

use client::tls::{Agreed, Failure, Session, Stack, Wire, WireEnd};
use control::Tls;
use outcome::{AlertDescription, Stage};

use crate::configuration::{self, Lists};
use crate::kept::Kept;
use crate::{Version, class, ffi, names};

/// What `mbedtls_ssl_get_verify_result` says when no chain was judged (ssl.h).
const NOT_JUDGED: u32 = u32::MAX;
/// TLS 1.2 as on the wire: up to it, a session can be kept when the handshake is over, and later only with a ticket.
const TLS_1_2: u16 = 0x0303;

/// A version of Mbed TLS, ready for sessions.
pub struct MbedTls<V> {
    number: u32,
    /// Made by the first connection that keeps its session.
    kept: Option<Rc<Kept>>,
    version: PhantomData<V>,
}

impl<V: Version> MbedTls<V> {
    /// Starts its cryptography, which seeds its random number generator. [`client::port::install`] comes before this.
    ///
    /// # Errors
    /// The library's status, if it does not start.
    pub fn start() -> Result<Self, i32> {
        // SAFETY: no argument; called again, it does nothing.
        match unsafe { ffi::shakedown_crypto_init() } {
            0 => Ok(Self { number: V::number(), kept: None, version: PhantomData }),
            status => Err(status),
        }
    }
}

impl<V: Version> Stack for MbedTls<V> {
    type Session = MbedTlsSession<V>;

    fn name(&self) -> String {
        let [major, minor, patch, _] = self.number.to_be_bytes();
        alloc::format!("Mbed TLS {major}.{minor}.{patch}")
    }

    fn open(&mut self, plan: &Tls) -> Result<MbedTlsSession<V>, Failure> {
        let plan = &*V::adapt(plan)?;
        // SAFETY: no argument; null says that memory is short.
        let handle = unsafe { ffi::shakedown_session_new() };
        if handle.is_null() {
            return Err(failure::<V>(ffi::ERR_SSL_ALLOC_FAILED));
        }
        let mut session = MbedTlsSession { handle, _lists: Lists::default(), kept: None, version: PhantomData };
        // SAFETY: the session is fresh, and its `Drop` frees it before its fields, the lists among them, are dropped.
        session._lists = unsafe { configuration::apply::<V>(handle, plan)? };
        if plan.keeps_session {
            let kept = self.kept()?;
            // SAFETY: the session was set up just now.
            unsafe { kept.offer::<V>(handle)? };
            session.kept = Some(kept);
        }
        Ok(session)
    }
}

impl<V: Version> MbedTls<V> {
    fn kept(&mut self) -> Result<Rc<Kept>, Failure> {
        match &self.kept {
            Some(kept) => Ok(Rc::clone(kept)),
            None => Ok(Rc::clone(self.kept.insert(Kept::new::<V>()?))),
        }
    }
}

/// One connection of a version of Mbed TLS.
pub struct MbedTlsSession<V> {
    handle: *mut ffi::Session,
    _lists: Lists,
    /// Where the session goes, if the plan keeps it.
    kept: Option<Rc<Kept>>,
    version: PhantomData<V>,
}

impl<V> Drop for MbedTlsSession<V> {
    fn drop(&mut self) {
        // SAFETY: the handle came from `shakedown_session_new` and is freed once.
        unsafe { ffi::shakedown_session_free(self.handle) }
    }
}

impl<V: Version> MbedTlsSession<V> {
    /// Runs `call` with `wire` below the session.
    fn with_wire<R>(&mut self, wire: &mut dyn Wire, call: impl FnOnce(*mut ffi::Session) -> R) -> R {
        // The callbacks get a pointer to this pointer, as a pointer to a trait object is two words wide.
        let mut wire: *mut (dyn Wire + '_) = wire;
        let io: *mut c_void = (&raw mut wire).cast();
        // SAFETY: the handle is alive; `wire` outlives `call`, and is taken away again before it ends.
        unsafe { ffi::shakedown_session_set_io(self.handle, io, Some(send), Some(receive)) };
        let result = call(self.handle);
        // SAFETY: as above.
        unsafe { ffi::shakedown_session_set_io(self.handle, core::ptr::null_mut(), None, None) };
        result
    }

    fn stage(&self) -> Stage {
        // SAFETY: the handle is alive.
        match unsafe { ffi::shakedown_session_stage(self.handle) } {
            0 => Stage::Hello,
            1 => Stage::Certificate,
            2 => Stage::KeyExchange,
            _ => Stage::Finished,
        }
    }

    /// As on the wire.
    fn version(&self) -> u16 {
        // SAFETY: the handle is alive.
        unsafe { ffi::shakedown_session_version(self.handle) }
    }

    fn keep(&self) {
        if let Some(kept) = &self.kept {
            // SAFETY: the handle is alive.
            unsafe { kept.replace(self.handle) }
        }
    }

    /// The flags as far as a chain was judged.
    fn verify_flags(&self) -> u32 {
        // SAFETY: the handle is alive.
        match unsafe { ffi::shakedown_session_verify_flags(self.handle) } {
            NOT_JUDGED => 0,
            flags => flags,
        }
    }

    fn failure(&self, code: c_int) -> Failure {
        let verify_flags = self.verify_flags();
        let mut failure =
            Failure { verify_flags, verify_flag_names: names::of_flags::<V>(verify_flags), ..failure::<V>(code) };
        // SAFETY: the handle is alive.
        let alert = unsafe { ffi::shakedown_session_alert(self.handle) };
        if let (ffi::ERR_SSL_FATAL_ALERT_MESSAGE, Ok(alert)) = (code, u8::try_from(alert)) {
            failure.name = alloc::format!("{}: {}", failure.name, AlertDescription(alert));
            failure.alert_received = Some(AlertDescription(alert));
        }
        failure
    }
}

impl<V: Version> Session for MbedTlsSession<V> {
    fn handshake(&mut self, wire: &mut dyn Wire) -> Result<bool, Failure> {
        loop {
            wire.enter(self.stage());
            // SAFETY: the handle is alive and its wire is connected.
            let code = self.with_wire(wire, |handle| unsafe { ffi::shakedown_session_step(handle) });
            match code {
                // SAFETY: the handle is alive.
                0 if unsafe { ffi::shakedown_session_is_handshake_over(self.handle) } != 0 => {
                    if self.version() <= TLS_1_2 {
                        self.keep();
                    }
                    return Ok(true);
                }
                0 => {}
                code if is_patience::<V>(code) => return Ok(false),
                code => return Err(self.failure(code)),
            }
        }
    }

    fn agreed(&self) -> Agreed {
        let verify_flags = self.verify_flags();
        // SAFETY: the handle is alive, and names of cipher suites are constants of Mbed TLS.
        let (name, is_resumed) = unsafe {
            let name = ffi::shakedown_session_cipher_suite(self.handle);
            let name = if name.is_null() { c"" } else { CStr::from_ptr(name) };
            (name, ffi::shakedown_session_is_resumed(self.handle) != 0)
        };
        Agreed {
            version: self.version(),
            cipher_suite: name.to_string_lossy().into_owned(),
            verify_flags,
            verify_flag_names: names::of_flags::<V>(verify_flags),
            is_resumed,
        }
    }

    fn read(&mut self, wire: &mut dyn Wire, into: &mut [u8]) -> Result<usize, Failure> {
        let (bytes, length) = (into.as_mut_ptr(), into.len());
        loop {
            // SAFETY: the handle is alive, its wire is connected, and `into` is that long.
            let code = self.with_wire(wire, |handle| unsafe { ffi::shakedown_session_read(handle, bytes, length) });
            match usize::try_from(code) {
                // The end of the stream without close_notify; Mbed TLS says it either way (ssl.h).
                Ok(0) if length > 0 => return Err(self.failure(ffi::ERR_SSL_CONN_EOF)),
                Ok(count) => return Ok(count),
                // Bytes of the application may have come with the ticket, and nothing on the wire would announce them.
                Err(_) if V::brings_ticket(code) => self.keep(),
                Err(_) if is_patience::<V>(code) => return Ok(0),
                Err(_) => return Err(self.failure(code)),
            }
        }
    }

    fn write(&mut self, wire: &mut dyn Wire, bytes: &[u8]) -> Result<usize, Failure> {
        let (start, length) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the handle is alive, its wire is connected, and `bytes` is that long.
        let code = self.with_wire(wire, |handle| unsafe { ffi::shakedown_session_write(handle, start, length) });
        match usize::try_from(code) {
            Ok(count) => Ok(count),
            Err(_) if is_patience::<V>(code) => Ok(0),
            Err(_) => Err(self.failure(code)),
        }
    }

    fn close(&mut self, wire: &mut dyn Wire) {
        // The connection is given up either way, so the code does not matter.
        // SAFETY: the handle is alive and its wire is connected.
        self.with_wire(wire, |handle| unsafe { ffi::shakedown_session_close_notify(handle) });
    }
}

/// A failure outside of a session.
pub(crate) fn failure<V: Version>(code: c_int) -> Failure {
    Failure { class: class::of_code::<V>(code), code, name: names::of_code::<V>(code), ..Failure::default() }
}

/// Whether a code means: later, or again.
fn is_patience<V: Version>(code: c_int) -> bool {
    matches!(code, ffi::ERR_SSL_WANT_READ | ffi::ERR_SSL_WANT_WRITE) || V::brings_ticket(code)
}

unsafe extern "C" fn send(io: *mut c_void, bytes: *const u8, length: usize) -> c_int {
    // SAFETY: Mbed TLS calls this only below `with_wire`, whose pointer this is, with `length` readable bytes.
    let (wire, bytes) = unsafe { (&mut **io.cast::<*mut dyn Wire>(), core::slice::from_raw_parts(bytes, length)) };
    match wire.write(bytes) {
        Ok(0) => ffi::ERR_SSL_WANT_WRITE,
        Ok(count) => count as c_int,
        Err(_) => ffi::ERR_NET_CONN_RESET,
    }
}

unsafe extern "C" fn receive(io: *mut c_void, into: *mut u8, length: usize) -> c_int {
    // SAFETY: Mbed TLS calls this only below `with_wire`, whose pointer this is, with `length` writable bytes.
    let (wire, into) = unsafe { (&mut **io.cast::<*mut dyn Wire>(), core::slice::from_raw_parts_mut(into, length)) };
    match wire.read(into) {
        Ok(0) => ffi::ERR_SSL_WANT_READ,
        Ok(count) => count as c_int,
        // As from a socket: 0 is the end of the stream.
        Err(WireEnd::Closed) => 0,
        Err(WireEnd::Reset) => ffi::ERR_NET_CONN_RESET,
    }
}
