//! Whether a run came to what its scenario is about.
//!
//! A device that fails is no proof that it refuses: a typo in a name ends at the resolver. What it does counts if it
//! does it by itself, and after the fault's line on the wire; if the fault lies in its own configuration; if it never
//! offered what the fault needs; or if memory is the fault, and ran short.

use control::Failure;
use outcome::{Course, Demand, FailureClass, Met};
use report::model::How;
use scenario::{FaultMark, Scenario};

use crate::OnTheAir;
use crate::wire_witness::WireWitness;

/// Whether a run met its fault, with what is to be said of it, if anything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// Whether it did.
    pub met: Met,
    /// In a sentence: why not, what was not offered, or that it lies in the device's own hands.
    pub words: Option<String>,
}

impl Meeting {
    const fn plain() -> Self {
        Self { met: Met::Met, words: None }
    }

    fn never(words: impl Into<String>) -> Self {
        Self { met: Met::Never, words: Some(words.into()) }
    }
}

/// Where the fault's line stands, for what the device does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is nowhere.
    Unseen,
    /// It comes only after the device had ended the connection by itself.
    TooLate,
    /// It was said, and the device was still there.
    Seen,
}

/// What the rest of the evidence says.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// How it went.
    pub how: How,
    /// The failure in which it ended.
    pub failure: Option<&'a Failure>,
    /// Where the fault's line stands.
    pub mark: Mark,
    /// What the fault needs and the device did not offer; `None` if it did, or nothing is needed.
    pub not_offered: Option<String>,
    /// What the bench was to do to the device, and never came to.
    pub unreached: Option<&'a str>,
}

/// Whether the run met the fault of its scenario.
pub fn met(scenario: &Scenario, case: &Case<'_>) -> Meeting {
    let demand = scenario.specification.demands;
    let mark = scenario.fault.as_ref();
    match (demand, case.how.course()) {
        (Demand::Either, _) | (Demand::Connect, Course::Failed) | (_, Course::Broke | Course::Stopped) => {
            return Meeting::plain();
        }
        _ => {}
    }
    // In words: a line that broke proves nothing about an offer.
    if let (Some(what), How::BrokerRefused, Mark::Unseen) = (&case.not_offered, case.how, case.mark) {
        let words = format!("the device never offers {what}");
        return Meeting { met: Met::NotOffered, words: Some(words) };
    }
    let is_short_of_memory = case.how != How::Connected && case.failure.is_some_and(wants_memory);
    if is_short_of_memory && limits_memory(scenario) {
        return Meeting::plain();
    }
    if mark.is_some_and(FaultMark::is_in_the_device) {
        return in_the_device(case);
    }
    if let Some(unreached) = case.unreached {
        return Meeting::never(unreached);
    }
    // Without a mark, it is the broker's first word that has to be there.
    let said = || mark.map_or_else(|| "the broker said a word".into(), |mark| format!("any {}", mark.describe()));
    match (case.mark, demand) {
        (Mark::Unseen, Demand::Refuse) => Meeting::never(format!("it ended before {}", said())),
        (Mark::Unseen, _) if mark.is_some() => Meeting::never(format!("it ended without {}", said())),
        (Mark::TooLate, Demand::Refuse) => Meeting::never(format!("the device had left before {}", said())),
        (_, Demand::Refuse) => by_itself(case),
        _ => Meeting::plain(),
    }
}

/// A fault in the device's own hands: it is met as soon as the device looks.
fn in_the_device(case: &Case<'_>) -> Meeting {
    let is_own = |failure: &Failure| matches!(failure.class, FailureClass::Tls | FailureClass::Refused);
    let is_verdict = case.failure.is_some_and(is_own);
    match case.how {
        How::Connected => Meeting::plain(),
        How::DeviceFailed | How::DeviceRefused if is_verdict => {
            let words = "it lies in the device's own configuration, and the device refuses it";
            Meeting { met: Met::Met, words: Some(words.into()) }
        }
        _ => Meeting::never("it lies in the device's own configuration, and this is another failure"),
    }
}

/// Whoever has to refuse has to do so by itself, and for what it saw.
fn by_itself(case: &Case<'_>) -> Meeting {
    match case.how {
        How::Connected => Meeting::plain(),
        How::DeviceRefused => match case.failure {
            Some(failure) if wants_memory(failure) => {
                Meeting::never("the device had no memory to find out, or no room in a buffer")
            }
            _ => Meeting::plain(),
        },
        How::DeviceFailed => Meeting::never("the device failed for a reason of its own"),
        How::GaveUp => Meeting::never("the device took it and waited: a time-out refuses nothing"),
        How::BrokerRefused => Meeting::never("it was the broker that refused"),
        How::NetworkRefused => Meeting::never("it was the network that refused"),
        How::Lost => Meeting::never("the connection was lost: the device refused nothing"),
        How::Crashed | How::Waits | How::NoEnd => Meeting::never("the device came to no end"),
    }
}

fn wants_memory(failure: &Failure) -> bool {
    failure.class == FailureClass::Memory || failure.failed_allocation_bytes.is_some()
}

/// Whether the scenario leaves the device short of memory, and that is the fault. A heap that is merely small is none
/// where something on the wire is to be refused: a device that never gets there refuses nothing.
fn limits_memory(scenario: &Scenario) -> bool {
    let device = &scenario.device.plan;
    let is_small = device.heap_cap_bytes.is_some() || device.heap_block_max_bytes.is_some();
    let is_on_the_wire = scenario.fault.as_ref().is_some_and(|mark| !mark.is_in_the_device());
    let is_beside_the_fault = scenario.specification.demands == Demand::Refuse && is_on_the_wire;
    device.failing_allocation.is_some() || (is_small && !is_beside_the_fault)
}

/// Where the fault's line stands in the last connection, or in the one that the mark names.
pub fn mark(scenario: &Scenario, wire: &WireWitness, air: &[OnTheAir]) -> Mark {
    match &scenario.fault {
        Some(mark) if mark.who == FaultMark::AIR => {
            let is_seen = air.iter().any(|one| mark.said.iter().any(|said| said == one.what));
            if is_seen { Mark::Seen } else { Mark::Unseen }
        }
        Some(mark) if mark.is_in_the_device() => Mark::Seen,
        Some(_) => wire.mark,
        // Without a mark, the broker's first word is the fault's.
        None if scenario.specification.demands == Demand::Refuse => wire.broker_spoke,
        None => Mark::Seen,
    }
}
