//! Octets that follow from a seed: one stream for each purpose and name.

use sha2::{Digest as _, Sha256};

/// `N` octets for `purpose` and `name` under `seed`.
pub(crate) fn octets<const N: usize>(seed: u64, purpose: &str, name: &str) -> [u8; N] {
    let mut octets = [0; N];
    for (counter, chunk) in (0u32..).zip(octets.chunks_mut(32)) {
        let mut hash = Sha256::new();
        hash.update(b"shakedown pki");
        hash.update(seed.to_be_bytes());
        hash.update(counter.to_be_bytes());
        for text in [purpose, name] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
    }
    octets
}
