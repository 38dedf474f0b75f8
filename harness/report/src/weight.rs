//! How much a row matters: what every way of setting a report puts first, and colours.

use outcome::{Conformity, Ending};

use crate::model::Row;

/// How much a row matters, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It does not apply.
    NotApplicable,
    /// As expected, and as demanded or allowed.
    Good,
    /// New, and as demanded or allowed.
    New,
    /// As expected, and yet not what the specification demands: reviewed, and still wrong.
    Wrong,
    /// It was not run.
    NotRun,
    /// It fails the run although its ending does not: new and against the specification, or denied.
    Denied,
    /// As expected or new, and yet the device accepts what it must refuse. Never green.
    Insecure,
    /// The bench failed.
    BenchFailed,
    /// Otherwise than expected, or silent.
    Otherwise,
}

impl Weight {
    /// Of a row.
    pub fn of(row: &Row) -> Self {
        let conformity = row.happening.as_ref().map(|happening| happening.conformity);
        match &row.ending {
            None => Self::NotRun,
            Some(Ending::NotApplicable(_)) => Self::NotApplicable,
            Some(Ending::BenchFailed(_)) => Self::BenchFailed,
            Some(Ending::Otherwise(_) | Ending::Silent) => Self::Otherwise,
            Some(ending @ (Ending::AsExpected | Ending::New)) => match conformity {
                Some(Conformity::AcceptsWhatItMustRefuse) => Self::Insecure,
                _ if row.denied.is_some() => Self::Denied,
                Some(conformity) if !conformity.is_good() => Self::Wrong,
                Some(_) | None if *ending == Ending::New => Self::New,
                Some(_) | None => Self::Good,
            },
        }
    }

    /// Whether somebody has to look at it.
    pub fn is_notable(self) -> bool {
        self >= Self::NotRun
    }

    /// A name for style sheets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "na",
            Self::Good => "good",
            Self::New => "new",
            Self::Wrong => "wrong",
            Self::NotRun => "not-run",
            Self::Denied => "denied",
            Self::Insecure => "insecure",
            Self::BenchFailed => "failed",
            Self::Otherwise => "otherwise",
        }
    }
}

/// What the specification says against an outcome, in a word; `None` if nothing.
pub const fn nonconforming(conformity: Conformity) -> Option<&'static str> {
    match conformity {
        Conformity::AcceptsWhatItMustRefuse => Some("ACCEPTS"),
        Conformity::RefusesWhatItMustAccept => Some("REFUSES"),
        Conformity::SucceedsWhereItMustFail => Some("SUCCEEDS"),
        Conformity::Breaks => Some("BREAKS"),
        Conformity::NeverMet => Some("NEVER MET"),
        Conformity::Undecided => Some("UNDECIDED"),
        Conformity::NotOffered => Some("not offered"),
        Conformity::Conforms | Conformity::Allowed => None,
    }
}

/// A row in one word, as a table has it. What is wrong is in capitals, for those who see no colour.
pub fn word(row: &Row) -> &'static str {
    use crate::model::How;
    let Some(happening) = &row.happening else {
        return match &row.ending {
            None => "not run",
            Some(Ending::NotApplicable(_)) => "n/a",
            Some(Ending::BenchFailed(_)) => "BENCH",
            Some(Ending::Silent) => "SILENT",
            Some(_) => "ran",
        };
    };
    if matches!(row.ending, Some(Ending::Silent)) {
        return "SILENT";
    }
    if let Some(word) = nonconforming(happening.conformity) {
        return word;
    }
    if happening.phrase.ends_with("runs connect") {
        return "sweep";
    }
    match happening.how {
        How::Connected => "connects",
        How::DeviceRefused | How::DeviceFailed => "refuses",
        How::BrokerRefused => "refused",
        How::Lost => "lost",
        How::NetworkRefused => "no network",
        How::GaveUp => "gives up",
        How::Crashed => "CRASHED",
        How::Waits => "WAITS",
        How::NoEnd => "no end",
    }
}
