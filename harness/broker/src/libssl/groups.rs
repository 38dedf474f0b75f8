//! Groups of key exchange, elliptic and finite.

use crate::error::Error;
use openssl::bn::BigNum;
use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Params;

/// `NID_X25519` and `NID_X448` (openssl/obj_mac.h).
const X25519: Nid = Nid::from_raw(1_034);
const X448: Nid = Nid::from_raw(1_035);

/// Every group that OpenSSL's servers have in this bench: IANA name, IANA number, OpenSSL's name and number.
pub(super) const GROUPS: &[(&str, u16, &str, Nid)] = &[
    ("x25519", 29, "X25519", X25519),
    ("secp256r1", 23, "P-256", Nid::X9_62_PRIME256V1),
    ("secp384r1", 24, "P-384", Nid::SECP384R1),
    ("secp521r1", 25, "P-521", Nid::SECP521R1),
    ("x448", 30, "X448", X448),
    ("secp256k1", 22, "secp256k1", Nid::SECP256K1),
    ("brainpoolP256r1", 26, "brainpoolP256r1", Nid::BRAINPOOL_P256R1),
    ("brainpoolP384r1", 27, "brainpoolP384r1", Nid::BRAINPOOL_P384R1),
    ("brainpoolP512r1", 28, "brainpoolP512r1", Nid::BRAINPOOL_P512R1),
];

/// The groups of these names as OpenSSL lists them; all if there are none.
pub(super) fn list(names: &[String]) -> String {
    let all: Vec<&str> = if names.is_empty() {
        GROUPS.iter().map(|(_, _, theirs, _)| *theirs).collect()
    } else {
        names
            .iter()
            .filter_map(|name| GROUPS.iter().find(|(known, ..)| known == name))
            .map(|(_, _, theirs, _)| *theirs)
            .collect()
    };
    all.join(":")
}

/// IANA's number of the group that OpenSSL reports.
pub(super) fn number(reported: i64) -> Option<u16> {
    let known = GROUPS.iter().find(|(.., nid)| i64::from(nid.as_raw()) == reported);
    known.map(|(_, number, ..)| *number)
}

/// The finite field of so many bits: those of RFC 2409 §6.2 and RFC 3526, with the generator 2.
pub(super) fn finite_field(bits: u16) -> Result<Dh<Params>, Error> {
    let prime = match bits {
        1024 => BigNum::get_rfc2409_prime_1024(),
        1536 => BigNum::get_rfc3526_prime_1536(),
        3072 => BigNum::get_rfc3526_prime_3072(),
        4096 => BigNum::get_rfc3526_prime_4096(),
        _ => BigNum::get_rfc3526_prime_2048(),
    };
    let group = || -> Result<_, ErrorStack> { Dh::from_pqg(prime?, None, BigNum::from_u32(2)?) };
    group().map_err(|error| Error::new("dh_bits", error.to_string(), "use another number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_names_exactly_the_groups_that_there_are() {
        let names: Vec<&str> = GROUPS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, scenario::broker::Engine::Openssl.groups());
        for (name, number, ..) in GROUPS {
            assert_eq!(wire::tls::NamedGroup(*number).name(), Some(*name));
        }
    }
}
