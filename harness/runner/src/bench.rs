//! One scenario on one board: the loop in which chip and world take turns.
//!
//! The same body serves virtual and wall time: the board says how late it is, the world is asked what it wants to do
//! by then, and both are told of each other's bytes.

mod heard;
mod minted;
mod observer;
mod ports;

use std::fmt;
use std::sync::Arc;

use board::lateness::{self, Late};
use board::{Board, Fault, Gravity, Incident, PortId, Target};
use capture::Tap;
use clock::{Duration, Instant};
use control::{EarlyOrder, Order, PROTOCOL, Report};
use judge::{ConsoleText, Enacted, Evidence, Timeouts};
use network::Heard;
use pki::Minted;
use scenario::Scenario;

use crate::dialect::log::LogReader;
use crate::stack::Stack;
use crate::wifi::options;
use crate::world::{BrokerService, Counterpart};
use observer::Observer;
use ports::{Ports, Wiring};

/// After the device is done, its last packets still have to arrive.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);
/// In wall time the draining is over when neither side has said anything for so long, and nothing is due.
const QUIET_TIMEOUT: Duration = Duration::from_millis(40);
/// A device that has not said hello by then never will: an ESP32-C3 boots in well under a second.
const HELLO_BY: Instant = Instant::from_millis(10_000);
/// A firmware that still says hello so long after its order was said has not got it: it says hello every second.
const ORDER_LOST: Duration = Duration::from_millis(1_500);
/// What the network has done that is kept of one run: a firmware that dials without end must not fill the memory.
const LAN_EVENTS_MAX: usize = 65_536;
/// Diagnostics and noise that are kept of one run, in bytes: a firmware that babbles must not fill the memory.
const LOG_BYTES_MAX: usize = 256 * 1024;

/// How often a run in wall time is tried whose machine is late.
const ATTEMPTS: usize = 3;
/// However impatient a device is: no machine is in time to the millisecond.
const LATE_MAX_LEAST: Duration = Duration::from_millis(100);

/// The bench could not do its part.
#[derive(Debug)]
pub enum BenchFault {
    /// This machine lost so much time of the run that it may have decided what the device did: it can be run again.
    Late(Late),
    /// Anything else, in a sentence.
    Other(String),
}

impl fmt::Display for BenchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(late) => late.fmt(f),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for BenchFault {}

impl From<BenchFault> for blame::Error {
    fn from(fault: BenchFault) -> Self {
        Self::bench(fault)
    }
}

impl From<Fault> for BenchFault {
    fn from(fault: Fault) -> Self {
        Self::Other(fault.to_string())
    }
}

/// Runs `scenario` with the image of `stack` on `board`; all randomness of the world comes from `seed`.
///
/// # Errors
///
/// If the bench cannot do its part: certificates that cannot be minted, a board that cannot be reached, a firmware
/// that does not speak our language. What the device does wrong is not an error but evidence.
pub fn run(scenario: &Scenario, stack: &Stack, board: &mut dyn Board, seed: u64) -> Result<Evidence, BenchFault> {
    let minted = mint(scenario, seed)?;
    let broker = broker::Broker::new(&scenario.broker, &minted, seed, scenario.date())
        .map_err(|error| BenchFault::Other(error.to_string()))?;
    run_with(scenario, &minted, Box::new(BrokerService::new(broker)), stack, board, seed)
}

/// The certificates of `scenario`.
///
/// # Errors
///
/// If they cannot be minted.
pub fn mint(scenario: &Scenario, seed: u64) -> Result<Arc<Minted>, BenchFault> {
    minted::mint(&scenario.pki, seed, scenario.date()).map_err(|error| BenchFault::Other(error.to_string()))
}

/// As [`run`], with the certificates `minted` and with `counterpart` in the broker's place.
///
/// # Errors
///
/// As [`run`].
pub fn run_with(
    scenario: &Scenario,
    minted: &Minted,
    counterpart: Box<dyn Counterpart>,
    stack: &Stack,
    board: &mut dyn Board,
    seed: u64,
) -> Result<Evidence, BenchFault> {
    let mut session = Session::new(scenario, stack, &board.target(), minted, counterpart, seed)?;
    // Virtual time costs nothing, and what was reviewed has the whole of it.
    session.quiet_timeout = (!board.target().emulated).then_some(QUIET_TIMEOUT);
    board.flash(stack.image())?;
    board.may_be_late(late_max(&session.timeouts));
    board.reset()?;
    let limit = Instant::from_millis((u64::from(scenario.limit_s) + u64::from(stack.boot_s())) * 1_000);
    let mut now = Instant::ZERO;
    loop {
        let deadline = session.wants_to_act_at(now).map_or(limit, |at| at.min(limit));
        let deadline = session.ports.lan.service().pace(now, deadline);
        let heard = board.listen(deadline)?;
        now = heard.at;
        if !heard.ports.is_empty() || !heard.air.is_empty() {
            session.last_word_at = now;
        }
        session.incidents(heard.incidents);
        session.receive(now, heard.ports)?;
        session.ports.receive_air(now, heard.air);
        session.ports.exchange(now, &mut session.tap);
        session.observe(now);
        while let Some(frame) = session.ports.take_air() {
            board.send_air(frame)?;
        }
        if std::mem::take(&mut session.is_at_milestone) {
            board.milestone();
        }
        for (port, bytes) in session.ports.take_output(now, &mut session.tap) {
            session.last_word_at = now;
            board.send(port, &bytes)?;
        }
        if let Some(late) = session.ports.lan.service().late() {
            return Err(BenchFault::Late(late));
        }
        if now >= limit || session.over(now) {
            return Ok(session.into_evidence(now));
        }
    }
}

/// Runs `once`, which is about wall time, and runs it again if this machine was late.
///
/// # Errors
///
/// Those of `once`; and that this machine was late each time.
pub fn in_time<T>(mut once: impl FnMut() -> blame::Result<Result<T, Late>>) -> blame::Result<T> {
    for _ in 1..ATTEMPTS {
        if let Ok(held) = once()? {
            return Ok(held);
        }
    }
    once()?.map_err(blame::Error::bench)
}

/// What came of a run, with a machine that was late apart from all other errors.
///
/// # Errors
///
/// All others.
pub fn late_apart<T>(result: Result<T, BenchFault>) -> blame::Result<Result<T, Late>> {
    match result {
        Ok(held) => Ok(Ok(held)),
        Err(BenchFault::Late(late)) => Ok(Err(late)),
        Err(fault) => Err(fault.into()),
    }
}

/// How late this machine may be before it may have decided what a device did: half as long as that waits.
fn late_max(timeouts: &Timeouts) -> Duration {
    let waits_ms = [timeouts.network_ms, timeouts.connect_ms, timeouts.handshake_ms, timeouts.reply_ms];
    let shortest_ms = waits_ms.into_iter().filter(|ms| *ms > 0).min().unwrap_or(u32::MAX);
    (Duration::from_millis(shortest_ms.into()) / 2).clamp(LATE_MAX_LEAST, lateness::LIMIT)
}

/// What the packets are of: scenario and seed, and the builds that they were recorded with.
fn comment(scenario: &Scenario, stack: &Stack, seed: u64) -> String {
    let firmware = &stack.firmware;
    // The passphrase of somebody's own network is nothing to be written down.
    let is_ours = stack.has_radio() && stack.unattended().is_none();
    let networks = if is_ours { scenario.wifi.access_points() } else { Vec::new() };
    let networks = if networks.is_empty() { String::new() } else { format!("\n{}", options::comment(&networks)) };
    format!(
        "scenario {} seed {seed:x}\nstack {}\nimage {} {} sha256 {}\nbroker {} with {}{networks}",
        scenario.name,
        stack.name,
        firmware.name,
        firmware.version,
        firmware.sha256,
        env!("CARGO_PKG_VERSION"),
        broker::openssl_version()
    )
}

/// The world's side of one run.
struct Session {
    order: Vec<u8>,
    /// What is said before it.
    early_order: Option<Vec<u8>>,
    /// Until here, other scenarios are the same.
    is_at_milestone: bool,
    /// The time-outs in it.
    timeouts: Timeouts,
    /// When the order was said: the firmware has said hello.
    ordered_at: Option<Instant>,
    /// Of a firmware that says no hello: reads what it prints.
    log: LogReader,
    /// Of a firmware that takes no orders: tells it what to do at its console.
    driver: Option<driver::Session>,
    /// Of a firmware that nobody tells what to do: what the network and the broker see of it.
    observer: Option<Observer>,
    /// What the network has done, as far as it was looked at already.
    lan_events: Vec<network::Event>,
    /// Whether a prompt that does not end its line has been answered.
    is_prompt_answered: bool,
    ports: Ports,
    tap: Tap,
    reports: Vec<Report>,
    console: Vec<ConsoleText>,
    /// The port that firmware speaks to the bench on.
    bench_port: Option<PortId>,
    log_bytes: usize,
    incidents: Vec<Incident>,
    /// Once the device is done or dead: when to stop listening.
    ends_at: Option<Instant>,
    /// Whether the device has said that it is done.
    is_done: bool,
    /// When anybody has said anything last.
    last_word_at: Instant,
    /// When the device has reported last.
    progressed_at: Instant,
    /// After how long a silence to stop listening earlier, once the device is done.
    quiet_timeout: Option<Duration>,
}

impl Session {
    fn new(
        scenario: &Scenario,
        stack: &Stack,
        target: &Target,
        minted: &Minted,
        counterpart: Box<dyn Counterpart>,
        seed: u64,
    ) -> Result<Self, BenchFault> {
        let plan = stack.plan(scenario, minted).map_err(|error| BenchFault::Other(error.message))?;
        let timeouts = Timeouts {
            network_ms: plan.network.wifi.as_ref().map_or(0, |wifi| wifi.join_timeout_ms.max(wifi.lease_timeout_ms)),
            connect_ms: plan.connect_timeout_ms,
            handshake_ms: plan.handshake_timeout_ms,
            reply_ms: plan.reply_timeout_ms,
        };
        let unsaid = |error: serde_json::Error| BenchFault::Other(error.to_string());
        // Where nothing is wrong with the air, joining is the same for all scenarios.
        let joins_early = stack.has_radio() && stack.driver().is_none() && !scenario.is_about_radio();
        let early_order = joins_early.then(|| EarlyOrder::Join(plan.network.clone()).to_json());
        let early_order = early_order.transpose().map_err(unsaid)?;
        let driver = stack.driver().and_then(|driver| driver.begin(&plan));
        let observer = stack.unattended().map(|_| Observer::new(&plan.broker_host, plan.broker_port));
        let order = Order::Run(plan).to_json().map_err(unsaid)?;
        let mut tap = Tap::new(scenario.date());
        tap.set_comment(comment(scenario, stack, seed));
        Ok(Self {
            order,
            early_order,
            is_at_milestone: false,
            timeouts,
            ordered_at: None,
            log: stack.log_reader(),
            driver,
            observer,
            lan_events: Vec::new(),
            is_prompt_answered: false,
            ports: Ports::new(scenario, target, Wiring::of(stack), counterpart, seed)?,
            tap,
            reports: Vec::new(),
            console: Vec::new(),
            bench_port: target.chip.bench_port(),
            log_bytes: 0,
            incidents: Vec::new(),
            ends_at: None,
            is_done: false,
            last_word_at: Instant::ZERO,
            progressed_at: Instant::ZERO,
            quiet_timeout: None,
        })
    }

    fn wants_to_act_at(&mut self, now: Instant) -> Option<Instant> {
        let hello = (self.awaits_hello() && self.ends_at.is_none()).then_some(HELLO_BY);
        let driver = self.driver.as_ref().and_then(driver::Session::poll_at).filter(|_| self.ends_at.is_none());
        let observer = self.observer.as_ref().and_then(Observer::poll_at).filter(|_| self.ends_at.is_none());
        let network = Instant::earliest(Instant::earliest(self.ports.poll_at(now), driver), observer);
        let end = self.end(now);
        Instant::earliest(Instant::earliest(network, end), hello)
    }

    /// When to stop listening.
    fn end(&mut self, now: Instant) -> Option<Instant> {
        let at = self.ends_at?;
        match self.quiet_timeout.filter(|_| self.is_done) {
            Some(quiet) if self.ports.poll_at(now).is_none_or(|due| due >= at) => {
                Some(at.min(self.last_word_at + quiet))
            }
            _ => Some(at),
        }
    }

    fn receive(&mut self, now: Instant, ports: Vec<(PortId, Vec<u8>)>) -> Result<(), BenchFault> {
        for (port, bytes) in ports {
            if let Some(driver) = self.driver.as_mut().filter(|_| port == self.ports.console()) {
                driver.hear(now, &bytes);
                continue;
            }
            for heard in self.ports.receive(now, port, &bytes) {
                self.message(now, port, heard)?;
            }
            self.answer_prompt();
        }
        self.drive(now)?;
        if self.awaits_hello() && self.ends_at.is_none() && now >= HELLO_BY {
            let why = self.no_hello();
            self.remark(now, &why);
            self.ends_at = Some(now);
        }
        Ok(())
    }

    fn message(&mut self, now: Instant, port: PortId, heard: Heard) -> Result<(), BenchFault> {
        match heard {
            // Before its hello, a board's packets are those of an earlier run, sent before the reset.
            Heard::Ip(packet) if !self.awaits_hello() => self.ports.lan.receive(now, &packet),
            Heard::Ip(_) => {}
            // Whoever was not made for this bench says nothing to it, whatever it looks like.
            Heard::Configuration(_) if self.observer.is_some() => {}
            Heard::Configuration(payload) => self.report(now, &payload)?,
            Heard::Diagnostic(text) | Heard::Noise(text) => self.text(now, port, &text),
            Heard::Damaged(error) => self.text(now, port, error.to_string().as_bytes()),
        }
        Ok(())
    }

    /// Lets the driver act, if there is one.
    fn drive(&mut self, now: Instant) -> Result<(), BenchFault> {
        let Some(driver) = self.driver.as_mut().filter(|_| self.ends_at.is_none()) else { return Ok(()) };
        let console = self.ports.console().name();
        driver.poll(now);
        let said = driver.take_said();
        let output = driver.take_output();
        self.ports.send_text(&output);
        for one in said {
            match one {
                driver::Said::Report(report) => self.driven_report(now, &report)?,
                driver::Said::Text(text) => {
                    self.keep(ConsoleText { at: now, from: console, text: heard::console(&text) });
                }
                driver::Said::Milestone => self.is_at_milestone = true,
                driver::Said::Fault(fault) if fault.is_of_bench() => return Err(BenchFault::Other(fault.to_string())),
                driver::Said::Fault(fault) => {
                    self.remark(now, &fault.to_string());
                    self.ends_at.get_or_insert(now + DRAIN_TIMEOUT);
                }
            }
        }
        Ok(())
    }

    /// What the network and the broker have seen of a firmware that reports nothing by itself.
    fn observe(&mut self, now: Instant) {
        let Some(observer) = self.observer.as_mut().filter(|_| self.ends_at.is_none()) else { return };
        let events = self.ports.lan.take_events();
        let broker = self.ports.lan.service().happenings();
        let reports = observer.look(now, &events, self.ports.air_events(), broker);
        if observer.is_still(now) {
            self.ends_at.get_or_insert(now);
        }
        let room = LAN_EVENTS_MAX.saturating_sub(self.lan_events.len());
        self.lan_events.extend(events.into_iter().take(room));
        for report in reports {
            self.told(now, report);
        }
    }

    /// A report of a firmware that was not made for this bench.
    fn told(&mut self, now: Instant, report: Report) {
        if matches!(report, Report::Done { .. }) {
            self.ends_at.get_or_insert(now + DRAIN_TIMEOUT);
        }
        self.progressed_at = now;
        self.reports.push(report);
    }

    /// What a driver makes of a device's words.
    fn driven_report(&mut self, now: Instant, report: &Report) -> Result<(), BenchFault> {
        let json = report.to_json().map_err(|error| BenchFault::Other(error.to_string()))?;
        let report = heard::report(&json).map_err(|error| BenchFault::Other(error.to_string()))?;
        if matches!(report, Report::Done { .. }) {
            self.is_done = true;
            self.ends_at.get_or_insert(now + DRAIN_TIMEOUT);
        }
        self.progressed_at = now;
        self.reports.push(report);
        Ok(())
    }

    fn report(&mut self, now: Instant, payload: &[u8]) -> Result<(), BenchFault> {
        let report = match heard::report(payload) {
            Ok(report) => report,
            Err(error) => {
                self.remark(now, &format!("a report that nobody understands: {error}"));
                return Ok(());
            }
        };
        match &report {
            Report::Hello { protocol, image, .. } if *protocol != PROTOCOL => {
                return Err(BenchFault::Other(format!(
                    "the image {image} speaks version {protocol} of the control protocol, this bench {PROTOCOL}: \
                     rebuild it with `cargo xtask firmware build`"
                )));
            }
            Report::Hello { .. } if self.ordered_at.is_none() => self.say_order(now),
            // It has joined, or could not, and wants to know what for.
            Report::Hello { .. } if self.early_order.is_some() && self.has_begun() => {
                self.early_order = None;
                self.is_at_milestone = true;
                self.say_order(now);
                return Ok(());
            }
            // So are its reports.
            _ if self.ordered_at.is_none() => return Ok(()),
            // The device said hello again after it had been configured: it has reset itself.
            Report::Hello { .. } if self.reports.iter().any(|earlier| matches!(earlier, Report::Configured { .. })) => {
                self.ends_at.get_or_insert(now);
            }
            // The order went to a firmware that was reset over it, or was lost on the line.
            Report::Hello { .. } if self.ordered_at.is_some_and(|at| now.since(at) >= ORDER_LOST) => {
                self.say_order(now);
                return Ok(());
            }
            // A hello that crossed our order on the line.
            Report::Hello { .. } => return Ok(()),
            Report::Refused { reason } => {
                return Err(BenchFault::Other(format!("the firmware does not understand its order: {reason}")));
            }
            Report::Done { .. } => {
                self.is_done = true;
                self.ends_at = Some(now + DRAIN_TIMEOUT);
            }
            _ => {}
        }
        self.progressed_at = now;
        self.reports.push(report);
        Ok(())
    }

    /// Whether nothing counts before a hello: a firmware that speaks by its log says none.
    fn awaits_hello(&self) -> bool {
        self.ordered_at.is_none() && self.log.is_empty() && self.driver.is_none() && self.observer.is_none()
    }

    /// What a stranger's firmware prints, as ours would have reported it.
    fn read_log(&mut self, now: Instant, text: &str) {
        let at_ms = now.as_millis_u32();
        for line in text.lines() {
            // The end of a line whose beginning was answered: an echo, most often.
            match self.log.answer(line) {
                Some(_) if std::mem::take(&mut self.is_prompt_answered) => {}
                Some(text) => self.ports.send_text(text.as_bytes()),
                None => {}
            }
            if let Some(observer) = &mut self.observer {
                observer.line(now, line);
            }
            for report in self.log.read(line, at_ms) {
                self.told(now, report);
            }
        }
    }

    /// Types what the dialect says, once, if the line that the device has begun is a prompt.
    fn answer_prompt(&mut self) {
        if self.log.is_empty() || self.is_prompt_answered || self.ends_at.is_some() {
            return;
        }
        let begun = String::from_utf8_lossy(self.ports.unended_text());
        if let Some(text) = self.log.answer(&begun) {
            self.ports.send_text(text.as_bytes());
            self.is_prompt_answered = true;
        }
    }

    /// Whether the device has begun with what it was told first.
    fn has_begun(&self) -> bool {
        self.reports.iter().any(|report| matches!(report, Report::Stage { .. }))
    }

    fn say_order(&mut self, now: Instant) {
        self.ordered_at = Some(now);
        self.ports.send_order(self.early_order.as_ref().unwrap_or(&self.order));
    }

    /// What the device says to people, on whichever port.
    fn text(&mut self, now: Instant, port: PortId, text: &[u8]) {
        let text = heard::console(String::from_utf8_lossy(text).trim_end());
        if self.log_bytes < LOG_BYTES_MAX && self.ordered_at.is_none() && self.ends_at.is_none() {
            self.read_log(now, &text);
        }
        let from = if self.bench_port == Some(port) { ConsoleText::CONSOLE } else { port.name() };
        self.keep(ConsoleText { at: now, from, text });
    }

    /// What the bench has to say, between what the device said.
    fn remark(&mut self, now: Instant, text: &str) {
        self.keep(ConsoleText { at: now, from: ConsoleText::CONSOLE, text: format!("(the bench) {text}") });
    }

    fn keep(&mut self, said: ConsoleText) {
        self.log_bytes += said.text.len();
        if self.log_bytes <= LOG_BYTES_MAX {
            self.console.push(said);
        }
    }

    /// What is to be done about a firmware that says no hello.
    fn no_hello(&self) -> String {
        let mut heard: Vec<&str> =
            self.console.iter().filter(|said| !said.text.is_empty()).map(|said| said.from).collect();
        heard.sort_unstable();
        heard.dedup();
        let spoke = if heard.is_empty() { "nothing".to_owned() } else { format!("text on {}", heard.join(" and ")) };
        format!(
            "no hello from the firmware, but {spoke}: if it was not made for this bench, `--dialect FILE.toml` says what \
             its log lines mean (`[[log]]`, firmware-under-test/README.md), and `cargo xtask product init IMAGE` writes a first one"
        )
    }

    fn incidents(&mut self, incidents: Vec<Incident>) {
        for incident in incidents {
            if incident.gravity == Gravity::Crash {
                // What it says of the crash still has to come up the line.
                self.ends_at.get_or_insert(incident.at + DRAIN_TIMEOUT);
            }
            self.incidents.push(incident);
        }
    }

    fn over(&mut self, now: Instant) -> bool {
        self.end(now).is_some_and(|at| now >= at)
    }

    /// What of the scenario's acts has taken place.
    fn enacted(&mut self) -> Enacted {
        let mut enacted = Enacted {
            broker_misbehaved: self.ports.lan.service().has_misbehaved(),
            serial_faults: self.ports.serial_faults_reached(),
            ..Enacted::default()
        };
        let events = std::mem::take(&mut self.lan_events).into_iter().chain(self.ports.lan.take_events());
        for event in events {
            match event.what {
                network::Happening::Cut { .. } => enacted.line_was_cut = true,
                network::Happening::Enacted { fault } if !enacted.faults.contains(&fault) => enacted.faults.push(fault),
                _ => {}
            }
        }
        enacted
    }

    fn into_evidence(mut self, now: Instant) -> Evidence {
        // What began like a packet and never ended may have been text: `load` does.
        if !self.log.is_empty() {
            for (port, text) in self.ports.unfinished() {
                self.text(now, port, &text);
            }
        }
        let enacted = self.enacted();
        let air = self.ports.take_air_account();
        let service = self.ports.lan.service();
        for line in service.key_log().lines() {
            self.tap.key_log_line(line);
        }
        Evidence {
            pcapng: self.tap.to_pcapng(),
            reports: self.reports,
            console: self.console,
            incidents: self.incidents,
            broker_findings: service.findings(),
            air,
            enacted,
            timeouts: (self.ordered_at.is_some() || self.driver.is_some()).then_some(self.timeouts),
            progressed_at: self.progressed_at,
            ended_at: now,
        }
    }
}

#[cfg(test)]
mod tests;
