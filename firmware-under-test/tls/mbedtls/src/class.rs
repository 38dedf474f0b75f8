//! What kind of failure a code of Mbed TLS is. By the names of the headers: numbers change their meaning between versions.

use core::ffi::c_int;

use outcome::FailureClass;

use crate::{Version, names};

/// The class of a code; of a sum of two, memory counts wherever it stands.
pub(crate) fn of_code<V: Version>(code: c_int) -> FailureClass {
    let (high, low) = names::parts::<V>(code);
    match (high.map(of_name), low.map(of_name)) {
        (Some(FailureClass::Memory), _) | (_, Some(FailureClass::Memory)) => FailureClass::Memory,
        (Some(class), _) | (None, Some(class)) => class,
        (None, None) => FailureClass::Other,
    }
}

fn of_name(name: &str) -> FailureClass {
    match name {
        "MBEDTLS_ERR_SSL_CONN_EOF" | "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY" => FailureClass::PeerClosed,
        "MBEDTLS_ERR_NET_CONN_RESET" => FailureClass::PeerReset,
        "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE" => FailureClass::PeerRefused,
        "MBEDTLS_ERR_SSL_TIMEOUT" => FailureClass::TimedOut,
        "MBEDTLS_ERR_ASN1_ALLOC_FAILED"
        | "MBEDTLS_ERR_CIPHER_ALLOC_FAILED"
        | "MBEDTLS_ERR_DHM_ALLOC_FAILED"
        | "MBEDTLS_ERR_ECP_ALLOC_FAILED"
        | "MBEDTLS_ERR_MD_ALLOC_FAILED"
        | "MBEDTLS_ERR_MPI_ALLOC_FAILED"
        | "MBEDTLS_ERR_PEM_ALLOC_FAILED"
        | "MBEDTLS_ERR_PK_ALLOC_FAILED"
        | "MBEDTLS_ERR_X509_ALLOC_FAILED"
        | "MBEDTLS_ERR_SSL_ALLOC_FAILED"
        // A message that does not fit a buffer of ours, in either direction; the second is 2.28's name for a client's
        // own certificate.
        | "MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL"
        | "MBEDTLS_ERR_SSL_CERTIFICATE_TOO_LARGE" => FailureClass::Memory,
        // The chip's, and nobody's verdict.
        "MBEDTLS_ERR_ENTROPY_SOURCE_FAILED" => FailureClass::Other,
        _ => FailureClass::Tls,
    }
}
