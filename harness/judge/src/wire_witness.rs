//! What the wire tells: our own capture, read back, with the fault marked.

use capture::transcript::{Close, Conversation, Line, Said, Transcript, Who};
use outcome::{AlertDescription, Demand};
use scenario::{FaultMark, Scenario};
use wire::tls::{Alert, ClientHello};

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

impl WireWitness {
    /// Reads a capture of ours.
    ///
    /// # Errors
    ///
    /// If it cannot be read: the bench's fault.
    pub fn hear(pcapng: &[u8], scenario: &Scenario) -> Result<Self, String> {
        let transcript = capture::read(pcapng, "").map_err(|error| format!("our own capture: {error}"))?;
        Ok(Self::of(&transcript, scenario))
    }

    fn of(transcript: &Transcript, scenario: &Scenario) -> Self {
        let last = transcript.conversations.last();
        let is_broker_s = |line: &Line| line.who == Who::Server && !matches!(line.said, Said::Fin | Said::Rst);
        Self {
            typeset: typeset(transcript, scenario),
            last: last.map(on_the_wire).unwrap_or_default(),
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
    let said = line.said.to_string();
    mark.who == who && mark.said.contains(&said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::transcript::Facts;
    use clock::Instant;
    use wire::tls::HandshakeType;

    const HELLO: Said = Said::Handshake(HandshakeType::CLIENT_HELLO);
    const CERTIFICATE: Said = Said::Handshake(HandshakeType::CERTIFICATE);
    const WARNING: Said = Said::Alert { level: Alert::WARNING, description: AlertDescription(100) };
    const FATAL: Said = Said::Alert { level: Alert::FATAL, description: AlertDescription(40) };

    fn line(who: Who, said: Said) -> Line {
        Line { at: Instant::ZERO, who, said, details: String::new() }
    }

    fn conversation(lines: &[(Who, Said)]) -> Conversation {
        let end = "192.0.2.10:8883".parse().unwrap();
        Conversation {
            began: Instant::ZERO,
            client: end,
            server: end,
            lines: lines.iter().map(|(who, said)| line(*who, *said)).collect(),
            facts: Facts::default(),
            repeated: [0; 2],
            remarks: Vec::new(),
        }
    }

    fn transcript(conversations: &[&[(Who, Said)]], lookups: Vec<Line>, modem: Vec<Line>) -> Transcript {
        Transcript {
            origin: capture::pcapng::Origin::FirstPacket,
            comment: None,
            cut_bytes: None,
            lookups,
            conversations: conversations.iter().map(|lines| conversation(lines)).collect(),
            modem,
            remarks: Vec::new(),
        }
    }

    fn scenario(demands: &str, mark: &str) -> Scenario {
        let text = format!(
            "title = 'x'\n[specification]\ndemands = '{demands}'\nrule = 'RFC 5280 §6'\nquote = 'x'\n[fault]\n{mark}\n"
        );
        Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
    }

    #[test]
    fn the_fault_counts_where_the_device_still_is() {
        let (device, broker) = (Who::Client, Who::Server);
        let before: &[_] = &[(device, HELLO), (broker, CERTIFICATE), (device, Said::Fin)];
        let behind_fin: &[_] = &[(device, HELLO), (device, Said::Fin), (broker, CERTIFICATE)];
        let behind_rst: &[_] = &[(device, HELLO), (device, Said::Rst), (broker, CERTIFICATE)];
        let behind_alert: &[_] = &[(device, HELLO), (device, FATAL), (broker, CERTIFICATE)];
        // A warning leaves nobody, and neither does the broker's own end.
        let behind_warning: &[_] = &[(device, WARNING), (broker, FATAL), (broker, Said::Fin), (broker, CERTIFICATE)];
        let without: &[_] = &[(device, HELLO), (device, CERTIFICATE), (device, Said::Fin)];
        let mark = "who = 'broker'\nsaid = 'Certificate'";
        let second = "who = 'broker'\nsaid = 'Certificate'\nconnection = 2";
        for (demands, mark, connections, expected) in [
            ("refuse", mark, vec![before], Mark::Seen),
            ("refuse", mark, vec![behind_fin], Mark::TooLate),
            ("refuse", mark, vec![behind_rst], Mark::TooLate),
            ("refuse", mark, vec![behind_alert], Mark::TooLate),
            ("refuse", mark, vec![behind_warning], Mark::Seen),
            ("refuse", mark, vec![without], Mark::Unseen),
            ("refuse", mark, vec![], Mark::Unseen),
            // What an earlier connection showed is not what the last one ended for, unless the mark says which.
            ("refuse", mark, vec![before, without], Mark::Unseen),
            ("refuse", second, vec![without, before, without], Mark::Seen),
            ("refuse", second, vec![before], Mark::Unseen),
            ("fail", mark, vec![before, without], Mark::Seen),
            ("fail", mark, vec![behind_fin], Mark::Seen),
            ("fail", mark, vec![without, without], Mark::Unseen),
            ("connect", mark, vec![without, before], Mark::Seen),
        ] {
            let transcript = transcript(&connections, Vec::new(), Vec::new());
            assert_eq!(mark_of(&scenario(demands, mark), &transcript), expected, "{demands} {mark} {connections:?}");
        }
        let answer = || vec![line(Who::Dns, Said::Answer)];
        let dns = scenario("fail", "who = 'dns'\nsaid = 'answer'");
        assert_eq!(mark_of(&dns, &transcript(&[], answer(), Vec::new())), Mark::Seen);
        assert_eq!(mark_of(&dns, &transcript(&[], Vec::new(), answer())), Mark::Seen);
        assert_eq!(mark_of(&scenario("fail", mark), &transcript(&[], answer(), Vec::new())), Mark::Unseen);
    }

    #[test]
    fn the_broker_has_spoken_if_it_said_more_than_good_bye_before_the_device_left() {
        let (device, broker) = (Who::Client, Who::Server);
        let scenario = scenario("refuse", "who = 'broker'\nsaid = 'Certificate'");
        for (lines, expected) in [
            (&[][..], Mark::Unseen),
            (&[(device, HELLO)], Mark::Unseen),
            (&[(device, HELLO), (broker, Said::Fin)], Mark::Unseen),
            (&[(device, HELLO), (broker, Said::Rst)], Mark::Unseen),
            (&[(broker, CERTIFICATE)], Mark::Seen),
            (&[(device, HELLO), (broker, FATAL)], Mark::Seen),
            (&[(device, Said::Fin), (broker, CERTIFICATE)], Mark::TooLate),
        ] {
            let of = |connections: &[&[(Who, Said)]]| {
                WireWitness::of(&transcript(connections, Vec::new(), Vec::new()), &scenario)
            };
            assert_eq!(of(&[lines]).broker_spoke, expected, "{lines:?}");
            // It is the last connection that counts.
            assert_eq!(of(&[&[(broker, CERTIFICATE)], lines]).broker_spoke, expected, "{lines:?}");
        }
    }

    #[test]
    fn silence_is_the_absence_of_every_line() {
        let scenario = scenario("refuse", "who = 'broker'\nsaid = 'Certificate'");
        let line = || vec![line(Who::Dns, Said::Answer)];
        let none: &[(Who, Said)] = &[];
        let one: &[(Who, Said)] = &[(Who::Client, HELLO)];
        for (transcript, is_silent, dialled) in [
            (transcript(&[], vec![], vec![]), true, false),
            (transcript(&[none], vec![], vec![]), true, true),
            (transcript(&[one], vec![], vec![]), false, true),
            (transcript(&[], line(), vec![]), false, false),
            (transcript(&[], vec![], line()), false, true),
            (transcript(&[one], line(), vec![]), false, true),
            (transcript(&[one], vec![], line()), false, true),
            (transcript(&[], line(), line()), false, true),
        ] {
            let witness = WireWitness::of(&transcript, &scenario);
            assert_eq!((witness.is_silent(), witness.dialled), (is_silent, dialled), "{transcript:?}");
        }
    }

    #[test]
    fn who_did_what_is_told_of_a_connection() {
        let mut one = conversation(&[(Who::Client, HELLO), (Who::Server, WARNING), (Who::Client, WARNING)]);
        assert_eq!(
            on_the_wire(&one),
            OnTheWire { connected: true, warnings: vec![AlertDescription(100)], ..OnTheWire::default() }
        );
        one.lines.push(line(Who::Server, FATAL));
        one.facts.connect_code = Some(wire::mqtt::ConnectCode(5));
        one.facts.first_to_close = Some((capture::Side::Client, Close::Fin));
        assert_eq!(
            on_the_wire(&one),
            OnTheWire {
                connected: true,
                fatal_alert: Some(Side::Broker),
                warnings: vec![AlertDescription(100)],
                connack: Some(5),
                first_to_close: Some(Side::Device),
            }
        );
        // A SYN that is answered with RST opens nothing; a connection that is reset later was open.
        let mut refused = conversation(&[(Who::Server, Said::Rst)]);
        refused.facts.first_to_close = Some((capture::Side::Server, Close::Rst));
        assert!(!on_the_wire(&refused).connected);
        assert_eq!(on_the_wire(&refused).first_to_close, Some(Side::Broker));
        refused.lines.insert(0, line(Who::Client, HELLO));
        assert!(on_the_wire(&refused).connected);
        refused.lines.clear();
        refused.facts.first_to_close = Some((capture::Side::Server, Close::Fin));
        assert!(on_the_wire(&refused).connected);
    }

    #[test]
    fn what_is_said_to_somebody_who_has_left_is_no_refusal() {
        let (device, broker) = (Who::Client, Who::Server);
        let handshake_failure = AlertDescription(40);
        for (lines, expected) in [
            (&[(device, HELLO), (device, Said::Fin), (broker, FATAL)][..], None),
            (&[(device, HELLO), (device, Said::Rst), (broker, FATAL)], None),
            (&[(broker, FATAL), (device, Said::Fin)], Some(Side::Broker)),
            (&[(device, FATAL), (broker, Said::Fin)], Some(Side::Device)),
            (&[(broker, Said::Fin), (device, FATAL)], None),
            // Whoever closed may still say why, and the first who does counts.
            (&[(broker, Said::Fin), (broker, FATAL)], Some(Side::Broker)),
            (&[(device, Said::Fin), (broker, Said::Fin), (device, FATAL)], Some(Side::Device)),
            (&[(broker, FATAL), (device, FATAL)], Some(Side::Broker)),
            (&[(device, FATAL), (broker, FATAL)], Some(Side::Device)),
            // A warning is no end, and a resolver no party to it.
            (&[(broker, WARNING), (device, FATAL)], Some(Side::Device)),
            (&[(device, WARNING), (broker, WARNING)], None),
            (&[(Who::Dns, FATAL), (Who::Sntp, FATAL), (Who::Modem, FATAL)], None),
        ] {
            let told = first_fatal_alert(&conversation(lines));
            assert_eq!(told, expected.map(|side| (side, handshake_failure)), "{lines:?}");
        }
    }
}
