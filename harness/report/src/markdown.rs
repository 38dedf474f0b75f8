//! A summary in Markdown, for the page of a CI step or a pull request: what needs somebody comes first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use outcome::Ending;
use terminal::clean;

use crate::history::{self, Change};
use crate::model::{FindingKind, Row, Run};
use crate::reasons;
use crate::weight::Weight;

/// So many rows of one kind are told in full; more are counted.
const PRINTED_MAX: usize = 25;
/// A difference or transcript beyond this is cut, in characters: a step's page holds a megabyte.
const QUOTED_MAX: usize = 6_000;

/// Where files of the repository can be read, if that is known.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// The address below which paths of the repository lie.
    pub base: Option<String>,
}

/// The summary. With an earlier run, also what changed since.
pub fn write(run: &Run, before: Option<&Run>, links: &Links) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "## Shakedown: {}\n", verdict(run));
    for part in &run.parts {
        let _ = writeln!(out, "{}, seed {}, {}.", escaped(&part.headline), code(&part.seed), escaped(&part.started));
        for (_, told) in part.products() {
            let _ = writeln!(out, "- {}", escaped(&told));
        }
        if part.interruption.is_some() {
            let _ = writeln!(out, "**Interrupted**: what was finished is told.");
        }
    }
    let of_weight = |weight| run.rows.iter().filter(move |row| Weight::of(row) == weight && row.quarantine.is_none());
    let denied = run.rows.iter().filter(|row| row.denied.is_some() && row.quarantine.is_none());
    section(&mut out, "Otherwise than expected", of_weight(Weight::Otherwise), links, told);
    section(
        &mut out,
        "Denied: new and against the specification, or of a kind that `--deny` names",
        denied,
        links,
        told,
    );
    section(&mut out, "The bench failed: never blamed on the device", of_weight(Weight::BenchFailed), links, told);
    let insecure = run.rows.iter().filter(|row| row.is_security_finding());
    grouped(&mut out, "🔴 Security: the device accepts what it must refuse", insecure, links);
    changed(&mut out, before.map(|before| history::changes(before, run)).unwrap_or_default(), links);
    let differs = |row: &&Row| row.findings.iter().any(|finding| finding.kind == FindingKind::DiffersFromEmulator);
    section(&mut out, "Silicon does otherwise than the emulator", run.rows.iter().filter(differs), links, findings);
    section(&mut out, "Flaky: another outcome when repeated", run.rows.iter().filter(|row| row.flaky), links, flaky);
    let quarantined = run.rows.iter().filter(|row| row.quarantine.is_some());
    section(&mut out, "In quarantine", quarantined, links, quarantine);
    let known = run.rows.iter().filter(|row| row.known.is_some());
    section(&mut out, "Known findings", known, links, known_finding);
    let is_new = |row: &&Row| row.ending == Some(Ending::New) && row.denied.is_none();
    section(&mut out, "New: nothing was reviewed yet", run.rows.iter().filter(is_new), links, happened);
    section(&mut out, "Not run", of_weight(Weight::NotRun), links, reason);
    by_stack(&mut out, run);
    excuses(&mut out, run);
    out
}

/// The whole in a line: numbers that add up to all rows, and what some of these are besides.
fn verdict(run: &Run) -> String {
    let told = |counts: &[(usize, &str)]| {
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        counts.map(|(number, what)| format!("{number} {what}")).collect::<Vec<_>>().join(" · ")
    };
    match told(&run.totals.among()) {
        besides if besides.is_empty() => told(&run.totals.endings()),
        besides => format!("{}; among them {besides}", told(&run.totals.endings())),
    }
}

type Teller = fn(&mut String, &Row);

fn section<'a>(out: &mut String, title: &str, rows: impl Iterator<Item = &'a Row>, links: &Links, teller: Teller) {
    let rows: Vec<&Row> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### {title} ({})\n", rows.len());
    for row in rows.iter().take(PRINTED_MAX) {
        let board = if row.board.is_empty() { String::new() } else { format!(", board {}", code(&row.board)) };
        let _ = writeln!(out, "- {} on {}{board}", scenario(&row.scenario, links), snapshot(row, links));
        teller(out, row);
    }
    more(out, rows.len());
}

fn more(out: &mut String, number: usize) {
    if number > PRINTED_MAX {
        let _ = writeln!(out, "- … and {} more: see the other reports of this run", number - PRINTED_MAX);
    }
}

fn told(out: &mut String, row: &Row) {
    reason(out, row);
    happened(out, row);
    for explanation in &row.explanations {
        let (cause, remedy) = (escaped(&explanation.cause), escaped(&explanation.remedy));
        let _ = writeln!(out, "  {cause} *Remedy:* {remedy}");
    }
    folded(out, "difference", "diff", &row.difference);
    folded(out, "transcript", "text", &row.transcript);
}

fn reason(out: &mut String, row: &Row) {
    if let Some(why) = row.reason() {
        let _ = writeln!(out, "  {}", escaped(why));
    }
}

fn findings(out: &mut String, row: &Row) {
    for finding in &row.findings {
        let _ = writeln!(out, "  {}", escaped(&finding.words));
    }
}

fn flaky(out: &mut String, row: &Row) {
    for (index, attempt) in row.attempts.iter().enumerate() {
        let _ = writeln!(out, "  attempt {}: {}", index + 1, escaped(&attempt.outcome));
    }
}

fn quarantine(out: &mut String, row: &Row) {
    if let Some(entry) = &row.quarantine {
        let (until, reason, link) = (escaped(&entry.until), escaped(&entry.reason), escaped(&entry.link));
        let _ = writeln!(out, "  until {until}: {reason} ({link})");
    }
}

fn known_finding(out: &mut String, row: &Row) {
    if let Some(entry) = &row.known {
        let (until, reason, link) = (escaped(&entry.until), escaped(&entry.reason), escaped(&entry.link));
        let _ = writeln!(out, "  until {until}: {reason} ({link})");
    }
}

fn happened(out: &mut String, row: &Row) {
    if let Some(happening) = &row.happening {
        let _ = writeln!(out, "  {} — {}", escaped(&happening.phrase), escaped(&happening.conformity.to_string()));
    }
}

/// Rows of one scenario in one line.
fn grouped<'a>(out: &mut String, title: &str, rows: impl Iterator<Item = &'a Row>, links: &Links) {
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(&row.scenario).or_default().push(row);
    }
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### {title} ({})\n", groups.len());
    for (name, rows) in groups.iter().take(PRINTED_MAX) {
        let Some(first) = rows.first() else { continue };
        let stacks: Vec<String> = rows.iter().map(|row| snapshot(row, links)).collect();
        let (title, rule) = (escaped(&first.title), escaped(&first.rule));
        let _ = writeln!(out, "- {}: {title} ({rule}) — {}", scenario(name, links), stacks.join(", "));
    }
    more(out, groups.len());
}

fn changed(out: &mut String, changes: Vec<Change<'_>>, links: &Links) {
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Changed since the run before ({})\n", changes.len());
    for Change { before, now } in changes.iter().take(PRINTED_MAX) {
        let (was, is) = (escaped(&history::outcome(before)), escaped(&history::outcome(now)));
        let _ = writeln!(out, "- {} on {}: {was} → **{is}**", scenario(&now.scenario, links), snapshot(now, links));
    }
    more(out, changes.len());
}

fn by_stack(out: &mut String, run: &Run) {
    let mut stacks: Vec<&str> = Vec::new();
    for row in &run.rows {
        if !stacks.contains(&row.stack.as_str()) {
            stacks.push(&row.stack);
        }
    }
    let _ = writeln!(
        out,
        "\n| | stack | rows | as expected | new | otherwise | not applicable | bench failed | not run | accepts what it must \
         refuse |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    for stack in stacks {
        let rows: Vec<Row> = run.rows.iter().filter(|row| row.stack == stack).map(counted).collect();
        let totals = crate::model::Totals::of(&rows);
        let mark =
            match (totals.otherwise + totals.silent + totals.bench_failed + totals.denied, totals.security_findings) {
                (0, 0) => "✓",
                (0, _) => "🔴",
                _ => "✗",
            };
        let _ = writeln!(
            out,
            "| {mark} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            code(stack),
            rows.len(),
            totals.as_expected,
            totals.new,
            totals.otherwise + totals.silent,
            totals.not_applicable,
            totals.bench_failed,
            totals.not_run,
            totals.security_findings
        );
    }
}

/// Why scenarios do not apply, if one stack was asked: the most frequent reason first.
fn excuses(out: &mut String, run: &Run) {
    let Some(first) = run.rows.first().filter(|first| run.rows.iter().all(|row| row.stack == first.stack)) else {
        return;
    };
    let reasons = reasons::counted(run.rows.iter().filter_map(|row| match &row.ending {
        Some(Ending::NotApplicable(why)) => Some(why.as_str()),
        _ => None,
    }));
    if reasons.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n### Why scenarios do not apply to {} ({})\n",
        code(&first.stack),
        reasons.iter().map(|(_, count)| count).sum::<usize>()
    );
    for (why, count) in reasons.iter().take(PRINTED_MAX) {
        let _ = writeln!(out, "- {count} × {}", escaped(why));
    }
    more(out, reasons.len());
}

/// What of a row is counted.
fn counted(row: &Row) -> Row {
    let mut light = Row::new("", "", row.demand);
    light.ending.clone_from(&row.ending);
    light.happening.clone_from(&row.happening);
    light.denied.clone_from(&row.denied);
    light
}

fn scenario(name: &str, links: &Links) -> String {
    linked(name, &format!("scenarios/{name}.toml"), links)
}

fn snapshot(row: &Row, links: &Links) -> String {
    linked(&row.stack, &format!("captures/{}.{}.snap", row.scenario, row.stack), links)
}

fn linked(words: &str, path: &str, links: &Links) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    match &links.base {
        Some(base) if path.chars().all(is_plain) && !path.contains("..") => format!("[{}]({base}/{path})", code(words)),
        _ => code(words),
    }
}

/// Text from elsewhere in a block that opens on demand.
pub(crate) fn folded(out: &mut String, title: &str, language: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    let cut: String = text.chars().take(QUOTED_MAX).collect();
    let longest = cut.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "\n  <details><summary>{title}</summary>\n\n  {fence}{language}");
    for line in cut.lines() {
        let _ = writeln!(out, "  {}", clean::line(line));
    }
    if cut.len() < text.len() {
        let _ = writeln!(out, "  (cut here)");
    }
    let _ = writeln!(out, "  {fence}\n  </details>\n");
}

/// Text from elsewhere as code in a line.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", clean::line(text).replace('`', "'").replace('|', "\\|"))
}

/// Text from elsewhere, so that it stays text and in its line.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in clean::line(text).chars() {
        if "\\`*_{}[]<>#|~!&@".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use outcome::Ending;

    #[test]
    fn what_needs_somebody_comes_first() {
        let text = write(&fixture::run(), None, &Links::default());
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no word of {words} in\n{text}"));
        assert!(place("Otherwise than expected (1)") < place("🔴 Security"), "{text}");
        assert!(place("🔴 Security") < place("| ✗ | `mine` |"), "{text}");
        place("the probe vanished");
        place("attempt 1: device refused at certificate");
        place("until 2026-12-31: the hub resets");
        place("interrupted before its turn");
        assert!(!text.contains("](http"), "nothing is linked without an address: {text}");
    }

    /// Of many stacks it would be pages.
    #[test]
    fn why_scenarios_do_not_apply_is_told_of_one_stack() {
        let mut run = fixture::run();
        assert!(!write(&run, None, &Links::default()).contains("do not apply"));
        let row = |why: &str| Row { ending: Some(Ending::NotApplicable(why.into())), ..run.rows[0].clone() };
        run.rows = vec![row("it dials a name"), row("it has no clock"), row("it has no clock")];
        let text = write(&run, None, &Links::default());
        assert!(text.ends_with("(3)\n\n- 2 × it has no clock\n- 1 × it dials a name\n"), "{text}");
    }

    #[test]
    fn changes_and_links_are_told() {
        let before = fixture::run();
        let mut now = before.clone();
        now.rows[2].ending = Some(Ending::AsExpected);
        let links = Links { base: Some("https://example.org/blob/abc".into()) };
        let text = write(&now, Some(&before), &links);
        assert!(text.contains("Changed since the run before (1)"), "{text}");
        assert!(
            text.contains("[`trust/unknown`](https://example.org/blob/abc/scenarios/trust/unknown.toml)"),
            "{text}"
        );
    }

    #[test]
    fn hostile_words_stay_words() {
        let mut run = fixture::run();
        for row in &mut run.rows {
            row.scenario = "x](javascript:1) <img src=x>/../../etc".into();
            row.title = "<script>alert(1)</script>\n# heading ![x](y)".into();
            row.transcript = "``` \n````\n<script>\u{1b}[31m".into();
            row.rule = "@everyone | cell".into();
        }
        let text = write(&run, None, &Links { base: Some("https://example.org".into()) });
        assert!(!text.contains("](https://example.org"), "a path that is none is not linked: {text}");
        assert!(!text.contains('\u{1b}') && !text.contains("\n# heading"), "{text}");
        assert!(text.contains("\\<script\\>") && text.contains("  `````text"), "{text}");
    }
}
