//! ECDSA over digests of any length, without a source of randomness.

use super::CannotSign;
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, RandomizedPrehashSigner as _};
use rand_chacha::ChaCha20Rng;

pub(super) fn sign_p256(key: &p256::ecdsa::SigningKey, digest: &[u8]) -> Result<Vec<u8>, CannotSign> {
    let signature: p256::ecdsa::Signature = key.sign_prehash(&widened::<32>(digest)).map_err(|_| CannotSign)?;
    Ok(signature.to_der().as_bytes().to_vec())
}

pub(super) fn sign_p384(key: &p384::ecdsa::SigningKey, digest: &[u8]) -> Result<Vec<u8>, CannotSign> {
    let signature: p384::ecdsa::Signature = key.sign_prehash(&widened::<48>(digest)).map_err(|_| CannotSign)?;
    Ok(signature.to_der().as_bytes().to_vec())
}

pub(super) fn sign_p521(
    key: &p521::ecdsa::SigningKey,
    digest: &[u8],
    mut nonces: ChaCha20Rng,
) -> Result<Vec<u8>, CannotSign> {
    let digest = widened::<66>(digest);
    let signature: p521::ecdsa::Signature = key.sign_prehash_with_rng(&mut nonces, &digest).map_err(|_| CannotSign)?;
    Ok(signature.to_der().as_bytes().to_vec())
}

/// A digest as a number of at least `N` octets: shorter ones get leading zeros (FIPS 186-5 §6.4.1), longer ones are
/// left to the library, which takes the leftmost bits.
fn widened<const N: usize>(digest: &[u8]) -> Vec<u8> {
    let zeros = N.saturating_sub(digest.len());
    [&vec![0; zeros], digest].concat()
}
