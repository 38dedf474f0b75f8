//! What the wire tells: our own capture, read back, with the fault marked.

use capture::transcript::{Close, Conversation, Line, Said, Transcript, Who};
use outcome::{AlertDescription, Demand};
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
            fatal_alert: last.and_then(first_fatal_alert).map(|(side, _)| side),
            connack: last.and_then(|conversation| conversation.facts.connect_code).map(|code| code.0),
            connected: last.is_some_and(|conversation| {
                !matches!(conversation.facts.first_to_close, Some((_, Close::Rst)) if conversation.lines.len() < 2)
            }),
            lines: transcript.lookups.len()
                + transcript.modem.len()
                + transcript.conversations.iter().map(|conversation| conversation.lines.len()).sum::<usize>(),
        })
    }

    /// Whether nobody said anything.
    pub fn is_silent(&self) -> bool {
        self.lines == 0
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
    // What a device has to put up with is no fault.
    let words = if scenario.specification.demands == Demand::Connect { "what is tested" } else { "the fault" };
    let is_meant = |fault: &FaultMark| {
        fault.connection.is_none_or(|number| connection == Some(number as usize)) && points_at(fault, line)
    };
    scenario.fault.as_ref().is_some_and(is_meant).then_some(words)
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
    mark.who == who && mark.said == line.said.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lan::recorder::{self, Recorder};
    use clock::UnixTime;

    const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

    /// The first fatal alert, if first one side leaves and then the other sends an alert, or the other way round.
    fn heard(alert_from: recorder::Side, left: recorder::Side, alert_first: bool) -> Option<Side> {
        let mut recorder = Recorder::new(UnixTime::from_seconds(0), String::new());
        let id = recorder.opened("127.0.0.1:40000".parse().unwrap(), "127.0.0.1:8883".parse().unwrap());
        if alert_first {
            recorder.said(id, alert_from, &HANDSHAKE_FAILURE);
        }
        recorder.ended(id, left);
        if !alert_first {
            recorder.said(id, alert_from, &HANDSHAKE_FAILURE);
        }
        let transcript = capture::read(&recorder.to_pcapng(), "").unwrap();
        first_fatal_alert(&transcript.conversations[0]).map(|(side, _)| side)
    }

    #[test]
    fn what_is_said_to_somebody_who_has_left_is_no_refusal() {
        assert_eq!(heard(recorder::Side::Broker, recorder::Side::Client, false), None);
        assert_eq!(heard(recorder::Side::Broker, recorder::Side::Client, true), Some(Side::Broker));
        assert_eq!(heard(recorder::Side::Client, recorder::Side::Broker, true), Some(Side::Device));
        assert_eq!(heard(recorder::Side::Client, recorder::Side::Broker, false), None);
    }
}
