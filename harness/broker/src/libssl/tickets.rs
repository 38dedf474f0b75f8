//! Session tickets of the date that the scenario has.
//!
//! OpenSSL writes the wall clock's time into a ticket. Where a ticket is made, the session is dated back to the run;
//! where one comes back, its age is not looked at, because the wall clock would judge it.

use super::foreign::{
    SSL_CTX_set_session_ticket_cb, SSL_SESSION_set_time, SSL_SESSION_set_timeout, SSL_SESSION_set1_ticket_appdata,
};
use super::sessions::revive;
use foreign_types_shared::ForeignTypeRef as _;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{SslContext, SslContextBuilder, SslRef};
use openssl_sys::{SSL, SSL_SESSION};
use scenario::broker::ResumesUnder;
use std::ffi::{c_int, c_uchar, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// How long a ticket is good for: two hours, as rustls' are here.
const LIFETIME_S: i64 = 7_200;

/// `SSL_TICKET_SUCCESS` and `SSL_TICKET_SUCCESS_RENEW` (openssl/ssl.h): the ticket was one of ours.
const SUCCESS: c_int = 5;
const SUCCESS_RENEW: c_int = 6;
/// `SSL_TICKET_RETURN_IGNORE_RENEW`: a full handshake, and a new ticket.
const RETURN_IGNORE_RENEW: c_int = 2;
/// `SSL_TICKET_RETURN_USE`.
const RETURN_USE: c_int = 3;

/// What a script says about tickets.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) padding_bytes: u16,
    pub(super) honoured: bool,
    /// What a session is resumed under, if not under what it was made.
    pub(super) under: Option<ResumesUnder>,
    /// The run's date.
    pub(super) date_s: AtomicI64,
}

fn index() -> Result<Index<SslContext, Rules>, ErrorStack> {
    static INDEX: OnceLock<Result<Index<SslContext, Rules>, ErrorStack>> = OnceLock::new();
    INDEX.get_or_init(SslContext::new_ex_index).clone()
}

/// Lets the connections of a context follow the rules.
pub(super) fn rule(context: &mut SslContextBuilder, rules: Rules) -> Result<(), ErrorStack> {
    context.set_ex_data(index()?, rules);
    // SAFETY: the context is a live one, and the callbacks take no argument, so that none has to outlive it.
    unsafe {
        SSL_CTX_set_session_ticket_cb(context.as_ptr(), Some(generate), Some(decrypt), std::ptr::null_mut());
    }
    Ok(())
}

/// Tells the connections of a context the date.
pub(super) fn set_date(context: &SslContext, seconds: i64) {
    if let Some(rules) = index().ok().and_then(|index| context.ex_data(index)) {
        rules.date_s.store(seconds, Ordering::Relaxed);
    }
}

/// What a script says to this connection.
pub(super) fn rules(ssl: &SslRef) -> Option<&Rules> {
    ssl.ssl_context().ex_data(index().ok()?)
}

extern "C" fn generate(ssl: *mut SSL, _argument: *mut c_void) -> c_int {
    // SAFETY: OpenSSL passes the connection that it works on.
    let ssl = unsafe { SslRef::from_ptr(ssl) };
    let (Some(rules), Some(session)) = (rules(ssl), ssl.session()) else { return 0 };
    let padding = vec![b'.'; usize::from(rules.padding_bytes)];
    // SAFETY: the session is the connection's own and not in a cache yet; the padding is copied.
    unsafe {
        SSL_SESSION_set_timeout(session.as_ptr(), LIFETIME_S);
        SSL_SESSION_set_time(session.as_ptr(), rules.date_s.load(Ordering::Relaxed));
        if padding.is_empty() {
            return 1;
        }
        SSL_SESSION_set1_ticket_appdata(session.as_ptr(), padding.as_ptr().cast(), padding.len())
    }
}

extern "C" fn decrypt(
    ssl: *mut SSL,
    session: *mut SSL_SESSION,
    _key_name: *const c_uchar,
    _key_name_length: usize,
    status: c_int,
    _argument: *mut c_void,
) -> c_int {
    // SAFETY: OpenSSL passes the connection that it works on.
    let ssl = unsafe { SslRef::from_ptr(ssl) };
    let Some(rules) = rules(ssl).filter(|rules| rules.honoured) else { return RETURN_IGNORE_RENEW };
    if session.is_null() || !matches!(status, SUCCESS | SUCCESS_RENEW) {
        return RETURN_IGNORE_RENEW;
    }
    // SAFETY: the session was decrypted from the ticket just now, and nobody else has it.
    unsafe { revive(ssl, session, rules.under.as_ref()) };
    RETURN_USE
}
