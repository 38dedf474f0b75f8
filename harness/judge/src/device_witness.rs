//! What the device told, in order.

use std::fmt::Write as _;

use board::Gravity;
use control::{Failure, Report};
use outcome::{FailureClass, Stage};
use scenario::Scenario;

use super::blame::End;
use crate::Evidence;

/// So many connections tell a leak from a library's memory of its first one.
const LEAK_CONNECTIONS_MIN: u32 = 10;

/// Whose time-outs nobody knows, is not said to wait for ever before so many milliseconds without a word: more than any
/// platform's default for a TLS connection that we know.
const UNKNOWN_TIMEOUT_MS: u64 = 60_000;

/// The heap's record.
pub struct Heap {
    /// The most that it held, in bytes.
    pub peak_bytes: u32,
    /// What it held in the end, in bytes.
    pub held_bytes: u32,
    /// How many allocations failed.
    pub failures: u32,
}

/// What the device told.
pub struct DeviceWitness<'a> {
    /// The last stage that it entered.
    pub stage: Stage,
    /// The stages of its last attempt, with their times in milliseconds.
    pub stages: Vec<(Stage, u32)>,
    /// The report that the handshake succeeded.
    pub secured: Option<&'a Report>,
    /// Whether every act was done; `None` if it did not come to an end.
    pub complete: Option<bool>,
    /// What its heap held, if it counts that.
    pub heap: Option<Heap>,
    /// How many attempts failed.
    pub attempts: usize,
    /// How many messages arrived.
    pub messages: usize,
    failure: Option<&'a Failure>,
    has_crashed: bool,
    /// It tells each stage of a handshake, as firmware of the bench does.
    tells_handshake: bool,
    /// An attempt has failed, and no other has begun.
    is_between_attempts: bool,
}

impl<'a> DeviceWitness<'a> {
    /// Hears its reports.
    pub fn hear(evidence: &'a Evidence) -> Self {
        let mut witness = Self {
            stage: Stage::Boot,
            stages: Vec::new(),
            failure: None,
            secured: None,
            complete: None,
            heap: None,
            attempts: 0,
            messages: 0,
            has_crashed: evidence.incidents.iter().any(|incident| incident.gravity == Gravity::Crash),
            is_between_attempts: false,
            // So does whoever says hello, and nobody who speaks by a log or is told what to do at a console.
            tells_handshake: evidence.reports.iter().any(|report| matches!(report, Report::Hello { .. })),
        };
        let mut has_plan = false;
        let counts_heap = witness.tells_handshake;
        for report in &evidence.reports {
            match report {
                // It said hello again: it was reset.
                Report::Hello { .. } => witness.has_crashed |= has_plan,
                Report::Configured { .. } => has_plan = true,
                Report::Stage { stage, at_ms } => witness.enter(*stage, *at_ms),
                Report::Secured { .. } => witness.secured = Some(report),
                Report::Message { .. } => witness.messages += 1,
                Report::Failed(failure) => {
                    witness.failure = Some(failure);
                    witness.stage = failure.stage;
                    witness.attempts += 1;
                    witness.is_between_attempts = true;
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

    fn enter(&mut self, stage: Stage, at_ms: u32) {
        // Whoever looks up a name or dials once more begins a new attempt.
        if stage <= Stage::Connect && stage <= self.stage {
            self.stages.clear();
            self.secured = None;
        }
        self.stage = stage;
        self.stages.push((stage, at_ms));
        self.is_between_attempts = false;
    }

    /// Of a device that tells no more of a handshake than that it began: how far it came is what the wire says.
    pub fn complete_with(&mut self, handshake: Stage) {
        if self.stage == Stage::Hello && !self.tells_handshake {
            self.stage = handshake;
        }
    }

    /// How it came to its end.
    pub fn end(&self, evidence: &Evidence) -> End<'a> {
        match self.complete {
            Some(true) => End::Complete,
            Some(false) => End::GivenUp(self.failure),
            None if self.has_crashed => End::Crashed,
            None if self.waits(evidence) => End::StoppedWaiting,
            None => End::Stopped,
        }
    }

    /// Whether it came no further for the better half of the run and longer than its time-out, and was not
    /// told to wait: an idle plan and the pause before another attempt are.
    fn waits(&self, evidence: &Evidence) -> bool {
        let still_ms = evidence.ended_at.as_millis().saturating_sub(evidence.progressed_at.as_millis());
        let is_long = still_ms.saturating_mul(2) > evidence.ended_at.as_millis();
        let is_overdue = match evidence.timeouts {
            Some(timeouts) => timeouts.at(self.stage).is_none_or(|ms| still_ms > ms),
            None => still_ms >= UNKNOWN_TIMEOUT_MS,
        };
        is_long && is_overdue && !self.is_between_attempts && self.stage > Stage::Boot && self.stage != Stage::KeepAlive
    }

    /// The failure in which it all ended: none if there was none, or if a later attempt made it good.
    pub fn final_failure(&self) -> Option<&'a Failure> {
        self.failure.filter(|_| self.complete != Some(true))
    }

    /// What it says that it has no means to do.
    pub fn unsupported(&self) -> Option<String> {
        let failure = self.final_failure().filter(|failure| failure.class == FailureClass::Unsupported)?;
        Some(failure.name.clone())
    }

    /// What the heap held in the end, if there were so many connections that it tells of a leak.
    pub fn leaked_bytes(&self, scenario: &Scenario) -> Option<u32> {
        let connections = scenario.device.plan.repeats.saturating_add(scenario.device.plan.reconnects);
        self.heap.as_ref().filter(|_| connections >= LEAK_CONNECTIONS_MIN).map(|heap| heap.held_bytes)
    }

    /// Code, name and flags of the failure; empty if there was none.
    pub fn words(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timeouts;
    use board::Incident;
    use clock::Instant;

    /// What was reported, when the device was heard last, and when the run ended, in milliseconds.
    fn evidence(reports: Vec<Report>, spoke_ms: u64, ended_ms: u64) -> Evidence {
        let progressed_at = Instant::from_millis(spoke_ms);
        Evidence { progressed_at, ..Evidence::without_packets(reports, ended_ms) }
    }

    fn hello() -> Report {
        Report::Hello { protocol: 1, image: String::new(), version: String::new(), stack: String::new() }
    }

    fn stage(stage: Stage) -> Report {
        Report::Stage { stage, at_ms: 5 }
    }

    fn failed(name: &str) -> Report {
        Report::Failed(Failure {
            stage: Stage::Certificate,
            class: FailureClass::Unsupported,
            alert_received: None,
            code: -0x2700,
            name: name.into(),
            verify_flags: 1,
            verify_flag_names: vec!["EXPIRED".into(), "CN_MISMATCH".into()],
            failed_allocation_bytes: Some(532),
            at_ms: 6,
        })
    }

    fn done(complete: bool) -> Report {
        Report::Done { complete, heap_peak_bytes: 4096, heap_failures: 1, heap_held_bytes: 7, at_ms: 9 }
    }

    #[test]
    fn how_far_a_handshake_came_is_the_wire_s_to_say_of_a_device_that_does_not() {
        for (reports, completed, why) in [
            (vec![stage(Stage::Hello)], Stage::Certificate, "it said that the handshake began, and no more"),
            (vec![stage(Stage::Hello), stage(Stage::Login)], Stage::Login, "it came further by its own word"),
            (vec![stage(Stage::Connect)], Stage::Connect, "its handshake never began"),
            (vec![hello(), stage(Stage::Hello)], Stage::Hello, "it would have told the next stage"),
        ] {
            let evidence = evidence(reports, 100, 200);
            let mut witness = DeviceWitness::hear(&evidence);
            witness.complete_with(Stage::Certificate);
            assert_eq!(witness.stage, completed, "{why}");
        }
    }

    #[test]
    fn a_run_ends_as_the_device_says_or_as_it_falls_silent() {
        let begun = || vec![hello(), Report::Configured { at_ms: 1 }];
        let at = |entered| [begun(), vec![stage(entered)]].concat();
        for (reports, spoke_ms, expected, why) in [
            ([at(Stage::Login), vec![done(true)]].concat(), 100, "complete", "it said so"),
            ([at(Stage::Login), vec![done(false)]].concat(), 100, "given up", "it said so"),
            ([at(Stage::Login), vec![hello()]].concat(), 100, "crashed", "it said hello again"),
            (at(Stage::Login), 99_999, "silence", "for the better half"),
            (at(Stage::Login), 100_000, "stopped", "just not for the better half"),
            (at(Stage::Login), 199_000, "stopped", "it was still at it"),
            (at(Stage::KeepAlive), 100, "stopped", "it was told to idle"),
            (begun(), 100, "stopped", "it never began"),
            ([at(Stage::Login), vec![failed("X")]].concat(), 100, "stopped", "it pauses before the next attempt"),
            (
                [at(Stage::Login), vec![failed("X"), stage(Stage::Connect)]].concat(),
                100,
                "silence",
                "the next attempt has begun",
            ),
        ] {
            let evidence = evidence(reports, spoke_ms, 200_000);
            let end = match DeviceWitness::hear(&evidence).end(&evidence) {
                End::Complete => "complete",
                End::GivenUp(_) => "given up",
                End::Crashed => "crashed",
                End::StoppedWaiting => "silence",
                End::Stopped => "stopped",
            };
            assert_eq!(end, expected, "{why}");
        }
        let mut crashed = evidence(at(Stage::Login), 100, 100_000);
        crashed.incidents =
            vec![Incident { at: Instant::ZERO, gravity: Gravity::Crash, what: String::new(), backtrace: Vec::new() }];
        assert_eq!(DeviceWitness::hear(&crashed).end(&crashed), End::Crashed);
        crashed.incidents[0].gravity = Gravity::Notice;
        assert_eq!(DeviceWitness::hear(&crashed).end(&crashed), End::StoppedWaiting);
    }

    /// The bench's own limit is never told as the device's waiting for ever.
    #[test]
    fn who_has_time_left_does_not_wait_for_ever() {
        let within = |ms| Some(Timeouts { network_ms: ms, connect_ms: ms, handshake_ms: ms + 1, reply_ms: ms + 2 });
        let endless = Timeouts::ENDLESS_MS;
        for (entered, timeouts, ended_ms, expected, why) in [
            (Stage::Hello, None, 60_099, End::Stopped, "a stranger may have that much patience"),
            (Stage::Hello, None, 60_100, End::StoppedWaiting, "but not more"),
            (Stage::Hello, within(100_000), 5_000, End::Stopped, "it would have waited longer than the bench"),
            (Stage::Resolve, within(4_900), 5_000, End::Stopped, "it was about to give up"),
            (Stage::Connect, within(4_899), 5_000, End::StoppedWaiting, "it should have given up"),
            (Stage::Clock, within(4_899), 5_000, End::StoppedWaiting, "it should have given up"),
            (Stage::Hello, within(4_899), 5_000, End::Stopped, "it was about to give up the handshake"),
            (Stage::Certificate, within(4_898), 5_000, End::StoppedWaiting, "it should have given that up"),
            (Stage::Finished, within(4_898), 5_000, End::StoppedWaiting, "it should have given that up"),
            (Stage::Login, within(4_898), 5_000, End::Stopped, "it was about to give up on an answer"),
            (Stage::Exchange, within(4_897), 5_000, End::StoppedWaiting, "it should have given that up"),
            (
                Stage::KeyExchange,
                Some(Timeouts { handshake_ms: endless, ..within(1).unwrap() }),
                5_000,
                End::StoppedWaiting,
                "it has no time-out",
            ),
        ] {
            let reports = vec![hello(), Report::Configured { at_ms: 1 }, stage(entered)];
            let evidence = Evidence { timeouts, ..evidence(reports, 100, ended_ms) };
            assert_eq!(DeviceWitness::hear(&evidence).end(&evidence), expected, "{entered}: {why}");
        }
    }

    #[test]
    fn the_last_attempt_is_told_and_a_failure_that_was_made_good_is_none() {
        let secured = Report::Secured {
            version: 0x0303,
            cipher_suite: "x".into(),
            verify_flags: 0,
            verify_flag_names: Vec::new(),
            resumed: false,
            at_ms: 4,
        };
        let message = Report::Message { topic: "t".into(), payload_bytes: 1, qos: 0, at_ms: 5 };
        let first = vec![hello(), stage(Stage::Resolve), stage(Stage::Connect), stage(Stage::Hello), secured, message];
        let first = [first, vec![failed("TLS 1.3: none"), done(false)]].concat();
        let once = evidence(first.clone(), 0, 9);
        let witness = DeviceWitness::hear(&once);
        assert_eq!(witness.stages, [(Stage::Resolve, 5), (Stage::Connect, 5), (Stage::Hello, 5)]);
        assert_eq!((witness.stage, witness.attempts, witness.messages), (Stage::Certificate, 1, 1));
        assert!(witness.secured.is_some());
        let heap = witness.heap.as_ref().expect("it counts");
        assert_eq!((heap.peak_bytes, heap.failures, heap.held_bytes), (4096, 1, 7));
        assert_eq!(witness.words(), "TLS 1.3: none (-0x2700), flags EXPIRED CN_MISMATCH, no memory for 532 bytes");
        assert_eq!(witness.unsupported().as_deref(), Some("TLS 1.3: none"));
        let twice = evidence([first, vec![stage(Stage::Connect), done(true)]].concat(), 0, 9);
        let witness = DeviceWitness::hear(&twice);
        assert_eq!(witness.stages, [(Stage::Connect, 5)]);
        assert!(witness.secured.is_none() && witness.final_failure().is_none() && witness.unsupported().is_none());
        assert_eq!(witness.words(), "");
        // Who speaks by its log alone says no hello, and counts no heap.
        let stranger = evidence(vec![stage(Stage::Connect), done(true)], 0, 9);
        assert!(DeviceWitness::hear(&stranger).heap.is_none());
    }

    #[test]
    fn codes_are_said_as_their_libraries_write_them_and_leaks_after_many_connections() {
        let with = |code| {
            let Report::Failed(failure) = failed("X") else { unreachable!() };
            let failure = Failure {
                code,
                class: FailureClass::Tls,
                verify_flag_names: Vec::new(),
                failed_allocation_bytes: None,
                ..failure
            };
            evidence(vec![hello(), Report::Failed(failure), done(false)], 0, 9)
        };
        for (code, words) in [(56, "X (56)"), (0, "X"), (-5, "X (-0x5)")] {
            let evidence = with(code);
            let witness = DeviceWitness::hear(&evidence);
            assert_eq!(witness.words(), words);
            assert_eq!(witness.unsupported(), None);
        }
        let text = |device: &str| {
            let text = format!(
                "title = 'x'\n[specification]\ndemands = 'either'\nrule = 'RFC 5280 §6'\nquote = 'x'\n[device]\n{device}\n"
            );
            Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
        };
        let evidence = with(0);
        let witness = DeviceWitness::hear(&evidence);
        assert_eq!(witness.leaked_bytes(&text("repeats = 9")), None);
        assert_eq!(witness.leaked_bytes(&text("repeats = 10")), Some(7));
        assert_eq!(witness.leaked_bytes(&text("reconnects = 5\nrepeats = 5")), Some(7));
    }
}
