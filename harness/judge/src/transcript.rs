//! The transcript: both witnesses quoted, and what was concluded.

use std::fmt::Write as _;

use board::Gravity;
use control::Report;
use scenario::broker::Engine;
use scenario::{FaultMark, Scenario};

use super::device_witness::DeviceWitness;
use crate::wire_witness::{self, WireWitness};
use crate::{Account, Evidence, Setting};

/// What stands in a transcript in the place of packets, if there were none.
pub const SILENCE: &str = "nothing was said on the wire";

/// The lines that name scenario, seed, firmware and target.
pub fn head(scenario: &Scenario, setting: &Setting<'_>) -> String {
    let Setting { stack, title, image, firmware, target, seed, openssl, platform: _ } = setting;
    let mut out = String::new();
    let _ = writeln!(out, "scenario   {:56} seed {seed:x}", scenario.name);
    let _ = writeln!(out, "firmware   {firmware:56} target {target}");
    if stack != image {
        let _ = writeln!(out, "stack      {stack:56} {title}");
    }
    // Another OpenSSL draws other random numbers.
    if scenario.broker.engine == Engine::Openssl && scenario.broker.tls {
        let _ = writeln!(out, "broker     {openssl}");
    }
    out
}

/// Both witnesses and the account of them, set as text.
pub fn transcript(
    scenario: &Scenario,
    setting: &Setting<'_>,
    evidence: &Evidence,
    wire: &WireWitness,
    device: &DeviceWitness<'_>,
    account: &Account,
) -> String {
    let mut out = head(scenario, setting);
    let typeset = if wire.is_silent() { SILENCE } else { wire.typeset.trim_end() };
    let _ = writeln!(out, "\n{typeset}\n");
    device_lines(&mut out, evidence, device, account);
    for one in &evidence.air {
        let is_fault =
            |fault: &&FaultMark| fault.who == FaultMark::AIR && fault.said.iter().any(|said| said == one.what);
        let mark = scenario.fault.as_ref().filter(is_fault).map_or("", |_| wire_witness::margin(scenario));
        let arrow = if mark.is_empty() { "" } else { "  ← " };
        let _ = writeln!(out, "air        {} (at {} ms){arrow}{mark}", one.words, one.at.as_millis());
    }
    for (at, finding) in &evidence.broker_findings {
        let _ = writeln!(out, "broker     {finding} (at {} ms)", at.as_millis());
    }
    if let Some(fault) = &account.fault {
        let _ = writeln!(out, "fault      {fault}");
    }
    let _ = write!(out, "ending     {account}");
    out
}

fn device_lines(out: &mut String, evidence: &Evidence, device: &DeviceWitness<'_>, account: &Account) {
    let mut sentences = Vec::new();
    if let Some(Report::Secured { cipher_suite, verify_flag_names, resumed, .. }) = device.secured {
        let how = if *resumed { ", an earlier session resumed" } else { "" };
        sentences.push(format!("secured with {cipher_suite}{how}"));
        if !verify_flag_names.is_empty() {
            sentences.push(format!("let pass {}", verify_flag_names.join(" ")));
        }
    }
    let words = device.words();
    if !words.is_empty() {
        sentences.push(words);
    }
    if device.attempts > 1 || (device.attempts == 1 && device.complete == Some(true)) {
        sentences.push(format!("{} failed attempt(s)", device.attempts));
    }
    if device.messages > 0 {
        sentences.push(format!("{} message(s) received", device.messages));
    }
    if let Some(heap) = &device.heap {
        sentences.push(format!("heap peak {} KiB", heap.peak_bytes.div_ceil(1024)));
        if heap.failures > 0 {
            sentences.push(format!("{} allocation(s) failed", heap.failures));
        }
    }
    let _ = writeln!(out, "device     {}", sentences.join(" · "));
    if let Some(words) = &account.platform_words {
        let _ = writeln!(out, "           platform says {words}");
    }
    if let Some(cause) = &account.cause {
        let _ = writeln!(out, "cause      {cause}");
    }
    match account.leaked_bytes {
        Some(0) => _ = writeln!(out, "heap       holds no more than before: nothing leaks"),
        Some(bytes) => _ = writeln!(out, "heap       holds {bytes} bytes more than before: A LEAK"),
        None => {}
    }
    let stages: Vec<String> = device.stages.iter().map(|(stage, at_ms)| format!("{stage} {at_ms} ms")).collect();
    for (index, line) in stages.chunks(6).enumerate() {
        let _ = writeln!(out, "{}{}", if index == 0 { "stages     " } else { "           " }, line.join(" · "));
    }
    for incident in &evidence.incidents {
        if incident.gravity >= Gravity::Notice {
            let _ = writeln!(out, "chip       {}", incident.what);
            for frame in &incident.backtrace {
                let _ = writeln!(out, "           {frame}");
            }
        }
    }
    for said in &evidence.console {
        for line in said.lines() {
            let _ = writeln!(out, "{:10} {line} (at {} ms)", said.from, said.at.as_millis());
        }
    }
}
