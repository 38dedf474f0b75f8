//! What became of one scenario on one stack, as table and reports tell it.

use judge::Account;
use outcome::{Conformity, Ending};
use report::model::{Attempt, Finding, Quarantine};

/// What became of one scenario on one stack.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The scenario.
    pub scenario: String,
    /// What it was run on.
    pub stack: String,
    /// Its one sentence.
    pub title: String,
    /// How it ended.
    pub ending: Ending,
    /// Why it fails the run, if its ending does not ([`crate::denial`]).
    pub denied: Option<String>,
    /// The entry of the known findings that excuses it.
    pub known: Option<Quarantine>,
    /// What happened; `None` if the scenario was not run or the bench failed.
    pub account: Option<Account>,
    /// The transcript.
    pub transcript: String,
    /// How the transcript differs from the reviewed one, as a unified diff; empty if it does not.
    pub difference: String,
    /// What happened to the board itself, and what of the chip is not modelled but was used.
    pub incidents: Vec<String>,
    /// What is to be told of the board on which it was run.
    pub rack: OnRack,
}

/// What a rack of boards adds to a verdict; nothing, on an emulated chip that nobody else has.
#[derive(Clone, Debug, Default)]
pub struct OnRack {
    /// The board's name in the hardware map; empty for an emulated chip in this process.
    pub board: String,
    /// Every time that it was tried, if it was tried more than once.
    pub attempts: Vec<Attempt>,
    /// Whether the device's outcome changed when it was repeated.
    pub flaky: bool,
    /// Whether the ending does not count, and until when.
    pub quarantine: Option<Quarantine>,
    /// What somebody should look at, beside what the account says.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// A verdict on a scenario that the bench could not run.
    pub fn bench_failed(scenario: &scenario::Scenario, stack: &str, why: impl ToString) -> Self {
        Self::without_account(scenario, stack, Ending::BenchFailed(why.to_string()))
    }

    /// A verdict on a scenario that says nothing about a stack.
    pub fn not_applicable(scenario: &scenario::Scenario, stack: &str, why: impl Into<String>) -> Self {
        Self::without_account(scenario, stack, Ending::NotApplicable(why.into()))
    }

    fn without_account(scenario: &scenario::Scenario, stack: &str, ending: Ending) -> Self {
        Self {
            scenario: scenario.name.clone(),
            stack: stack.to_owned(),
            title: scenario.title.clone(),
            ending,
            denied: None,
            known: None,
            account: None,
            transcript: String::new(),
            difference: String::new(),
            incidents: Vec::new(),
            rack: OnRack::default(),
        }
    }

    /// Whether it fails the run.
    pub fn fails(&self) -> bool {
        self.denied.is_some() || matches!(self.ending, Ending::Otherwise(_) | Ending::Silent)
    }

    /// The ending in a phrase, and what the specification has against it: what is both expected and wrong is never called
    /// plainly *as expected*.
    pub fn told(&self) -> String {
        let conformity = self.account.as_ref().map(|account| account.conformity);
        let against = conformity.filter(|conformity| !conformity.is_good());
        let against = against.filter(|_| matches!(self.ending, Ending::AsExpected | Ending::New));
        let against = against.map(|conformity| format!(", but {conformity}")).unwrap_or_default();
        let known = if self.known.is_some() { " (a known finding)" } else { "" };
        format!("{}{against}{known}", self.ending)
    }

    /// Whether a stable snapshot must not make this look good: the device accepts what it must refuse.
    pub fn is_security_finding(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.conformity == Conformity::AcceptsWhatItMustRefuse)
    }
}

/// A verdict on one run, for tests.
#[cfg(test)]
pub(crate) fn specimen(scenario: &str, ending: Ending, conformity: Conformity) -> Verdict {
    use outcome::{Demand, Stage};
    use report::model::How;

    let how = if conformity == Conformity::AcceptsWhatItMustRefuse { How::Connected } else { How::DeviceRefused };
    Verdict {
        scenario: scenario.into(),
        stack: "stack".into(),
        title: "Something is wrong with the broker".into(),
        ending,
        denied: None,
        known: None,
        account: Some(Account {
            how,
            stage: Stage::Certificate,
            device_words: String::new(),
            platform_words: None,
            summary: None,
            cause: None,
            fault: None,
            limit_s: 120,
            leaked_bytes: None,
            heap_peak_bytes: None,
            device_log: Vec::new(),
            conformity,
            demand: Demand::Refuse,
            rule: "RFC 5280 §6.1.3".into(),
            took_ms: 1_000,
        }),
        transcript: String::new(),
        difference: String::new(),
        incidents: Vec::new(),
        rack: OnRack::default(),
    }
}
