//! What holds for every version, as tests that each version's crate runs with its own tables: the numbers are written down
//! here, the names come from the version's headers.

use outcome::FailureClass;

use crate::{Version, class, ffi, names};

/// The codes on which logic depends mean what `ffi` takes them for.
///
/// # Panics
/// If a header says otherwise.
pub fn the_codes_that_logic_depends_on_are_those_of_the_headers<V: Version>() {
    for (code, name) in [
        (ffi::ERR_SSL_WANT_READ, "MBEDTLS_ERR_SSL_WANT_READ"),
        (ffi::ERR_SSL_WANT_WRITE, "MBEDTLS_ERR_SSL_WANT_WRITE"),
        (ffi::ERR_SSL_FATAL_ALERT_MESSAGE, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"),
        (ffi::ERR_SSL_CONN_EOF, "MBEDTLS_ERR_SSL_CONN_EOF"),
        (ffi::ERR_SSL_ALLOC_FAILED, "MBEDTLS_ERR_SSL_ALLOC_FAILED"),
        (ffi::ERR_SSL_BAD_INPUT_DATA, "MBEDTLS_ERR_SSL_BAD_INPUT_DATA"),
        (ffi::ERR_NET_CONN_RESET, "MBEDTLS_ERR_NET_CONN_RESET"),
        (ffi::ERR_ENTROPY_SOURCE_FAILED, "MBEDTLS_ERR_ENTROPY_SOURCE_FAILED"),
    ] {
        assert_eq!(names::of_code::<V>(code), name);
    }
}

/// Codes have names, sums of two codes have two, and flags have theirs.
///
/// # Panics
/// If one has another.
pub fn codes_and_flags_have_their_names<V: Version>() {
    for (code, name) in [
        // x509.h 0x2180 and asn1.h 0x0060.
        (-0x21e0, "MBEDTLS_ERR_X509_INVALID_FORMAT + MBEDTLS_ERR_ASN1_OUT_OF_DATA"),
        (-0x2700, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED"),
        (-0x7fff_ffff, "unknown"),
    ] {
        assert_eq!(names::of_code::<V>(code), name);
    }
    assert_eq!(names::of_flags::<V>(5), ["MBEDTLS_X509_BADCERT_EXPIRED", "MBEDTLS_X509_BADCERT_CN_MISMATCH"]);
    assert!(names::of_flags::<V>(0).is_empty());
}

/// Codes have the class of their names.
///
/// # Panics
/// If one has another.
pub fn codes_have_the_class_of_their_names<V: Version>() {
    for (code, class) in [
        // error.h's ranges: net_sockets.h, ssl.h, x509.h, bignum.h.
        (-0x7280, FailureClass::PeerClosed),
        (-0x7880, FailureClass::PeerClosed),
        (-0x0050, FailureClass::PeerReset),
        (-0x7780, FailureClass::PeerRefused),
        (-0x6800, FailureClass::TimedOut),
        (-0x7f00, FailureClass::Memory),
        (-0x6a00, FailureClass::Memory),
        (-0x0010, FailureClass::Memory),
        (-0x2700, FailureClass::Tls),
        (-0x7100, FailureClass::Tls),
        (-0x003c, FailureClass::Other),
        (-0x7fff_ffff, FailureClass::Other),
        // X509_INVALID_FORMAT + ASN1_OUT_OF_DATA, and + ASN1_ALLOC_FAILED.
        (-0x21e0, FailureClass::Tls),
        (-0x21ea, FailureClass::Memory),
    ] {
        assert_eq!(class::of_code::<V>(code), class, "{code:#x}");
    }
}

/// A new version may bring new names for want of memory.
///
/// # Panics
/// If one of them is not of the class *memory*.
pub fn no_name_that_speaks_of_memory_is_forgotten<V: Version>() {
    // Nothing of TLS or X.509 calls these: LMS signs firmware.
    let foreign = ["_PKCS", "_THREADING", "_LMS_"];
    for (code, name) in V::ERRORS {
        if name.ends_with("_ALLOC_FAILED") && !foreign.iter().any(|part| name.contains(part)) {
            assert_eq!(class::of_code::<V>(-*code), FailureClass::Memory, "{name}");
        }
    }
}

/// All of the above as tests of one version, in its crate.
#[macro_export]
macro_rules! conformance_tests {
    ($version:ty) => {
        $crate::conformance_tests!($version:
            the_codes_that_logic_depends_on_are_those_of_the_headers,
            codes_and_flags_have_their_names,
            codes_have_the_class_of_their_names,
            no_name_that_speaks_of_memory_is_forgotten,
        );
    };
    ($version:ty: $($test:ident,)+) => {
        $(#[test]
        fn $test() {
            $crate::conformance::$test::<$version>();
        })+
    };
}
