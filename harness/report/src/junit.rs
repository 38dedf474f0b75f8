//! JUnit's XML, as CI systems read it.

use std::collections::BTreeMap;
use std::time::Duration;

use outcome::Ending;
use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::model::{Row, Run};

/// The run: one suite for each stack (and board, where there are several), one case for each scenario.
///
/// # Errors
///
/// As the crate `quick-junit`: never for text in memory.
pub fn write(run: &Run) -> Result<String, SerializeError> {
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    for row in &run.rows {
        let name = if row.board.is_empty() { row.stack.clone() } else { format!("{} on {}", row.stack, row.board) };
        suites.entry(name.clone()).or_insert_with(|| suite(run, row, name)).add_test_case(case(row));
    }
    let mut report = Report::new("shakedown");
    report.add_test_suites(suites.into_values());
    report.to_string()
}

/// A suite without its cases; of a product it says what that is, and how it comes to trust the bench's broker.
fn suite(run: &Run, row: &Row, name: String) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let products = run.parts.iter().flat_map(|part| part.products());
    for (_, told) in products.filter(|(stack, _)| stack.name == row.stack).take(1) {
        suite.add_property(Property::new("product", told));
    }
    suite
}

fn case(row: &Row) -> TestCase {
    // A scenario's name stands in each suite, its folder in the place of the class.
    let (folder, name) = row.scenario.rsplit_once('/').unwrap_or(("", &row.scenario));
    let mut case = TestCase::new(name, status(row));
    case.set_classname(folder);
    if !row.transcript.is_empty() {
        case.set_system_out(row.transcript.as_str());
    }
    let findings: Vec<&str> = row.findings.iter().map(|finding| finding.words.as_str()).collect();
    if !findings.is_empty() {
        case.set_system_err(findings.join("\n"));
    }
    if row.is_security_finding() {
        case.add_property(Property::new("security_finding", "accepts what it must refuse"));
    }
    if row.ending == Some(Ending::New) {
        case.add_property(Property::new("new", "nothing was reviewed yet"));
    }
    if let Some(known) = &row.known {
        let words = format!("{} until {} ({})", known.reason, known.until, known.link);
        case.add_property(Property::new("known_finding", words));
    }
    if let Some(happening) = &row.happening {
        // The device's own time: what the machine took would differ from run to run.
        case.set_time(Duration::from_millis(happening.took_ms));
    }
    case
}

fn status(row: &Row) -> TestCaseStatus {
    let failed = |kind, message: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        status
    };
    let skipped = |message: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(message);
        status
    };
    let mut status = match (&row.ending, &row.quarantine) {
        (Some(Ending::AsExpected | Ending::New), None) if row.denied.is_some() => {
            failed(NonSuccessKind::Failure, row.denied.as_deref().unwrap_or_default())
        }
        (Some(Ending::AsExpected | Ending::New), _) => TestCaseStatus::success(),
        (Some(Ending::NotApplicable(why)), _) => skipped(why),
        (Some(Ending::BenchFailed(why)), _) => failed(NonSuccessKind::Error, why),
        // It counts for nobody's pass: whoever reads nothing but this file must not take it for one.
        (None, _) => failed(NonSuccessKind::Error, &format!("not run: {}", row.reason().unwrap_or("nobody said why"))),
        (Some(Ending::Otherwise(_) | Ending::Silent), Some(quarantine)) => {
            skipped(&format!("in quarantine until {}: {} ({})", quarantine.until, quarantine.reason, quarantine.link))
        }
        (Some(ending @ (Ending::Otherwise(_) | Ending::Silent)), None) => {
            let mut status = failed(NonSuccessKind::Failure, &message(ending));
            let platform = row.happening.as_ref().and_then(|happening| happening.platform_words.as_deref());
            let platform = platform.map(|words| format!("platform says {words}\n")).unwrap_or_default();
            status.set_description(format!("{platform}{}", row.difference));
            status
        }
    };
    if matches!(status, TestCaseStatus::Skipped { .. }) {
        return status;
    }
    // The last attempt is the row itself.
    let earlier = row.attempts.split_last().map_or(&[][..], |(_, earlier)| earlier);
    for attempt in earlier {
        let kind = if attempt.bench_failed { NonSuccessKind::Error } else { NonSuccessKind::Failure };
        let mut rerun = TestRerun::new(kind);
        rerun.set_message(attempt.outcome.as_str()).set_system_out(attempt.transcript.as_str());
        status.add_rerun(rerun);
    }
    status
}

fn message(ending: &Ending) -> String {
    match ending {
        Ending::Otherwise(why) => format!("{ending}: {why}"),
        _ => ending.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_ending_has_its_place() {
        let xml = write(&fixture::run()).expect("XML");
        assert!(xml.contains("tests=\"7\"") && xml.contains("failures=\"1\" errors=\"2\""), "{xml}");
        assert!(xml.contains("<skipped message=\"it has no resolver\"/>"), "{xml}");
        assert!(xml.contains("in quarantine until 2026-12-31: the hub resets (https://example.org/7)"), "{xml}");
        assert!(xml.contains("message=\"not run: interrupted before its turn\""), "{xml}");
        assert!(xml.contains("<flakyFailure message=\"device refused at certificate\""), "{xml}");
        assert!(xml.contains("security_finding"), "{xml}");
    }

    #[test]
    fn what_is_new_passes_and_what_is_denied_fails() {
        let mut run = fixture::run();
        run.rows[6].ending = Some(Ending::New);
        run.rows[1].denied = Some("ACCEPTS WHAT IT MUST REFUSE (--deny insecure)".into());
        run.totals = crate::model::Totals::of(&run.rows);
        let xml = write(&run).expect("XML");
        assert!(xml.contains("failures=\"2\" errors=\"2\""), "{xml}");
        assert!(xml.contains("<failure message=\"ACCEPTS WHAT IT MUST REFUSE (--deny insecure)\"/>"), "{xml}");
        assert!(xml.contains("name=\"new\""), "{xml}");
        assert_eq!(run.totals.endings().iter().map(|(number, _)| number).sum::<usize>(), run.rows.len());
    }

    #[test]
    fn hostile_words_stay_words() {
        let mut run = fixture::run();
        for row in &mut run.rows {
            row.transcript = "]]><x a='1'>\u{0}\u{1b}[31m&\u{ffff}".into();
        }
        let xml = write(&run).expect("XML");
        assert!(!xml.contains("<x ") && !xml.contains('\u{1b}') && !xml.contains('\u{0}'), "{xml}");
    }
}
