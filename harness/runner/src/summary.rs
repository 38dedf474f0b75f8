//! The table at the end of a run, for someone who has never seen one.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use outcome::{Conformity, Ending};
use unicode_width::UnicodeWidthStr;

use crate::verdict::Verdict;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();

/// The whole report of a run: rows, differences, findings, sums. Coloured by escape sequences, which the caller strips
/// where nobody would see them.
pub fn render(verdicts: &[Verdict], selected: usize) -> String {
    let mut out = String::new();
    rows(&mut out, verdicts);
    differences(&mut out, verdicts);
    findings(&mut out, verdicts);
    sums(&mut out, verdicts, selected);
    out
}

fn rows(out: &mut String, verdicts: &[Verdict]) {
    let name_width = widest(verdicts.iter().map(|verdict| verdict.scenario.width()), "scenario");
    let phrase_width = widest(verdicts.iter().map(|verdict| phrase(verdict).width()), "what happened");
    let _ = writeln!(out, "  {}  {}  ending", padded("scenario", name_width), padded("what happened", phrase_width));
    for verdict in verdicts {
        let (mark, style) = mark(verdict);
        let name = padded(&verdict.scenario, name_width);
        let phrase = padded(&phrase(verdict), phrase_width);
        let _ = write!(out, "{style}{mark}{style:#} {name}  {phrase}  {style}{}{style:#}", verdict.ending);
        if let Some(account) = &verdict.account {
            match account.conformity {
                Conformity::AcceptsWhatItMustRefuse => _ = write!(out, ", but {BAD}{}{BAD:#}", account.conformity),
                Conformity::RefusesWhatItMustAccept | Conformity::Breaks => {
                    _ = write!(out, ", but {ODD}{}{ODD:#}", account.conformity);
                }
                Conformity::Conforms | Conformity::Allowed => {}
            }
            if !account.device_words.is_empty() {
                let _ = write!(out, "  {QUIET}{}{QUIET:#}", account.device_words);
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
        Ending::AsExpected if verdict.is_security_finding() => ("!", BAD),
        Ending::AsExpected => match verdict.account.as_ref().map(|account| account.conformity) {
            Some(Conformity::RefusesWhatItMustAccept | Conformity::Breaks) => ("~", ODD),
            _ => ("✓", GOOD),
        },
        Ending::NotApplicable(_) => ("-", QUIET),
        Ending::Otherwise(_) | Ending::Silent | Ending::BenchFailed(_) => ("✗", BAD),
    }
}

fn phrase(verdict: &Verdict) -> String {
    verdict.account.as_ref().map_or_else(String::new, crate::verdict::Account::phrase)
}

fn differences(out: &mut String, verdicts: &[Verdict]) {
    for verdict in verdicts {
        let reason = match &verdict.ending {
            Ending::Otherwise(reason) | Ending::BenchFailed(reason) => reason.as_str(),
            Ending::Silent => "nothing happened before the limit",
            Ending::AsExpected | Ending::NotApplicable(_) => continue,
        };
        let _ = writeln!(out, "\n{BAD}{}{BAD:#}: {reason}", verdict.scenario);
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

fn findings(out: &mut String, verdicts: &[Verdict]) {
    let findings: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.is_security_finding()).collect();
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{BAD}Security: the device accepts what it must refuse{BAD:#}");
    for verdict in findings {
        let rule = verdict.account.as_ref().map_or("", |account| account.rule.as_str());
        let _ = writeln!(out, "  {}: {} ({rule})", verdict.scenario, verdict.title);
    }
}

fn sums(out: &mut String, verdicts: &[Verdict], selected: usize) {
    let count = |wanted: fn(&Ending) -> bool| verdicts.iter().filter(|verdict| wanted(&verdict.ending)).count();
    let virtual_s: u64 =
        verdicts.iter().filter_map(|verdict| verdict.account.as_ref()).map(|account| account.took_ms).sum::<u64>()
            / 1_000;
    let _ = write!(out, "\n{} as expected", count(|ending| matches!(ending, Ending::AsExpected)));
    for (number, words) in [
        (count(|ending| matches!(ending, Ending::Otherwise(_))), "otherwise"),
        (count(|ending| matches!(ending, Ending::Silent)), "silent"),
        (count(|ending| matches!(ending, Ending::NotApplicable(_))), "not applicable"),
        (count(|ending| matches!(ending, Ending::BenchFailed(_))), "the bench failed"),
        (selected - verdicts.len(), "not run: interrupted"),
    ] {
        if number > 0 {
            let _ = write!(out, " · {number} {words}");
        }
    }
    let _ = writeln!(out, " — {virtual_s} s of the devices' own time");
    if count(|ending| matches!(ending, Ending::Otherwise(_))) > 0 {
        let _ = writeln!(out, "Review with `cargo insta review`, or take what happens now as right with `--accept`.");
    }
}

fn widest(widths: impl Iterator<Item = usize>, heading: &str) -> usize {
    widths.max().unwrap_or(0).max(heading.len())
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
