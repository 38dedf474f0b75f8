//! From the evidence to an account and a transcript.
//!
//! Two witnesses are heard, the wire and the device, and both are quoted; how it went is concluded from both.

use std::fmt::Write as _;

use board::{Gravity, Target};
use control::{Failure, Report};
use outcome::{Conformity, Stage};
use scenario::Scenario;

use crate::bench::Evidence;
use crate::released::Firmware;
use crate::verdict::{Account, How};
use crate::wire_witness::{Side, WireWitness};

/// An account of what happened, and the transcript that tells it.
#[derive(Debug)]
pub struct Judged {
    /// The account.
    pub account: Account,
    /// The transcript, ready to be compared and filed.
    pub transcript: String,
    /// What happened to the board itself, line by line.
    pub incidents: Vec<String>,
    /// Whether nothing happened at all before the limit.
    pub silent: bool,
}

/// Judges one run.
///
/// # Errors
///
/// If our own capture cannot be read back, which is the bench's fault.
pub fn judge(
    scenario: &Scenario,
    firmware: &Firmware,
    target: &Target,
    seed: u64,
    evidence: &Evidence,
) -> Result<Judged, String> {
    let wire = WireWitness::hear(&evidence.pcapng, scenario)?;
    let device = DeviceWitness::hear(evidence);
    let how = how(&wire, &device);
    let account = Account {
        how,
        stage: device.stage,
        device_words: device.words(),
        conformity: Conformity::judge(scenario.specification.demands, how.connected()),
        demand: scenario.specification.demands,
        rule: scenario.specification.rule.clone(),
        took_ms: evidence.ended_at.as_millis(),
    };
    let transcript = transcript(scenario, firmware, target, seed, evidence, &wire, &device, &account);
    Ok(Judged {
        account,
        transcript,
        incidents: evidence
            .incidents
            .iter()
            .flat_map(|incident| {
                std::iter::once(format!("{} at {}", incident.what, incident.at)).chain(incident.backtrace.clone())
            })
            .collect(),
        silent: how == How::NoEnd && wire.is_silent(),
    })
}

/// What the device told.
struct DeviceWitness<'a> {
    /// The last stage that it entered.
    stage: Stage,
    /// The stages of its last attempt, with their times.
    stages: Vec<(Stage, u32)>,
    failure: Option<&'a Failure>,
    secured: Option<&'a Report>,
    /// Whether every act was done; `None` if it did not come to an end.
    complete: Option<bool>,
    heap: Option<(u32, u32)>,
    attempts: usize,
    messages: usize,
    crash: bool,
}

impl<'a> DeviceWitness<'a> {
    fn hear(evidence: &'a Evidence) -> Self {
        let mut witness = Self {
            stage: Stage::Boot,
            stages: Vec::new(),
            failure: None,
            secured: None,
            complete: None,
            heap: None,
            attempts: 0,
            messages: 0,
            crash: evidence.incidents.iter().any(|incident| incident.gravity == Gravity::Crash),
        };
        let mut dressed = false;
        for report in &evidence.reports {
            match report {
                // It said hello again: it was reset.
                Report::Hello { .. } => witness.crash |= dressed,
                Report::Dressed { .. } => dressed = true,
                Report::Stage { stage, at_ms } => {
                    // Whoever looks up a name or dials once more begins a new attempt.
                    if *stage <= Stage::Connect && *stage <= witness.stage {
                        witness.stages.clear();
                        witness.secured = None;
                    }
                    witness.stage = *stage;
                    witness.stages.push((*stage, *at_ms));
                }
                Report::Secured { .. } => witness.secured = Some(report),
                Report::Message { .. } => witness.messages += 1,
                Report::Failed(failure) => {
                    witness.failure = Some(failure);
                    witness.stage = failure.stage;
                    witness.attempts += 1;
                }
                Report::Done { complete, heap_peak_bytes, heap_failures, .. } => {
                    witness.complete = Some(*complete);
                    witness.heap = Some((*heap_peak_bytes, *heap_failures));
                }
                Report::Refused { .. } | Report::Connack { .. } => {}
            }
        }
        witness
    }

    /// Code, name and flags of the failure; empty if there was none, or if a later attempt made it good.
    fn words(&self) -> String {
        let Some(failure) = self.failure.filter(|_| self.complete != Some(true)) else { return String::new() };
        let mut words = failure.name.clone();
        if failure.code < 0 {
            let _ = write!(words, " (-{:#x})", -i64::from(failure.code));
        } else if failure.code > 0 {
            let _ = write!(words, " ({})", failure.code);
        }
        if !failure.verify_flag_names.is_empty() {
            let _ = write!(words, ", flags {}", failure.verify_flag_names.join(" "));
        }
        if let Some(bytes) = failure.failed_allocation_bytes {
            let _ = write!(words, ", no memory for {bytes} bytes");
        }
        words
    }
}

/// Concludes from both witnesses. The wire goes first: it is the same for every stack.
fn how(wire: &WireWitness, device: &DeviceWitness<'_>) -> How {
    match device.complete {
        Some(true) => return How::Connected,
        None if device.crash => return How::Crashed,
        None => return How::NoEnd,
        Some(false) => {}
    }
    let said =
        |words: &[&str]| device.failure.is_some_and(|failure| words.iter().any(|word| failure.name.contains(word)));
    // Words that all our firmware has in common, for what is neither its own decision nor the broker's.
    let timed_out = said(&["TIMED_OUT"]);
    let lost = said(&["CONN_EOF", "CLOSE_NOTIFY", "CLOSED", "RESET", "DNS_", "CONNECT_"]);
    match (wire.fatal_alert, wire.connack) {
        (Some(Side::Device), _) => How::DeviceRefused,
        (Some(Side::Broker), _) | (None, Some(1..)) => How::BrokerRefused,
        (None, _) if timed_out => How::GaveUp,
        (None, _) if lost => How::Lost,
        (None, _) if !wire.connected => How::DeviceFailed,
        (None, _) => How::DeviceRefused,
    }
}

#[allow(clippy::too_many_arguments, reason = "a transcript is where everything comes together")]
fn transcript(
    scenario: &Scenario,
    firmware: &Firmware,
    target: &Target,
    seed: u64,
    evidence: &Evidence,
    wire: &WireWitness,
    device: &DeviceWitness<'_>,
    account: &Account,
) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "scenario   {:56} seed {seed:x}", scenario.name);
    let _ = writeln!(out, "firmware   {:56} target {target}", firmware.to_string());
    let typeset = if wire.is_silent() { "nothing was said on the wire" } else { wire.typeset.trim_end() };
    let _ = writeln!(out, "\n{typeset}\n");
    device_lines(&mut out, evidence, device);
    for (at, finding) in &evidence.broker_findings {
        let _ = writeln!(out, "broker     {finding} (at {} ms)", at.as_millis());
    }
    let _ = write!(out, "ending     {account}");
    out
}

fn device_lines(out: &mut String, evidence: &Evidence, device: &DeviceWitness<'_>) {
    let mut sentences = Vec::new();
    if let Some(Report::Secured { cipher_suite, verify_flag_names, .. }) = device.secured {
        sentences.push(format!("secured with {cipher_suite}"));
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
    if let Some((peak_bytes, failures)) = device.heap {
        sentences.push(format!("heap peak {} KiB", peak_bytes.div_ceil(1024)));
        if failures > 0 {
            sentences.push(format!("{failures} allocation(s) failed"));
        }
    }
    let _ = writeln!(out, "device     {}", sentences.join(" · "));
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
    for (at, word) in &evidence.words {
        for line in word.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(out, "console    {line} (at {} ms)", at.as_millis());
        }
    }
}
