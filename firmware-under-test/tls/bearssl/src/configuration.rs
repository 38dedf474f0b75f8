//! A plan's wishes as the ESP8266 core lets a sketch express them; and those that neither it nor BearSSL can fulfil.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::c_char;
use core::ptr;

use client::blobs::{from_hex, pieces};
use client::port;
use client::tls::Failure;
use control::{Blob, Tls, Trust, Verify};

use crate::ffi::{self, Validator};
use crate::names::FULL_LIST;

/// TLS 1.0 and 1.2 as on the wire: `setSSLVersion` of the core, whose default they are.
const VERSION_MIN: u16 = 0x0301;
const VERSION_MAX: u16 = 0x0303;
/// `setBufferSizes(16384, 512)`, the core's default (`_clear`).
const RECEIVE_BUFFER_BYTES: u16 = 16384;
const SEND_BUFFER_BYTES: u16 = 512;
/// The bounds that `setBufferSizes` keeps to.
const BUFFER_BYTES: core::ops::RangeInclusive<u16> = 512..=16384;
/// What BearSSL's own seeders draw at least (sysrng.c).
const ENTROPY_BYTES: usize = 32;
const FINGERPRINT_BYTES: usize = 20;
/// BearSSL's groups in the order in which it offers them, whatever it is told: by number. (ssl_hs_client.t0,
/// write-ClientHello, means to put x25519 first, but looks for its bit in the counter instead of the mask.)
const GROUPS: [u16; 4] = [23, 24, 25, 29];

/// A plan in BearSSL's terms.
pub(crate) struct Wishes {
    server_name: Option<CString>,
    cipher_suites: Vec<u16>,
    alpn: Vec<CString>,
    alpn_pointers: Vec<*const c_char>,
    fingerprint: Vec<u8>,
    curves: u32,
    validator: Validator,
    versions: (u16, u16),
    receive_buffer_bytes: u16,
    send_buffer_bytes: u16,
}

impl Wishes {
    /// # Errors
    /// If neither the core nor BearSSL has the means.
    pub(crate) fn of(plan: &Tls) -> Result<Self, Failure> {
        if plan.client_hello.is_some() {
            return Err(Failure::unsupported("BearSSL writes its ClientHello itself"));
        }
        if plan.version_max.is_some_and(|version| version > VERSION_MAX) {
            return Err(Failure::unsupported("BearSSL 0.6 has no TLS 1.3"));
        }
        let versions = (plan.version_min.unwrap_or(VERSION_MIN), plan.version_max.unwrap_or(VERSION_MAX));
        let validator = validator(plan)?;
        let (receive_buffer_bytes, send_buffer_bytes) = buffers(plan)?;
        let alpn = plan.alpn.iter().map(|name| c_string(name)).collect::<Result<Vec<_>, _>>()?;
        let fingerprint = match &plan.trust {
            Trust::Fingerprint(digits) => from_hex(digits)
                .filter(|bytes| bytes.len() == FINGERPRINT_BYTES)
                .ok_or_else(|| Failure::unsupported("this is no SHA-1 fingerprint"))?,
            _ => Vec::new(),
        };
        Ok(Self {
            server_name: server_name(plan, validator)?,
            cipher_suites: cipher_suites(plan)?,
            alpn_pointers: alpn.iter().map(|name| name.as_ptr()).collect(),
            alpn,
            fingerprint,
            curves: curves(plan)?,
            validator,
            versions,
            receive_buffer_bytes,
            send_buffer_bytes,
        })
    }

    /// Starts the engine with them, the calendar's time, randomness from the chip, and the session to be resumed.
    /// `false` if memory is short.
    ///
    /// # Safety
    /// `session` is a session that has not been started, and is freed before these wishes are dropped.
    pub(crate) unsafe fn start(&self, session: *mut ffi::Session, kept: Option<&ffi::Kept>) -> bool {
        let mut entropy = [0; ENTROPY_BYTES];
        let has_entropy = port::random(&mut entropy);
        let settings = ffi::Settings {
            server_name: self.server_name.as_ref().map_or(ptr::null(), |name| name.as_ptr()),
            cipher_suites: self.cipher_suites.as_ptr(),
            alpn: if self.alpn.is_empty() { ptr::null_mut() } else { self.alpn_pointers.as_ptr().cast_mut() },
            fingerprint: if self.fingerprint.is_empty() { ptr::null() } else { self.fingerprint.as_ptr() },
            entropy: entropy.as_ptr(),
            unix_time_s: port::unix_time_s().max(0),
            curves: self.curves,
            receive_buffer_bytes: u32::from(self.receive_buffer_bytes),
            send_buffer_bytes: u32::from(self.send_buffer_bytes),
            entropy_bytes: if has_entropy { ENTROPY_BYTES as u32 } else { 0 },
            cipher_suite_count: self.cipher_suites.len() as u32,
            alpn_count: self.alpn.len() as u32,
            validator: self.validator as u32,
            version_min: u32::from(self.versions.0),
            version_max: u32::from(self.versions.1),
            kept: kept.map_or(ptr::null(), ptr::from_ref),
        };
        // SAFETY: the caller's promise; the lists live in `self`, the rest is copied during the call.
        unsafe { ffi::shakedown_session_start(session, &raw const settings) != 0 }
    }

    /// Who judges the peer's certificate.
    pub(crate) const fn validator(&self) -> Validator {
        self.validator
    }
}

/// One of the core's ways of trusting; each of its setters takes back what the others have set.
fn validator(plan: &Tls) -> Result<Validator, Failure> {
    match (plan.verify, &plan.trust) {
        (Verify::Optional, _) => Err(Failure::unsupported("BearSSL accepts a chain or refuses it")),
        (Verify::None, _) => Ok(Validator::Insecure),
        (Verify::Required, Trust::Authorities) if !plan.checks_dates => {
            Err(Failure::unsupported("BearSSL 0.6 compares the dates of every chain that it verifies"))
        }
        (Verify::Required, Trust::Authorities) => Ok(Validator::Anchors),
        (Verify::Required, Trust::SelfSigned) => Ok(Validator::SelfSigned),
        (Verify::Required, Trust::Fingerprint(_)) => Ok(Validator::Fingerprint),
        (Verify::Required, Trust::KnownKey(_)) => Ok(Validator::KnownKey),
    }
}

/// BearSSL has one name for SNI and for the check, and only `br_x509_minimal` checks it.
fn server_name(plan: &Tls, validator: Validator) -> Result<Option<CString>, Failure> {
    let Some(name) = &plan.server_name else { return Ok(None) };
    let is_checked = validator == Validator::Anchors;
    match (plan.sends_server_name, plan.checks_name) {
        (true, true) => {}
        (true, false) if !is_checked => {}
        (false, true) if !is_checked => return Ok(None),
        // `connect(IPAddress)`: no name at all.
        (false, false) => return Ok(None),
        (true, false) => return Err(Failure::unsupported("BearSSL checks the name that it sends")),
        (false, true) => return Err(Failure::unsupported("BearSSL sends the name that it checks")),
    }
    c_string(name).map(Some)
}

fn cipher_suites(plan: &Tls) -> Result<Vec<u16>, Failure> {
    if let Some(other) = plan.cipher_suites.iter().find(|suite| !FULL_LIST.contains(suite)) {
        return Err(Failure::unsupported(&alloc::format!("BearSSL has no cipher suite 0x{other:04x}")));
    }
    Ok(if plan.cipher_suites.is_empty() { FULL_LIST.to_vec() } else { plan.cipher_suites.clone() })
}

/// A bit for each group that the plan wants; 0 for all.
fn curves(plan: &Tls) -> Result<u32, Failure> {
    let mut places = GROUPS.iter();
    plan.groups.iter().try_fold(0, |curves, group| {
        // Going on from where the last one was found: the order has to be BearSSL's.
        if places.any(|known| known == group) {
            Ok(curves | 1 << u32::from(*group))
        } else {
            Err(Failure::unsupported("BearSSL has secp256r1, secp384r1, secp521r1 and x25519, in this order"))
        }
    })
}

/// Both record buffers. The max_fragment_length follows from them (ssl_engine.c, br_ssl_engine_set_buffers_bidi): the
/// largest power of two that fits both, where 8192 counts as 4096, and none is asked for with 16384.
fn buffers(plan: &Tls) -> Result<(u16, u16), Failure> {
    let bound = |bytes: u16| bytes.clamp(*BUFFER_BYTES.start(), *BUFFER_BYTES.end());
    match (plan.max_fragment_length_bytes, plan.receive_buffer_bytes, plan.send_buffer_bytes) {
        // `setBufferSizes(n, n)`, the only way to ask for n.
        (Some(wish), None, None) => Ok((bound(wish), bound(wish))),
        (wish, receive, send) => {
            let receive = bound(receive.unwrap_or(RECEIVE_BUFFER_BYTES));
            let send = bound(send.unwrap_or(SEND_BUFFER_BYTES));
            if wish.is_some_and(|wish| Some(wish) != fragment_length(receive, send)) {
                return Err(Failure::unsupported("BearSSL asks for the max_fragment_length that fits both buffers"));
            }
            Ok((receive, send))
        }
    }
}

/// The max_fragment_length that BearSSL asks for with these buffers.
fn fragment_length(receive_bytes: u16, send_bytes: u16) -> Option<u16> {
    let fits = receive_bytes.min(send_bytes);
    [4096, 2048, 1024, 512].into_iter().find(|length| fits < 16384 && *length <= fits)
}

fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::unsupported("a name holds a NUL"))
}

/// The pieces that a sketch has apart.
pub(crate) fn blobs(blob: Option<&Blob>) -> Vec<Vec<u8>> {
    blob.and_then(pieces).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(plan: &Tls) -> Option<outcome::FailureClass> {
        Wishes::of(plan).err().map(|failure| failure.class)
    }

    fn named(plan: Tls) -> Tls {
        Tls { server_name: Some("broker.test".into()), ..plan }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        assert_eq!(refusal(&Tls::default()), None);
        for plan in [
            Tls { version_max: Some(0x0304), ..Tls::default() },
            Tls { verify: Verify::Optional, ..Tls::default() },
            Tls { checks_dates: false, ..Tls::default() },
            named(Tls { checks_name: false, ..Tls::default() }),
            named(Tls { sends_server_name: false, ..Tls::default() }),
            Tls { cipher_suites: alloc::vec![0x1301], ..Tls::default() },
            Tls { groups: alloc::vec![29, 23], ..Tls::default() },
            Tls { groups: alloc::vec![30], ..Tls::default() },
            Tls { client_hello: Some("160303".into()), ..Tls::default() },
            Tls { trust: Trust::Fingerprint("00".into()), ..Tls::default() },
            Tls { max_fragment_length_bytes: Some(4096), send_buffer_bytes: Some(512), ..Tls::default() },
        ] {
            assert_eq!(refusal(&plan), Some(outcome::FailureClass::Unsupported), "{plan:?}");
        }
    }

    #[test]
    fn what_nobody_looks_at_may_be_wished() {
        for plan in [
            Tls { verify: Verify::None, checks_dates: false, ..Tls::default() },
            named(Tls { verify: Verify::None, checks_name: false, ..Tls::default() }),
            named(Tls { checks_name: false, sends_server_name: false, ..Tls::default() }),
            Tls { groups: alloc::vec![24, 29], ..Tls::default() },
            Tls { max_fragment_length_bytes: Some(1024), ..Tls::default() },
        ] {
            assert_eq!(refusal(&plan), None, "{plan:?}");
        }
    }

    #[test]
    fn the_buffers_decide_the_fragment_length() {
        // The core's default, and the sketch's of document 002: 512 each time.
        assert_eq!(fragment_length(16384, 512), Some(512));
        assert_eq!(fragment_length(4096, 512), Some(512));
        assert_eq!(fragment_length(8192, 9000), Some(4096));
        assert_eq!(fragment_length(16384, 16384), None);
    }
}
