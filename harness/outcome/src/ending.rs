//! How a run ended, and how that compares with what the specification demands.

use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The endings of a run. There is no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending", content = "reason")]
pub enum Ending {
    /// What happened is what the reviewed snapshot says.
    AsExpected,
    /// Nothing was reviewed yet: the specification alone judges.
    New,
    /// What happened differs from the reviewed snapshot.
    Otherwise(String),
    /// Nothing happened before the scenario's limit.
    Silent,
    /// The scenario does not apply to this firmware or board, for this reason.
    NotApplicable(String),
    /// The bench itself failed: never blamed on the device.
    BenchFailed(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsExpected => "as expected",
            Self::New => "new",
            Self::Otherwise(_) => "otherwise than expected",
            Self::Silent => "silent",
            Self::NotApplicable(_) => "not applicable",
            Self::BenchFailed(_) => "the bench failed",
        })
    }
}

/// What the specification demands of the device when it meets a scenario's broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// The device connects and does its work.
    Connect,
    /// The device refuses: accepting is a security finding.
    Refuse,
    /// The broker or the network makes success impossible: the device has to fail, cleanly and within its limits.
    Fail,
    /// The specification leaves it to the implementation.
    Either,
}

/// How what the device did compares with [`Demand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conformity {
    /// The device did what the specification demands.
    Conforms,
    /// The device did one of the things that the specification allows.
    Allowed,
    /// The device connected where the specification demands that it refuse: a security finding, never printed green.
    AcceptsWhatItMustRefuse,
    /// The device refused where the specification demands that it connect.
    RefusesWhatItMustAccept,
    /// The device neither succeeded nor failed: it hung, crashed or reset.
    Breaks,
}

impl Conformity {
    /// Compares what a device did with what it should have done. `None` for `connected` means that it neither
    /// succeeded nor gave up.
    pub const fn judge(demand: Demand, connected: Option<bool>) -> Self {
        match (demand, connected) {
            (_, None) => Self::Breaks,
            (Demand::Either, Some(_)) => Self::Allowed,
            (Demand::Connect, Some(true)) | (Demand::Refuse | Demand::Fail, Some(false)) => Self::Conforms,
            (Demand::Connect, Some(false)) => Self::RefusesWhatItMustAccept,
            (Demand::Refuse | Demand::Fail, Some(true)) => Self::AcceptsWhatItMustRefuse,
        }
    }
}

impl Conformity {
    /// Whether the specification has nothing against it.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Conforms | Self::Allowed)
    }
}

impl fmt::Display for Conformity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conforms => "as the specification demands",
            Self::Allowed => "as the specification allows",
            Self::AcceptsWhatItMustRefuse => "ACCEPTS WHAT IT MUST REFUSE",
            Self::RefusesWhatItMustAccept => "refuses what it must accept",
            Self::Breaks => "neither succeeds nor gives up",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepting_a_bad_broker_is_never_conformity() {
        assert_eq!(Conformity::judge(Demand::Refuse, Some(true)), Conformity::AcceptsWhatItMustRefuse);
        assert_eq!(Conformity::judge(Demand::Refuse, Some(false)), Conformity::Conforms);
        assert_eq!(Conformity::judge(Demand::Connect, Some(false)), Conformity::RefusesWhatItMustAccept);
        assert_eq!(Conformity::judge(Demand::Either, None), Conformity::Breaks);
    }
}
