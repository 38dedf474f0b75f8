//! Finding claims in the words of a name.

use crate::Scenario;

/// The most words that a `*` stands for: `bad_certificate_status_response`.
const VALUE_WORDS_MAX: usize = 4;

/// One or several words in a row, and what they claim.
pub(super) struct Claim {
    /// The words, with at most one `*` among them that stands for a value: `connack_*`.
    pub(super) words: &'static str,
    /// Whether what stands in the place of the `*` is a value.
    pub(super) is_value: fn(&str) -> bool,
    /// What has to be true of the scenario.
    pub(super) means: &'static str,
    /// Whether it is, given the value (empty if there is no `*`).
    pub(super) holds: fn(&Scenario, &str) -> bool,
}

/// A claim that a name makes.
pub(super) struct Made<'c> {
    pub(super) claim: &'c Claim,
    /// The words with which it does.
    pub(super) words: String,
    /// What stands in the place of the `*`.
    pub(super) value: String,
}

/// The claims that `words` make. Where several would fit the same words, the longest counts: `device_tls12_only` says
/// nothing about the broker.
pub(super) fn made<'c>(words: &[&str], claims: &'c [Claim]) -> Vec<Made<'c>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let longest = claims.iter().filter_map(|claim| fit(claim, &words[at..])).max_by_key(|(length, made)| {
            // Among equals, the one that says it all in words rather than in a value.
            (*length, made.value.is_empty())
        });
        match longest {
            Some((length, made)) => {
                found.push(made);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether `words` begin with the claim, and how many of them it takes.
fn fit<'c>(claim: &'c Claim, words: &[&str]) -> Option<(usize, Made<'c>)> {
    let pattern: Vec<&str> = claim.words.split('_').collect();
    let Some(star) = pattern.iter().position(|word| *word == "*") else {
        let made = || Made { claim, words: claim.words.to_owned(), value: String::new() };
        return words.starts_with(&pattern).then(|| (pattern.len(), made()));
    };
    let (before, after) = (&pattern[..star], &pattern[star + 1..]);
    let rest = words.strip_prefix(before)?;
    (1..=rest.len().min(VALUE_WORDS_MAX)).rev().find_map(|length| {
        let value = rest[..length].join("_");
        let fits = rest[length..].starts_with(after) && (claim.is_value)(&value);
        let length = before.len() + length + after.len();
        fits.then(|| (length, Made { claim, words: words[..length].join("_"), value }))
    })
}
