//! What the wire tells: our own capture, read back, with the fault marked.

use std::fmt;

use capture::pcapng::ReadError;
use capture::transcript::{Close, Conversation, Line, Said, Transcript, Who};
use outcome::{AlertDescription, Demand, Stage};
use scenario::{FaultMark, Scenario};
use wire::tls::{Alert, ClientHello, HandshakeType};

use crate::blame::OnTheWire;
use crate::met::Mark;

/// The two ends of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The device under test.
    Device,
    /// The broker.
    Broker,
}

/// What the wire tells of a run; where there were several connections, of the last.
#[derive(Debug)]
pub struct WireWitness {
    /// All of it, typeset.
    pub typeset: String,
    /// Who did what on the last connection.
    pub last: OnTheWire,
    /// How far the handshake came on the last connection, as far as messages tell.
    pub handshake: Stage,
    /// Whether the device has dialled anybody, by a SYN or by its modem.
    pub dialled: bool,
    /// What the device offers on the last connection.
    pub hello: Option<ClientHello>,
    /// Where the scenario's fault is. Whoever has to refuse has to have seen it on the last connection, or on the one
    /// that the mark names; whoever has to live with it, on any.
    pub mark: Mark,
    /// Whether the broker said anything on the last connection, and in time.
    pub broker_spoke: Mark,
    lines: usize,
}

/// The bench cannot read what it has recorded: its own fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCapture(ReadError);

impl fmt::Display for OwnCapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "our own capture: {}", self.0)
    }
}

impl std::error::Error for OwnCapture {}

impl WireWitness {
    /// Reads a capture of ours.
    ///
    /// # Errors
    ///
    /// If it cannot be read: the bench's fault.
    pub fn hear(pcapng: &[u8], scenario: &Scenario) -> Result<Self, OwnCapture> {
        let transcript = capture::read(pcapng, "").map_err(OwnCapture)?;
        Ok(Self::of(&transcript, scenario))
    }

    fn of(transcript: &Transcript, scenario: &Scenario) -> Self {
        let last = transcript.conversations.last();
        let is_broker_s = |line: &Line| line.who == Who::Server && !matches!(line.said, Said::Fin | Said::Rst);
        Self {
            typeset: typeset(transcript, scenario),
            last: last.map(on_the_wire).unwrap_or_default(),
            handshake: match last {
                Some(conversation) => handshake(conversation),
                None if transcript.lookups.is_empty() => Stage::Hello,
                // It has asked for an address, and has dialled none.
                None => Stage::Resolve,
            },
            dialled: last.is_some() || !transcript.modem.is_empty(),
            hello: last.and_then(|conversation| Some(conversation.facts.offer.as_ref()?.hello.clone())),
            mark: mark_of(scenario, transcript),
            broker_spoke: last.map_or(Mark::Unseen, |conversation| place(&conversation.lines, is_broker_s)),
            lines: transcript.lookups.len()
                + transcript.modem.len()
                + transcript.conversations.iter().map(|conversation| conversation.lines.len()).sum::<usize>(),
        }
    }

    /// Whether nobody said anything.
    pub fn is_silent(&self) -> bool {
        self.lines == 0
    }
}

/// How far a handshake came: what a device awaited whose last message this was. It began with a connection, and what comes
/// behind it is CONNECT.
fn handshake(conversation: &Conversation) -> Stage {
    if conversation.facts.is_handshake_complete {
        return Stage::Login;
    }
    let is_unanswered = |line: &Line| line.said == Said::Syn && line.details != "accepted";
    if conversation.lines.first().is_some_and(is_unanswered) {
        return Stage::Connect;
    }
    let has_said = |who: Who, kinds: &[HandshakeType]| {
        let is_one =
            |line: &Line| matches!(&line.said, Said::Handshake(kind) if line.who == who && kinds.contains(kind));
        conversation.lines.iter().any(is_one)
    };
    let alert = first_fatal_alert(conversation).filter(|(side, _)| *side == Side::Device);
    if alert.is_some_and(|(_, alert)| alert.name() == Some("protocol_version")) {
        // What follows the broker's hello was not looked at any more.
        Stage::Hello
    } else if has_said(Who::Client, &[HandshakeType::CLIENT_KEY_EXCHANGE, HandshakeType::FINISHED]) {
        Stage::Finished
    } else if has_said(Who::Server, &[HandshakeType::CERTIFICATE]) {
        Stage::Certificate
    } else {
        Stage::Hello
    }
}

/// Who did what on one connection.
fn on_the_wire(conversation: &Conversation) -> OnTheWire {
    let facts = &conversation.facts;
    let is_refused = matches!(facts.first_to_close, Some((_, Close::Rst))) && conversation.lines.len() < 2;
    let warning = |line: &Line| match line.said {
        Said::Alert { level: Alert::WARNING, description } if line.who == Who::Server => Some(description),
        _ => None,
    };
    OnTheWire {
        connected: !is_refused,
        fatal_alert: first_fatal_alert(conversation).map(|(side, _)| side),
        warnings: conversation.lines.iter().filter_map(warning).collect(),
        connack: facts.connect_code.map(|code| code.0),
        first_to_close: facts.first_to_close.map(|(side, _)| match side {
            capture::Side::Client => Side::Device,
            capture::Side::Server => Side::Broker,
        }),
        network_refused: false,
    }
}

/// Where the fault is that a scenario marks.
fn mark_of(scenario: &Scenario, transcript: &Transcript) -> Mark {
    let conversations = &transcript.conversations;
    let among = |index: usize| {
        let is_marked = |line: &Line| mark(scenario, Some(index + 1), line).is_some();
        conversations.get(index).map_or(Mark::Unseen, |conversation| place(&conversation.lines, is_marked))
    };
    // What stands beside connections: a question to a resolver, a word of the modem.
    let beside = |line: &Line| mark(scenario, None, line).is_some();
    if transcript.lookups.iter().chain(&transcript.modem).any(beside) {
        return Mark::Seen;
    }
    let named = scenario.fault.as_ref().and_then(|fault| fault.connection);
    match (scenario.specification.demands, named) {
        (Demand::Refuse, None) => conversations.len().checked_sub(1).map_or(Mark::Unseen, among),
        (_, Some(number)) => (number as usize).checked_sub(1).map_or(Mark::Unseen, among),
        // Whoever has to live with a fault may leave before it is through.
        (_, None) if (0..conversations.len()).any(|index| among(index) != Mark::Unseen) => Mark::Seen,
        (_, None) => Mark::Unseen,
    }
}

/// Where a line stands that is looked for: before or after the device ends the connection by itself.
fn place(lines: &[Line], is_meant: impl Fn(&Line) -> bool) -> Mark {
    let leaves = |line: &Line| {
        line.who == Who::Client && matches!(line.said, Said::Fin | Said::Rst | Said::Alert { level: Alert::FATAL, .. })
    };
    let left = lines.iter().position(leaves).unwrap_or(lines.len());
    match lines.iter().position(is_meant) {
        None => Mark::Unseen,
        Some(index) if index > left => Mark::TooLate,
        Some(_) => Mark::Seen,
    }
}

/// The first fatal alert of a connection, and who sent it.
///
/// What is said to somebody who has left is no refusal: OpenSSL answers a FIN in the middle of a handshake with
/// decode_error, and BearSSL leaves with a FIN alone.
pub fn first_fatal_alert(conversation: &Conversation) -> Option<(Side, AlertDescription)> {
    let mut left = None;
    conversation.lines.iter().find_map(|line| {
        let side = match line.who {
            Who::Client => Side::Device,
            Who::Server => Side::Broker,
            Who::Dns | Who::Sntp | Who::Modem => return None,
        };
        match line.said {
            Said::Alert { level: 2, description } if left.is_none_or(|gone| gone == side) => Some((side, description)),
            Said::Fin | Said::Rst => {
                left.get_or_insert(side);
                None
            }
            _ => None,
        }
    })
}

/// What stands in the margin of a line, which was said on that connection, counted from 1: where the scenario's fault is.
pub fn mark(scenario: &Scenario, connection: Option<usize>, line: &Line) -> Option<&'static str> {
    let is_meant = |fault: &FaultMark| {
        fault.connection.is_none_or(|number| connection == Some(number as usize)) && points_at(fault, line)
    };
    scenario.fault.as_ref().is_some_and(is_meant).then(|| margin(scenario))
}

/// The words that stand in the margin at a scenario's fault: what a device has to put up with is none.
pub fn margin(scenario: &Scenario) -> &'static str {
    if scenario.specification.demands == Demand::Connect { "what is tested" } else { "the fault" }
}

fn typeset(transcript: &Transcript, scenario: &Scenario) -> String {
    let margin = |index: usize, line: &Line| mark(scenario, Some(index + 1), line).map(str::to_owned);
    capture::render(transcript, &capture::Style { mark: &margin, folds: true, ..capture::Style::BENCH })
}

fn points_at(mark: &FaultMark, line: &Line) -> bool {
    let who = match line.who {
        Who::Client => "device",
        Who::Server => "broker",
        Who::Dns => "dns",
        Who::Sntp => "sntp",
        Who::Modem => "modem",
    };
    let said = line.said.to_string();
    mark.who == who && mark.said.contains(&said)
}

#[cfg(test)]
mod tests;
