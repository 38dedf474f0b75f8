//! Scenarios whose endings do not count for a while: `ci/quarantine.toml`. Each has a reason, a link and a last day.
//!
//! A quarantined scenario is run and told like any other; its ending does not fail the run. An entry that is past its
//! day is an error, so that no quarantine is for ever.

use std::path::Path;

use blame::Error;
use chrono::NaiveDate;
use report::model;
use scenario::Problem;

use crate::dated::{self, Entry};

/// The file, below the workspace's root.
pub const FILE: &str = "ci/quarantine.toml";

/// The whole list.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    entries: Vec<Entry>,
}

/// Whether entries past their day are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// They are.
    Refused,
    /// They are looked at just now.
    Verified,
}

impl Quarantine {
    /// Reads the list; a file that is not there quarantines nothing.
    ///
    /// # Errors
    ///
    /// With line and remedy.
    pub fn read(file: &Path, expired: Expired) -> blame::Result<Self> {
        let Some(text) = dated::text(file)? else { return Ok(Self::default()) };
        Self::parse(&file.display().to_string(), &text, expired, dated::today()).map_err(Error::author)
    }

    fn parse(file: &str, text: &str, expired: Expired, today: NaiveDate) -> Result<Self, Box<Problem>> {
        let entries = dated::parse(file, text, "quarantine")?;
        if let Some(over) = entries.iter().find(|entry| entry.until() < today && expired == Expired::Refused) {
            let start = text.split_inclusive('\n').take(over.line - 1).map(str::len).sum();
            let message = format!("the quarantine of {} ended on {}: {}", over.scenario, over.until(), over.reason);
            let remedy = "see with `--quarantine-verify` whether it is still needed, then remove the entry, or renew \
                          it with its reason";
            return Err(Box::new(Problem::new(file, text, start..start, message, remedy)));
        }
        Ok(Self { entries })
    }

    /// Whether the ending of this scenario, on this stack and board, does not count.
    pub fn of(&self, scenario: &str, stack: &str, board: &str) -> Option<model::Quarantine> {
        self.entries.iter().find(|entry| entry.is_about(scenario, stack, board)).map(Entry::told)
    }

    /// Whether any entry is about this scenario on this stack, whatever the board.
    pub fn mentions(&self, scenario: &str, stack: &str) -> bool {
        self.entries.iter().any(|entry| entry.is_about_stack(scenario, stack))
    }

    /// Scenarios that entries name and that `is_known` does not know.
    pub fn unknown(&self, is_known: impl Fn(&str) -> bool) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.scenario.as_str()).filter(|name| !is_known(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
[[quarantine]]
scenario = \"mqtt/keep_alive\"
board = \"window\"
reason = \"the cable is loose\"
link = \"https://example.org/1\"
until = 2026-12-31
";

    fn parse(text: &str, today: &str) -> Result<Quarantine, Box<Problem>> {
        Quarantine::parse("quarantine.toml", text, Expired::Refused, today.parse().expect("a day"))
    }

    #[test]
    fn an_entry_is_about_its_scenario_and_its_board_alone() {
        let list = parse(LIST, "2026-12-31").expect("its last day");
        assert_eq!(list.of("mqtt/keep_alive", "any", "window").expect("it is").until, "2026-12-31");
        assert_eq!(list.of("mqtt/keep_alive", "any", "door"), None);
        assert_eq!(list.unknown(|name| name.starts_with("tls/")), ["mqtt/keep_alive"]);
    }

    #[test]
    fn an_entry_past_its_day_is_an_error_that_says_so() {
        let problem = parse(LIST, "2027-01-01").expect_err("it is past its day");
        assert_eq!(problem.line, 1);
        assert!(problem.to_string().contains("ended on 2026-12-31: the cable is loose"), "{problem}");
        let later = "2027-01-01".parse().expect("a day");
        assert!(Quarantine::parse("q", LIST, Expired::Verified, later).is_ok());
    }
}
