//! What kind of failure a code of Mbed TLS is. By the names of the headers: numbers change their meaning between versions.

use core::ffi::c_int;

use outcome::FailureClass;

use crate::names;

/// The class of a code; of a sum of two, memory counts wherever it stands.
pub(crate) fn of_code(code: c_int) -> FailureClass {
    let (high, low) = names::parts(code);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_class_of_their_names() {
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
            assert_eq!(of_code(code), class, "{code:#x}");
        }
    }

    /// A new version may bring new names for want of memory.
    #[test]
    fn no_name_that_speaks_of_memory_is_forgotten() {
        // Nothing of TLS or X.509 calls these: LMS signs firmware.
        let foreign = ["_PKCS", "_THREADING", "_LMS_"];
        for (code, name) in names::ERRORS {
            if name.ends_with("_ALLOC_FAILED") && !foreign.iter().any(|part| name.contains(part)) {
                assert_eq!(of_code(-*code), FailureClass::Memory, "{name}");
            }
        }
    }
}
