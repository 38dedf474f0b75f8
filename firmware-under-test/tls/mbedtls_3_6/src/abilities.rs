//! What Mbed TLS 3.6 does its own way: what it has no means to do, and what its codes mean for the handshake's pace.

use alloc::borrow::Cow;
use core::ffi::c_int;

use client::tls::Failure;
use control::{Tls, Trust};
use mbedtls::Version;

/// TLS 1.2 as on the wire.
const TLS_1_2: u16 = 0x0303;
/// ssl.h: a TLS 1.3 ticket has arrived, at any time.
const ERR_SSL_RECEIVED_NEW_SESSION_TICKET: c_int = -0x7b00;

include!(concat!(env!("OUT_DIR"), "/names.rs"));

unsafe extern "C" {
    fn shakedown_library_version() -> u32;
}

/// Mbed TLS 3.6.
pub enum V3_6 {}

impl Version for V3_6 {
    const ERRORS: &'static [(i32, &'static str)] = ERRORS;
    const VERIFY_FLAGS: &'static [(u32, &'static str)] = VERIFY_FLAGS;

    fn number() -> u32 {
        // SAFETY: no argument, no state.
        unsafe { shakedown_library_version() }
    }

    fn adapt(plan: &Tls) -> Result<Cow<'_, Tls>, Failure> {
        let missing = if plan.version_min.into_iter().chain(plan.version_max).any(|version| version < TLS_1_2) {
            Some("TLS 1.1 and 1.0: Mbed TLS 3 has neither")
        } else if plan.trust != Trust::Authorities {
            Some("trust without trust anchors: Mbed TLS has no such setting")
        } else if plan.client_hello.is_some() {
            Some("a ClientHello of others: Mbed TLS 3 writes its own")
        } else if plan.probes_fragment_length {
            Some("asking for the fragment length beforehand: the ESP8266 core for Arduino does, Mbed TLS does not")
        } else {
            None
        };
        missing.map_or(Ok(Cow::Borrowed(plan)), |missing| Err(Failure::unsupported(missing)))
    }

    fn brings_ticket(code: c_int) -> bool {
        code == ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    mbedtls::conformance_tests!(V3_6);

    /// What `no_name_that_speaks_of_memory_is_forgotten` leaves out needs no class, because the released image has no
    /// function that could return it: LMS signs firmware, PKCS #7 signs mail.
    #[test]
    fn names_of_memory_that_have_no_class_are_those_of_nothing_in_the_image() {
        let is_left_out = |name: &str| ["_PKCS", "_THREADING", "_LMS_"].iter().any(|part| name.contains(part));
        let mut of_memory = ERRORS.iter().map(|(_, name)| *name).filter(|name| name.ends_with("_ALLOC_FAILED"));
        assert!(of_memory.any(|name| name == "MBEDTLS_ERR_LMS_ALLOC_FAILED"), "it is left out for nothing");
        assert!(of_memory.filter(|name| is_left_out(name)).all(|name| name == "MBEDTLS_ERR_PKCS7_ALLOC_FAILED"));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/esp32c3_mbedtls.elf");
        let elf = std::fs::read(file).expect(file);
        let has = |name: &[u8]| elf.windows(name.len()).any(|window| window == name);
        assert!(has(b"mbedtls_ssl_handshake"), "{file} has no symbols");
        for functions in [&b"mbedtls_lms_"[..], b"mbedtls_lmots_", b"mbedtls_pkcs7_"] {
            assert!(!has(functions), "the image has such functions: give their want of memory a class");
        }
    }

    #[test]
    fn the_ticket_s_code_is_that_of_the_headers() {
        let code = -ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
        assert!(ERRORS.contains(&(code, "MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET")));
    }

    #[test]
    fn what_cannot_be_done_is_said_before_anybody_is_dialled() {
        assert!(V3_6::adapt(&Tls::default()).is_ok());
        for plan in [
            Tls { version_min: Some(0x0302), ..Tls::default() },
            Tls { version_max: Some(0x0301), ..Tls::default() },
            Tls { trust: Trust::SelfSigned, ..Tls::default() },
            Tls { client_hello: Some("160301".into()), ..Tls::default() },
            Tls { probes_fragment_length: true, ..Tls::default() },
        ] {
            let failure = V3_6::adapt(&plan).expect_err("unsupported");
            assert_eq!(failure.class, outcome::FailureClass::Unsupported, "{failure:?}");
        }
    }
}
