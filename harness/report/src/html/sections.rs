//! Scenario by scenario: what is tested, and each row of it.

use maud::{Markup, html};
use outcome::Demand;

use super::{anchor, anchor_of, detail, grid};
use crate::history::{History, Past};
use crate::model::{Row, Run};
use crate::weight::{Weight, word};

/// The sections.
pub fn sections(run: &Run, past: &History<'_>) -> Markup {
    html! {
        h2 { "What happened, and what helps" }
        noscript { p { "Ladders, transcripts, logs and packets are compressed in this page, and need its script to be shown." } }
        @for (scenario, rows) in grid::by_scenario(run) { (section(scenario, &rows, past)) }
    }
}

fn section(scenario: &str, rows: &[&Row], past: &History<'_>) -> Markup {
    let is_notable = rows.iter().any(|row| Weight::of(row).is_notable());
    html! {
        section.scenario id=(anchor(&[scenario])) data-scenario=(anchor(&[scenario])) data-notable[is_notable] {
            h3 { (scenario) }
            @if let Some(row) = rows.first() {
                p { (row.title.trim_end_matches('.')) "." }
                p.rule {
                    "The device must " (demand(row.demand)) " (" (row.rule) "): "
                    @if row.quote.is_empty() { (row.paraphrase) } @else { q { (row.quote) } }
                }
            }
            @for row in rows { (line(row, past)) }
        }
    }
}

fn line(row: &Row, past: &History<'_>) -> Markup {
    let weight = Weight::of(row);
    html! {
        details.row id=(anchor_of(row)) data-notable[weight.is_notable()] {
            summary {
                b class={ "badge " (weight.name()) } { (word(row)) } " "
                code { (grid::name((&row.stack, &row.board))) } " "
                span.told { (told(row)) }
                @if row.flaky { " " b.wrong { "flaky" } }
                @if row.quarantine.is_some() { " " b.na { "in quarantine" } }
                (strip(&past.of(row)))
            }
            // What somebody has to see needs no script.
            @if weight.is_notable() { (detail::why(row)) }
        }
    }
}

fn told(row: &Row) -> String {
    match (&row.happening, row.reason()) {
        (Some(happening), Some(why)) => format!("{} — {why}", happening.phrase),
        (Some(happening), None) => format!("{} — {}", happening.phrase, happening.conformity),
        (None, Some(why)) => why.to_owned(),
        (None, None) => String::new(),
    }
}

/// How it fared before, oldest first, a mark for each run.
fn strip(past: &[Past]) -> Markup {
    html! {
        @if !past.is_empty() {
            span.past role="img" aria-label={ "before: " (past.iter().map(|past| past.outcome.as_str()).collect::<Vec<_>>().join("; ")) } {
                @for past in past {
                    i class=(past.weight.map_or("empty", Weight::name)) title={ (past.started) ": " (past.outcome) } {}
                }
            }
        }
    }
}

const fn demand(demand: Demand) -> &'static str {
    match demand {
        Demand::Connect => "connect",
        Demand::Refuse => "refuse",
        Demand::Fail => "fail cleanly",
        Demand::Either => "connect or refuse",
    }
}
