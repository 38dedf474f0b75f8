//! What happened, in the words that table, reports and transcript share.

use std::fmt;

use outcome::{Conformity, Demand, Stage};
use report::model::{How, LogLine};

/// What happened, before anybody compares it with anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// How it went.
    pub how: How,
    /// The stage that the last attempt reached.
    pub stage: Stage,
    /// When the bench would have stopped it, in seconds of the device's own time.
    pub limit_s: u32,
    /// The device's own words for it: a code and its name.
    pub device_words: String,
    /// The platform's words for it, if it has some of its own.
    pub platform_words: Option<String>,
    /// The happenings of a sweep in one phrase, in the place of how its last run went.
    pub summary: Option<String>,
    /// What the bench knows of the cause and the device's words hide: a certificate blamed for want of memory.
    pub cause: Option<String>,
    /// What is to be said of how the run came to its fault: why it never did, or that the device never offered it.
    pub fault: Option<String>,
    /// The bytes that the heap held more after many connections than before them: a leak.
    pub leaked_bytes: Option<u32>,
    /// The most that the device's heap held, in bytes, if it came to tell that.
    pub heap_peak_bytes: Option<u32>,
    /// What the device said besides its packets: its reports, and whatever was on its console.
    pub device_log: Vec<LogLine>,
    /// How that compares with the specification.
    pub conformity: Conformity,
    /// What the specification demands.
    pub demand: Demand,
    /// The rule.
    pub rule: String,
    /// How long it took in the device's own time, in milliseconds.
    pub took_ms: u64,
}

impl Account {
    /// The happening as a phrase: `refused at certificate`.
    pub fn phrase(&self) -> String {
        if let Some(summary) = &self.summary {
            return summary.clone();
        }
        let stage = self.stage;
        match self.how {
            How::Connected => "connected and did its work".into(),
            How::DeviceRefused => format!("device refused at {stage}"),
            How::BrokerRefused => format!("broker refused at {stage}"),
            How::Lost => format!("connection lost at {stage}"),
            How::NetworkRefused => format!("network refused at {stage}"),
            How::GaveUp => format!("device gave up at {stage}"),
            How::DeviceFailed => format!("device failed at {stage}"),
            How::Crashed => format!("firmware crashed at {stage}"),
            How::Waits => format!("device waits for ever at {stage}"),
            How::NoEnd => format!("stopped at the bench's limit of {} s at {stage}", self.limit_s),
        }
    }

    /// Why what happened says nothing about the device, if it does not: no snapshot makes that *as expected*.
    pub fn says_nothing(&self) -> Option<String> {
        if self.conformity.is_verdict() {
            return None;
        }
        let why = self.fault.clone().unwrap_or_else(|| self.phrase());
        Some(format!("{}: {why}", self.conformity))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} — {} ({})", self.phrase(), self.conformity, self.rule)
    }
}
