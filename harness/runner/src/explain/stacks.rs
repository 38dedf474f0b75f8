//! TLS stacks whose hellos are known, and which of them is nearest to one that is not.

use std::sync::LazyLock;

use capture::likeness::Likeness;
use capture::{Offer, hexadecimal};
use serde::Deserialize;

/// Known hellos, as data.
const KNOWN: &str = include_str!("stacks.toml");

/// The file's contents.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    stacks: Vec<Entry>,
}

/// One known hello.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// What says hello so.
    name: String,
    /// How we know.
    source: String,
    /// What the random begins with.
    #[serde(default)]
    begins: Begins,
    /// The hello, in hexadecimal.
    hello: String,
}

/// What a stack puts into the first four bytes of its random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begins {
    /// Its clock, as RFC 5246 §7.4.1.2 has it.
    Time,
    /// Zero, whatever its clock says.
    Zero,
    /// Randomness.
    #[default]
    Random,
}

/// A stack with its hello.
struct Stack {
    name: String,
    source: String,
    begins: Begins,
    offer: Offer,
}

static STACKS: LazyLock<Result<Vec<Stack>, String>> = LazyLock::new(|| {
    let file: File = toml::from_str(KNOWN).map_err(|error| error.to_string())?;
    file.stacks.into_iter().map(Stack::new).collect()
});

impl Stack {
    fn new(entry: Entry) -> Result<Self, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", entry.name);
        let bytes = hexadecimal::read(&entry.hello).map_err(|why| wrong(&why))?;
        let offer = Offer::find(&bytes).map_err(|why| wrong(&why))?;
        Ok(Self { name: entry.name, source: entry.source, begins: entry.begins, offer })
    }
}

/// All that are known. That the data is sound is tested; if it were not, nothing would be known.
fn known() -> &'static [Stack] {
    STACKS.as_deref().unwrap_or_default()
}

/// The nearest, with how far it is.
fn ranked(offer: &Offer) -> Vec<(Likeness, &'static Stack)> {
    let mut ranked: Vec<_> =
        known().iter().map(|stack| (Likeness::between(&offer.hello, &stack.offer.hello), stack)).collect();
    ranked.sort_by_key(|(likeness, _)| likeness.distance);
    ranked
}

/// What the random begins with, if the nearest stack is near enough to tell.
pub fn begins(offer: &Offer) -> Option<(Begins, &'static str)> {
    let ranked = ranked(offer);
    let (likeness, stack) = ranked.first()?;
    likeness.is_near().then_some((stack.begins, stack.name.as_str()))
}

/// Labels and sentences that say which stack this is likely to be, and why.
pub fn nearest(offer: &Offer) -> Vec<(&'static str, String)> {
    let ranked = ranked(offer);
    let Some((best, _)) = ranked.first() else { return Vec::new() };
    if !best.is_near() {
        let (likeness, stack) = &ranked[0];
        let sentence = format!(
            "none that is known here: the nearest, {}, is {} steps away of at most {}",
            stack.name, likeness.distance, likeness.distance_max
        );
        return vec![("stack", sentence)];
    }
    let same = ranked.iter().take_while(|(likeness, _)| likeness.distance == best.distance).take(3);
    same.map(|(likeness, stack)| {
        let differences: Vec<String> = likeness.differences.iter().map(ToString::to_string).collect();
        let why = match &differences[..] {
            [] => "distance 0: the same versions, suites and extensions in the same order".into(),
            differences => {
                format!("distance {} of {}: {}", likeness.distance, likeness.distance_max, differences.join(", "))
            }
        };
        ("stack", format!("{} ({why}). Known from {}.", stack.name, stack.source))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_stack_has_a_whole_hello_and_a_source() {
        let stacks = STACKS.as_ref().unwrap_or_else(|why| panic!("stacks.toml: {why}"));
        assert!(stacks.len() >= 4);
        for stack in stacks {
            assert!(!stack.source.is_empty(), "{}", stack.name);
            assert!(stack.offer.hello.malformed.is_empty() && !stack.offer.hello.is_cut, "{}", stack.name);
        }
    }

    #[test]
    fn every_known_stack_is_nearest_to_itself() {
        for stack in known() {
            let ranked = ranked(&stack.offer);
            assert_eq!(ranked[0].0.distance, 0, "{}", stack.name);
            assert!(nearest(&stack.offer).iter().any(|(_, words)| words.starts_with(&stack.name)), "{}", stack.name);
        }
    }
}
