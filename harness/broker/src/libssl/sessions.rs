//! Sessions that are resumed: the broker's own store of them, and how one comes back to life.
//!
//! OpenSSL's own store judges the age of a session by the wall clock, and belongs to one context. This one outlives the
//! context, as it has to where a broker is configured anew.

use super::foreign::{
    SSL_CIPHER_find, SSL_SESSION_set_cipher, SSL_SESSION_set_protocol_version, SSL_SESSION_set_timeout,
};
use super::tickets;
use crate::error::Error;
use foreign_types_shared::{ForeignType as _, ForeignTypeRef as _};
use openssl::ssl::{SslContextBuilder, SslRef, SslSession, SslSessionCacheMode};
use openssl_sys::SSL_SESSION;
use scenario::broker::ResumesUnder;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Arc, Mutex, PoisonError};
use wire::tls::CipherSuite;

/// The most sessions that are kept: a device has one.
const SESSIONS_MAX: usize = 32;
/// Longer than any wall clock is away from any scenario: a thousand years.
const FOREVER_S: i64 = 31_556_952_000;

/// What a session is resumed under, whatever it was made under.
#[derive(Clone, Copy, Debug)]
pub(super) enum Under {
    /// As on the wire.
    Version(c_int),
    /// As on the wire.
    CipherSuite([u8; 2]),
}

impl Under {
    pub(super) fn of(script: &ResumesUnder) -> Result<Self, Error> {
        match script {
            ResumesUnder::Version(version) => Ok(Self::Version(c_int::from(version.number()))),
            ResumesUnder::CipherSuite(name) => match CipherSuite::from_name(name) {
                Some(suite) => Ok(Self::CipherSuite(suite.0.to_be_bytes())),
                None => Err(Error::new("afterwards", format!("there is no suite `{name}`"), "name one of IANA's")),
            },
        }
    }
}

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
        unsafe { revive(ssl, session.as_ptr(), tickets::rules(ssl)?.under) };
        Some(session)
    }
}

/// Makes a session young, and what the script wants it to be. What OpenSSL refuses leaves the session as it was.
///
/// # Safety
///
/// `session` is a live one that nobody else has.
pub(super) unsafe fn revive(ssl: &SslRef, session: *mut SSL_SESSION, under: Option<Under>) {
    // SAFETY: the caller's promise; the connection is a live one, and ciphers are constants of OpenSSL.
    unsafe {
        SSL_SESSION_set_timeout(session, FOREVER_S);
        match under {
            None => {}
            Some(Under::Version(version)) => _ = SSL_SESSION_set_protocol_version(session, version),
            Some(Under::CipherSuite(number)) => {
                let cipher = SSL_CIPHER_find(ssl.as_ptr(), number.as_ptr());
                if !cipher.is_null() {
                    SSL_SESSION_set_cipher(session, cipher);
                }
            }
        }
    }
}
