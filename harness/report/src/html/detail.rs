//! One row, whole: why, what was said, what the device said of it, the packets.

use maud::{Markup, html};

use super::ladder;
use crate::history::History;
use crate::model::{Attempt, Capture, Row};

/// Why it ended so, and what helps: cause, evidence, remedy, and how it differs from what was reviewed.
pub fn why(row: &Row) -> Markup {
    html! {
        div.why {
            @for explanation in &row.explanations {
                dl {
                    dt { "cause" } dd { (explanation.cause) }
                    @if !explanation.source.is_empty() { dt { "in source" } dd.source { (explanation.source) } }
                    dt { "remedy" } dd.remedy { (explanation.remedy) }
                }
            }
            @if !row.evidence.is_empty() {
                figure { figcaption { "evidence" }
                    pre { @for line in &row.evidence { span.number { (line.line) } " " (line.words) "\n" } } }
            }
            @if let Some(happening) = &row.happening {
                @if let Some(cause) = &happening.cause { p { (cause) } }
                @if let Some(fault) = &happening.fault { p { (fault) } }
                @if let Some(words) = &happening.platform_words { p { "The platform says " code { (words) } } }
            }
            @for finding in &row.findings { p { b.wrong { "finding" } " " (finding.words) } }
            @if let Some(entry) = &row.quarantine {
                p { "In quarantine until " (entry.until) ": " (entry.reason) " (" (address(&entry.link)) ")" }
            }
            @if !row.difference.is_empty() { (difference(&row.difference)) }
            @for (index, attempt) in row.attempts.iter().enumerate() { (tried(index + 1, attempt)) }
        }
    }
}

/// Everything else.
pub fn evidence(row: &Row, past: &History<'_>) -> Markup {
    html! {
        div.evidence {
            @if let Some(steps) = &row.ladder { @if !steps.steps.is_empty() {
                figure.ladder { figcaption { "who said what, by the device's own time" } (ladder::svg(steps)) }
            } }
            @if !row.transcript.is_empty() {
                figure.transcript { figcaption { "transcript" } pre tabindex="0" { (row.transcript) } }
            }
        }
        @if !row.device_log.is_empty() {
            details { summary { "device log, " (row.device_log.len()) " lines" }
                pre tabindex="0" { @for line in &row.device_log {
                    span.number { @if let Some(at_ms) = line.at_ms { (at_ms) } } " " (line.words) "\n" } } }
        }
        @if !row.incidents.is_empty() {
            details { summary { "the board itself" } pre { @for line in &row.incidents { (line) "\n" } } }
        }
        @if let Some(capture) = &row.capture { (packets(row, capture)) }
        @if !past.is_empty() {
            details { summary { "before" } ul.before { @for past in past.of(row) {
                li { time { (past.started) } " " (past.outcome) } } } }
        }
    }
}

/// A unified diff with its lines coloured.
fn difference(text: &str) -> Markup {
    html! {
        figure { figcaption { "how it differs from what was reviewed" }
            pre.difference tabindex="0" {
                @for line in text.lines() {
                    @match line.as_bytes().first() {
                        Some(b'+') => ins { (line) "\n" },
                        Some(b'-') => del { (line) "\n" },
                        _ => span { (line) "\n" },
                    }
                }
            }
        }
    }
}

fn tried(number: usize, attempt: &Attempt) -> Markup {
    html! {
        details {
            summary { "attempt " (number) ": " (attempt.outcome) @if !attempt.board.is_empty() { " on " code { (attempt.board) } }
                @if attempt.bench_failed { " " b.failed { "the bench failed" } } }
            @if !attempt.transcript.is_empty() { pre { (attempt.transcript) } }
        }
    }
}

fn packets(row: &Row, capture: &Capture) -> Markup {
    // What a report says is Base64 may be anything.
    let is_base64 = |text: &&String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let name: String = [row.scenario.as_str(), ".", &row.stack, ".pcapng"]
        .concat()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
        .collect();
    html! {
        p.packets {
            @match capture.base64.as_ref().filter(is_base64) {
                Some(base64) => {
                    a download=(name) href={ "data:application/octet-stream;base64," (base64) } { "Download the packets" }
                    ", " (capture.bytes) " bytes of pcapng with the TLS secrets inside: Wireshark shows the decrypted MQTT."
                },
                None => { "Packets: " code { (capture.file) } ", " (capture.bytes) " bytes, where it was run." },
            }
        }
    }
}

/// An address that somebody gave: a link only if it is one of the web.
fn address(text: &str) -> Markup {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    html! { @if is_web { a href=(text) rel="noreferrer" { (text) } } @else { (text) } }
}
