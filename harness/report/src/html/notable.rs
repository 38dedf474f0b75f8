//! What needs somebody, before anything else.

use std::collections::BTreeMap;

use maud::{Markup, html};
use outcome::Ending;

use super::{anchor, anchor_of};
use crate::history::{self, Change};
use crate::model::{FindingKind, Row, Run};
use crate::weight::Weight;

/// So many are listed of each kind; more are counted, and the table has them all.
const LISTED_MAX: usize = 60;

/// Lists of rows with links to them.
pub fn notable(run: &Run, changes: &[Change<'_>]) -> Markup {
    let of = |weight| run.rows.iter().filter(move |row| Weight::of(row) == weight && row.quarantine.is_none());
    let differs = |row: &&Row| row.findings.iter().any(|finding| finding.kind == FindingKind::DiffersFromEmulator);
    html! {
        (list("Otherwise than expected", of(Weight::Otherwise).collect()))
        (list("Denied: new and against the specification, or of a kind that --deny names", run.rows.iter().filter(|row| row.denied.is_some()).collect()))
        (list("The bench failed: never blamed on the device", of(Weight::BenchFailed).collect()))
        (changed(changes))
        (list("Silicon does otherwise than the emulator", run.rows.iter().filter(differs).collect()))
        (insecure(run.rows.iter().filter(|row| row.is_security_finding())))
        (list("Flaky: another outcome when repeated", run.rows.iter().filter(|row| row.flaky).collect()))
        (list("In quarantine", run.rows.iter().filter(|row| row.quarantine.is_some()).collect()))
        (list("Known findings", run.rows.iter().filter(|row| row.known.is_some()).collect()))
        (list("New: nothing was reviewed yet", run.rows.iter().filter(|row| row.ending == Some(Ending::New)).collect()))
        (list("Not run", of(Weight::NotRun).collect()))
    }
}

fn list(title: &str, rows: Vec<&Row>) -> Markup {
    html! {
        @if !rows.is_empty() {
            section.notable {
                h2 { (title) " " small { (rows.len()) } }
                ul {
                    @for row in rows.iter().take(LISTED_MAX) {
                        li { (link(row)) ": " (row.reason().map_or_else(|| history::outcome(row), str::to_owned)) }
                    }
                    @if rows.len() > LISTED_MAX { li { "… and " (rows.len() - LISTED_MAX) " more in the table" } }
                }
            }
        }
    }
}

fn changed(changes: &[Change<'_>]) -> Markup {
    html! {
        @if !changes.is_empty() {
            section.notable {
                h2 { "Changed since the run before " small { (changes.len()) } }
                ul {
                    @for change in changes.iter().take(LISTED_MAX) {
                        li { (link(change.now)) ": " (history::outcome(change.before)) " → " b { (history::outcome(change.now)) } }
                    }
                    @if changes.len() > LISTED_MAX { li { "… and " (changes.len() - LISTED_MAX) " more" } }
                }
            }
        }
    }
}

/// Scenarios in which a device accepts what it must refuse, with the stacks that do.
fn insecure<'a>(rows: impl Iterator<Item = &'a Row>) -> Markup {
    let mut scenarios: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        scenarios.entry(&row.scenario).or_default().push(row);
    }
    html! {
        @if !scenarios.is_empty() {
            section.notable {
                h2 { b.insecure { "Security" } " The device accepts what it must refuse " small { (scenarios.len()) } }
                ul {
                    @for (scenario, rows) in &scenarios {
                        li {
                            a href={ "#" (anchor(&[scenario])) } { (scenario) } ": "
                            (rows.first().map_or("", |row| row.title.as_str())) " ("
                            (rows.first().map_or("", |row| row.rule.as_str())) ") — "
                            @for (index, row) in rows.iter().enumerate() {
                                @if index > 0 { ", " }
                                a href={ "#" (anchor_of(row)) } { code { (row.stack) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn link(row: &Row) -> Markup {
    html! {
        a href={ "#" (anchor_of(row)) } { (row.scenario) } " on " code { (row.stack) }
        @if !row.board.is_empty() { ", board " code { (row.board) } }
    }
}
