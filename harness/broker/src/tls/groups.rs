//! Key exchange whose secrets come from the connection's own randomness.

use super::connection_rng;
use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// Every group that the broker has, by its IANA name, best first.
const GROUPS: &[(&str, &dyn SupportedKxGroup)] =
    &[("x25519", &X25519), ("secp256r1", &P256), ("secp384r1", &P384), ("secp521r1", &P521)];

/// The groups of these names, in this order; all if there are none.
pub(super) fn named(names: &[String]) -> Vec<&'static dyn SupportedKxGroup> {
    if names.is_empty() {
        return GROUPS.iter().map(|(_, group)| *group).collect();
    }
    names.iter().filter_map(|name| GROUPS.iter().find(|(known, _)| known == name)).map(|(_, group)| *group).collect()
}

/// Octets from the randomness of the connection that is being served.
fn draw<const N: usize>() -> Result<[u8; N], Error> {
    let mut octets = [0; N];
    connection_rng::with_entered(|rng| rng.fill(&mut octets)).ok_or(GetRandomFailed)?;
    Ok(octets)
}

fn invalid_share() -> Error {
    Error::from(PeerMisbehaved::InvalidKeyShare)
}

/// RFC 7748.
#[derive(Debug)]
struct X25519;

struct ActiveX25519 {
    secret: x25519_dalek::StaticSecret,
    public: x25519_dalek::PublicKey,
}

impl SupportedKxGroup for X25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = x25519_dalek::StaticSecret::from(draw::<32>()?);
        let public = x25519_dalek::PublicKey::from(&secret);
        Ok(Box::new(ActiveX25519 { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for ActiveX25519 {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer: [u8; 32] = peer.try_into().map_err(|_| invalid_share())?;
        let shared = self.secret.diffie_hellman(&x25519_dalek::PublicKey::from(peer));
        // RFC 7748 §6.1: a point of small order gives zeros.
        if shared.was_contributory() { Ok(SharedSecret::from(&shared.as_bytes()[..])) } else { Err(invalid_share()) }
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// A group of NIST's, over the crate of the same name.
macro_rules! nist_group {
    ($name:ident, $active:ident, $crate_name:ident, $group:expr, $octets:literal) => {
        #[derive(Debug)]
        struct $name;

        struct $active {
            secret: $crate_name::SecretKey,
            /// Uncompressed (RFC 9846 §4.3.8.2).
            public: Vec<u8>,
        }

        impl SupportedKxGroup for $name {
            fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
                loop {
                    let mut octets = draw::<$octets>()?;
                    // The order of P-521 has 521 bits; of the other groups, all bits of the first octet.
                    if $octets == 66 {
                        octets[0] &= 1;
                    }
                    // Not every number is below the order: P-521 takes two tries on average at most.
                    if let Ok(secret) = $crate_name::SecretKey::from_slice(&octets) {
                        let public = $crate_name::EncodedPoint::from(secret.public_key()).as_bytes().to_vec();
                        return Ok(Box::new($active { secret, public }));
                    }
                }
            }

            fn name(&self) -> NamedGroup {
                $group
            }
        }

        impl ActiveKeyExchange for $active {
            fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
                let peer = $crate_name::PublicKey::from_sec1_bytes(peer).map_err(|_| invalid_share())?;
                let shared = $crate_name::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), peer.as_affine());
                Ok(SharedSecret::from(&shared.raw_secret_bytes()[..]))
            }

            fn pub_key(&self) -> &[u8] {
                &self.public
            }

            fn group(&self) -> NamedGroup {
                $group
            }
        }
    };
}

nist_group!(P256, ActiveP256, p256, NamedGroup::secp256r1, 32);
nist_group!(P384, ActiveP384, p384, NamedGroup::secp384r1, 48);
nist_group!(P521, ActiveP521, p521, NamedGroup::secp521r1, 66);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_names_exactly_the_groups_that_there_are() {
        let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, scenario::broker::Engine::Rustls.groups());
    }

    #[test]
    fn outside_of_a_connection_there_is_no_randomness() {
        assert!(X25519.start().is_err());
        assert!(P384.start().is_err());
    }
}
