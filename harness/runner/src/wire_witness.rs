//! What the wire tells: our own capture, read back, with the fault marked.

use capture::transcript::{Close, Conversation, Line, Said, Transcript, Who};
use outcome::Demand;
use scenario::{FaultMark, Scenario};

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
    /// Who sent a fatal alert first.
    pub fatal_alert: Option<Side>,
    /// The return code of CONNACK.
    pub connack: Option<u8>,
    /// Whether a TCP connection was opened at all.
    pub connected: bool,
    lines: usize,
}

impl WireWitness {
    /// Reads a capture of ours.
    ///
    /// # Errors
    ///
    /// If it cannot be read: the bench's fault.
    pub fn hear(pcapng: &[u8], scenario: &Scenario) -> Result<Self, String> {
        let transcript = capture::read(pcapng, "").map_err(|error| format!("our own capture: {error}"))?;
        let last = transcript.conversations.last();
        Ok(Self {
            typeset: typeset(&transcript, scenario),
            fatal_alert: last.and_then(first_fatal_alert),
            connack: last.and_then(|conversation| conversation.facts.connect_code).map(|code| code.0),
            connected: last.is_some_and(|conversation| {
                !matches!(conversation.facts.first_to_close, Some((_, Close::Rst)) if conversation.lines.len() < 2)
            }),
            lines: transcript.lookups.len()
                + transcript.conversations.iter().map(|conversation| conversation.lines.len()).sum::<usize>(),
        })
    }

    /// Whether nobody said anything.
    pub fn is_silent(&self) -> bool {
        self.lines == 0
    }
}

fn first_fatal_alert(conversation: &Conversation) -> Option<Side> {
    conversation.lines.iter().find_map(|line| match (line.said, line.who) {
        (Said::Alert { level: 2, .. }, Who::Client) => Some(Side::Device),
        (Said::Alert { level: 2, .. }, Who::Server) => Some(Side::Broker),
        _ => None,
    })
}

fn typeset(transcript: &Transcript, scenario: &Scenario) -> String {
    // What a device has to put up with is no fault.
    let words = if scenario.specification.demands == Demand::Connect { "what is tested" } else { "the fault" };
    let is_meant = |line: &Line| scenario.fault.as_ref().is_some_and(|mark| points_at(mark, line));
    let margin = |_: usize, line: &Line| is_meant(line).then(|| words.to_owned());
    capture::render(transcript, &capture::Style { mark: &margin, folds: true, ..capture::Style::BENCH })
}

fn points_at(mark: &FaultMark, line: &Line) -> bool {
    let who = match line.who {
        Who::Client => "device",
        Who::Server => "broker",
        Who::Dns => "dns",
        Who::Sntp => "sntp",
    };
    mark.who == who && mark.said == line.said.to_string()
}
