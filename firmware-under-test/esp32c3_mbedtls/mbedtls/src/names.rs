//! Mbed TLS's numbers by the names that its headers give them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// The names of a code. Mbed TLS adds a low-level code to a high-level one (error.h), so there may be two.
pub(crate) fn of_code(code: i32) -> String {
    let is_whole = exact(magnitude(code)).is_some();
    match parts(code) {
        (Some(high), Some(low)) => alloc::format!("{high} + {low}"),
        (Some(name), None) if is_whole => name.to_string(),
        (Some(name), None) | (None, Some(name)) => alloc::format!("{name} + unknown"),
        (None, None) => "unknown".to_string(),
    }
}

/// The names of a code's high-level and low-level part. A code that has a name of its own is whole, and comes first.
pub(crate) fn parts(code: i32) -> (Option<&'static str>, Option<&'static str>) {
    let magnitude = magnitude(code);
    match exact(magnitude) {
        Some(name) => (Some(name), None),
        None => (exact(magnitude & 0xff80), exact(magnitude & 0x7f)),
    }
}

fn magnitude(code: i32) -> i32 {
    code.unsigned_abs() as i32
}

fn exact(magnitude: i32) -> Option<&'static str> {
    let at = ERRORS.binary_search_by_key(&magnitude, |(code, _)| *code).ok()?;
    ERRORS.get(at).map(|(_, name)| *name)
}

/// The names of the flags that are set.
pub(crate) fn of_flags(flags: u32) -> Vec<String> {
    VERIFY_FLAGS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_two_names() {
        // x509.h 0x2180 and asn1.h 0x0060.
        assert_eq!(of_code(-0x21e0), "MBEDTLS_ERR_X509_INVALID_FORMAT + MBEDTLS_ERR_ASN1_OUT_OF_DATA");
        assert_eq!(of_code(-0x2700), "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
        assert_eq!(of_code(-0x7fff_ffff), "unknown");
    }

    #[test]
    fn flags_have_names() {
        assert_eq!(of_flags(5), ["MBEDTLS_X509_BADCERT_EXPIRED", "MBEDTLS_X509_BADCERT_CN_MISMATCH"]);
        assert!(of_flags(0).is_empty());
    }
}
