//! What MicroPython prints of an exception, as a failure: `mbedtls_raise_error` of `extmod/modtls_mbedtls.c`,
//! `extmod/modussl_axtls.c`, and `umqtt.simple`.

use control::Failure;
use outcome::{FailureClass, Stage};

/// A line of a traceback that says where.
const PLACE: &str = "  File ";

/// The words of `mbedtls_x509_crt_verify_info`, with the flag that each stands for (`library/x509_crt.c` and
/// `include/mbedtls/x509.h` of Mbed TLS 3.6).
const VERDICTS: [(&str, u32, &str); 20] = [
    ("The certificate validity has expired", 0x01, "MBEDTLS_X509_BADCERT_EXPIRED"),
    ("The certificate has been revoked (is on a CRL)", 0x02, "MBEDTLS_X509_BADCERT_REVOKED"),
    ("The certificate Common Name (CN) does not match with the expected CN", 0x04, "MBEDTLS_X509_BADCERT_CN_MISMATCH"),
    ("The certificate is not correctly signed by the trusted CA", 0x08, "MBEDTLS_X509_BADCERT_NOT_TRUSTED"),
    ("The CRL is not correctly signed by the trusted CA", 0x10, "MBEDTLS_X509_BADCRL_NOT_TRUSTED"),
    ("The CRL is expired", 0x20, "MBEDTLS_X509_BADCRL_EXPIRED"),
    ("Certificate was missing", 0x40, "MBEDTLS_X509_BADCERT_MISSING"),
    ("Certificate verification was skipped", 0x80, "MBEDTLS_X509_BADCERT_SKIP_VERIFY"),
    ("Other reason (can be used by verify callback)", 0x100, "MBEDTLS_X509_BADCERT_OTHER"),
    ("The certificate validity starts in the future", 0x200, "MBEDTLS_X509_BADCERT_FUTURE"),
    ("The CRL is from the future", 0x400, "MBEDTLS_X509_BADCRL_FUTURE"),
    ("Usage does not match the keyUsage extension", 0x800, "MBEDTLS_X509_BADCERT_KEY_USAGE"),
    ("Usage does not match the extendedKeyUsage extension", 0x1000, "MBEDTLS_X509_BADCERT_EXT_KEY_USAGE"),
    ("Usage does not match the nsCertType extension", 0x2000, "MBEDTLS_X509_BADCERT_NS_CERT_TYPE"),
    ("The certificate is signed with an unacceptable hash.", 0x4000, "MBEDTLS_X509_BADCERT_BAD_MD"),
    ("The certificate is signed with an unacceptable PK alg (eg RSA vs ECDSA).", 0x8000, "MBEDTLS_X509_BADCERT_BAD_PK"),
    (
        "The certificate is signed with an unacceptable key (eg bad curve, RSA too short).",
        0x1_0000,
        "MBEDTLS_X509_BADCERT_BAD_KEY",
    ),
    ("The CRL is signed with an unacceptable hash.", 0x2_0000, "MBEDTLS_X509_BADCRL_BAD_MD"),
    ("The CRL is signed with an unacceptable PK alg (eg RSA vs ECDSA).", 0x4_0000, "MBEDTLS_X509_BADCRL_BAD_PK"),
    (
        "The CRL is signed with an unacceptable key (eg bad curve, RSA too short).",
        0x8_0000,
        "MBEDTLS_X509_BADCRL_BAD_KEY",
    ),
];

/// What is printed of an exception, as a failure in the stage that was entered last.
pub fn read(printed: &str, stage: Stage, at_ms: u32) -> Failure {
    let lines: Vec<&str> = printed.lines().collect();
    let begins = lines.iter().rposition(|line| line.starts_with(PLACE)).map_or(0, |at| at + 1);
    let words = lines.get(begins..).unwrap_or_default();
    let verdicts: Vec<_> = VERDICTS.iter().filter(|(text, ..)| words.iter().any(|line| says(line, text))).collect();
    let words = sentence(words);
    let (code, name) = mbedtls_error(&words).unwrap_or((0, &words));
    let is_verdict = !verdicts.is_empty() || name.contains("X509_CERT_VERIFY_FAILED");
    Failure {
        stage: if is_verdict { Stage::Certificate } else { stage },
        class: if is_verdict { FailureClass::Tls } else { class(&words, code, name, stage) },
        alert_received: None,
        code,
        name: name.to_owned(),
        verify_flags: verdicts.iter().fold(0, |all, (_, flag, _)| all | flag),
        verify_flag_names: verdicts.iter().map(|(_, _, name)| (*name).to_owned()).collect(),
        failed_allocation_bytes: allocation(&words),
        at_ms,
    }
}

/// What axTLS's status of a handshake says (`ssl/ssl.h` of axTLS): an alert that has come, or what was found wrong.
const AXTLS: [(i32, &str, FailureClass); 17] = [
    (-2, "SSL_ERROR_DEAD", FailureClass::PeerClosed),
    (-3, "SSL_CLOSE_NOTIFY", FailureClass::PeerClosed),
    (-256, "SSL_ERROR_CONN_LOST", FailureClass::PeerClosed),
    (-257, "SSL_ERROR_RECORD_OVERFLOW", FailureClass::Tls),
    (-258, "SSL_ERROR_SOCK_SETUP_FAILURE", FailureClass::Tls),
    (-260, "SSL_ERROR_INVALID_HANDSHAKE", FailureClass::Tls),
    (-261, "SSL_ERROR_INVALID_PROT_MSG", FailureClass::Tls),
    (-262, "SSL_ERROR_INVALID_HMAC", FailureClass::Tls),
    (-263, "SSL_ERROR_INVALID_VERSION", FailureClass::Tls),
    (-264, "SSL_ERROR_UNSUPPORTED_EXTENSION", FailureClass::Tls),
    (-265, "SSL_ERROR_INVALID_SESSION", FailureClass::Tls),
    (-266, "SSL_ERROR_NO_CIPHER", FailureClass::Tls),
    (-267, "SSL_ERROR_INVALID_CERT_HASH_ALG", FailureClass::Tls),
    (-268, "SSL_ERROR_BAD_CERTIFICATE", FailureClass::Tls),
    (-269, "SSL_ERROR_INVALID_KEY", FailureClass::Tls),
    (-271, "SSL_ERROR_FINISHED_INVALID", FailureClass::Tls),
    (-274, "SSL_ERROR_NOT_SUPPORTED", FailureClass::Tls),
];

/// A failed handshake of axTLS, with the status that it has printed before the exception (before 1.13 the exception says EIO for
/// all of them; since then it carries the status itself).
pub(super) fn with_axtls_status(failure: Failure, printed: Option<i32>) -> Failure {
    let own = || failure.name.strip_prefix("OSError: ")?.parse().ok();
    let Some(status) = printed.or_else(own).filter(|_| failure.stage == Stage::Hello) else { return failure };
    let known = AXTLS.iter().find(|(code, ..)| *code == status);
    let (meaning, class) = match known {
        Some((_, name, class)) => ((*name).to_owned(), *class),
        None if (-255..0).contains(&status) => (format!("alert {}", -status), FailureClass::PeerRefused),
        None => return failure,
    };
    let status = if printed.is_some() { format!("; ssl_handshake_status: {status}") } else { String::new() };
    Failure { class, name: format!("{}{status} ({meaning})", failure.name), ..failure }
}

/// What was printed, if the failure has the name of a library's code instead.
pub fn printed(failure: &Failure) -> Option<String> {
    (failure.code < 0 && failure.name.starts_with("MBEDTLS_"))
        .then(|| format!("OSError: ({}, '{}')", failure.code, failure.name))
}

/// Lines in one: Mbed TLS begins each of its verdicts on a new one.
fn sentence(lines: &[&str]) -> String {
    let mut sentence = String::new();
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        match sentence.as_str() {
            "" => {}
            whole if whole.ends_with(':') => sentence.push(' '),
            _ => sentence.push_str("; "),
        }
        sentence.push_str(line);
    }
    sentence
}

/// Whether a line is this verdict, with or without the exception's name before it.
fn says(line: &str, verdict: &str) -> bool {
    line.trim() == verdict || line.split_once(": ").is_some_and(|(_, rest)| rest.trim() == verdict)
}

/// `OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')`.
fn mbedtls_error(words: &str) -> Option<(i32, &str)> {
    let (code, name) = words.strip_prefix("OSError: (")?.strip_suffix("')")?.split_once(", '")?;
    Some((code.parse().ok()?, name))
}

/// `memory allocation failed, allocating 16384 bytes`.
fn allocation(words: &str) -> Option<u32> {
    let (_, rest) = words.split_once("memory allocation failed, allocating ")?;
    rest.split(' ').next()?.parse().ok()
}

fn class(words: &str, code: i32, name: &str, stage: Stage) -> FailureClass {
    let has = |word: &str| words.contains(word);
    match (words.split(':').next().unwrap_or_default(), stage) {
        _ if has("no network, status") => FailureClass::NoNetwork,
        _ if has("ENOMEM") || has("ALLOC_FAILED") || has("MemoryError") => FailureClass::Memory,
        _ if has("FATAL_ALERT_MESSAGE") => FailureClass::PeerRefused,
        _ if has("SSL_CONN_EOF") || has("PEER_CLOSE_NOTIFY") => FailureClass::PeerClosed,
        _ if code < 0 && name.starts_with("MBEDTLS_") => FailureClass::Tls,
        ("MQTTException", _) => FailureClass::PeerRefused,
        // `umqtt.simple` reads what is not there: the connection was closed.
        ("IndexError" | "AssertionError", Stage::Login) => FailureClass::PeerClosed,
        ("ValueError", Stage::Clock | Stage::Resolve | Stage::Connect) => FailureClass::Refused,
        ("ValueError", _) if has("server_hostname") || has("invalid ") => FailureClass::Refused,
        ("ValueError", _) => FailureClass::Tls,
        ("OSError", Stage::Resolve) => FailureClass::NoAddress,
        _ if has("ETIMEDOUT") => FailureClass::TimedOut,
        _ if has("ECONNRESET") || has("ECONNABORTED") || has("ENOTCONN") => FailureClass::PeerReset,
        _ if has("ECONNREFUSED") || has("EHOSTUNREACH") || has("ENETUNREACH") => FailureClass::NoAddress,
        _ => FailureClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traceback(words: &str) -> String {
        format!(
            "Traceback (most recent call last):\n  File \"<stdin>\", line 3, in <module>\n  File \"umqtt/simple.py\", \
             line 80, in connect\n{words}"
        )
    }

    #[test]
    fn what_is_printed_of_an_exception_is_read_and_can_be_printed_again() {
        let words = "OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')";
        let failure = read(&traceback(words), Stage::Hello, 7);
        assert_eq!((failure.code, failure.name.as_str()), (-30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"));
        assert_eq!((failure.class, failure.stage), (FailureClass::PeerRefused, Stage::Hello));
        assert_eq!(printed(&failure).as_deref(), Some(words));
    }

    #[test]
    fn verdicts_on_certificates_are_known_by_their_words_all_of_them() {
        let words = "ValueError: \nThe certificate validity has expired\nThe certificate is not correctly signed by the \
                     trusted CA";
        let failure = read(&traceback(words), Stage::Hello, 7);
        assert_eq!(failure.verify_flags, 0x09);
        assert_eq!(failure.verify_flag_names, ["MBEDTLS_X509_BADCERT_EXPIRED", "MBEDTLS_X509_BADCERT_NOT_TRUSTED"]);
        assert_eq!((failure.class, failure.stage, failure.code), (FailureClass::Tls, Stage::Certificate, 0));
        assert_eq!(failure.name, words.replacen('\n', "", 1).replace('\n', "; "));
        assert_eq!(printed(&failure), None);
    }

    #[test]
    fn a_status_of_axtls_is_told_whether_it_was_printed_or_raised() {
        let told = |words: &str, printed| {
            let failure = with_axtls_status(read(&traceback(words), Stage::Hello, 7), printed);
            (failure.name, failure.class)
        };
        let old = told("OSError: [Errno 5] EIO", Some(-268));
        let name = "OSError: [Errno 5] EIO; ssl_handshake_status: -268 (SSL_ERROR_BAD_CERTIFICATE)";
        assert_eq!(old, (name.to_owned(), FailureClass::Tls));
        assert_eq!(told("OSError: -40", None), ("OSError: -40 (alert 40)".to_owned(), FailureClass::PeerRefused));
        assert_eq!(told("OSError: -256", None).1, FailureClass::PeerClosed);
        for (words, printed) in [("OSError: -999", None), ("OSError: [Errno 104] ECONNRESET", None)] {
            assert_eq!(told(words, printed).0, words);
        }
    }

    #[test]
    fn every_other_exception_has_its_class() {
        for (words, stage, class) in [
            ("OSError: -202", Stage::Resolve, FailureClass::NoAddress),
            ("OSError: [Errno 104] ECONNRESET", Stage::Connect, FailureClass::PeerReset),
            ("OSError: [Errno 111] ECONNREFUSED", Stage::Connect, FailureClass::NoAddress),
            ("OSError: [Errno 12] ENOMEM", Stage::Hello, FailureClass::Memory),
            ("MemoryError: memory allocation failed, allocating 16384 bytes", Stage::Hello, FailureClass::Memory),
            ("OSError: (-29312, 'MBEDTLS_ERR_SSL_CONN_EOF')", Stage::Hello, FailureClass::PeerClosed),
            ("OSError: (-30976, 'MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE')", Stage::Hello, FailureClass::Tls),
            ("ValueError: CERT_REQUIRED requires server_hostname", Stage::Hello, FailureClass::Refused),
            ("ValueError: invalid cert", Stage::Clock, FailureClass::Refused),
            ("MQTTException: 5", Stage::Login, FailureClass::PeerRefused),
            ("IndexError: bytes index out of range", Stage::Login, FailureClass::PeerClosed),
            ("OSError: no network, status 201", Stage::Join, FailureClass::NoNetwork),
            ("KeyboardInterrupt: ", Stage::Login, FailureClass::Other),
        ] {
            let failure = read(&traceback(words), stage, 7);
            assert_eq!((failure.class, failure.name.is_empty()), (class, false), "{words}");
        }
        let failure =
            read(&traceback("MemoryError: memory allocation failed, allocating 16384 bytes"), Stage::Hello, 7);
        assert_eq!(failure.failed_allocation_bytes, Some(16_384));
        assert_eq!(read("", Stage::Hello, 7).class, FailureClass::Other);
    }
}
