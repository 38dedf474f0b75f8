//! What Mbed TLS 2.28 does its own way: what it has no means to do, and what a ClientHello of others asks of it.

use alloc::borrow::Cow;
use core::ffi::c_int;

use client::blobs::from_hex;
use client::tls::Failure;
use control::{Tls, Trust};
use mbedtls::Version;

use crate::client_hello::Offer;

/// TLS 1.0 and 1.2 as on the wire.
const TLS_1_0: u16 = 0x0301;
const TLS_1_2: u16 = 0x0303;

include!(concat!(env!("OUT_DIR"), "/names.rs"));

unsafe extern "C" {
    fn shakedown_library_version() -> u32;
    fn shakedown_knows_cipher_suite(suite: c_int) -> c_int;
    fn shakedown_knows_group(group: u16) -> c_int;
}

/// Mbed TLS 2.28.
pub enum V2_28 {}

impl Version for V2_28 {
    const ERRORS: &'static [(i32, &'static str)] = ERRORS;
    const VERIFY_FLAGS: &'static [(u32, &'static str)] = VERIFY_FLAGS;

    fn number() -> u32 {
        // SAFETY: no argument, no state.
        unsafe { shakedown_library_version() }
    }

    /// Where the plan gives the ClientHello, it is configured for what that offers.
    fn adapt(plan: &Tls) -> Result<Cow<'_, Tls>, Failure> {
        let unsupported = |what: &str| Err(Failure::unsupported(what));
        if plan.trust != Trust::Authorities {
            return unsupported("trust without trust anchors: Mbed TLS has no such setting");
        }
        if plan.probes_fragment_length {
            return unsupported(
                "asking for the fragment length beforehand: the ESP8266 core for Arduino does, Mbed TLS does not",
            );
        }
        if plan.version_min.into_iter().chain(plan.version_max).any(|version| !(TLS_1_0..=TLS_1_2).contains(&version)) {
            return unsupported("versions other than TLS 1.0, 1.1 and 1.2: Mbed TLS 2.28 has no others");
        }
        if let Some(suite) = plan.cipher_suites.iter().find(|suite| !knows_cipher_suite(**suite)) {
            return unsupported(&alloc::format!("cipher suite {suite:#06x}: not in Mbed TLS 2.28"));
        }
        if let Some(group) = plan.groups.iter().find(|group| !knows_group(**group)) {
            return unsupported(&alloc::format!("group {group:#06x}: not in Mbed TLS 2.28"));
        }
        match &plan.client_hello {
            None => Ok(Cow::Borrowed(plan)),
            Some(record) => match from_hex(record).as_deref().and_then(Offer::of) {
                Some(offer) => as_offered(plan, offer).map(Cow::Owned),
                None => unsupported("a client_hello that is not one whole record with one whole ClientHello"),
            },
        }
    }

    /// Up to TLS 1.2 tickets come in the handshake, and no code tells.
    fn brings_ticket(_: c_int) -> bool {
        false
    }
}

/// The library would agree to what this hello offers, and to nothing else.
fn as_offered(plan: &Tls, offer: Offer) -> Result<Tls, Failure> {
    let versions = TLS_1_0..=TLS_1_2;
    if !versions.contains(&offer.version) || !versions.contains(&offer.record_version) {
        return Err(Failure::unsupported("a ClientHello of a version that Mbed TLS 2.28 does not have"));
    }
    Ok(Tls {
        version_min: Some(offer.record_version.min(offer.version)),
        version_max: Some(offer.version),
        cipher_suites: offer.cipher_suites,
        ..plan.clone()
    })
}

fn knows_cipher_suite(suite: u16) -> bool {
    // SAFETY: no pointers, no state.
    unsafe { shakedown_knows_cipher_suite(c_int::from(suite)) != 0 }
}

fn knows_group(group: u16) -> bool {
    // SAFETY: no pointers, no state.
    unsafe { shakedown_knows_group(group) != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    mbedtls::conformance_tests!(V2_28);

    fn refusal(plan: &Tls) -> Option<outcome::FailureClass> {
        V2_28::adapt(plan).err().map(|failure| failure.class)
    }

    #[test]
    fn old_versions_suites_and_groups_can_be_had() {
        let plan = Tls {
            version_min: Some(0x0301),
            version_max: Some(0x0302),
            // RSA with AES, 3DES and RC4; DHE-RSA; ECDHE-ECDSA.
            cipher_suites: [0x002f, 0x000a, 0x0005, 0x0004, 0x0033, 0xc009].into(),
            // secp256r1, secp521r1, x25519, brainpoolP256r1.
            groups: [23, 25, 29, 26].into(),
            ..Tls::default()
        };
        assert_eq!(refusal(&plan), None);
    }

    #[test]
    fn what_cannot_be_done_is_said_before_anybody_is_dialled() {
        for plan in [
            Tls { version_max: Some(0x0304), ..Tls::default() },
            Tls { version_min: Some(0x0300), ..Tls::default() },
            Tls { cipher_suites: [0x002f, 0x1301].into(), ..Tls::default() },
            // ffdhe2048
            Tls { groups: [256].into(), ..Tls::default() },
            Tls { trust: Trust::Fingerprint("00".into()), ..Tls::default() },
            Tls { client_hello: Some("1603".into()), ..Tls::default() },
            Tls { probes_fragment_length: true, ..Tls::default() },
        ] {
            assert_eq!(refusal(&plan), Some(outcome::FailureClass::Unsupported), "{plan:?}");
        }
    }
}
