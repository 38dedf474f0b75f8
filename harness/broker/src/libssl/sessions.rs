//! Sessions that are resumed: the broker's own store of them, and how one comes back to life.
//!
//! OpenSSL's own store judges the age of a session by the wall clock, and belongs to one context. This one outlives the
//! context, as it has to where a broker is configured anew.

use super::foreign::{
    SSL_CIPHER_find, SSL_SESSION_set_cipher, SSL_SESSION_set_protocol_version, SSL_SESSION_set_timeout,
};
use super::tickets;
use foreign_types_shared::{ForeignType as _, ForeignTypeRef as _};
use openssl::ssl::{SslContextBuilder, SslRef, SslSession, SslSessionCacheMode};
use openssl_sys::SSL_SESSION;
use scenario::broker::ResumesUnder;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use wire::tls::CipherSuite;

/// The most sessions that are kept: a device has one.
const SESSIONS_MAX: usize = 32;
/// Longer than any wall clock is away from any scenario: a thousand years.
const FOREVER_S: i64 = 31_556_952_000;

/// Sessions by their numbers, as OpenSSL writes them down.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl Sessions {
    /// Keeps the sessions of a context's connections here, and looks for them here.
    pub(super) fn keep_those_of(&self, context: &mut SslContextBuilder) {
        context.set_session_cache_mode(SslSessionCacheMode::SERVER | SslSessionCacheMode::NO_INTERNAL);
        let sessions = self.clone();
        context.set_new_session_callback(move |_, session| sessions.keep(&session));
        let sessions = self.clone();
        // SAFETY: the session that is returned was made of bytes a moment ago, and belongs to no context yet.
        unsafe { context.set_get_session_callback(move |ssl, number| sessions.find(ssl, number)) };
    }

    fn keep(&self, session: &SslSession) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(bytes) = session.to_der()
            && sessions.len() < SESSIONS_MAX
        {
            sessions.insert(session.id().to_vec(), bytes);
        }
    }

    fn find(&self, ssl: &SslRef, number: &[u8]) -> Option<SslSession> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = SslSession::from_der(sessions.get(number)?).ok()?;
        // SAFETY: the session was made just now, and nobody else has it.
        unsafe { revive(ssl, session.as_ptr(), tickets::rules(ssl)?.under.as_ref()) };
        Some(session)
    }
}

/// Makes a session young, and what the script wants it to be. What OpenSSL refuses leaves the session as it was.
///
/// # Safety
///
/// `session` is a live one that nobody else has.
pub(super) unsafe fn revive(ssl: &SslRef, session: *mut SSL_SESSION, under: Option<&ResumesUnder>) {
    // SAFETY: the caller's promise; the connection is a live one, and ciphers are constants of OpenSSL.
    unsafe {
        SSL_SESSION_set_timeout(session, FOREVER_S);
        match under {
            None => {}
            Some(ResumesUnder::Version(version)) => {
                SSL_SESSION_set_protocol_version(session, c_int::from(version.number()));
            }
            Some(ResumesUnder::CipherSuite(name)) => {
                let number = CipherSuite::from_name(name).map(|suite| suite.0.to_be_bytes());
                let cipher = number.map_or(ptr::null(), |number| SSL_CIPHER_find(ssl.as_ptr(), number.as_ptr()));
                if !cipher.is_null() {
                    SSL_SESSION_set_cipher(session, cipher);
                }
            }
        }
    }
}
