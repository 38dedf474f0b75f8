//! A verdict as a row of the report.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outcome::Ending;
use report::model::{Capture, Evidence, Explanation, Finding, FindingKind, Happening, Row};
use scenario::Scenario;

use super::{Embed, Sources, ladder, wire};
use crate::verdict::Verdict;
use explain::explanations;
use explain::reviewed::Reviewed;
use judge::Account;
use snapshot::Place;

/// A capture beyond this is not put into a report, even if all are wanted;
const CAPTURE_MAX_BYTES: usize = 4 << 20;
/// and unless all are, one beyond this is not either: a hundred connections fill a report, and tell what one does.
const NOTABLE_MAX_BYTES: usize = 64 << 10;

/// A row of which nothing is known but what the scenario says.
pub fn blank(scenario: &Scenario, stack: &str) -> Row {
    let specification = &scenario.specification;
    let mut row = Row::new(scenario.name.as_str(), stack, specification.demands);
    row.title.clone_from(&scenario.title);
    row.rule.clone_from(&specification.rule);
    row.quote = specification.quote.clone().unwrap_or_default();
    row.paraphrase = specification.paraphrase.clone().unwrap_or_default();
    row
}

/// The row of a verdict.
pub fn row(verdict: &Verdict, took: Duration, scenario: &Scenario, sources: &Sources<'_>) -> Row {
    let mut row = blank(scenario, &verdict.stack);
    row.ending = Some(verdict.ending.clone());
    row.wall_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    row.transcript.clone_from(&verdict.transcript);
    row.difference.clone_from(&verdict.difference);
    row.incidents.clone_from(&verdict.incidents);
    row.board.clone_from(&verdict.rack.board);
    row.attempts.clone_from(&verdict.rack.attempts);
    row.flaky = verdict.rack.flaky;
    row.quarantine.clone_from(&verdict.rack.quarantine);
    row.denied.clone_from(&verdict.denied);
    row.known.clone_from(&verdict.known);
    row.findings.clone_from(&verdict.rack.findings);
    let Some(account) = &verdict.account else { return row };
    row.happening = Some(happening(account));
    row.device_log.clone_from(&account.device_log);
    row.findings.extend(findings(account, scenario));
    explain(&mut row);
    let place = Place::new(sources.artefacts, &verdict.scenario, &verdict.stack);
    // Without its packets a row says less, and is no less true.
    if let Ok(pcapng) = host::read(&place.capture(), &host::limit::CAPTURE) {
        if let Ok(transcript) = capture::read(&pcapng, "") {
            row.wire = Some(wire::wire(&transcript));
            row.ladder = Some(ladder::ladder(&transcript, scenario));
        }
        let bytes_max = if sources.embed == Embed::All { CAPTURE_MAX_BYTES } else { NOTABLE_MAX_BYTES };
        let is_embedded = pcapng.len() <= bytes_max && wants(sources.embed, &row);
        row.capture = Some(Capture {
            file: place.capture().display().to_string(),
            bytes: pcapng.len() as u64,
            base64: is_embedded.then(|| STANDARD.encode(&pcapng)),
        });
    }
    row
}

/// Whether a row's packets become part of the report.
fn wants(embed: Embed, row: &Row) -> bool {
    match embed {
        Embed::None => false,
        Embed::All => true,
        Embed::Notable => {
            row.is_security_finding()
                || row.flaky
                || !row.findings.is_empty()
                || row.denied.is_some()
                || !matches!(row.ending, Some(Ending::AsExpected | Ending::New | Ending::NotApplicable(_)))
        }
    }
}

fn happening(account: &Account) -> Happening {
    Happening {
        how: account.how,
        phrase: account.phrase(),
        stage: account.stage,
        conformity: account.conformity,
        device_words: account.device_words.clone(),
        platform_words: account.platform_words.clone(),
        cause: account.cause.clone(),
        fault: account.fault.clone(),
        heap_peak_bytes: account.heap_peak_bytes,
        leaked_bytes: account.leaked_bytes,
        took_ms: account.took_ms,
    }
}

fn findings(account: &Account, scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    if account.conformity == outcome::Conformity::AcceptsWhatItMustRefuse {
        let words = format!("accepts what it must refuse: {} ({})", scenario.title, account.rule);
        findings.push(Finding { kind: FindingKind::Security, words });
    }
    if let Some(bytes @ 1..) = account.leaked_bytes {
        let words = format!("{bytes} bytes of heap are not given back");
        findings.push(Finding { kind: FindingKind::Leak, words });
    }
    findings
}

/// Cause, evidence and remedy, from the transcript.
fn explain(row: &mut Row) {
    let Some(mut reviewed) = Reviewed::parse(&row.transcript) else { return };
    reviewed.scenario.clone_from(&row.scenario);
    if reviewed.image.is_empty() {
        reviewed.image.clone_from(&row.stack);
    }
    row.evidence =
        reviewed.evidence.iter().map(|(line, words)| Evidence { line: *line, words: words.clone() }).collect();
    row.explanations = explanations::explain(&reviewed)
        .into_iter()
        .filter_map(|(_, explanation)| explanation)
        .map(|told| Explanation { key: told.key, cause: told.cause, source: told.source, remedy: told.remedy })
        .collect();
}
