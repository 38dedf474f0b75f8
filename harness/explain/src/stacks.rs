//! TLS stacks whose hellos are known, and which of them is nearest to one that is not.

use blame::{Error, Result};
use capture::similarity::Similarity;
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
    /// The stack of this bench that says it, if one does.
    stack: Option<String>,
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
    /// The stack of this bench that says it.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the hello is compared with in a test"))]
    stack: Option<String>,
    offer: Offer,
}

impl Stack {
    fn new(entry: Entry) -> Result<Self> {
        let offer = pasted(&entry.hello).map_err(|error| error.about(format!("stacks.toml, {}", entry.name)))?;
        Ok(Self { name: entry.name, source: entry.source, begins: entry.begins, stack: entry.stack, offer })
    }
}

fn pasted(hello: &str) -> Result<Offer> {
    let bytes = hexadecimal::read(hello).map_err(Error::bench)?;
    Offer::find(&bytes).map_err(Error::bench)
}

/// All stacks that are known.
pub struct Stacks(Vec<Stack>);

impl Stacks {
    /// Those of this bench.
    ///
    /// # Errors
    ///
    /// If the list is wrong, which a test rules out.
    pub fn known() -> Result<Self> {
        let file: File = toml::from_str(KNOWN).map_err(|error| Error::bench(format!("stacks.toml: {error}")))?;
        file.stacks.into_iter().map(Stack::new).collect::<Result<_>>().map(Self)
    }

    /// All, the nearest first, with how far they are.
    fn ranked(&self, offer: &Offer) -> Vec<(Similarity, &Stack)> {
        let mut ranked: Vec<_> =
            self.0.iter().map(|stack| (Similarity::between(&offer.hello, &stack.offer.hello), stack)).collect();
        ranked.sort_by_key(|(similarity, _)| similarity.distance);
        ranked
    }

    /// What the random begins with, if the nearest stack is near enough to tell.
    pub fn begins(&self, offer: &Offer) -> Option<(Begins, &str)> {
        let ranked = self.ranked(offer);
        let (similarity, stack) = ranked.first()?;
        similarity.is_near().then_some((stack.begins, stack.name.as_str()))
    }

    /// The stack that said this hello, if the nearest is near enough to tell.
    pub fn likely(&self, offer: &Offer) -> Option<&str> {
        let ranked = self.ranked(offer);
        let (similarity, stack) = ranked.first()?;
        similarity.is_near().then_some(stack.name.as_str())
    }

    /// Labels and sentences that say which stack this is likely to be, and why.
    pub fn nearest(&self, offer: &Offer) -> Vec<(&'static str, String)> {
        let ranked = self.ranked(offer);
        let Some((best, stack)) = ranked.first() else { return Vec::new() };
        if !best.is_near() {
            let sentence = format!(
                "none that is known here: the nearest, {}, is {} steps away of at most {}",
                stack.name, best.distance, best.distance_max
            );
            return vec![("stack", sentence)];
        }
        let same = ranked.iter().take_while(|(similarity, _)| similarity.distance == best.distance).take(3);
        same.map(|(similarity, stack)| {
            let differences: Vec<String> = similarity.differences.iter().map(ToString::to_string).collect();
            let why = match &differences[..] {
                [] => "distance 0: the same versions, suites and extensions in the same order".into(),
                differences => {
                    format!(
                        "distance {} of {}: {}",
                        similarity.distance,
                        similarity.distance_max,
                        differences.join(", ")
                    )
                }
            };
            ("stack", format!("{} ({why}). Known from {}.", stack.name, stack.source))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapshot::Place;
    use std::path::Path;
    use wire::tls::{Ja3, Ja4};

    fn known() -> Stacks {
        Stacks::known().unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn every_known_stack_has_a_whole_hello_and_a_source() {
        let stacks = known();
        assert!(stacks.0.len() >= 4);
        for stack in &stacks.0 {
            assert!(!stack.source.is_empty(), "{}", stack.name);
            assert!(stack.offer.hello.malformed.is_empty() && !stack.offer.hello.is_cut, "{}", stack.name);
        }
    }

    #[test]
    fn every_known_stack_is_nearest_to_itself() {
        let stacks = known();
        for stack in &stacks.0 {
            let ranked = stacks.ranked(&stack.offer);
            assert_eq!(ranked[0].0.distance, 0, "{}", stack.name);
            let told = stacks.nearest(&stack.offer);
            assert!(told.iter().any(|(_, words)| words.starts_with(&stack.name)), "{}", stack.name);
        }
    }

    #[test]
    fn our_own_stacks_still_say_hello_so() {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
        let mut compared = 0;
        for known in &known().0 {
            let Some(stack) = &known.stack else { continue };
            let place = Place::new(&captures, "certificate/rsa2048_chain", stack);
            let snapshot = place.reviewed().expect("it can be read").unwrap_or_else(|| panic!("{stack}: no snapshot"));
            // JA4 sorts suites and extensions; JA3 is of them as they stand, and of the groups.
            let hello = &known.offer.hello;
            for fingerprint in [Ja3::of(hello).hash(), Ja4::of(hello).to_string()] {
                assert!(snapshot.contains(&fingerprint), "{}: {fingerprint} is not in\n{snapshot}", known.name);
            }
            compared += 1;
        }
        assert!(compared >= 9, "only {compared} stacks of ours");
    }

    /// In hellos of our own images it is the run's date, 2026. Those of a model begin as its library does, and not as
    /// the configuration that it stands for would have it.
    #[test]
    fn what_randoms_of_our_images_begin_with_is_what_is_said_of_them() {
        const YEAR: std::ops::Range<u32> = 1_767_225_600..1_798_761_600;
        let stacks = known();
        let ours: Vec<&Stack> = stacks.0.iter().filter(|stack| stack.source.starts_with("our image")).collect();
        assert!(ours.len() >= 3);
        for stack in ours {
            let expected = match stack.offer.gmt_unix_time {
                0 => Begins::Zero,
                time if YEAR.contains(&time) => Begins::Time,
                _ => Begins::Random,
            };
            assert_eq!(stack.begins, expected, "{}: {}", stack.name, stack.offer.gmt_unix_time);
        }
    }
}
