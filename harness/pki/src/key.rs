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
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::fmt;
use std::sync::Arc;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

mod ecdsa_signing;
mod stock;

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

/// A private key as somebody else has written it, in DER.
pub(crate) enum GivenKey {
    /// RFC 5958: `PRIVATE KEY`.
    Pkcs8(Vec<u8>),
    /// RFC 8017 §A.1.2: `RSA PRIVATE KEY`.
    Pkcs1(Vec<u8>),
    /// SEC 1 §C.4 (RFC 5915): `EC PRIVATE KEY`.
    Sec1(Vec<u8>),
}

impl GivenKey {
    fn to_pkcs8(&self, kind: KeyKind) -> Result<Vec<u8>, String> {
        let written = |document: Result<rsa::pkcs8::SecretDocument, rsa::pkcs8::Error>| {
            document.map(|document| document.as_bytes().to_vec()).map_err(|error| error.to_string())
        };
        let other = || format!("the certificate has a {kind} key, and this is of another kind");
        match (self, kind) {
            (Self::Pkcs8(der), _) => Ok(der.clone()),
            (Self::Pkcs1(der), kind) if kind.is_rsa() => {
                written(RsaPrivateKey::from_pkcs1_der(der).map_err(|error| error.to_string())?.to_pkcs8_der())
            }
            (Self::Sec1(der), KeyKind::P256) => {
                written(p256::SecretKey::from_sec1_der(der).map_err(|_| other())?.to_pkcs8_der())
            }
            (Self::Sec1(der), KeyKind::P384) => {
                written(p384::SecretKey::from_sec1_der(der).map_err(|_| other())?.to_pkcs8_der())
            }
            (Self::Sec1(der), KeyKind::P521) => {
                written(p521::SecretKey::from_sec1_der(der).map_err(|_| other())?.to_pkcs8_der())
            }
            _ => Err(other()),
        }
    }
}

/// Why a private key is of no use to a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnfitKey {
    /// The certificate's own key is of a kind that nobody here knows.
    Unknown(String),
    /// It cannot be read, or not as a key of the certificate's kind.
    Unreadable(String),
    /// It is another certificate's.
    OfAnother,
}

impl fmt::Display for UnfitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => f.write_str(why),
            Self::Unreadable(why) => write!(f, "its private key cannot be read: {why}"),
            Self::OfAnother => f.write_str("its private key belongs to another certificate"),
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
    ) -> impl Iterator<Item = Result<Self, String>> + use<'_> {
        (0..stock::count(kind)).map(move |choice| Self::derive(kind, seed, name, choice))
    }

    fn derive(kind: KeyKind, seed: u64, name: &str, choice: usize) -> Result<Self, String> {
        // A digest is a valid scalar but for odds of less than 2^-32, and then the next one is.
        let candidates = (0u32..16).map(|attempt| derive::octets::<66>(seed, "key", &format!("{name}/{attempt}")));
        let none_valid = || format!("no valid {kind} key in 16 attempts");
        Ok(match kind {
            KeyKind::P256 => {
                let key =
                    candidates.filter_map(|octets| p256::ecdsa::SigningKey::from_slice(&octets[..32]).ok()).next();
                let key = key.ok_or_else(none_valid)?;
                let secret = p256::SecretKey::from(&key);
                let public = secret.public_key().to_public_key_der().map_err(|error| error.to_string())?;
                let pkcs8 = secret.to_pkcs8_der().map_err(|error| error.to_string())?;
                Self::new(kind, Private::P256(key), pkcs8.as_bytes(), public.as_bytes())
            }
            KeyKind::P384 => {
                let key =
                    candidates.filter_map(|octets| p384::ecdsa::SigningKey::from_slice(&octets[..48]).ok()).next();
                let key = key.ok_or_else(none_valid)?;
                let secret = p384::SecretKey::from(&key);
                let public = secret.public_key().to_public_key_der().map_err(|error| error.to_string())?;
                let pkcs8 = secret.to_pkcs8_der().map_err(|error| error.to_string())?;
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
                let key = p521::ecdsa::SigningKey::from_bytes(&secret.to_bytes()).map_err(|error| error.to_string())?;
                let public = secret.public_key().to_public_key_der().map_err(|error| error.to_string())?;
                let pkcs8 = secret.to_pkcs8_der().map_err(|error| error.to_string())?;
                Self::new(kind, Private::P521(key), pkcs8.as_bytes(), public.as_bytes())
            }
            KeyKind::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_bytes(&derive::octets(seed, "key", name));
                // RFC 5958's optional public key is left out: older libraries stumble over it.
                let pkcs8 = ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None };
                let pkcs8 = pkcs8.to_pkcs8_der().map_err(|error| error.to_string())?;
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
                let key = RsaPrivateKey::from_pkcs8_der(pkcs8).map_err(|error| error.to_string())?;
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

    /// The key of a certificate that somebody else has made, with its private half if it is known.
    pub(crate) fn given(public: &SubjectPublicKeyInfo<'_>, private: Option<&GivenKey>) -> Result<Self, UnfitKey> {
        let kind = Self::kind_of(public).map_err(UnfitKey::Unknown)?;
        let Some(given) = private else { return Ok(Self::new(kind, Private::Unknown, &[], public.raw)) };
        let unreadable = |error: &dyn fmt::Display| UnfitKey::Unreadable(error.to_string());
        let pkcs8 = given.to_pkcs8(kind).map_err(UnfitKey::Unreadable)?;
        let (private, half) = match kind {
            KeyKind::P256 => {
                let key = p256::SecretKey::from_pkcs8_der(&pkcs8).map_err(|error| unreadable(&error))?;
                let half = key.public_key().to_public_key_der().map_err(|error| unreadable(&error))?;
                (Private::P256(key.into()), half)
            }
            KeyKind::P384 => {
                let key = p384::SecretKey::from_pkcs8_der(&pkcs8).map_err(|error| unreadable(&error))?;
                let half = key.public_key().to_public_key_der().map_err(|error| unreadable(&error))?;
                (Private::P384(key.into()), half)
            }
            KeyKind::P521 => {
                let key = p521::SecretKey::from_pkcs8_der(&pkcs8).map_err(|error| unreadable(&error))?;
                let half = key.public_key().to_public_key_der().map_err(|error| unreadable(&error))?;
                let key = p521::ecdsa::SigningKey::from_bytes(&key.to_bytes()).map_err(|error| unreadable(&error))?;
                (Private::P521(key), half)
            }
            KeyKind::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_der(&pkcs8).map_err(|error| unreadable(&error))?;
                let half = key.verifying_key().to_public_key_der().map_err(|error| unreadable(&error))?;
                (Private::Ed25519(key), half)
            }
            KeyKind::BrainpoolP256r1 => {
                return Err(UnfitKey::Unknown("its key lies on a curve with which nobody signs here".to_owned()));
            }
            _ => {
                let key = RsaPrivateKey::from_pkcs8_der(&pkcs8).map_err(|error| unreadable(&error))?;
                let half = key.to_public_key().to_public_key_der().map_err(|error| unreadable(&error))?;
                (Private::Rsa(Box::new(key)), half)
            }
        };
        // Compared by the key itself: how its algorithm is written may differ.
        let pair = Self::new(kind, private, &pkcs8, public.raw);
        let (_, half) = SubjectPublicKeyInfo::from_der(half.as_bytes()).map_err(|error| unreadable(&error))?;
        if half.subject_public_key.as_ref() != pair.public_key_bits() {
            return Err(UnfitKey::OfAnother);
        }
        Ok(pair)
    }

    /// The kind of somebody else's key.
    fn kind_of(public: &SubjectPublicKeyInfo<'_>) -> Result<KeyKind, String> {
        if public.algorithm.algorithm.to_id_string() == "1.3.101.112" {
            return Ok(KeyKind::Ed25519);
        }
        let parsed = public.parsed().map_err(|error| error.to_string())?;
        Ok(match (&parsed, parsed.key_size()) {
            (PublicKey::RSA(_), 768) => KeyKind::Rsa768,
            (PublicKey::RSA(_), 1024) => KeyKind::Rsa1024,
            (PublicKey::RSA(_), 2048) => KeyKind::Rsa2048,
            (PublicKey::RSA(_), 3072) => KeyKind::Rsa3072,
            (PublicKey::RSA(_), 4096) => KeyKind::Rsa4096,
            (PublicKey::RSA(_), 8192) => KeyKind::Rsa8192,
            (PublicKey::EC(point), _) => match point.data().len() {
                // One octet says that both coordinates follow (SEC 1 §2.3.3).
                65 => KeyKind::P256,
                97 => KeyKind::P384,
                133 => KeyKind::P521,
                _ => return Err("its key lies on a curve that this bench does not know".to_owned()),
            },
            (PublicKey::RSA(_), bits) => {
                return Err(format!("its RSA key has {bits} bits, and this bench knows those of 2048, 3072 and 4096"));
            }
            _ => return Err("its key is of a kind that this bench does not know".to_owned()),
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
