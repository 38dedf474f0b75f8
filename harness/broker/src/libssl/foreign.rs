//! What the crates `openssl` and `openssl-sys` leave out of OpenSSL's interface.

use openssl_sys::{SSL, SSL_CIPHER, SSL_CTX, SSL_SESSION};
use std::ffi::{c_int, c_long, c_uchar, c_void};

/// Where OpenSSL gets its randomness (`RAND_METHOD`, openssl/rand.h).
#[repr(C)]
pub(super) struct RandMethod {
    pub(super) seed: Option<extern "C" fn(*const c_void, c_int) -> c_int>,
    pub(super) bytes: Option<extern "C" fn(*mut c_uchar, c_int) -> c_int>,
    pub(super) cleanup: Option<extern "C" fn()>,
    pub(super) add: Option<extern "C" fn(*const c_void, c_int, f64) -> c_int>,
    pub(super) pseudorand: Option<extern "C" fn(*mut c_uchar, c_int) -> c_int>,
    pub(super) status: Option<extern "C" fn() -> c_int>,
}

/// `SSL_CTX_generate_session_ticket_fn`.
pub(super) type GenerateTicket = extern "C" fn(*mut SSL, *mut c_void) -> c_int;
/// `SSL_CTX_decrypt_session_ticket_fn`.
pub(super) type DecryptTicket =
    extern "C" fn(*mut SSL, *mut SSL_SESSION, *const c_uchar, usize, c_int, *mut c_void) -> c_int;

unsafe extern "C" {
    pub(super) fn RAND_set_rand_method(method: *const RandMethod) -> c_int;
    pub(super) fn SSL_renegotiate(ssl: *mut SSL) -> c_int;
    pub(super) fn SSL_key_update(ssl: *mut SSL, kind: c_int) -> c_int;
    pub(super) fn SSL_CTX_set_session_ticket_cb(
        context: *mut SSL_CTX,
        generate: Option<GenerateTicket>,
        decrypt: Option<DecryptTicket>,
        argument: *mut c_void,
    ) -> c_int;
    pub(super) fn SSL_SESSION_set_time(session: *mut SSL_SESSION, seconds: c_long) -> c_long;
    pub(super) fn SSL_SESSION_set_timeout(session: *mut SSL_SESSION, seconds: c_long) -> c_long;
    pub(super) fn SSL_SESSION_set_protocol_version(session: *mut SSL_SESSION, version: c_int) -> c_int;
    pub(super) fn SSL_SESSION_set_cipher(session: *mut SSL_SESSION, cipher: *const SSL_CIPHER) -> c_int;
    pub(super) fn SSL_CIPHER_find(ssl: *mut SSL, number: *const c_uchar) -> *const SSL_CIPHER;
    pub(super) fn SSL_SESSION_set1_ticket_appdata(
        session: *mut SSL_SESSION,
        data: *const c_void,
        length: usize,
    ) -> c_int;
}

/// `SSL_CTRL_SET_MAX_SEND_FRAGMENT` (openssl/ssl.h).
pub(super) const SET_MAX_SEND_FRAGMENT: c_int = 52;
/// `SSL_CTRL_SET_CLIENT_SIGALGS_LIST`.
pub(super) const SET_CLIENT_SIGALGS_LIST: c_int = 102;
/// `SSL_CTRL_GET_NEGOTIATED_GROUP`.
pub(super) const GET_NEGOTIATED_GROUP: c_int = 134;
/// `SSL_OP_NO_EXTENDED_MASTER_SECRET`.
pub(super) const NO_EXTENDED_MASTER_SECRET: u64 = 1;
/// `SSL_KEY_UPDATE_NOT_REQUESTED`.
pub(super) const KEY_UPDATE_NOT_REQUESTED: c_int = 0;
