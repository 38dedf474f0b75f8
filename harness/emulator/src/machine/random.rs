//! The random number register: a generator seeded by the run.
//!
//! Hardware mixes noise into a register at APB_CTRL + 0xB0. Here each read is the next word of xoshiro128++ (Blackman
//! and Vigna, 2019), seeded through SplitMix64 (Steele, Lea, Flood, 2014), so that a run can be repeated. It is not
//! a cryptographic generator, and need not be: everything that a test device "keeps secret" is known to its bench.

use serde::{Deserialize, Serialize};

/// A stream of words that is a function of its seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Random {
    state: [u32; 4],
}

impl Random {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut split = seed;
        let mut next = || {
            split = split.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = split;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let (a, b) = (next(), next());
        Self { state: [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32 | 1] }
    }

    /// The next word.
    pub fn next_word(&mut self) -> u32 {
        let [s0, s1, s2, s3] = self.state;
        let result = s0.wrapping_add(s3).rotate_left(7).wrapping_add(s0);
        let shifted = s1 << 9;
        let (s2, s3) = (s2 ^ s0, s3 ^ s1);
        let (s1, s0) = (s1 ^ s2, s0 ^ s3);
        self.state = [s0, s1, s2 ^ shifted, s3.rotate_left(11)];
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_xoshiro128_plus_plus() {
        // The reference implementation's first outputs for the state 1, 2, 3, 4.
        let mut random = Random { state: [1, 2, 3, 4] };
        assert_eq!([random.next_word(), random.next_word(), random.next_word()], [641, 1_573_767, 3_222_811_527]);
    }

    #[test]
    fn the_seed_decides() {
        let words = |seed| {
            let mut random = Random::new(seed);
            [random.next_word(), random.next_word()]
        };
        assert_eq!(words(5), words(5));
        assert_ne!(words(5), words(6));
    }
}
