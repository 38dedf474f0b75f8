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

/// What came of a run, as far as a [`Demand`] is about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Course {
    /// The device did all that it was to do.
    Succeeded,
    /// It did not, and came to an end.
    Failed,
    /// It hangs, has crashed, or was reset.
    Broke,
    /// The bench stopped it before it came to an end.
    Stopped,
}

/// Whether a run came to what its scenario is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Met {
    /// What the device did, it did about the fault.
    Met,
    /// The device never offered what the fault needs, so that nobody could make it take it.
    NotOffered,
    /// It ended before, or for another reason.
    Never,
}

/// How what the device did compares with [`Demand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conformity {
    /// The device did what the specification demands.
    Conforms,
    /// The device did one of the things that the specification allows.
    Allowed,
    /// The device never offered what it would have had to refuse: nobody can refuse more thoroughly.
    NotOffered,
    /// The device connected where the specification demands that it refuse: a security finding, never printed green.
    AcceptsWhatItMustRefuse,
    /// The device refused where the specification demands that it connect.
    RefusesWhatItMustAccept,
    /// The device succeeded where the broker or the network should have made that impossible: it took no notice.
    SucceedsWhereItMustFail,
    /// The device neither succeeded nor failed: it hung, crashed or reset.
    Breaks,
    /// The run ended before the fault, or for another reason: it says nothing about what is demanded.
    NeverMet,
    /// The bench stopped the run at the scenario's limit, and the device was still at it: nothing is decided.
    Undecided,
}

impl Conformity {
    /// Every one, in the order in which tables have them.
    pub const ALL: [Self; 9] = [
        Self::Conforms,
        Self::Allowed,
        Self::NotOffered,
        Self::AcceptsWhatItMustRefuse,
        Self::RefusesWhatItMustAccept,
        Self::SucceedsWhereItMustFail,
        Self::Breaks,
        Self::NeverMet,
        Self::Undecided,
    ];

    /// Compares what a device did with what it should have done.
    pub const fn judge(demand: Demand, course: Course, met: Met) -> Self {
        match (demand, course, met) {
            (_, Course::Stopped, _) => Self::Undecided,
            (_, Course::Broke, _) => Self::Breaks,
            // What may end either way, may end before.
            (Demand::Either, _, _) => Self::Allowed,
            // Whatever keeps a device from a broker that it has to reach is wrong, and so is what comes before it.
            (Demand::Connect, Course::Failed, _) => Self::RefusesWhatItMustAccept,
            (Demand::Connect | Demand::Refuse | Demand::Fail, _, Met::Never) => Self::NeverMet,
            (Demand::Refuse | Demand::Fail, Course::Failed, Met::NotOffered) => Self::NotOffered,
            (Demand::Refuse | Demand::Fail, Course::Failed, Met::Met) => Self::Conforms,
            (Demand::Connect, Course::Succeeded, _) => Self::Conforms,
            (Demand::Refuse, Course::Succeeded, _) => Self::AcceptsWhatItMustRefuse,
            (Demand::Fail, Course::Succeeded, _) => Self::SucceedsWhereItMustFail,
        }
    }

    /// Whether that is as it should be.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Conforms | Self::Allowed | Self::NotOffered)
    }

    /// Whether the run says anything about the device. If not, no snapshot can make it *as expected*.
    pub const fn is_verdict(self) -> bool {
        !matches!(self, Self::NeverMet | Self::Undecided)
    }
}

impl fmt::Display for Conformity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conforms => "as the specification demands",
            Self::Allowed => "as the specification allows",
            Self::NotOffered => "never offered, as the specification demands",
            Self::AcceptsWhatItMustRefuse => "ACCEPTS WHAT IT MUST REFUSE",
            Self::RefusesWhatItMustAccept => "refuses what it must accept",
            Self::SucceedsWhereItMustFail => "succeeds where it must fail",
            Self::Breaks => "neither succeeds nor gives up",
            Self::NeverMet => "never met the fault",
            Self::Undecided => "undecided",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDS: [Demand; 4] = [Demand::Connect, Demand::Refuse, Demand::Fail, Demand::Either];
    const COURSES: [Course; 4] = [Course::Succeeded, Course::Failed, Course::Broke, Course::Stopped];
    const METS: [Met; 3] = [Met::Met, Met::NotOffered, Met::Never];

    #[test]
    fn every_combination_has_its_conformity() {
        use Conformity::{
            AcceptsWhatItMustRefuse as Accepts, Allowed, Breaks, Conforms, NeverMet, NotOffered,
            RefusesWhatItMustAccept as Refuses, SucceedsWhereItMustFail as Succeeds, Undecided,
        };
        // Rows: demands; in each, succeeded and failed, with the fault met, not offered, never met.
        let expected = [
            [[Conforms, Conforms, NeverMet], [Refuses, Refuses, Refuses]],
            [[Accepts, Accepts, NeverMet], [Conforms, NotOffered, NeverMet]],
            [[Succeeds, Succeeds, NeverMet], [Conforms, NotOffered, NeverMet]],
            [[Allowed, Allowed, Allowed], [Allowed, Allowed, Allowed]],
        ];
        for (demand, expected) in DEMANDS.into_iter().zip(expected) {
            for (course, expected) in COURSES.into_iter().zip(expected) {
                for (met, expected) in METS.into_iter().zip(expected) {
                    assert_eq!(Conformity::judge(demand, course, met), expected, "{demand:?} {course:?} {met:?}");
                }
            }
            for met in METS {
                assert_eq!(Conformity::judge(demand, Course::Broke, met), Breaks);
                assert_eq!(Conformity::judge(demand, Course::Stopped, met), Undecided);
            }
        }
    }

    #[test]
    fn what_is_good_is_a_verdict_and_nothing_insecure_is_good() {
        let good: [Conformity; 3] = [Conformity::Conforms, Conformity::Allowed, Conformity::NotOffered];
        for conformity in Conformity::ALL {
            assert_eq!(conformity.is_good(), good.contains(&conformity), "{conformity}");
            assert_eq!(conformity.is_verdict(), !matches!(conformity, Conformity::NeverMet | Conformity::Undecided));
        }
    }
}
