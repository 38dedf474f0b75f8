//! Chance, from a seed: nonces, group keys, back-off and loss.
//!
//! HMAC-SHA-1 over a counter, keyed with the seed. Written with the hash that WPA2 needs anyway, because captures are
//! compared byte for byte: the stream must not change with the version of a random number generator.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    key: [u8; 16],
    counter: u64,
}

impl Chance {
    /// The stream number `stream` of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        key[8..].copy_from_slice(&stream.to_be_bytes());
        Self { key, counter: 0 }
    }

    /// The next `N` bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(20) {
            let block = self.block();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        bytes
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let number = u64::from_be_bytes(self.bytes());
        // Multiply-shift: the bias is below 2⁻³² for the bounds used here.
        ((u128::from(number) * u128::from(bound)) >> 64) as u64
    }

    fn block(&mut self) -> [u8; 20] {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(&self.counter.to_be_bytes());
        self.counter += 1;
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_repeats_itself_and_streams_differ() {
        let first: [u8; 32] = Chance::new(0x5eed, 1).bytes();
        assert_eq!(first, Chance::new(0x5eed, 1).bytes::<32>());
        assert_ne!(first, Chance::new(0x5eed, 2).bytes::<32>());
        let mut chance = Chance::new(1, 1);
        assert!((0..1_000).all(|_| chance.below(16) < 16));
        assert_eq!(chance.below(0), 0);
    }
}
