//! A plan's wishes as Mbed TLS takes them.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::{c_char, c_int};
use core::ptr;

use client::blobs::{from_hex, pieces};
use client::tls::Failure;
use control::{Blob, Tls, Verify};

use crate::session::failure;
use crate::{Version, ffi};

/// The bounds of Mbed TLS's own configuration check (ssl_misc.h), and the least that holds a handshake message.
const BUFFER_BYTES: core::ops::RangeInclusive<u16> = 512..=16384;
/// In front of a handshake message: type, version and length of its record (RFC 5246 §6.2.1).
const RECORD_HEADER_BYTES: usize = 5;

/// What Mbed TLS reads as long as the session lives.
#[derive(Default)]
pub(crate) struct Lists {
    cipher_suites: Vec<c_int>,
    groups: Vec<u16>,
    alpn: Vec<CString>,
    alpn_pointers: Vec<*const c_char>,
    name: Option<CString>,
    client_hello: Vec<u8>,
}

/// Applies the plan to a fresh session.
///
/// # Safety
/// `session` is a fresh session, and is freed before the lists that this returns.
pub(crate) unsafe fn apply<V: Version>(session: *mut ffi::Session, plan: &Tls) -> Result<Lists, Failure> {
    // SAFETY: the caller's promise; the slices live during the calls; Mbed TLS keeps no pointer into them. Nothing else
    // runs that reads the variables.
    unsafe {
        for blob in blobs::<V>(plan.authorities.as_ref())? {
            check::<V>(ffi::shakedown_session_add_authorities(session, blob.as_ptr(), blob.len()))?;
        }
        for blob in blobs::<V>(plan.client_certificate.as_ref())? {
            check::<V>(ffi::shakedown_session_add_own_certificate(session, blob.as_ptr(), blob.len()))?;
        }
        for blob in blobs::<V>(plan.client_key.as_ref())? {
            check::<V>(ffi::shakedown_session_set_own_key(session, blob.as_ptr(), blob.len()))?;
        }
        ffi::shakedown_receive_buffer_bytes = buffer_bytes(plan.receive_buffer_bytes);
        ffi::shakedown_send_buffer_bytes = buffer_bytes(plan.send_buffer_bytes);
        ffi::shakedown_checks_dates = c_int::from(plan.checks_dates);
    }
    let lists = Lists::of::<V>(plan)?;
    let settings = ffi::Settings {
        authmode: match plan.verify {
            Verify::Required => ffi::VERIFY_REQUIRED,
            Verify::Optional => ffi::VERIFY_OPTIONAL,
            Verify::None => ffi::VERIFY_NONE,
        },
        version_min: plan.version_min.unwrap_or(0),
        version_max: plan.version_max.unwrap_or(0),
        cipher_suites: pointer_unless_empty(&lists.cipher_suites),
        groups: pointer_unless_empty(&lists.groups),
        alpn: pointer_unless_empty(&lists.alpn_pointers).cast_mut(),
        fragment_code: plan.max_fragment_length_bytes.map_or(0, fragment_code),
        name: lists.name.as_ref().map_or(ptr::null(), |name| name.as_ptr()),
        sends_name: c_int::from(plan.sends_server_name),
        checks_name: c_int::from(plan.checks_name),
        client_hello: pointer_unless_empty(&lists.client_hello),
        client_hello_bytes: lists.client_hello.len(),
        keeps_session: c_int::from(plan.keeps_session),
    };
    // SAFETY: the lists end with 0 or null, and are returned to outlive the session; the settings are copied.
    check::<V>(unsafe { ffi::shakedown_session_setup(session, &settings) })?;
    Ok(lists)
}

/// The pieces that Mbed TLS reads at once. It wants a PEM text with a terminating NUL, and tells it from DER by that.
fn blobs<V: Version>(blob: Option<&Blob>) -> Result<Vec<Vec<u8>>, Failure> {
    let Some(blob) = blob else { return Ok(Vec::new()) };
    let mut pieces = pieces(blob).ok_or_else(|| failure::<V>(ffi::ERR_SSL_BAD_INPUT_DATA))?;
    if let (Blob::Pem(_), Some(text)) = (blob, pieces.first_mut()) {
        text.push(0);
    }
    Ok(pieces)
}

impl Lists {
    fn of<V: Version>(plan: &Tls) -> Result<Self, Failure> {
        let mut lists = Self::default();
        if !plan.cipher_suites.is_empty() {
            lists.cipher_suites = plan.cipher_suites.iter().map(|suite| c_int::from(*suite)).chain([0]).collect();
        }
        if !plan.groups.is_empty() {
            lists.groups = plan.groups.iter().copied().chain([0]).collect();
        }
        if !plan.alpn.is_empty() {
            lists.alpn = plan.alpn.iter().map(|name| c_string::<V>(name)).collect::<Result<_, _>>()?;
            lists.alpn_pointers = lists.alpn.iter().map(|name| name.as_ptr()).chain([ptr::null()]).collect();
        }
        lists.name = plan.server_name.as_deref().map(c_string::<V>).transpose()?;
        if let Some(record) = &plan.client_hello {
            let record = from_hex(record).ok_or_else(|| failure::<V>(ffi::ERR_SSL_BAD_INPUT_DATA))?;
            lists.client_hello = record.get(RECORD_HEADER_BYTES..).unwrap_or_default().to_vec();
        }
        Ok(lists)
    }
}

fn pointer_unless_empty<T>(list: &[T]) -> *const T {
    if list.is_empty() { ptr::null() } else { list.as_ptr() }
}

/// Negative codes are failures. A positive one counts the certificates of a list that could not be read; Mbed TLS goes
/// on with the others (x509_crt.h), and so does this client, like most.
pub(crate) fn check<V: Version>(code: c_int) -> Result<(), Failure> {
    if code < 0 { Err(failure::<V>(code)) } else { Ok(()) }
}

fn c_string<V: Version>(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| failure::<V>(ffi::ERR_SSL_BAD_INPUT_DATA))
}

fn buffer_bytes(wish: Option<u16>) -> usize {
    usize::from(wish.unwrap_or(*BUFFER_BYTES.end()).clamp(*BUFFER_BYTES.start(), *BUFFER_BYTES.end()))
}

/// RFC 6066 §4. A length that has no code gets one that Mbed TLS refuses.
fn fragment_code(bytes: u16) -> u8 {
    match bytes {
        512 => 1,
        1024 => 2,
        2048 => 3,
        4096 => 4,
        _ => u8::MAX,
    }
}
