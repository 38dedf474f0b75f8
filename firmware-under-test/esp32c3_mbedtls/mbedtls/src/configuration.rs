//! A plan's wishes as Mbed TLS takes them.

use alloc::ffi::CString;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::ffi::{c_char, c_int};
use core::ptr;

use client::tls::Failure;
use control::{Blob, Tls, Verify};

use crate::ffi;
use crate::session::failure;

/// The bounds of Mbed TLS's own configuration check (ssl_misc.h), and the least that holds a handshake message.
const BUFFER_BYTES: core::ops::RangeInclusive<u16> = 512..=16384;

/// Lists that Mbed TLS reads as long as the session lives.
#[derive(Default)]
pub(crate) struct Lists {
    cipher_suites: Vec<c_int>,
    groups: Vec<u16>,
    alpn: Vec<CString>,
    alpn_pointers: Vec<*const c_char>,
}

/// Applies the plan to a fresh session.
///
/// # Safety
/// `session` is a fresh session, and is freed before the lists that this returns.
pub(crate) unsafe fn apply(session: *mut ffi::Session, plan: &Tls) -> Result<Lists, Failure> {
    // SAFETY: the caller's promise; the slices live during the calls; Mbed TLS keeps no pointer into them.
    unsafe {
        for blob in blobs(plan.authorities.as_ref())? {
            check(ffi::shakedown_session_add_authorities(session, blob.as_ptr(), blob.len()))?;
        }
        for blob in blobs(plan.client_certificate.as_ref())? {
            check(ffi::shakedown_session_add_own_certificate(session, blob.as_ptr(), blob.len()))?;
        }
        for blob in blobs(plan.client_key.as_ref())? {
            check(ffi::shakedown_session_set_own_key(session, blob.as_ptr(), blob.len()))?;
        }
        ffi::shakedown_receive_buffer_bytes = buffer_bytes(plan.receive_buffer_bytes);
        ffi::shakedown_send_buffer_bytes = buffer_bytes(plan.send_buffer_bytes);
    }
    let mut lists = Lists::default();
    if !plan.cipher_suites.is_empty() {
        lists.cipher_suites = plan.cipher_suites.iter().map(|suite| c_int::from(*suite)).chain([0]).collect();
    }
    if !plan.groups.is_empty() {
        lists.groups = plan.groups.iter().copied().chain([0]).collect();
    }
    if !plan.alpn.is_empty() {
        lists.alpn = plan.alpn.iter().map(|name| c_string(name)).collect::<Result<_, _>>()?;
        lists.alpn_pointers = lists.alpn.iter().map(|name| name.as_ptr()).chain([ptr::null()]).collect();
    }
    let name = plan.server_name.as_deref().map(c_string).transpose()?;
    let authmode = match plan.verify {
        Verify::Required => ffi::VERIFY_REQUIRED,
        Verify::Optional => ffi::VERIFY_OPTIONAL,
        Verify::None => ffi::VERIFY_NONE,
    };
    // SAFETY: the lists end with 0 or null and are returned to outlive the session; the name is copied.
    check(unsafe {
        ffi::shakedown_session_setup(
            session,
            authmode,
            plan.version_min.unwrap_or(0),
            plan.version_max.unwrap_or(0),
            pointer_unless_empty(&lists.cipher_suites),
            pointer_unless_empty(&lists.groups),
            pointer_unless_empty(&lists.alpn_pointers),
            plan.max_fragment_length_bytes.map_or(0, fragment_code),
            name.as_ref().map_or(ptr::null(), |name| name.as_ptr()),
        )
    })?;
    Ok(lists)
}

fn pointer_unless_empty<T>(list: &[T]) -> *const T {
    if list.is_empty() { ptr::null() } else { list.as_ptr() }
}

/// Negative codes are failures. A positive one counts the certificates of a list that could not be read; Mbed TLS goes
/// on with the others (x509_crt.h), and so does this client, like most.
fn check(code: c_int) -> Result<(), Failure> {
    if code < 0 { Err(failure(code)) } else { Ok(()) }
}

fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| failure(ffi::ERR_SSL_BAD_INPUT_DATA))
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

/// The pieces that Mbed TLS reads at once: a whole PEM text with its terminating NUL, but only one DER certificate.
fn blobs(blob: Option<&Blob>) -> Result<Vec<Vec<u8>>, Failure> {
    match blob {
        None => Ok(Vec::new()),
        Some(Blob::Pem(text)) => {
            let mut text = text.to_string().into_bytes();
            text.push(0);
            Ok(alloc::vec![text])
        }
        Some(Blob::DerHex(digits)) => {
            let bytes = from_hex(digits).ok_or_else(|| failure(ffi::ERR_SSL_BAD_INPUT_DATA))?;
            Ok(split_der(&bytes))
        }
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

/// Cuts DER values that follow each other apart. What does not look like DER is left whole, for Mbed TLS to refuse.
fn split_der(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let length = der_length(bytes).filter(|length| *length <= bytes.len()).unwrap_or(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        pieces.push(piece.to_vec());
        bytes = rest;
    }
    pieces
}

/// The length of the first value, header included, in bytes (X.690 §8.1.3).
fn der_length(bytes: &[u8]) -> Option<usize> {
    let first = usize::from(*bytes.get(1)?);
    if first < 0x80 {
        return Some(2 + first);
    }
    let count = first & 0x7f;
    if count == 0 || count > 3 {
        return None;
    }
    let length = bytes.get(2..2 + count)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    Some(2 + count + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_values_are_cut_apart() {
        let long = [&[0x30, 0x81, 0x80][..], &[7; 0x80]].concat();
        let both = [&[0x30, 1, 9][..], &long].concat();
        assert_eq!(split_der(&both), [&[0x30, 1, 9][..], &long]);
        assert_eq!(split_der(&long[..20]), [&long[..20]]);
        assert_eq!(split_der(&[0x30]), [[0x30]]);
        assert_eq!(split_der(&[0x30, 0x84, 1, 1, 1, 1]), [[0x30, 0x84, 1, 1, 1, 1]]);
    }

    #[test]
    fn hexadecimal_digits_are_read() {
        assert_eq!(from_hex("30Ff").as_deref(), Some(&[0x30, 0xff][..]));
        assert_eq!(from_hex("3"), None);
        assert_eq!(from_hex("3g"), None);
    }
}
