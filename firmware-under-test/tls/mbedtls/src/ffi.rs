//! What `c/interface/session.h` declares, and the numbers of Mbed TLS's headers that logic depends on, whichever version it is.

use core::ffi::{c_char, c_int, c_void};

#[repr(C)]
pub(crate) struct Session {
    _opaque: [u8; 0],
}

/// `shakedown_kept`.
#[repr(C)]
pub(crate) struct Kept {
    _opaque: [u8; 0],
}

// `Settings`: made by build.rs from the header.
include!(concat!(env!("OUT_DIR"), "/structs.rs"));

pub(crate) type Send = unsafe extern "C" fn(io: *mut c_void, bytes: *const u8, length: usize) -> c_int;
pub(crate) type Receive = unsafe extern "C" fn(io: *mut c_void, into: *mut u8, length: usize) -> c_int;

unsafe extern "C" {
    pub(crate) static mut shakedown_receive_buffer_bytes: usize;
    pub(crate) static mut shakedown_send_buffer_bytes: usize;
    pub(crate) static mut shakedown_checks_dates: c_int;

    pub(crate) fn shakedown_crypto_init() -> c_int;
    pub(crate) fn shakedown_session_new() -> *mut Session;
    pub(crate) fn shakedown_session_free(session: *mut Session);
    pub(crate) fn shakedown_session_add_authorities(session: *mut Session, bytes: *const u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_add_own_certificate(
        session: *mut Session,
        bytes: *const u8,
        length: usize,
    ) -> c_int;
    pub(crate) fn shakedown_session_set_own_key(session: *mut Session, bytes: *const u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_setup(session: *mut Session, settings: *const Settings) -> c_int;
    pub(crate) fn shakedown_kept_new() -> *mut Kept;
    pub(crate) fn shakedown_kept_free(kept: *mut Kept);
    pub(crate) fn shakedown_session_keep(session: *const Session, kept: *mut Kept) -> c_int;
    pub(crate) fn shakedown_session_resume(session: *mut Session, kept: *const Kept) -> c_int;
    pub(crate) fn shakedown_session_set_io(
        session: *mut Session,
        io: *mut c_void,
        send: Option<Send>,
        receive: Option<Receive>,
    );
    pub(crate) fn shakedown_session_stage(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_is_handshake_over(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_step(session: *mut Session) -> c_int;
    pub(crate) fn shakedown_session_is_resumed(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_read(session: *mut Session, into: *mut u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_write(session: *mut Session, bytes: *const u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_close_notify(session: *mut Session) -> c_int;
    pub(crate) fn shakedown_session_alert(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_verify_flags(session: *const Session) -> u32;
    pub(crate) fn shakedown_session_version(session: *const Session) -> u16;
    pub(crate) fn shakedown_session_cipher_suite(session: *const Session) -> *const c_char;
}

/// ssl.h: MBEDTLS_SSL_VERIFY_NONE, _OPTIONAL, _REQUIRED.
pub(crate) const VERIFY_NONE: c_int = 0;
pub(crate) const VERIFY_OPTIONAL: c_int = 1;
pub(crate) const VERIFY_REQUIRED: c_int = 2;

/// The codes that change what happens next; a version's `ERRORS` have all of them by name, and `conformance.rs` compares.
pub(crate) const ERR_SSL_WANT_READ: c_int = -0x6900;
pub(crate) const ERR_SSL_WANT_WRITE: c_int = -0x6880;
pub(crate) const ERR_SSL_FATAL_ALERT_MESSAGE: c_int = -0x7780;
pub(crate) const ERR_SSL_CONN_EOF: c_int = -0x7280;
pub(crate) const ERR_SSL_ALLOC_FAILED: c_int = -0x7f00;
pub(crate) const ERR_SSL_BAD_INPUT_DATA: c_int = -0x7100;
pub(crate) const ERR_NET_CONN_RESET: c_int = -0x0050;
pub(crate) const ERR_ENTROPY_SOURCE_FAILED: c_int = -0x003c;
