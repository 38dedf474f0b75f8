//! Reports for machines: JSON and JUnit.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use outcome::Ending;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use crate::cli::{Report, ReportKind};
use crate::explain::explanations;
use crate::verdict::Verdict;

/// Writes one report.
///
/// # Errors
///
/// If the disk refuses.
pub fn write(report: &Report, verdicts: &[Verdict], first_line: &str) -> io::Result<()> {
    let text = match report.kind {
        ReportKind::Json => as_json(verdicts, first_line),
        ReportKind::Junit => as_junit(verdicts)?,
    };
    if let Some(folder) = report.file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&report.file, text)
}

fn as_json(verdicts: &[Verdict], first_line: &str) -> String {
    let scenarios: Vec<_> = verdicts
        .iter()
        .map(|verdict| {
            json!({
                "scenario": verdict.scenario,
                "stack": verdict.stack,
                "title": verdict.title,
                "ending": verdict.ending.to_string(),
                "reason": match &verdict.ending {
                    Ending::Otherwise(why) | Ending::NotApplicable(why) | Ending::BenchFailed(why) => Some(why),
                    Ending::AsExpected | Ending::Silent => None,
                },
                "happened": verdict.account.as_ref().map(|account| account.phrase()),
                "stage": verdict.account.as_ref().map(|account| account.stage),
                "device": verdict.account.as_ref().map(|account| &account.device_words),
                "platform": verdict.account.as_ref().map(|account| &account.platform_words),
                "cause": verdict.account.as_ref().map(|account| &account.cause),
                "leaked_bytes": verdict.account.as_ref().and_then(|account| account.leaked_bytes),
                "demand": verdict.account.as_ref().map(|account| account.demand),
                "conformity": verdict.account.as_ref().map(|account| account.conformity),
                "rule": verdict.account.as_ref().map(|account| &account.rule),
                "took_ms": verdict.account.as_ref().map(|account| account.took_ms),
                "security_finding": verdict.is_security_finding(),
                "explanation": explanations::of_transcript(&verdict.scenario, &verdict.stack, &verdict.transcript),
                "incidents": verdict.incidents,
                "difference": verdict.difference,
                "transcript": verdict.transcript,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "bench": first_line, "scenarios": scenarios }))
}

fn as_junit(verdicts: &[Verdict]) -> io::Result<String> {
    // One suite for each stack: a scenario's name stands in each of them.
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for verdict in verdicts {
        let status = match &verdict.ending {
            Ending::AsExpected => TestCaseStatus::success(),
            Ending::NotApplicable(why) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(why.as_str());
                status
            }
            Ending::Otherwise(_) | Ending::Silent => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let platform = verdict.account.as_ref().and_then(|account| account.platform_words.as_deref());
                let description = match platform {
                    Some(words) => format!("platform says {words}\n{}", verdict.difference),
                    None => verdict.difference.clone(),
                };
                status.set_message(verdict.ending.to_string()).set_description(description);
                status
            }
            Ending::BenchFailed(why) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(why.as_str());
                status
            }
        };
        let (folder, name) = verdict.scenario.rsplit_once('/').unwrap_or(("", &verdict.scenario));
        let mut case = TestCase::new(name, status);
        case.set_classname(folder).set_system_out(verdict.transcript.as_str());
        if let Some(account) = &verdict.account {
            // The device's own time: what the machine took would differ from run to run.
            case.set_time(std::time::Duration::from_millis(account.took_ms));
        }
        let suite = suites.entry(&verdict.stack).or_insert_with(|| TestSuite::new(verdict.stack.as_str()));
        suite.add_test_case(case);
    }
    let mut report = quick_junit::Report::new("shakedown");
    report.add_test_suites(suites.into_values());
    report.to_string().map_err(io::Error::other)
}
