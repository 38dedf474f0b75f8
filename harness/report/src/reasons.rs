//! Reasons that many rows share, counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Each reason once with how often it was given: the most frequent first, and in the order of their words where they are as
/// frequent.
pub fn counted<'r>(reasons: impl Iterator<Item = &'r str>) -> Vec<(&'r str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut counted: Vec<(&str, usize)> = counts.into_iter().collect();
    counted.sort_by_key(|(_, count)| Reverse(*count));
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_reason_comes_first() {
        let given = ["no radio", "no clock", "a name", "no clock"];
        assert_eq!(counted(given.into_iter()), [("no clock", 2), ("a name", 1), ("no radio", 1)]);
    }
}
