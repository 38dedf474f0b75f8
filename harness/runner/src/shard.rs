//! A share of the work, for several machines: `--shard 2/3`.
//!
//! What belongs to which share follows from names alone, so that machines need not talk to each other, and a scenario
//! stays where it was when others come or go.

use blame::Error;
use sha2::{Digest as _, Sha256};

/// One share of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// Whether this share has `scenario` on `stack`. Every such pair is in exactly one share.
    pub fn holds(self, scenario: &str, stack: &str) -> bool {
        // Names hold no line break.
        let hash = Sha256::digest(format!("{scenario}\n{stack}"));
        let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.of.max(1)) + 1 == u64::from(self.index)
    }
}

/// A share from the command line: `2/3`.
///
/// # Errors
///
/// If it is none; what to write instead.
pub fn shard(text: &str) -> blame::Result<Shard> {
    let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
        _ => Err(Error::usage(format!("`{text}` is no share: the second of three is 2/3"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_disjoint_and_complete() {
        for of in 1..=7 {
            let mut sizes = vec![0; of as usize];
            for name in 0..700 {
                let (scenario, stack) = (format!("folder/{}", name / 7), format!("stack_{}", name % 7));
                let holders: Vec<u32> =
                    (1..=of).filter(|index| Shard { index: *index, of }.holds(&scenario, &stack)).collect();
                let [holder] = holders[..] else { panic!("{scenario} on {stack} is held by {holders:?}") };
                sizes[holder as usize - 1] += 1;
            }
            // Evenly enough that no machine waits long for another.
            assert!(sizes.iter().all(|size| *size * 2 > 700 / of), "{sizes:?}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        assert_eq!(shard("2/3"), Ok(Shard { index: 2, of: 3 }));
        for text in ["", "/", "0/3", "4/3", "1/0", "-1/3", "1/x", "1"] {
            assert!(shard(text).is_err(), "{text}");
        }
    }
}
