//! What `c/session.h` declares.

use core::ffi::{c_int, c_uint, c_void};

#[repr(C)]
pub(crate) struct Session {
    _opaque: [u8; 0],
}

pub(crate) type Enter = unsafe extern "C" fn(io: *mut c_void, stage: c_int);

/// `SHAKEDOWN_ANCHORS` and its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Validator {
    Anchors = 0,
    Insecure = 1,
    Fingerprint = 2,
    SelfSigned = 3,
    KnownKey = 4,
}

// `Settings` and `Kept`: made by build.rs from the header.
include!(concat!(env!("OUT_DIR"), "/structs.rs"));

impl Kept {
    /// Nothing yet.
    pub(crate) const NONE: Self =
        Self { session_id_bytes: 0, version: 0, cipher_suite: 0, session_id: [0; 32], main_secret: [0; 48] };
}

/// Bits of [`shakedown_session_state`] (bearssl_ssl.h, `BR_SSL_*`).
pub(crate) const CLOSED: c_uint = 1;
pub(crate) const SENDS_RECORDS: c_uint = 2;
pub(crate) const TAKES_RECORDS: c_uint = 4;
pub(crate) const TAKES_DATA: c_uint = 8;
pub(crate) const HAS_DATA: c_uint = 16;

/// bearssl_ssl.h: a record or message that fits no buffer.
pub(crate) const ERR_TOO_LARGE: c_int = 6;
/// bearssl_ssl.h: what is added to the number of an alert.
pub(crate) const ERR_RECV_FATAL_ALERT: c_int = 256;
pub(crate) const ERR_SEND_FATAL_ALERT: c_int = 512;

unsafe extern "C" {
    pub(crate) fn shakedown_session_new() -> *mut Session;
    pub(crate) fn shakedown_session_free(session: *mut Session);
    pub(crate) fn shakedown_session_is_exhausted(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_add_anchors(session: *mut Session, bytes: *const u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_add_own_certificates(
        session: *mut Session,
        bytes: *const u8,
        length: usize,
    ) -> c_int;
    pub(crate) fn shakedown_session_set_own_key(session: *mut Session, bytes: *const u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_set_known_key(session: *mut Session, bytes: *const u8, length: usize) -> c_int;
    pub(crate) fn shakedown_session_start(session: *mut Session, settings: *const Settings) -> c_int;
    pub(crate) fn shakedown_session_set_io(session: *mut Session, io: *mut c_void, enter: Option<Enter>);
    pub(crate) fn shakedown_session_stage(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_state(session: *const Session) -> c_uint;
    pub(crate) fn shakedown_session_error(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_records_out(session: *mut Session, length: *mut usize) -> *const u8;
    pub(crate) fn shakedown_session_records_sent(session: *mut Session, length: usize);
    pub(crate) fn shakedown_session_records_in(session: *mut Session, length: *mut usize) -> *mut u8;
    pub(crate) fn shakedown_session_records_received(session: *mut Session, length: usize);
    pub(crate) fn shakedown_session_data_out(session: *mut Session, length: *mut usize) -> *mut u8;
    pub(crate) fn shakedown_session_data_written(session: *mut Session, length: usize);
    pub(crate) fn shakedown_session_data_in(session: *mut Session, length: *mut usize) -> *const u8;
    pub(crate) fn shakedown_session_data_read(session: *mut Session, length: usize);
    pub(crate) fn shakedown_session_keep(session: *const Session, kept: *mut Kept);
    pub(crate) fn shakedown_session_is_resumed(session: *const Session) -> c_int;
    pub(crate) fn shakedown_session_version(session: *const Session) -> u32;
    pub(crate) fn shakedown_session_cipher_suite(session: *const Session) -> u32;
}
