//! What a device said besides its packets, line by line: its reports, and whatever else came up the serial line.

use board::Gravity;
use control::Report;
use report::model::LogLine;

use crate::Evidence;

/// So many lines are kept of each kind; a device that reconnects a hundred times has told everything before.
const LINES_MAX: usize = 400;

/// The log, in the order of its times.
pub fn lines(evidence: &Evidence) -> Vec<LogLine> {
    let mut lines: Vec<LogLine> = evidence.reports.iter().map(report).take(LINES_MAX).collect();
    for said in &evidence.console {
        let told = said.lines().map(|line| line_at(said.at.as_millis(), format!("{}: {line}", said.from)));
        lines.extend(told.take(LINES_MAX));
    }
    lines.truncate(2 * LINES_MAX);
    for incident in evidence.incidents.iter().filter(|incident| incident.gravity >= Gravity::Notice).take(LINES_MAX) {
        let frames = incident.backtrace.iter().map(|frame| format!("\n    {frame}"));
        lines.push(line_at(incident.at.as_millis(), format!("chip: {}{}", incident.what, frames.collect::<String>())));
    }
    for (at, finding) in evidence.broker_findings.iter().take(LINES_MAX) {
        lines.push(line_at(at.as_millis(), format!("broker: {finding}")));
    }
    // What has no time stays at the beginning: a device says hello before it does anything else.
    lines.sort_by_key(|line| line.at_ms);
    lines
}

fn line_at(at_ms: u64, words: String) -> LogLine {
    LogLine { at_ms: Some(at_ms), words }
}

/// A report of the device as a line.
fn report(report: &Report) -> LogLine {
    let (at_ms, words) = match report {
        Report::Hello { image, version, stack, .. } => {
            return LogLine { at_ms: None, words: format!("hello from {image} {version}, {stack}") };
        }
        Report::Refused { reason } => {
            return LogLine { at_ms: None, words: format!("does not understand its order: {reason}") };
        }
        Report::Configured { at_ms } => (at_ms, "has its plan".to_owned()),
        Report::Stage { stage, at_ms } => (at_ms, format!("stage {stage}")),
        Report::Secured { cipher_suite, verify_flag_names, resumed, at_ms, .. } => {
            let flags = verify_flag_names.join(" ");
            let passed = if flags.is_empty() { flags } else { format!(", let pass {flags}") };
            let how = if *resumed { ", an earlier session resumed" } else { "" };
            (at_ms, format!("secured with {cipher_suite}{how}{passed}"))
        }
        Report::Connack { code, session_present, at_ms } => {
            let present = if *session_present { ", session present" } else { "" };
            (at_ms, format!("CONNACK {code}{present}"))
        }
        Report::Message { topic, payload_bytes, qos, at_ms } => {
            (at_ms, format!("message on {topic}: {payload_bytes} bytes, QoS {qos}"))
        }
        Report::Failed(failure) => {
            let flags = failure.verify_flag_names.iter().map(|flag| format!(" {flag}")).collect::<String>();
            let memory = failure.failed_allocation_bytes.map(|bytes| format!(", no memory for {bytes} bytes"));
            let words = format!(
                "failed at {}: {} ({}){flags}{}",
                failure.stage,
                failure.name,
                failure.code,
                memory.unwrap_or_default()
            );
            (&failure.at_ms, words)
        }
        Report::Done { complete, heap_peak_bytes, heap_failures, at_ms, .. } => {
            let whether = if *complete { "all done" } else { "over" };
            (at_ms, format!("{whether}: heap peak {heap_peak_bytes} bytes, {heap_failures} allocation(s) failed"))
        }
    };
    line_at((*at_ms).into(), words)
}
