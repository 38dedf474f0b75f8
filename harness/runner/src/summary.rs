//! The table at the end of a run, for someone who has never seen one.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use outcome::{Conformity, Ending};
use report::reasons;
use unicode_width::UnicodeWidthStr;

use crate::verdict::Verdict;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();

/// So many rows are read; more are only counted, but for those that need somebody.
const ROWS_MAX: usize = 400;
/// So many reasons why scenarios do not apply are told.
const REASONS_MAX: usize = 12;
/// How what the bench itself remarks upon begins, in a device's log.
const REMARK: &str = "console: (the bench) ";

/// What is shown of a run.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// How many scenarios were to be run, each stack counted.
    pub selected: usize,
    /// On how many stacks.
    pub stacks: usize,
    /// Whether every run has its row.
    pub verbose: bool,
    /// Whether it was run on real boards, which make no snapshots.
    pub on_boards: bool,
}

/// What a run cost, in wall time.
#[derive(Clone, Debug)]
pub struct Effort {
    wall: Duration,
    jobs: usize,
    runs: usize,
    /// Seconds of one job each, by stack.
    stacks: BTreeMap<String, Duration>,
    slowest: Option<(Duration, String)>,
}

impl Effort {
    /// Adds up what each run took.
    pub fn new(wall: Duration, jobs: usize, results: &[(Verdict, Duration)]) -> Self {
        let mut effort = Self { wall, jobs, runs: 0, stacks: BTreeMap::new(), slowest: None };
        for (verdict, took) in results {
            effort.runs += usize::from(verdict.account.is_some());
            *effort.stacks.entry(verdict.stack.clone()).or_default() += *took;
            if effort.slowest.as_ref().is_none_or(|(slowest, _)| took > slowest) {
                effort.slowest = Some((*took, format!("{} on {}", verdict.scenario, verdict.stack)));
            }
        }
        effort
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wall, jobs, runs, .. } = self;
        write!(f, "{runs} runs in {:.1} s with {jobs} job(s)", wall.as_secs_f64())?;
        match &self.slowest {
            Some((took, name)) => write!(f, "; the longest, {:.1} s: {name}", took.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// The whole report of a run: rows, differences, findings, sums. Coloured by escape sequences, which the caller strips
/// where nobody would see them.
pub fn render(verdicts: &[Verdict], view: &View, effort: &Effort) -> String {
    let mut out = String::new();
    rows(&mut out, verdicts, view);
    excuses(&mut out, verdicts, view);
    differences(&mut out, verdicts);
    findings(&mut out, verdicts, view);
    if view.stacks > 1 {
        by_stack(&mut out, verdicts, effort);
    }
    sums(&mut out, verdicts, view);
    out
}

fn rows(out: &mut String, verdicts: &[Verdict], view: &View) {
    let few = view.stacks == 1 || verdicts.len() <= ROWS_MAX;
    let is_shown = |verdict: &&Verdict| match verdict.ending {
        _ if view.verbose => true,
        Ending::NotApplicable(_) => false,
        _ if verdict.denied.is_some() => true,
        Ending::AsExpected | Ending::New => few,
        Ending::Otherwise(_) | Ending::Silent | Ending::BenchFailed(_) => true,
    };
    let verdicts: Vec<&Verdict> = verdicts.iter().filter(is_shown).collect();
    if verdicts.is_empty() {
        return;
    }
    let name_width = widest(verdicts.iter().map(|verdict| verdict.scenario.width()), "scenario");
    let stack_width = widest(verdicts.iter().map(|verdict| verdict.stack.width()), "stack");
    let phrase_width = widest(verdicts.iter().map(|verdict| phrase(verdict).width()), "what happened");
    let stack = |name: &str| if view.stacks > 1 { format!("{}  ", padded(name, stack_width)) } else { String::new() };
    let _ = writeln!(
        out,
        "  {}  {}{}  ending",
        padded("scenario", name_width),
        stack("stack"),
        padded("what happened", phrase_width)
    );
    for verdict in verdicts {
        let (mark, style) = mark(verdict);
        let name = padded(&verdict.scenario, name_width);
        let stack = stack(&verdict.stack);
        let phrase = padded(&phrase(verdict), phrase_width);
        let _ = write!(out, "{style}{mark}{style:#} {name}  {stack}{phrase}  {style}{}{style:#}", verdict.ending);
        if let Some(account) = &verdict.account {
            match account.conformity {
                Conformity::AcceptsWhatItMustRefuse => _ = write!(out, ", but {BAD}{}{BAD:#}", account.conformity),
                conformity if !conformity.is_good() => _ = write!(out, ", but {ODD}{conformity}{ODD:#}"),
                // Nothing else says whether it is right.
                conformity if verdict.ending == Ending::New => _ = write!(out, ", {conformity}"),
                _ => {}
            }
            if let Some(known) = &verdict.known {
                let _ = write!(out, ", known until {}: {}", known.until, known.reason);
            }
            let words = [
                Some(&account.device_words),
                account.platform_words.as_ref(),
                account.cause.as_ref(),
                account.fault.as_ref(),
            ];
            for words in words.into_iter().flatten().filter(|words| !words.is_empty()) {
                let _ = write!(out, "  {QUIET}{words}{QUIET:#}");
            }
        }
        if let Ending::BenchFailed(why) | Ending::NotApplicable(why) = &verdict.ending {
            let _ = write!(out, ": {}", why.lines().next().unwrap_or_default());
        }
        out.push('\n');
    }
}

/// The mark of a row. Green is only for what is both expected and right.
fn mark(verdict: &Verdict) -> (&'static str, Style) {
    match &verdict.ending {
        Ending::AsExpected | Ending::New if verdict.is_security_finding() => ("!", BAD),
        _ if verdict.denied.is_some() => ("✗", BAD),
        Ending::New => ("+", GOOD),
        Ending::AsExpected => match verdict.account.as_ref().map(|account| account.conformity) {
            Some(conformity) if !conformity.is_good() => ("~", ODD),
            _ => ("✓", GOOD),
        },
        Ending::NotApplicable(_) => ("-", QUIET),
        Ending::Otherwise(_) | Ending::Silent | Ending::BenchFailed(_) => ("✗", BAD),
    }
}

fn phrase(verdict: &Verdict) -> String {
    verdict.account.as_ref().map_or_else(String::new, judge::Account::phrase)
}

/// Why scenarios do not apply to the one stack that was asked, the most frequent reason first.
fn excuses(out: &mut String, verdicts: &[Verdict], view: &View) {
    if view.stacks > 1 || view.verbose {
        return;
    }
    let reasons = reasons::counted(verdicts.iter().filter_map(|verdict| match &verdict.ending {
        Ending::NotApplicable(why) => why.lines().next(),
        _ => None,
    }));
    for (index, (why, count)) in reasons.iter().take(REASONS_MAX).enumerate() {
        let head = if index == 0 { "\nnot applicable:\n" } else { "" };
        let _ = writeln!(out, "{head}  {count} × {why}");
    }
    if let Some(others) = reasons.get(REASONS_MAX..).filter(|others| !others.is_empty()) {
        let count: usize = others.iter().map(|(_, count)| count).sum();
        let _ = writeln!(out, "  {count} for other reasons: `--verbose` has them all");
    }
}

/// Of a device that sent no packet: what the bench remarked upon, else whether it said anything at all.
fn silence(verdict: &Verdict) -> String {
    let log = verdict.account.as_ref().map_or(&[][..], |account| &account.device_log);
    let remark = log.iter().find_map(|line| line.words.strip_prefix(REMARK));
    match (remark, log.len()) {
        (Some(remark), _) => remark.to_owned(),
        (None, 0) => "nothing happened before the limit".to_owned(),
        (None, lines) => format!("no packet before the limit, but {lines} line(s) of log"),
    }
}

fn differences(out: &mut String, verdicts: &[Verdict]) {
    for verdict in verdicts {
        let silence = silence(verdict);
        let reason = match &verdict.ending {
            Ending::Otherwise(reason) | Ending::BenchFailed(reason) => reason.as_str(),
            Ending::Silent => silence.as_str(),
            Ending::AsExpected | Ending::New => match &verdict.denied {
                Some(why) => why.as_str(),
                None => continue,
            },
            Ending::NotApplicable(_) => continue,
        };
        let _ = writeln!(out, "\n{BAD}{}{BAD:#} on {}: {reason}", verdict.scenario, verdict.stack);
        let _ = writeln!(out, "  {}", verdict.title);
        for line in verdict.difference.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => GOOD,
                Some(b'-') => BAD,
                _ => QUIET,
            };
            let _ = writeln!(out, "  {style}{line}{style:#}");
        }
        for incident in &verdict.incidents {
            let _ = writeln!(out, "  {ODD}{incident}{ODD:#}");
        }
    }
}

fn findings(out: &mut String, verdicts: &[Verdict], view: &View) {
    let mut findings: Vec<(&Verdict, Vec<&str>)> = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.is_security_finding()) {
        match findings.last_mut() {
            Some((first, stacks)) if first.scenario == verdict.scenario => stacks.push(&verdict.stack),
            _ => findings.push((verdict, vec![&verdict.stack])),
        }
    }
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{BAD}Security: the device accepts what it must refuse{BAD:#}");
    for (verdict, stacks) in findings {
        let rule = verdict.account.as_ref().map_or("", |account| account.rule.as_str());
        let _ = write!(out, "  {}: {} ({rule})", verdict.scenario, verdict.title);
        if view.stacks > 1 {
            let _ = write!(out, " — {}", stacks.join(", "));
        }
        out.push('\n');
    }
}

/// One row for each stack: what became of its scenarios, and what they took.
fn by_stack(out: &mut String, verdicts: &[Verdict], effort: &Effort) {
    let mut stacks: Vec<&str> = Vec::new();
    for verdict in verdicts {
        if !stacks.contains(&verdict.stack.as_str()) {
            stacks.push(&verdict.stack);
        }
    }
    let width = widest(stacks.iter().map(|stack| stack.width()), "stack");
    let _ = writeln!(
        out,
        "\n  {}  scenarios  as expected  new  otherwise  not applicable  accepts what it must refuse  job-seconds",
        padded("stack", width)
    );
    for stack in stacks {
        let own: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.stack == stack).collect();
        let count = |fits: fn(&Verdict) -> bool| own.iter().filter(|verdict| fits(verdict)).count();
        let expected = count(|verdict| verdict.ending == Ending::AsExpected);
        let excused = count(|verdict| matches!(verdict.ending, Ending::NotApplicable(_)));
        let new = count(|verdict| verdict.ending == Ending::New);
        let otherwise = own.len() - expected - new - excused;
        let denied = count(|verdict| verdict.denied.is_some());
        let findings = count(Verdict::is_security_finding);
        let (mark, style) = if otherwise + denied > 0 {
            ("✗", BAD)
        } else if findings > 0 {
            ("!", BAD)
        } else {
            ("✓", GOOD)
        };
        let job_s = effort.stacks.get(stack).copied().unwrap_or_default().as_secs_f64();
        let _ = writeln!(
            out,
            "{style}{mark}{style:#} {}  {:>9}  {expected:>11}  {new:>3}  {otherwise:>9}  {excused:>14}  {findings:>27}  {job_s:>11.1}",
            padded(stack, width),
            own.len()
        );
    }
}

/// Numbers that add up to what was selected, and what some of these rows are besides.
fn sums(out: &mut String, verdicts: &[Verdict], view: &View) {
    let count = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| wanted(verdict)).count();
    let told = |counts: &[(usize, &str)]| {
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        counts.map(|(number, words)| format!("{number} {words}")).collect::<Vec<_>>().join(" · ")
    };
    let virtual_s: u64 =
        verdicts.iter().filter_map(|verdict| verdict.account.as_ref()).map(|account| account.took_ms).sum::<u64>()
            / 1_000;
    let expected = count(|verdict| verdict.ending == Ending::AsExpected);
    let otherwise = count(|verdict| matches!(verdict.ending, Ending::Otherwise(_)));
    let new = count(|verdict| verdict.ending == Ending::New);
    let others = told(&[
        (new, "new"),
        (otherwise, "otherwise"),
        (count(|verdict| verdict.ending == Ending::Silent), "silent"),
        (count(|verdict| matches!(verdict.ending, Ending::NotApplicable(_))), "not applicable"),
        (count(|verdict| matches!(verdict.ending, Ending::BenchFailed(_))), "the bench failed"),
        (view.selected.saturating_sub(verdicts.len()), if view.on_boards { "not run" } else { "not run: interrupted" }),
    ]);
    let besides = told(&[
        (count(Verdict::is_security_finding), "accept what they must refuse"),
        (count(|verdict| verdict.known.is_some()), "known"),
        (count(|verdict| verdict.denied.is_some()), "fail the run"),
    ]);
    let _ = write!(out, "\n{expected} as expected");
    if !others.is_empty() {
        let _ = write!(out, " · {others}");
    }
    if !besides.is_empty() {
        let _ = write!(out, "; among them {besides}");
    }
    let _ = writeln!(out, " — {virtual_s} s of the devices' own time");
    if !view.on_boards && otherwise + new > 0 {
        let _ = writeln!(
            out,
            "Take what happens now as right with `--accept`, or review it with `cargo insta review` (`cargo install \
             cargo-insta`)."
        );
    }
}

fn widest(widths: impl Iterator<Item = usize>, heading: &str) -> usize {
    widths.max().unwrap_or(0).max(heading.len())
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
