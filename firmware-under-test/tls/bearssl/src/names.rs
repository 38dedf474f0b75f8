//! BearSSL's numbers by the names that its headers give them.

use alloc::string::{String, ToString};

use outcome::{AlertDescription, FailureClass};

use crate::ffi;

include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// What the core calls its own error, -1000 of `getLastSSLError`, which BearSSL does not know.
pub(crate) const OUT_OF_MEMORY: i32 = -1000;

/// What the core's postmortem says when operator new finds no memory (cores/esp8266/abi.cpp), before the chip starts anew.
pub(crate) const UNHANDLED_EXCEPTION: &str = "UNHANDLED_EXCEPTION: OOM";

/// The name of a code; of alerts, which one (bearssl_ssl.h: the number is added to one of two constants).
pub(crate) fn of_code(code: i32) -> String {
    match (exact(code), u8::try_from(code & 0xff)) {
        _ if code == OUT_OF_MEMORY => "OUT_OF_MEMORY".to_string(),
        (Some(name), _) if code < ffi::ERR_RECV_FATAL_ALERT => name.to_string(),
        (_, Ok(alert)) if code >= ffi::ERR_RECV_FATAL_ALERT => {
            let name = exact(code & (ffi::ERR_RECV_FATAL_ALERT | ffi::ERR_SEND_FATAL_ALERT)).unwrap_or("unknown");
            alloc::format!("{name}: {}", AlertDescription(alert))
        }
        _ => "unknown".to_string(),
    }
}

/// What kind of failure a code is.
pub(crate) fn class_of(code: i32) -> FailureClass {
    match code {
        // A peer that has closed the TLS session leaves no error.
        0 => FailureClass::PeerClosed,
        OUT_OF_MEMORY | ffi::ERR_TOO_LARGE => FailureClass::Memory,
        _ if alert_received(code).is_some() => FailureClass::PeerRefused,
        _ => FailureClass::Tls,
    }
}

/// The alert of the peer that a code is about, if it is about one.
pub(crate) fn alert_received(code: i32) -> Option<AlertDescription> {
    let alert = code.checked_sub(ffi::ERR_RECV_FATAL_ALERT)?;
    u8::try_from(alert).ok().map(AlertDescription)
}

fn exact(code: i32) -> Option<&'static str> {
    let at = ERRORS.binary_search_by_key(&code, |(code, _)| *code).ok()?;
    ERRORS.get(at).map(|(_, name)| *name)
}

/// The name of a cipher suite.
pub(crate) fn of_cipher_suite(number: u16) -> String {
    let found = CIPHER_SUITES.binary_search_by_key(&number, |(number, _)| *number).ok();
    match found.and_then(|at| CIPHER_SUITES.get(at)) {
        Some((_, name)) => name.to_string(),
        None => alloc::format!("0x{number:04x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_the_headers() {
        // bearssl_x509.h and bearssl_ssl.h; 40 is handshake_failure and 48 unknown_ca (RFC 5246 §7.2).
        assert_eq!(of_code(56), "BR_ERR_X509_BAD_SERVER_NAME");
        assert_eq!(of_code(6), "BR_ERR_TOO_LARGE");
        assert_eq!(of_code(0), "BR_ERR_OK");
        assert_eq!(of_code(296), "BR_ERR_RECV_FATAL_ALERT: handshake_failure (40)");
        assert_eq!(of_code(512 + 48), "BR_ERR_SEND_FATAL_ALERT: unknown_ca (48)");
        assert_eq!(of_code(-1000), "OUT_OF_MEMORY");
        assert_eq!(of_code(61), "unknown");
    }

    #[test]
    fn codes_have_classes() {
        // bearssl_ssl.h: BR_ERR_TOO_LARGE is a record that does not fit the buffer, of either direction.
        assert_eq!(of_code(ffi::ERR_TOO_LARGE), "BR_ERR_TOO_LARGE");
        for (code, class, alert) in [
            (0, FailureClass::PeerClosed, None),
            (5, FailureClass::Tls, None),
            (6, FailureClass::Memory, None),
            (62, FailureClass::Tls, None),
            (-1000, FailureClass::Memory, None),
            (255, FailureClass::Tls, None),
            (256, FailureClass::PeerRefused, Some(0)),
            (296, FailureClass::PeerRefused, Some(40)),
            (511, FailureClass::PeerRefused, Some(255)),
            (512 + 48, FailureClass::Tls, None),
        ] {
            assert_eq!((class_of(code), alert_received(code)), (class, alert.map(AlertDescription)), "{code}");
        }
    }

    #[test]
    fn the_full_list_is_the_cores() {
        // WiFiClientSecureBearSSL.cpp, suites_P: 45, from ECDHE_ECDSA with ChaCha20 to RSA with 3DES.
        assert_eq!(FULL_LIST.len(), 45);
        assert_eq!(FULL_LIST.first(), Some(&0xcca9));
        assert_eq!(FULL_LIST.last(), Some(&0x000a));
        assert_eq!(of_cipher_suite(0xc02f), "BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    }
}
