//! What is to be told of a release, in the order in which somebody wants to know it, before anybody sets it.

use std::collections::BTreeMap;

use super::{Change, HelloChange, Moved, Release, Was};

/// So many names of a list are told.
const NAMES_MAX: usize = 8;
/// So many scenarios in which a number moved most.
const NUMBERS_MAX: usize = 5;

/// A heading with what belongs below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The heading.
    pub title: String,
    /// Whether it is bad news.
    pub is_bad: bool,
    /// What is told.
    pub entries: Vec<Entry>,
}

/// One thing that is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The scenarios and stacks that it is about; empty if it is about the image.
    pub places: Vec<(String, String)>,
    /// What is told, sentence by sentence.
    pub lines: Vec<String>,
}

/// Everything that changed.
pub fn outline(release: &Release) -> Vec<Outline> {
    let of = |title: &str, is_bad: bool, lines: &dyn Fn(&Change) -> Vec<String>| Outline {
        title: title.to_owned(),
        is_bad,
        entries: grouped(release.changes.iter().map(|change| (change, lines(change)))),
    };
    let was = |was: &Option<Was>| was.iter().map(|was| format!("{} → {}", was.was, was.is)).collect::<Vec<String>>();
    let sections = vec![
        of("Security got worse", true, &|change| change.security_worse.clone()),
        of("Security got better", false, &|change| change.security_better.clone()),
        of("Outcomes", false, &|change| was(&change.outcome)),
        of("Hellos", false, &|change| change.hello.iter().map(hello).collect()),
        of("What was agreed on", false, &|change| was(&change.agreed)),
        of("Alerts", false, &|change| was(&change.alerts)),
        numbers(release, "Time of the handshake", "ms", |change| change.handshake_ms),
        numbers(release, "Heap, at its peak", "bytes", |change| change.heap_peak_bytes),
        image(release),
    ];
    sections.into_iter().filter(|section| !section.entries.is_empty()).collect()
}

/// Scenarios with the same to tell become one entry.
fn grouped<'a>(told: impl Iterator<Item = (&'a Change, Vec<String>)>) -> Vec<Entry> {
    let mut groups: BTreeMap<Vec<String>, Entry> = BTreeMap::new();
    let mut order = Vec::new();
    for (change, lines) in told.filter(|(_, lines)| !lines.is_empty()) {
        match groups.get_mut(&lines) {
            Some(entry) => entry.places.push((change.scenario.clone(), change.stack.clone())),
            None => {
                let places = vec![(change.scenario.clone(), change.stack.clone())];
                groups.insert(lines.clone(), Entry { places, lines: lines.clone() });
                order.push(lines);
            }
        }
    }
    order.iter().filter_map(|lines| groups.remove(lines)).collect()
}

/// Numbers that moved in many scenarios: how far at all, and where most.
fn numbers(release: &Release, title: &str, unit: &str, pick: fn(&Change) -> Option<Moved>) -> Outline {
    let mut moved: Vec<(&Change, Moved)> =
        release.changes.iter().filter_map(|change| Some((change, pick(change)?))).collect();
    moved.sort_by_key(|(_, moved)| std::cmp::Reverse(moved.was.abs_diff(moved.is)));
    let percents: Vec<i128> = moved.iter().filter_map(|(_, moved)| moved.percent()).collect();
    let mut lines = Vec::new();
    if let (Some(least), Some(most), true) = (percents.iter().min(), percents.iter().max(), moved.len() > 1) {
        lines.push(format!("in {} runs, by {least:+} % to {most:+} %; the most:", moved.len()));
    }
    lines.extend(
        moved
            .iter()
            .take(NUMBERS_MAX)
            .map(|(change, moved)| format!("{} ({} on {})", number(*moved, unit), change.scenario, change.stack)),
    );
    let places = moved.iter().map(|(change, _)| (change.scenario.clone(), change.stack.clone())).collect();
    let entries = if lines.is_empty() { Vec::new() } else { vec![Entry { places, lines }] };
    Outline { title: title.to_owned(), is_bad: false, entries }
}

fn hello(change: &HelloChange) -> String {
    let mut words = Vec::new();
    if let Some(Was { was, is }) = &change.value {
        words.push(format!("{was} → {is}"));
    }
    if !change.added.is_empty() {
        words.push(format!("adds {}", list(&change.added)));
    }
    if !change.removed.is_empty() {
        words.push(format!("drops {}", list(&change.removed)));
    }
    if change.reordered {
        words.push("in another order".to_owned());
    }
    format!("{}: {}", change.what, words.join("; "))
}

/// The first of many names; the JSON report has them all.
fn list(names: &[String]) -> String {
    let first = names.get(..NAMES_MAX.min(names.len())).unwrap_or_default().join(", ");
    if names.len() > NAMES_MAX { format!("{first} and {} more", names.len() - NAMES_MAX) } else { first }
}

fn number(moved: Moved, unit: &str) -> String {
    let percent = moved.percent().map_or_else(String::new, |percent| format!(", {percent:+} %"));
    format!("{} → {} {unit} ({:+}{percent})", moved.was, moved.is, moved.by())
}

fn image(release: &Release) -> Outline {
    let image = &release.image;
    let mut lines = Vec::new();
    for (what, moved) in [("in flash", image.flash_bytes), ("memory reserved", image.reserved_bytes)] {
        if moved.was != moved.is {
            lines.push(format!("{what}: {}", number(moved, "bytes")));
        }
    }
    lines.extend(image.sections.iter().map(|section| format!("{}: {}", section.name, number(section.bytes, "bytes"))));
    for Was { was, is } in &image.made_of {
        lines.push(match (was.as_str(), is.as_str()) {
            ("", is) => format!("made of {is}, new"),
            (was, "") => format!("no longer made of {was}"),
            (was, is) => format!("made of {is}, before {was}"),
        });
    }
    let entries = if lines.is_empty() { Vec::new() } else { vec![Entry { lines, ..Entry::default() }] };
    Outline { title: "The image".to_owned(), is_bad: false, entries }
}
