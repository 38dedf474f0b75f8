//! A release as a page: what changed, and for each change what was said before and what now.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{anchor, detail, packed, page};
use crate::history::History;
use crate::release::{Change, Entry, Release, outline, products, rows, verdict};

/// So many scenarios are named of one entry; all of them are below.
const NAMED_MAX: usize = 6;

/// The page.
pub fn write(release: &Release) -> String {
    let mut scenarios: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in &release.changes {
        scenarios.entry(&change.scenario).or_default().push(change);
    }
    let (old, new) = (&release.image.old, &release.image.new);
    // One that all have in common is not worth repeating.
    let stacks: BTreeSet<&str> = release.changes.iter().map(|change| change.stack.as_str()).collect();
    let names_stacks = stacks.len() > 1;
    page(
        &format!("Shakedown: {}", verdict(release)),
        &html! {
            header {
                h1 { (old.name) " " (old.version) " → " (new.name) " " (new.version) }
                p { @if release.is_worse() { b.insecure { (verdict(release)) } } @else { (verdict(release)) } }
                @for told in products(release) { p { strong { (told) } } }
                p.rule { "sha256 " code { (old.sha256) } " → " code { (new.sha256) } }
            }
            @for section in outline(release) {
                section.notable {
                    h2 { @if section.is_bad { b.insecure { (section.title) } } @else { (section.title) } }
                    ul { @for told in &section.entries { li { (entry(told, names_stacks)) } } }
                }
            }
            main {
                h2 { "Scenario by scenario" }
                @for (scenario, changes) in &scenarios {
                    section.scenario id=(anchor(&[scenario])) data-scenario=(anchor(&[scenario])) {
                        h3 { (scenario) }
                        @for change in changes { (line(change)) }
                    }
                }
            }
            @for (scenario, changes) in &scenarios {
                script type="text/plain" data-of=(anchor(&[scenario])) {
                    (packed::pack(changes.iter().map(|change| (place(change), both(release, change)))))
                }
            }
        },
    )
}

fn place(change: &Change) -> String {
    anchor(&[&change.scenario, &change.stack])
}

fn entry(entry: &Entry, names_stacks: bool) -> Markup {
    html! {
        @for (index, (scenario, stack)) in entry.places.iter().take(NAMED_MAX).enumerate() {
            @if index > 0 { ", " }
            a href={ "#" (anchor(&[scenario, stack])) } { (scenario) }
            @if names_stacks { " on " code { (stack) } }
        }
        @if entry.places.len() > NAMED_MAX { " and " (entry.places.len() - NAMED_MAX) " more" }
        ul { @for line in &entry.lines { li { (line) } } }
    }
}

fn line(change: &Change) -> Markup {
    let words = [
        (!change.security_worse.is_empty(), "security"),
        (change.outcome.is_some(), "outcome"),
        (!change.hello.is_empty(), "hello"),
        (change.agreed.is_some(), "agreed"),
        (change.alerts.is_some(), "alerts"),
        (change.handshake_ms.is_some(), "time"),
        (change.heap_peak_bytes.is_some(), "heap"),
    ];
    let words: Vec<&str> = words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect();
    html! {
        details.row id=(place(change)) {
            summary {
                @if !change.security_worse.is_empty() { b.insecure { "WORSE" } " " }
                code { (change.stack) } " " span.told { (words.join(", ")) }
            }
        }
    }
}

/// What was said before, and what now.
fn both(release: &Release, change: &Change) -> Markup {
    let past = History::new(&[]);
    html! {
        @for (name, row) in rows(release, &change.scenario, &change.stack) {
            h4 { (name) @if let Some(happening) = &row.happening { ": " (happening.phrase) " — " (happening.conformity.to_string()) } }
            (detail::why(row))
            (detail::evidence(row, &past))
        }
    }
}
