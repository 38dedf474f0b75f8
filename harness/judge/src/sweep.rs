//! A sweep: many runs, told as one.

use std::fmt::Write as _;

use outcome::Conformity;
use report::model::How;
use scenario::{Scenario, Step};

use crate::{Account, Judged, Setting, head};

/// Tells the runs of a sweep as one: a line for each, equal neighbours together. `None` if there was no run.
pub fn together(scenario: &Scenario, setting: &Setting<'_>, done: Vec<(Step, Judged)>) -> Option<Judged> {
    let head = head(scenario, setting);
    let connected = done.iter().filter(|(_, judged)| judged.account.how == How::Connected).count();
    let worst = done.iter().map(|(_, judged)| judged.account.conformity).max_by_key(|one| gravity(*one))?;
    let mut lines: Vec<(&str, u32, u32, String)> = Vec::new();
    for (step, judged) in &done {
        let words = line(&judged.account);
        match lines.last_mut() {
            Some((_, _, last, before)) if *before == words => *last = step.value,
            _ => lines.push((step.what, step.value, step.value, words)),
        }
    }
    let labels: Vec<String> = lines
        .iter()
        .map(|(what, first, last, _)| {
            let value = if first == last { first.to_string() } else { format!("{first} to {last}") };
            what.replace("{}", &value)
        })
        .collect();
    let width = labels.iter().map(String::len).max().unwrap_or(0);
    let mut transcript = format!("{head}\n");
    for (label, (_, _, _, words)) in labels.iter().zip(&lines) {
        let _ = writeln!(transcript, "{label:width$}  {words}");
    }
    let total = done.len();
    let incidents = done.iter().flat_map(|(_, judged)| judged.incidents.clone()).collect();
    let (_, last) = done.into_iter().next_back()?;
    let account = Account {
        conformity: worst,
        summary: Some(format!("{connected} of {total} runs connect")),
        device_words: String::new(),
        platform_words: None,
        cause: None,
        fault: None,
        heap_peak_bytes: None,
        ..last.account
    };
    let _ = write!(transcript, "\nending     {account}");
    Some(Judged { account, transcript, incidents, silent: false, unsupported: None, out_of_reach: None })
}

/// What became of one run, in a line.
fn line(account: &Account) -> String {
    let mut line = account.phrase();
    let words = [Some(&account.device_words), account.platform_words.as_ref(), account.cause.as_ref()];
    for words in words.into_iter().flatten().filter(|words| !words.is_empty()) {
        let _ = write!(line, " · {words}");
    }
    match account.conformity {
        Conformity::Conforms | Conformity::Allowed | Conformity::RefusesWhatItMustAccept => line,
        conformity => format!("{line} — {conformity}"),
    }
}

const fn gravity(conformity: Conformity) -> u8 {
    match conformity {
        Conformity::AcceptsWhatItMustRefuse => 8,
        Conformity::Breaks => 7,
        Conformity::SucceedsWhereItMustFail => 6,
        Conformity::RefusesWhatItMustAccept => 5,
        // One step that says nothing makes the whole say less.
        Conformity::NeverMet => 4,
        Conformity::Undecided => 3,
        Conformity::Conforms => 2,
        Conformity::NotOffered => 1,
        Conformity::Allowed => 0,
    }
}
