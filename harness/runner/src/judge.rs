//! From the evidence to an account and a transcript.
//!
//! Two witnesses are heard, the wire and the device, and both are quoted; how it went is concluded from both.

use std::fmt::Write as _;

use board::{Gravity, Target};
use control::{Failure, Report, UNSUPPORTED};
use outcome::{Conformity, Demand, Stage};
use scenario::Scenario;
use scenario::broker::Engine;

use crate::bench::Evidence;
use crate::device_log;
use crate::stack::Stack;
use crate::verdict::{Account, How};
use crate::wire_witness::{Side, WireWitness};

/// So many connections tell a leak from a library's memory of its first one.
const LEAK_CONNECTIONS_MIN: u32 = 10;

/// What stands in a transcript in the place of packets, if there were none.
pub(crate) const SILENCE: &str = "nothing was said on the wire";

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
    /// What the device says that it has no means to do; it has not dialled anybody then.
    pub unsupported: Option<String>,
}

/// Judges one run.
///
/// # Errors
///
/// If our own capture cannot be read back, which is the bench's fault.
pub fn judge(
    scenario: &Scenario,
    stack: &Stack,
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
        platform_words: device.final_failure().and_then(|failure| stack.says(failure)),
        summary: None,
        cause: device.final_failure().and_then(|failure| cause(failure, scenario.specification.demands)),
        leaked_bytes: device.leaked_bytes(scenario),
        heap_peak_bytes: device.heap.as_ref().map(|heap| heap.peak_bytes),
        device_log: device_log::lines(evidence),
        conformity: Conformity::judge(scenario.specification.demands, how.connected()),
        demand: scenario.specification.demands,
        rule: scenario.specification.rule.clone(),
        took_ms: evidence.ended_at.as_millis(),
    };
    let transcript = transcript(scenario, stack, target, seed, evidence, &wire, &device, &account);
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
        unsupported: device.unsupported().filter(|_| !wire.connected),
    })
}

/// The heap's record.
struct Heap {
    peak_bytes: u32,
    held_bytes: u32,
    failures: u32,
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
    heap: Option<Heap>,
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
        let mut configured = false;
        // Whoever speaks by its log tells nothing of its heap.
        let counts_heap = evidence.reports.iter().any(|report| matches!(report, Report::Hello { .. }));
        for report in &evidence.reports {
            match report {
                // It said hello again: it was reset.
                Report::Hello { .. } => witness.crash |= configured,
                Report::Configured { .. } => configured = true,
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
                Report::Done { complete, heap_peak_bytes, heap_failures, heap_held_bytes, .. } => {
                    witness.complete = Some(*complete);
                    witness.heap = counts_heap.then_some(Heap {
                        peak_bytes: *heap_peak_bytes,
                        held_bytes: *heap_held_bytes,
                        failures: *heap_failures,
                    });
                }
                Report::Refused { .. } | Report::Connack { .. } => {}
            }
        }
        witness
    }

    /// The failure in which it all ended: none if there was none, or if a later attempt made it good.
    fn final_failure(&self) -> Option<&'a Failure> {
        self.failure.filter(|_| self.complete != Some(true))
    }

    /// What it says that it has no means to do.
    fn unsupported(&self) -> Option<String> {
        let what = self.final_failure()?.name.strip_prefix(UNSUPPORTED)?;
        Some(what.trim_start_matches(':').trim().to_owned())
    }

    /// What the heap held in the end, if there were so many connections that it tells of a leak.
    fn leaked_bytes(&self, scenario: &Scenario) -> Option<u32> {
        let connections = scenario.device.plan.repeats.saturating_add(scenario.device.plan.reconnects);
        self.heap.as_ref().filter(|_| connections >= LEAK_CONNECTIONS_MIN).map(|heap| heap.held_bytes)
    }

    /// Code, name and flags of the failure; empty if there was none.
    fn words(&self) -> String {
        let Some(failure) = self.final_failure() else { return String::new() };
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

/// What the failure's own words hide: that there was no memory to find out what they claim. Of a broker that has to be
/// refused anyway, they may say the truth for all that.
fn cause(failure: &Failure, demands: Demand) -> Option<String> {
    let bytes = failure.failed_allocation_bytes?;
    // A library that says so itself hides nothing.
    let says_so = ["ALLOC", "MEMORY", "ENOMEM", "OOM"].iter().any(|word| failure.name.contains(word));
    let blamed = if failure.verify_flags == 0 { "what the code says" } else { "trust" };
    let verdict = match demands {
        Demand::Refuse => format!("memory or {blamed}, the device cannot tell"),
        _ => format!("memory, not {blamed}"),
    };
    (!says_so).then(|| format!("an allocation of {bytes} bytes failed before this: {verdict}"))
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
    let lost = said(&["CONN_EOF", "CLOSE_NOTIFY", "CLOSED", "RESET", "DNS_", "CONNECT_", "MODEM_"]);
    match (wire.fatal_alert, wire.connack) {
        (Some(Side::Device), _) => How::DeviceRefused,
        (Some(Side::Broker), _) | (None, Some(1..)) => How::BrokerRefused,
        (None, _) if timed_out => How::GaveUp,
        (None, _) if lost => How::Lost,
        (None, _) if !wire.connected => How::DeviceFailed,
        (None, _) => How::DeviceRefused,
    }
}

/// The lines that name scenario, seed, firmware and target.
pub(crate) fn head(scenario: &Scenario, stack: &Stack, target: &Target, seed: u64) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "scenario   {:56} seed {seed:x}", scenario.name);
    let _ = writeln!(out, "firmware   {:56} target {target}", stack.firmware.to_string());
    if stack.name != stack.firmware.name {
        let _ = writeln!(out, "stack      {:56} {}", stack.name, stack.title);
    }
    // Another OpenSSL draws other random numbers.
    if scenario.broker.engine == Engine::Openssl && scenario.broker.tls {
        let _ = writeln!(out, "broker     {}", broker::openssl_version());
    }
    out
}

#[allow(clippy::too_many_arguments, reason = "a transcript is where everything comes together")]
fn transcript(
    scenario: &Scenario,
    stack: &Stack,
    target: &Target,
    seed: u64,
    evidence: &Evidence,
    wire: &WireWitness,
    device: &DeviceWitness<'_>,
    account: &Account,
) -> String {
    let mut out = head(scenario, stack, target, seed);
    let typeset = if wire.is_silent() { SILENCE } else { wire.typeset.trim_end() };
    let _ = writeln!(out, "\n{typeset}\n");
    device_lines(&mut out, evidence, device, account);
    for (at, finding) in &evidence.broker_findings {
        let _ = writeln!(out, "broker     {finding} (at {} ms)", at.as_millis());
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
    for (at, word) in &evidence.words {
        for line in word.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(out, "console    {line} (at {} ms)", at.as_millis());
        }
    }
}
