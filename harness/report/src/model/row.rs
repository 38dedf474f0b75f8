//! What became of one scenario on one stack and one board.

use outcome::{Conformity, Course, Demand, Ending, Stage};
use serde::{Deserialize, Serialize};

use super::{Ladder, Wire};

/// One row of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// The scenario's name: `validity/expired_leaf`.
    pub scenario: String,
    /// What it was run on.
    pub stack: String,
    /// The board, by the name that `parts[].boards` has it under; empty: any.
    #[serde(default)]
    pub board: String,
    /// The scenario's one sentence.
    #[serde(default)]
    pub title: String,
    /// What the specification demands.
    #[cfg_attr(test, schemars(with = "crate::schema::DemandWord"))]
    pub demand: Demand,
    /// Where it does.
    #[serde(default)]
    pub rule: String,
    /// In which words.
    #[serde(default)]
    pub quote: String,
    /// Or what it says, in other words than its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub paraphrase: String,
    /// The ending, with its reason; absent if it was not run.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "crate::schema::EndingWords"))]
    pub ending: Option<Ending>,
    /// Why it was not run; absent if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_run: Option<NotRun>,
    /// What happened; absent if it was not run, does not apply, or if the bench failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happening: Option<Happening>,
    /// What the wire tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// Why it ended as it did, and what helps: one for each thing that the device said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanations: Vec<Explanation>,
    /// The lines of the transcript that prove it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The whole transcript.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transcript: String,
    /// How it differs from the reviewed one: a unified diff.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub difference: String,
    /// What was said, for a diagram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
    /// What the device said besides: reports and console.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub device_log: Vec<LogLine>,
    /// What happened to the board itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// The packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// Every time that it was tried, if it was tried more than once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Whether the device's outcome changed when it was repeated.
    #[serde(default)]
    pub flaky: bool,
    /// Whether its ending does not count, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// Why it fails the run although its ending does not: what is new and against the specification, or of a kind that
    /// `--deny` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// Why, and until when, it is known that the device accepts what it must refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Quarantine>,
    /// What somebody should look at, whatever the ending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What it took by the wall, in milliseconds.
    #[serde(default)]
    pub wall_ms: u64,
}

/// What happened, in the words of both witnesses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Happening {
    /// How it went.
    pub how: How,
    /// The same as a phrase: `device refused at certificate`.
    pub phrase: String,
    /// The stage that the last attempt reached.
    #[cfg_attr(test, schemars(with = "crate::schema::StageWord"))]
    pub stage: Stage,
    /// How that compares with the specification.
    #[cfg_attr(test, schemars(with = "crate::schema::ConformityWord"))]
    pub conformity: Conformity,
    /// The device's own words for it: a code and its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device_words: String,
    /// The platform's words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_words: Option<String>,
    /// What the bench knows of the cause and the device's words hide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What is to be said of how the run came to its fault: why it never did, or that the device never offered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The most that the device's heap held, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap_peak_bytes: Option<u32>,
    /// What the heap held more after many connections than before them, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaked_bytes: Option<u32>,
    /// How long it took in the device's own time, in milliseconds.
    pub took_ms: u64,
}

/// How it went, in the words of both witnesses together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The device did all that its plan says.
    Connected,
    /// The device refused: it sent a fatal alert, or closed the connection on an error of its own.
    DeviceRefused,
    /// The broker refused: it sent a fatal alert, or a CONNACK other than 0.
    BrokerRefused,
    /// The connection was closed or reset from the broker's side, without a word.
    Lost,
    /// The network refused the device: an access point did not let it in, or sent it away, or DHCP refused it an address.
    NetworkRefused,
    /// The device waited as long as it was told to, and gave up.
    GaveUp,
    /// The device failed by itself: it could not read its configuration, or had no memory.
    DeviceFailed,
    /// The firmware crashed, or a watchdog reset it.
    Crashed,
    /// The device has no time-out, or hangs: it came no further in the middle of a stage until the bench stopped it.
    Waits,
    /// None of these before the bench's own limit.
    NoEnd,
}

impl How {
    /// Every one, in the order in which tables have them.
    pub const ALL: [Self; 10] = [
        Self::Connected,
        Self::DeviceRefused,
        Self::BrokerRefused,
        Self::Lost,
        Self::NetworkRefused,
        Self::GaveUp,
        Self::DeviceFailed,
        Self::Crashed,
        Self::Waits,
        Self::NoEnd,
    ];

    /// What that comes to, for whoever demands something.
    pub const fn course(self) -> Course {
        match self {
            Self::Connected => Course::Succeeded,
            Self::DeviceRefused
            | Self::BrokerRefused
            | Self::Lost
            | Self::NetworkRefused
            | Self::GaveUp
            | Self::DeviceFailed => Course::Failed,
            Self::Crashed | Self::Waits => Course::Broke,
            Self::NoEnd => Course::Stopped,
        }
    }
}

/// Why something was to be run and was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NotRun {
    /// In a sentence: `interrupted`, or what became of the board.
    pub why: String,
}

/// Why something ended as it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Explanation {
    /// What is explained: the failure or flag.
    pub key: String,
    /// Why the device ended so.
    pub cause: String,
    /// Library, file and function.
    pub source: String,
    /// What to do.
    pub remedy: String,
}

/// A line that proves something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Evidence {
    /// Its number in the transcript, from 1.
    pub line: usize,
    /// What it says.
    pub words: String,
}

/// A line of the device's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LogLine {
    /// When, in milliseconds since power-on, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// What it says.
    pub words: String,
}

/// Packets of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Capture {
    /// Its file, on the machine that ran it. For people: no program of ours opens what a report names.
    pub file: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The file itself, in Base64 (RFC 4648 §4); absent where only its name is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// One try of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Attempt {
    /// The board that it was made on.
    pub board: String,
    /// What came of it, in a sentence.
    pub outcome: String,
    /// Whether it was the bench that failed.
    pub bench_failed: bool,
    /// Its transcript, if it came to one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub transcript: String,
    /// What it took by the wall, in milliseconds.
    pub wall_ms: u64,
}

/// An ending that does not count for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Quarantine {
    /// Why.
    pub reason: String,
    /// Where that is discussed.
    pub link: String,
    /// Until which day: `2026-12-31`.
    pub until: String,
}

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// What was found, in a sentence or several lines.
    pub words: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The device accepts what it must refuse.
    Security,
    /// Silicon does otherwise than the emulator, beyond what is known to differ.
    DiffersFromEmulator,
    /// An entry of the quarantine is past its day.
    QuarantineExpired,
    /// Memory is lost with every connection.
    Leak,
}

impl Row {
    /// A row about which nothing is known but what it is about.
    pub fn new(scenario: impl Into<String>, stack: impl Into<String>, demand: Demand) -> Self {
        Self {
            scenario: scenario.into(),
            stack: stack.into(),
            board: String::new(),
            title: String::new(),
            demand,
            rule: String::new(),
            quote: String::new(),
            paraphrase: String::new(),
            ending: None,
            not_run: None,
            happening: None,
            wire: None,
            explanations: Vec::new(),
            evidence: Vec::new(),
            transcript: String::new(),
            difference: String::new(),
            ladder: None,
            device_log: Vec::new(),
            incidents: Vec::new(),
            capture: None,
            attempts: Vec::new(),
            flaky: false,
            quarantine: None,
            denied: None,
            known: None,
            findings: Vec::new(),
            wall_ms: 0,
        }
    }

    /// Whether a stable snapshot must not make this look good: the device accepts what it must refuse.
    pub fn is_security_finding(&self) -> bool {
        self.happening.as_ref().is_some_and(|happening| happening.conformity == Conformity::AcceptsWhatItMustRefuse)
    }

    /// Why the ending is what it is, where it says so.
    pub fn reason(&self) -> Option<&str> {
        match &self.ending {
            Some(Ending::Otherwise(why) | Ending::NotApplicable(why) | Ending::BenchFailed(why)) => Some(why),
            Some(Ending::AsExpected | Ending::New | Ending::Silent) => self.denied.as_deref(),
            None => self.not_run.as_ref().map(|not_run| not_run.why.as_str()),
        }
    }
}
