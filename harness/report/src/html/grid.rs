//! Every scenario on every stack, in one table.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{anchor, anchor_of};
use crate::model::{Row, Run};
use crate::weight::{Weight, word};

/// A column: a stack, on a board where there are several.
type Column<'a> = (&'a str, &'a str);

/// The columns, in the order in which the run has them.
pub fn columns(run: &Run) -> Vec<Column<'_>> {
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for row in &run.rows {
        let column = (row.stack.as_str(), row.board.as_str());
        if seen.insert(column) {
            columns.push(column);
        }
    }
    // Images with what they stand for, as the run has them; programs of the host last, who are there for comparison.
    let known: Vec<&str> = run.parts.iter().flat_map(|part| &part.stacks).map(|stack| stack.name.as_str()).collect();
    columns.sort_by_key(|(stack, _)| known.iter().position(|name| name == stack).unwrap_or(known.len()));
    columns
}

/// What a column is called.
pub fn name((stack, board): Column<'_>) -> String {
    if board.is_empty() { stack.to_owned() } else { format!("{stack} on {board}") }
}

/// Rows by scenario, in the order of their names.
pub fn by_scenario(run: &Run) -> BTreeMap<&str, Vec<&Row>> {
    let mut scenarios: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &run.rows {
        scenarios.entry(&row.scenario).or_default().push(row);
    }
    scenarios
}

/// The table.
pub fn grid(run: &Run) -> Markup {
    let columns = columns(run);
    let scenarios = by_scenario(run);
    let folder = |name: &str| name.split_once('/').map_or("", |(folder, _)| folder).to_owned();
    // Where a folder begins, it has a line of its own.
    let first_of: BTreeMap<String, &str> = scenarios.keys().rev().map(|name| (folder(name), *name)).collect();
    html! {
        div.wide tabindex="0" role="region" aria-label="Every scenario on every stack" {
            table #grid {
                thead { tr { th scope="col" { "scenario" }
                    @for column in &columns { th.stack scope="col" { span { (name(*column)) } } } } }
                tbody {
                    @for (scenario, rows) in &scenarios {
                        @let here = folder(scenario);
                        @let short = scenario.strip_prefix(&format!("{here}/")).unwrap_or(scenario);
                        @if first_of.get(&here) == Some(scenario) && !here.is_empty() {
                            tr.folder { th colspan=(columns.len() + 1) { (here) } }
                        }
                        (line(scenario, short, rows, &columns))
                    }
                }
            }
        }
    }
}

fn line(scenario: &str, short: &str, rows: &[&Row], columns: &[Column<'_>]) -> Markup {
    let cells: BTreeMap<Column<'_>, &Row> =
        rows.iter().map(|row| ((row.stack.as_str(), row.board.as_str()), *row)).collect();
    let is_notable = rows.iter().any(|row| Weight::of(row).is_notable());
    let title = rows.first().map_or("", |row| row.title.as_str());
    html! {
        tr data-scenario=(anchor(&[scenario])) data-notable[is_notable] {
            th scope="row" title=(title) { a href={ "#" (anchor(&[scenario])) } { (short) } }
            @for column in columns {
                @match cells.get(column) {
                    Some(row) => td class=(class(row)) data-stack=(name(*column)) {
                        a href={ "#" (anchor_of(row)) } title=(told(row)) { (word(row)) @if row.flaky { " ~" } }
                    },
                    None => td.empty {},
                }
            }
        }
    }
}

/// What it is, for the style sheet: accepting what must be refused is red, whatever else it is.
fn class(row: &Row) -> String {
    let weight = Weight::of(row);
    if row.is_security_finding() && weight != Weight::Insecure {
        format!("insecure and-{}", weight.name())
    } else {
        weight.name().to_owned()
    }
}

fn told(row: &Row) -> String {
    match (&row.happening, row.reason()) {
        (Some(happening), _) => happening.phrase.clone(),
        (None, Some(why)) => why.to_owned(),
        (None, None) => String::new(),
    }
}
