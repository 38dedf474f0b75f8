//! A release in words: for a terminal, and for the page of a CI step.

use std::fmt::Write as _;

use super::{Entry, Release, outline};
use crate::markdown::{code, escaped, folded};
use crate::model::Row;

/// So many transcripts are told in Markdown: a step's page holds a megabyte.
const TRANSCRIPTS_MAX: usize = 12;

/// The whole in a line.
pub fn verdict(release: &Release) -> String {
    let worse = release.changes.iter().filter(|change| !change.security_worse.is_empty()).count();
    let outcomes = release.changes.iter().filter(|change| change.outcome.is_some()).count();
    match (worse, outcomes) {
        (0, 0) => format!("no outcome changed in {} runs of each image", release.compared),
        (0, some) => format!("{some} of {} outcomes changed, none for the worse of security", release.compared),
        (worse, some) => {
            format!("SECURITY GOT WORSE in {worse} runs; {some} of {} outcomes changed", release.compared)
        }
    }
}

fn names(release: &Release) -> (String, String) {
    let name = |image: &crate::model::Image| {
        let short: String = image.sha256.chars().take(8).collect();
        format!("{} {} ({short})", image.name, image.version)
    };
    (name(&release.image.old), name(&release.image.new))
}

/// What the products are that are held against each other, and how each comes to trust the bench's broker; nothing of firmware
/// of the bench.
pub fn products(release: &Release) -> Vec<String> {
    let sides = [("older", &release.old), ("newer", &release.new)];
    let of_side = |(side, run): (&str, &crate::model::Run)| {
        let told = run.parts.iter().flat_map(|part| part.products());
        told.map(|(_, told)| format!("the {side}: {told}")).collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(of_side).collect()
}

/// For a terminal. Control characters of whoever wrote the images' words are gone.
pub fn text(release: &Release) -> String {
    let (old, new) = names(release);
    let mut out = format!("{old} → {new}: {}\n", verdict(release));
    for told in products(release) {
        let _ = writeln!(out, "{told}");
    }
    for section in outline(release) {
        let _ = writeln!(out, "\n{}", section.title);
        for entry in &section.entries {
            if let Some((scenario, stack)) = entry.places.first() {
                let _ = writeln!(out, "  {scenario} on {stack}{}", others(entry));
            }
            for line in &entry.lines {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// For the page of a CI step.
pub fn markdown(release: &Release) -> String {
    let (old, new) = names(release);
    let mut out = format!("## {} → {}: {}\n", escaped(&old), escaped(&new), escaped(&verdict(release)));
    for told in products(release) {
        let _ = writeln!(out, "- {}", escaped(&told));
    }
    let mut transcripts = 0;
    for section in outline(release) {
        let mark = if section.is_bad { "🔴 " } else { "" };
        let _ = writeln!(out, "\n### {mark}{}\n", section.title);
        for entry in &section.entries {
            if let Some((scenario, stack)) = entry.places.first() {
                let _ = writeln!(out, "- {} on {}{}", code(scenario), code(stack), others(entry));
            }
            let indent = if entry.places.is_empty() { "" } else { "  " };
            for line in &entry.lines {
                let _ = writeln!(out, "{indent}- {}", escaped(line));
            }
            if section.is_bad && transcripts < TRANSCRIPTS_MAX {
                transcripts += 1;
                let first = entry.places.first();
                for (name, row) in first.into_iter().flat_map(|(scenario, stack)| rows(release, scenario, stack)) {
                    folded(&mut out, name, "text", &row.transcript);
                }
            }
        }
    }
    out
}

/// The rows of both images, the older first.
pub fn rows<'a>(release: &'a Release, scenario: &str, stack: &str) -> Vec<(&'static str, &'a Row)> {
    let of = |rows: &'a [Row]| rows.iter().find(|row| row.scenario == scenario && row.stack == stack);
    let found = [("before", of(&release.old.rows)), ("now", of(&release.new.rows))];
    found.into_iter().filter_map(|(name, row)| Some((name, row?))).collect()
}

fn others(entry: &Entry) -> String {
    match entry.places.len() {
        0 | 1 => String::new(),
        all => format!(" and {} more", all - 1),
    }
}
