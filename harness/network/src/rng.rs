//! Random numbers, from a seed.
//!
//! SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). Written out here
//! because captures are compared byte for byte: the stream must not change with the version of a dependency.

use std::fmt::Debug;

use clock::Duration;

/// The number of the stream that belongs to what `name` names: FNV-1a of 64 bits (Fowler, Noll, Vo; RFC 9923 §2), written
/// out for the same reason.
pub(crate) fn stream_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Where `list[index]` stands among those of its kind: by what they say, so that the order of the list decides among equals
/// alone.
pub(crate) fn place_among_alike<T: Debug, K: PartialEq>(list: &[T], index: usize, kind: impl Fn(&T) -> K) -> usize {
    let said = |index: usize| (format!("{:?}", list[index]), index);
    let is_alike = |other: &usize| kind(&list[*other]) == kind(&list[index]);
    (0..list.len()).filter(is_alike).filter(|other| said(*other) < said(index)).count()
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: u64,
}

impl Rng {
    /// The stream number `stream` of `seed`: streams of one seed do not follow from each other, so that one more
    /// fault in a scenario does not shift what the others hit.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut parent = Self { state: seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95) };
        Self { state: parent.next() }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // Multiply-shift: the bias is below 2⁻³² for the bounds used here.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn hits(&mut self, per_mille: u16) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }

    /// A duration from zero up to and including `most`.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.below(nanos.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs of SplitMix64 for the state 1234567, from the reference implementation by Vigna
        // (prng.di.unimi.it/splitmix64.c), as listed on Rosetta Code.
        let mut rng = Rng { state: 1_234_567 };
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
        assert_eq!(rng.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn the_name_of_a_stream_is_hashed_as_published() {
        // Test vectors of the reference code (Noll, `fnv/test_fnv.c`): the empty string, "a" and "foobar".
        assert_eq!(stream_of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(stream_of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(stream_of("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn odds_of_nought_and_of_a_thousand_are_certain() {
        let mut rng = Rng::new(7, 0);
        assert!((0..1_000).all(|_| !rng.hits(0)));
        assert!((0..1_000).all(|_| rng.hits(1_000)));
    }
}
