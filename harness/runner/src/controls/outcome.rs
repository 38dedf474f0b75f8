//! The class of a control's outcome: what of a run in wall time, with a real process, is the same every time.

use std::fmt;

use blame::Error;
use capture::transcript::Transcript;
use outcome::{AlertDescription, Stage};
use scenario::controls::Expected;
use wire::mqtt::ConnectCode;

use crate::controls::report::{ControlReport, Ended};
use judge::wire_witness::{Side, first_fatal_alert};

/// How a control fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It logged in and published.
    Accepted,
    /// It refused the broker, with this alert or without any.
    ControlRefused(Stage, Option<AlertDescription>),
    /// The broker refused it.
    BrokerRefused(Stage, Refusal),
    /// The connection ended from the broker's side, without a word.
    Lost(Stage),
    /// It did not get through, and the wire does not tell why: nobody who knew the secrets has told them.
    Untold,
    /// It failed by itself, before it dialled.
    NeverDialled,
    /// Its time was up.
    NoEnd(Stage),
}

/// A broker's last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A fatal alert.
    Alert(AlertDescription),
    /// A CONNACK.
    ConnAck(ConnectCode),
}

impl Class {
    /// Concludes from both witnesses: the wire, and the control itself.
    ///
    /// # Errors
    ///
    /// If they contradict each other, which is the bench's fault.
    pub fn conclude(wire: &Transcript, report: &ControlReport) -> blame::Result<Self> {
        let Some(last) = wire.conversations.last() else {
            return match report.ended {
                Ended::Published => {
                    Err(Error::bench("the control says that it published, and nothing passed the socket"))
                }
                Ended::Failed => Ok(Self::NeverDialled),
                Ended::OutOfTime => Ok(Self::NoEnd(Stage::Connect)),
            };
        };
        let facts = &last.facts;
        let stage = facts.stage.unwrap_or(Stage::Connect);
        match (report.ended, facts.connect_code) {
            (Ended::Published, None) if facts.has_gaps => return Ok(Self::Accepted),
            (Ended::Published, Some(ConnectCode::ACCEPTED)) => return Ok(Self::Accepted),
            (Ended::Published, code) => {
                return Err(Error::bench(format!(
                    "the control says that it published, and the wire shows CONNACK {code:?}"
                )));
            }
            (Ended::OutOfTime, _) => return Ok(Self::NoEnd(stage)),
            (Ended::Failed, _) => {}
        }
        Ok(match (first_fatal_alert(last), facts.connect_code, facts.first_to_close) {
            (Some((Side::Device, alert)), ..) => Self::ControlRefused(stage, Some(alert)),
            (Some((Side::Broker, alert)), ..) => Self::BrokerRefused(uncrossed(stage), Refusal::Alert(alert)),
            (None, None, _) if facts.has_gaps => Self::Untold,
            (None, Some(code), _) if code != ConnectCode::ACCEPTED => {
                Self::BrokerRefused(stage, Refusal::ConnAck(code))
            }
            (None, _, Some((capture::Side::Server, _))) => Self::Lost(stage),
            (None, ..) => Self::ControlRefused(stage, None),
        })
    }

    /// Whether that is what the scenario says of the control.
    pub fn meets(self, expected: Expected) -> bool {
        (self == Self::Accepted) == (expected == Expected::Accepts)
    }

    /// The stage that was reached.
    pub const fn stage(self) -> Stage {
        match self {
            Self::Accepted => Stage::Goodbye,
            Self::ControlRefused(stage, _) | Self::BrokerRefused(stage, _) | Self::Lost(stage) | Self::NoEnd(stage) => {
                stage
            }
            Self::Untold => Stage::Hello,
            Self::NeverDialled => Stage::Boot,
        }
    }
}

/// In TLS 1.3 a client may log in before it hears that its certificate was refused: whether its CONNECT crosses the
/// broker's alert is chance (RFC 9846 §4.5.3), and no part of the outcome.
fn uncrossed(stage: Stage) -> Stage {
    if stage == Stage::Login { Stage::Finished } else { stage }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::ControlRefused(stage, Some(alert)) => write!(f, "control refused at {stage}, alert {alert}"),
            Self::ControlRefused(stage, None) => write!(f, "control refused at {stage}, without an alert"),
            Self::BrokerRefused(stage, Refusal::Alert(alert)) => write!(f, "broker refused at {stage}, alert {alert}"),
            Self::BrokerRefused(stage, Refusal::ConnAck(code)) => {
                write!(f, "broker refused at {stage}, CONNACK {code}")
            }
            Self::Lost(stage) => write!(f, "connection lost at {stage}"),
            Self::Untold => f.write_str("refused, and the wire is encrypted: it does not tell by whom"),
            Self::NeverDialled => f.write_str("control failed before it dialled"),
            Self::NoEnd(stage) => write!(f, "no end after {stage}"),
        }
    }
}
