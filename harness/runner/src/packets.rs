//! Whose packets are kept beside the snapshots: of each scenario those of one stack, for people to open.
//!
//! The stack is the one that the scenario's document is about. A dialect says so of an image or a profile
//! (`packets_of = ["s2"]`): the source documents, by the beginnings of their ids, for which it stands; the longest one
//! that fits counts, and `*` fits every scenario, with or without documents. Among equals, and where nobody says
//! anything, it is the first stack that runs the scenario. `cargo xtask capture make` writes the packets of any other.

use std::cmp::Reverse;

use judge::wire_witness::WireWitness;
use scenario::Scenario;

use crate::stack::{Applicability, Stack};
use snapshot::digits;

/// What fits every scenario.
const ANY: &str = "*";

/// The stack whose packets are kept of `scenario`: one of `stacks` that runs it, and does not say that it cannot
/// (`is_excused`). None, of a scenario with a real broker: its packets are never the same twice.
pub fn stack_of<'s>(
    scenario: &Scenario,
    stacks: &'s [Stack],
    is_excused: &dyn Fn(&Stack) -> bool,
) -> Option<&'s Stack> {
    if scenario.broker.real.is_some() {
        return None;
    }
    // What was recorded with an image that is nobody's to hand on, nobody else can record again.
    let is_had_by_all = |stack: &Stack| !stack.firmware.is_local();
    let runs = |stack: &Stack| {
        is_had_by_all(stack) && stack.applicability(scenario) == Applicability::Applies && !is_excused(stack)
    };
    let running = stacks.iter().enumerate().filter(|(_, stack)| runs(stack));
    running.max_by_key(|(index, stack)| (fit(stack.packets_of(), scenario), Reverse(*index))).map(|(_, stack)| stack)
}

/// What packets show, if it is not what the snapshot of their scenario shows, whichever build they are of.
///
/// # Errors
///
/// If they show nothing, and why.
pub fn otherwise(pcapng: &[u8], scenario: &Scenario, reviewed: &str) -> blame::Result<Option<String>> {
    // Of a sweep, they are those of its last run, and the snapshot has no lines of the wire.
    if !scenario.steps().is_empty() {
        return Ok(None);
    }
    let wire = WireWitness::hear(pcapng, scenario).map_err(blame::Error::bench)?;
    let said = if wire.is_silent() { judge::SILENCE.to_owned() } else { digits::settled(reviewed, &wire.typeset) };
    if reviewed.contains(&format!("\n\n{said}\n\n")) { Ok(None) } else { Ok(Some(said)) }
}

/// How well one of the entries fits: the more letters, the better; `None` if none does.
fn fit(entries: &[String], scenario: &Scenario) -> Option<usize> {
    let fits = |entry: &str| scenario.documents.iter().any(|document| document.starts_with(entry));
    let fit = |entry: &String| match entry.as_str() {
        ANY => Some(0),
        entry => fits(entry).then_some(entry.len()),
    };
    entries.iter().filter_map(fit).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_of_a_document_counts() {
        let minimal = "title = \"x\"\n[specification]\ndemands = \"either\"\nrule = \"RFC 1 §1\"\nquote = \"x\"\n";
        let mut scenario = Scenario::parse("own/x", "x.toml", minimal).unwrap();
        let fit = |entries: &[&str], scenario: &Scenario| {
            let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
            super::fit(&entries, scenario)
        };
        assert_eq!((fit(&["s4", "*"], &scenario), fit(&["s4"], &scenario)), (Some(0), None));
        scenario.documents = vec!["s0-plain".into(), "s4-fw-no-kw".into()];
        assert_eq!((fit(&["s4", "s4-fw"], &scenario), fit(&["s3"], &scenario)), (Some(5), None));
    }
}
