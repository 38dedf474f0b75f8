//! Reports of a firmware that makes none, from what the network and the broker see of it.
//!
//! Nobody tells it what to do, and it tells nobody how it fared. But it asks for names, dials, and is logged in or not: that
//! is what firmware of this bench would have reported. What it prints of an error becomes the error's name.

use broker::Happening as AtBroker;
use clock::{Duration, Instant};
use control::{Failure, Report};
use judge::OnTheAir;
use network::Happening as InLan;
use outcome::{FailureClass, Stage};

/// What it prints about a failure comes behind the end of a connection, and its own rules for that come first.
const WORDS_WITHIN: Duration = Duration::from_secs(3);
/// Some print an error and keep the connection open for ever.
const COMPLAINS_UNTIL: Duration = Duration::from_secs(10);
/// Whoever was refused by a network tries again, and may be let in.
const JOINS_WITHIN: Duration = Duration::from_secs(20);
/// A device that has come no further for so long never will. Longer than the time-outs of the platforms that we know, and
/// than what a judge takes for waiting.
const STILL_TIMEOUT: Duration = Duration::from_secs(61);
/// Who was logged in for so long without a word has nothing to say.
const IDLE_AFTER_LOGIN: Duration = Duration::from_secs(20);
/// Acknowledgements and what follows a first message are waited for.
const AFTER_MESSAGE: Duration = Duration::from_secs(2);
/// So much of a line is a failure's name.
const NAME_CHARS_MAX: usize = 160;

/// What ends an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    Failed(FailureClass),
}

/// Watches one run.
#[derive(Debug)]
pub(super) struct Observer {
    /// The name, or the address, and the port of the broker that it dials.
    host: String,
    port: u16,
    /// How many of the broker's events were looked at.
    seen: usize,
    /// How many of those on the air.
    seen_on_air: usize,
    /// When it has come further last.
    progressed_at: Instant,
    stage: Option<Stage>,
    is_connected: bool,
    is_logged_in: bool,
    has_exchanged: bool,
    /// What it comes to, unless something else happens before.
    ending: Option<(Instant, Ending)>,
    /// What it has printed that reads like an error, since it dialled.
    complaint: Option<String>,
    is_over: bool,
}

impl Observer {
    /// Of a firmware that dials this host and port.
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            seen: 0,
            seen_on_air: 0,
            progressed_at: Instant::ZERO,
            stage: None,
            is_connected: false,
            is_logged_in: false,
            has_exchanged: false,
            ending: None,
            complaint: None,
            is_over: false,
        }
    }

    /// When to come back, if nothing happens before.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        let still = self.progressed_at + STILL_TIMEOUT;
        (!self.is_over).then(|| self.ending.map_or(still, |(at, _)| at))
    }

    /// Whether it has come no further for so long that it never will.
    pub(super) fn is_still(&self, now: Instant) -> bool {
        !self.is_over && self.ending.is_none() && now >= self.progressed_at + STILL_TIMEOUT
    }

    /// A line that it has printed.
    pub(super) fn line(&mut self, now: Instant, line: &str) {
        if !reads_like_an_error(line) {
            return;
        }
        if self.complaint.as_deref().is_none_or(|earlier| !has_code(earlier)) {
            self.complaint = Some(line.trim().chars().take(NAME_CHARS_MAX).collect());
        }
        let is_failing = matches!(self.ending, Some((_, Ending::Failed(_))));
        if self.is_connected && !self.has_exchanged && !is_failing {
            self.ending = Some((now + COMPLAINS_UNTIL, Ending::Failed(FailureClass::Other)));
        }
    }

    /// What has happened in the network since, and all that was on the air and that the broker has seen; reports of it.
    pub(super) fn look(
        &mut self,
        now: Instant,
        lan: &[network::Event],
        air: &[OnTheAir],
        broker: &[broker::Event],
    ) -> Vec<Report> {
        let mut reports = Vec::new();
        if self.is_over {
            return reports;
        }
        for event in air.get(self.seen_on_air..).unwrap_or_default() {
            self.on_air(now, event, &mut reports);
        }
        self.seen_on_air = air.len();
        for event in lan {
            self.in_lan(now, &event.what, &mut reports);
        }
        for event in broker.get(self.seen..).unwrap_or_default() {
            self.at_broker(now, &event.happening, &mut reports);
        }
        self.seen = broker.len();
        if let Some((_, ending)) = self.ending.filter(|(at, _)| now >= *at) {
            self.end(now, ending, &mut reports);
        }
        reports
    }

    fn on_air(&mut self, now: Instant, event: &OnTheAir, reports: &mut Vec<Report>) {
        match event.what {
            "leased" => self.ending = None,
            "joined" => {
                self.ending = None;
                self.enter(now, Stage::Lease, reports);
            }
            _ => self.enter(now, Stage::Join, reports),
        }
        if event.is_refusal && !self.is_connected && self.ending.is_none() {
            self.ending = Some((now + JOINS_WITHIN, Ending::Failed(FailureClass::NoNetwork)));
        }
    }

    fn in_lan(&mut self, now: Instant, what: &InLan, reports: &mut Vec<Report>) {
        match what {
            InLan::AskedTime { .. } => self.enter(now, Stage::Clock, reports),
            InLan::Asked { name, answer, .. } if !self.is_connected && self.is_host(name) => {
                self.enter(now, Stage::Resolve, reports);
                if !matches!(answer, network::Resolution::Addresses(_)) {
                    self.fails(now, FailureClass::NoAddress);
                }
            }
            InLan::Opening { local, .. } if local.port() == self.port => {
                // It has given up on the connection before, and dials once more.
                if let Some((_, Ending::Failed(class))) = self.ending {
                    return self.end(now, Ending::Failed(class), reports);
                }
                self.is_connected = true;
                self.enter(now, Stage::Connect, reports);
            }
            InLan::Refused { local } if local.port() == self.port && !self.is_connected => {
                self.enter(now, Stage::Connect, reports);
                self.fails(now, FailureClass::PeerRefused);
            }
            InLan::Cut { .. } => self.closed(now, FailureClass::PeerReset),
            _ => {}
        }
    }

    fn at_broker(&mut self, now: Instant, what: &AtBroker, reports: &mut Vec<Report>) {
        match what {
            AtBroker::ClientHello { .. } => self.enter(now, Stage::Hello, reports),
            AtBroker::Secured(_) => self.enter(now, Stage::Login, reports),
            AtBroker::LoggedIn { .. } => {
                self.is_logged_in = true;
                reports.push(Report::Connack { code: 0, session_present: false, at_ms: now.as_millis_u32() });
                self.enter(now, Stage::Exchange, reports);
                self.ending = Some((now + IDLE_AFTER_LOGIN, Ending::Done));
            }
            AtBroker::LoginRefused { .. } => self.fails(now, FailureClass::Refused),
            AtBroker::Received(packet) if self.is_logged_in && !self.has_exchanged && !is_of_login(packet) => {
                self.has_exchanged = true;
                self.ending = Some((now + AFTER_MESSAGE, Ending::Done));
            }
            AtBroker::TlsFailed { .. } | AtBroker::CloseNotify | AtBroker::DeviceClosed { .. } => {
                self.closed(now, FailureClass::Other);
            }
            _ => {}
        }
    }

    fn is_host(&self, name: &str) -> bool {
        name.trim_end_matches('.').eq_ignore_ascii_case(&self.host)
    }

    /// A connection has ended.
    fn closed(&mut self, now: Instant, class: FailureClass) {
        // Whoever has said what it had to say may leave.
        if !self.has_exchanged {
            self.fails(now, class);
        }
    }

    fn fails(&mut self, now: Instant, class: FailureClass) {
        if !matches!(self.ending, Some((_, Ending::Failed(_)))) {
            self.ending = Some((now + WORDS_WITHIN, Ending::Failed(class)));
        }
    }

    fn enter(&mut self, now: Instant, stage: Stage, reports: &mut Vec<Report>) {
        if self.stage.is_some_and(|earlier| earlier >= stage) {
            return;
        }
        self.stage = Some(stage);
        self.progressed_at = now;
        reports.push(Report::Stage { stage, at_ms: now.as_millis_u32() });
    }

    fn end(&mut self, now: Instant, ending: Ending, reports: &mut Vec<Report>) {
        self.is_over = true;
        let at_ms = now.as_millis_u32();
        if let Ending::Failed(class) = ending {
            reports.push(Report::Failed(Failure {
                stage: self.stage.unwrap_or(Stage::Boot),
                class,
                alert_received: None,
                code: 0,
                name: self.complaint.take().unwrap_or_else(|| "(it says nothing of it)".to_owned()),
                verify_flags: 0,
                verify_flag_names: Vec::new(),
                failed_allocation_bytes: None,
                at_ms,
            }));
        }
        let complete = ending == Ending::Done;
        reports.push(Report::Done { complete, heap_peak_bytes: 0, heap_failures: 0, heap_held_bytes: 0, at_ms });
    }
}

/// Packets that say nothing beyond that it is there.
fn is_of_login(packet: &str) -> bool {
    ["CONNECT", "PINGREQ", "DISCONNECT"].iter().any(|name| packet.starts_with(name))
}

/// ESP-IDF's `E (1234) esp-tls: …`, Arduino's `[E][ssl_client.cpp:37]`, MicroPython's `OSError: …`, and what others write.
fn reads_like_an_error(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("E (") || line.contains("[E]") || has_code(line) || {
        let line = line.to_ascii_lowercase();
        ["error", "fail", "refused", "not trusted", "timed out", "timeout"].iter().any(|word| line.contains(word))
    }
}

/// Whether it has an error's number as Mbed TLS prints it: `-0x2700`.
fn has_code(line: &str) -> bool {
    line.match_indices("-0x")
        .any(|(at, mark)| line[at + mark.len()..].bytes().take_while(u8::is_ascii_hexdigit).count() >= 2)
}

#[cfg(test)]
mod tests;
