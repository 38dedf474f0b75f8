//! From the evidence to an account and a transcript.
//!
//! Two witnesses are heard, the wire and the device, and both are quoted; how it went is concluded from both.

mod account;
pub mod blame;
mod device_log;
mod device_witness;
mod evidence;
pub mod met;
mod offer;
mod out_of_reach;
mod setting;
pub mod sweep;
mod transcript;
mod unreached;
pub mod wire_witness;

use control::Failure;
use outcome::{Conformity, Demand, FailureClass};
use report::model::How;
use scenario::Scenario;

pub use self::account::Account;
use self::device_witness::DeviceWitness;
pub use self::evidence::{ConsoleText, Enacted, Evidence, OnTheAir, Timeouts};
pub use self::setting::{Platform, Setting};
pub use self::transcript::{SILENCE, head};
pub use self::wire_witness::OwnCapture;
use self::wire_witness::WireWitness;

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
    /// Why it cannot come to the scenario's fault, whose broker speaks nothing that its hello offers.
    pub out_of_reach: Option<String>,
}

impl Judged {
    /// Why the scenario says nothing about the device, if it does not.
    pub fn not_applicable(&self) -> Option<&str> {
        self.unsupported.as_deref().or(self.out_of_reach.as_deref())
    }
}

/// Judges one run.
///
/// # Errors
///
/// If our own capture cannot be read back, which is the bench's fault.
pub fn judge(scenario: &Scenario, setting: &Setting<'_>, evidence: &Evidence) -> Result<Judged, OwnCapture> {
    let wire = WireWitness::hear(&evidence.pcapng, scenario)?;
    let mut device = DeviceWitness::hear(evidence);
    device.complete_with(wire.handshake);
    let last = blame::OnTheWire { network_refused: is_refused(&evidence.air), ..wire.last.clone() };
    let how = blame::how(&last, device.end(evidence));
    let meeting = met::met(
        scenario,
        &met::Case {
            how,
            failure: device.final_failure(),
            mark: met::mark(scenario, &wire, &evidence.air),
            not_offered: offer::not_offered(scenario, wire.hello.as_ref()),
            unreached: unreached::unreached(scenario, evidence, wire.dialled).as_deref(),
        },
    );
    let demand = scenario.specification.demands;
    let account = Account {
        how,
        stage: device.stage,
        limit_s: stopped_after_s(scenario, evidence),
        device_words: device.words(),
        platform_words: device.final_failure().and_then(|failure| setting.platform.says(failure)),
        summary: None,
        cause: device.final_failure().and_then(|failure| cause(failure, demand)),
        fault: meeting.words,
        leaked_bytes: device.leaked_bytes(scenario),
        heap_peak_bytes: device.heap.as_ref().map(|heap| heap.peak_bytes),
        device_log: device_log::lines(evidence),
        conformity: Conformity::judge(demand, how.course(), meeting.met),
        demand,
        rule: scenario.specification.rule.clone(),
        took_ms: evidence.ended_at.as_millis(),
    };
    let transcript = transcript::transcript(scenario, setting, evidence, &wire, &device, &account);
    // Names of symbols, of stacks and of boards are strangers' too.
    let transcript = terminal::clean::text(&transcript).into_owned();
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
        silent: matches!(how, How::NoEnd | How::Waits) && wire.is_silent(),
        unsupported: device.unsupported().filter(|_| !wire.last.connected),
        out_of_reach: out_of_reach::out_of_reach(scenario, how, meeting.met, wire.hello.as_ref()),
    })
}

/// Whether the last that the network let the device know was a refusal.
fn is_refused(air: &[OnTheAir]) -> bool {
    let tells = |one: &&OnTheAir| one.is_refusal || scenario::wifi::WELCOMES.contains(&one.what);
    air.iter().rfind(tells).is_some_and(|one| one.is_refusal)
}

/// When the bench stops, or stopped, a device that comes to no end: it does not wait out the scenario's limit for a
/// firmware that said no hello.
fn stopped_after_s(scenario: &Scenario, evidence: &Evidence) -> u32 {
    let ended_s = evidence.ended_at.as_millis().div_ceil(1_000);
    let gave_no_order = evidence.timeouts.is_none() && evidence.reports.is_empty();
    u32::try_from(ended_s)
        .ok()
        .filter(|_| gave_no_order)
        .map_or(scenario.limit_s, |ended_s| scenario.limit_s.min(ended_s))
}

/// What the failure's own words hide: that there was no memory to find out what they claim. Of a broker that has to be
/// refused anyway, they may say the truth for all that.
fn cause(failure: &Failure, demands: Demand) -> Option<String> {
    let bytes = failure.failed_allocation_bytes?;
    let blamed = if failure.verify_flags == 0 { "what the code says" } else { "trust" };
    let verdict = match demands {
        Demand::Refuse => format!("memory or {blamed}, the device cannot tell"),
        _ => format!("memory, not {blamed}"),
    };
    // A library that says so itself hides nothing.
    (failure.class != FailureClass::Memory)
        .then(|| format!("an allocation of {bytes} bytes failed before this: {verdict}"))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_tests;
