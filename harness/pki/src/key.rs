//! Key pairs: derived from a seed (elliptic curves) or taken from a stock (RSA), and signing without randomness.

use crate::der::{self, tag};
use crate::derive;
use crate::spec::{Digest, KeyKind};
use ecdsa_signing::{sign_p256, sign_p384, sign_p521};
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use md5::Md5;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::fmt;
use std::sync::Arc;

mod ecdsa_signing;
mod given;
mod stock;

pub(crate) use given::{GivenKey, UnfitKey};

/// A key pair of which everybody may know the private half: it belongs to a test.
#[derive(Clone)]
pub struct KeyPair {
    kind: KeyKind,
    private: Arc<Private>,
    pkcs8_der: Arc<[u8]>,
    spki_der: Arc<[u8]>,
}

enum Private {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(Box<RsaPrivateKey>),
    /// Somebody else's, who has kept it for himself; or one with which only other libraries can sign.
    Unknown,
}

/// Why a seed gives no key: the fault of the bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CannotDerive {
    /// Sixteen numbers drawn, and each too large: odds of 2^-512.
    NoneValid(KeyKind),
    /// The library cannot read or write the key.
    Library(String),
}

impl CannotDerive {
    fn library(error: impl fmt::Display) -> Self {
        Self::Library(error.to_string())
    }
}

impl fmt::Display for CannotDerive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneValid(kind) => write!(f, "no valid {kind} key in 16 attempts"),
            Self::Library(why) => f.write_str(why),
        }
    }
}

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// ECDSA with deterministic nonces (RFC 6979; on P-521 drawn from key and digest in another way).
    Ecdsa(Digest),
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(Digest),
    /// RSASSA-PSS (RFC 8017 §8.1) with a salt as long as the digest, drawn from key and digest.
    RsaPss(Digest),
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// Why a key cannot sign in a certain way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotSign;

impl fmt::Display for CannotSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key cannot sign with this scheme: it is of another kind, or too small for the digest")
    }
}

impl std::error::Error for CannotSign {}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl KeyPair {
    /// The keys of `kind` that `name` may have under `seed`, best first: always the same ones.
    ///
    /// RSA keys come from a stock, so that names may have to take their second choice. Other keys are as good as
    /// unique, and there is one.
    pub(crate) fn candidates(
        kind: KeyKind,
        seed: u64,
        name: &str,
    ) -> impl Iterator<Item = Result<Self, CannotDerive>> + use<'_> {
        (0..stock::count(kind)).map(move |choice| Self::derive(kind, seed, name, choice))
    }

    fn derive(kind: KeyKind, seed: u64, name: &str, choice: usize) -> Result<Self, CannotDerive> {
        // A digest is a valid scalar but for odds of less than 2^-32, and then the next one is.
        let candidates = (0u32..16).map(|attempt| derive::octets::<66>(seed, "key", &format!("{name}/{attempt}")));
        let none_valid = || CannotDerive::NoneValid(kind);
        Ok(match kind {
            KeyKind::P256 => {
                let key =
                    candidates.filter_map(|octets| p256::ecdsa::SigningKey::from_slice(&octets[..32]).ok()).next();
                let key = key.ok_or_else(none_valid)?;
                let secret = p256::SecretKey::from(&key);
                let public = secret.public_key().to_public_key_der().map_err(CannotDerive::library)?;
                let pkcs8 = secret.to_pkcs8_der().map_err(CannotDerive::library)?;
                Self::new(kind, Private::P256(key), pkcs8.as_bytes(), public.as_bytes())
            }
            KeyKind::P384 => {
                let key =
                    candidates.filter_map(|octets| p384::ecdsa::SigningKey::from_slice(&octets[..48]).ok()).next();
                let key = key.ok_or_else(none_valid)?;
                let secret = p384::SecretKey::from(&key);
                let public = secret.public_key().to_public_key_der().map_err(CannotDerive::library)?;
                let pkcs8 = secret.to_pkcs8_der().map_err(CannotDerive::library)?;
                Self::new(kind, Private::P384(key), pkcs8.as_bytes(), public.as_bytes())
            }
            KeyKind::P521 => {
                let secret = candidates
                    .filter_map(|mut octets| {
                        // The order of the group has 521 bits: 65 octets and one bit.
                        octets[0] = 0;
                        p521::SecretKey::from_slice(&octets).ok()
                    })
                    .next();
                let secret = secret.ok_or_else(none_valid)?;
                let key = p521::ecdsa::SigningKey::from_bytes(&secret.to_bytes()).map_err(CannotDerive::library)?;
                let public = secret.public_key().to_public_key_der().map_err(CannotDerive::library)?;
                let pkcs8 = secret.to_pkcs8_der().map_err(CannotDerive::library)?;
                Self::new(kind, Private::P521(key), pkcs8.as_bytes(), public.as_bytes())
            }
            KeyKind::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_bytes(&derive::octets(seed, "key", name));
                // RFC 5958's optional public key is left out: older libraries stumble over it.
                let pkcs8 = ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None };
                let pkcs8 = pkcs8.to_pkcs8_der().map_err(CannotDerive::library)?;
                let algorithm = der::sequence(&[der::object_identifier(&[1, 3, 101, 112])]);
                let public = der::sequence(&[algorithm, der::bit_string(key.verifying_key().as_bytes())]);
                Self::new(kind, Private::Ed25519(key), pkcs8.as_bytes(), &public)
            }
            KeyKind::BrainpoolP256r1 => {
                let first_choice = u16::from_be_bytes(derive::octets(seed, "key", name));
                let (pkcs8, public) = stock::brainpool(usize::from(first_choice) + choice);
                Self::new(kind, Private::Unknown, pkcs8, public)
            }
            rsa_kind => {
                let first_choice = u16::from_be_bytes(derive::octets(seed, "key", name));
                let pkcs8 = stock::rsa(rsa_kind, usize::from(first_choice) + choice);
                let key = RsaPrivateKey::from_pkcs8_der(pkcs8).map_err(CannotDerive::library)?;
                let public = der::sequence(&[
                    der::sequence(&[
                        der::object_identifier(&[1, 2, 840, 113549, 1, 1, 1]),
                        der::element(tag::NULL, &[]),
                    ]),
                    der::bit_string(&der::sequence(&[
                        unsigned(&key.n().to_bytes_be()),
                        unsigned(&key.e().to_bytes_be()),
                    ])),
                ]);
                Self::new(kind, Private::Rsa(Box::new(key)), pkcs8, &public)
            }
        })
    }

    fn new(kind: KeyKind, private: Private, pkcs8_der: &[u8], spki_der: &[u8]) -> Self {
        Self { kind, private: Arc::new(private), pkcs8_der: pkcs8_der.into(), spki_der: spki_der.into() }
    }

    /// What kind of key this is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The private key as PKCS#8 in DER (RFC 5958).
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8_der
    }

    /// The public key as SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// The public key alone: the contents of the BIT STRING in [`Self::spki_der`].
    pub fn public_key_bits(&self) -> &[u8] {
        // SubjectPublicKeyInfo holds the algorithm, then a BIT STRING whose first octet counts unused bits.
        let algorithm_and_bits = der::contents(&self.spki_der);
        let algorithm = der::header_length(algorithm_and_bits) + der::contents(algorithm_and_bits).len();
        let bits = der::contents(algorithm_and_bits.get(algorithm..).unwrap_or_default());
        bits.get(1..).unwrap_or_default()
    }

    /// Signs `message`. The same message gives the same signature.
    ///
    /// # Errors
    ///
    /// [`CannotSign`] if the scheme is for another kind of key, or the modulus too short for the digest.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
        match (&*self.private, scheme) {
            // No one has given ECDSA with MD5 a name.
            (_, Scheme::Ecdsa(Digest::Md5)) => Err(CannotSign),
            (Private::P256(key), Scheme::Ecdsa(digest)) => sign_p256(key, &digest_of(digest, message)),
            (Private::P384(key), Scheme::Ecdsa(digest)) => sign_p384(key, &digest_of(digest, message)),
            (Private::P521(key), Scheme::Ecdsa(digest)) => {
                let digest = digest_of(digest, message);
                sign_p521(key, &digest, self.randomness_for(&digest))
            }
            (Private::Ed25519(key), Scheme::Ed25519) => Ok(key.sign(message).to_vec()),
            (Private::Rsa(key), Scheme::RsaPkcs1(digest)) => {
                let padding = match digest {
                    Digest::Md5 => Pkcs1v15Sign::new::<Md5>(),
                    Digest::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
                    Digest::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Digest::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Digest::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.sign(padding, &digest_of(digest, message)).map_err(|_| CannotSign)
            }
            (Private::Rsa(key), Scheme::RsaPss(digest)) => {
                let padding = match digest {
                    Digest::Md5 => return Err(CannotSign),
                    Digest::Sha1 => Pss::new::<Sha1>(),
                    Digest::Sha256 => Pss::new::<Sha256>(),
                    Digest::Sha384 => Pss::new::<Sha384>(),
                    Digest::Sha512 => Pss::new::<Sha512>(),
                };
                let digest = digest_of(digest, message);
                key.sign_with_rng(&mut self.randomness_for(&digest), padding, &digest).map_err(|_| CannotSign)
            }
            _ => Err(CannotSign),
        }
    }

    /// What signatures that want randomness draw it from: the idea of RFC 6979, that key and digest are secret and
    /// unique enough.
    fn randomness_for(&self, digest: &[u8]) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(&self.pkcs8_der);
        hash.update(digest);
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}

fn digest_of(digest: Digest, message: &[u8]) -> Vec<u8> {
    match digest {
        Digest::Md5 => Md5::digest(message).to_vec(),
        Digest::Sha1 => Sha1::digest(message).to_vec(),
        Digest::Sha256 => Sha256::digest(message).to_vec(),
        Digest::Sha384 => Sha384::digest(message).to_vec(),
        Digest::Sha512 => Sha512::digest(message).to_vec(),
    }
}

/// INTEGER of an unsigned magnitude without leading zeros.
fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    if magnitude.first().is_none_or(|octet| *octet >= 0x80) {
        der::element(tag::INTEGER, &[&[0], magnitude].concat())
    } else {
        der::element(tag::INTEGER, magnitude)
    }
}
