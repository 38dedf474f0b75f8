//! Scenarios whose endings do not count for a while: `ci/quarantine.toml`. Each has a reason, a link and a last day.
//!
//! A quarantined scenario is run and told like any other; its ending does not fail the run. An entry that is past its
//! day is an error, so that no quarantine is for ever.

use std::fs;
use std::path::Path;

use chrono::{NaiveDate, Utc};
use report::model;
use scenario::Problem;
use serde::Deserialize;

/// The file, below the workspace's root.
pub const FILE: &str = "ci/quarantine.toml";

/// The whole list.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    quarantine: Vec<toml::Spanned<Entry>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The scenario.
    scenario: String,
    /// On this stack; absent: on all.
    #[serde(default)]
    stack: Option<String>,
    /// On this board; absent: on all.
    #[serde(default)]
    board: Option<String>,
    /// Why.
    reason: String,
    /// Where that is discussed.
    link: String,
    /// The last day.
    until: toml::value::Datetime,
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
    pub fn read(file: &Path, expired: Expired) -> Result<Self, String> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        Self::parse(
            &file.display().to_string(),
            &text,
            expired,
            chrono::DateTime::<Utc>::from(std::time::SystemTime::now()).date_naive(),
        )
        .map_err(|problem| problem.to_string())
    }

    fn parse(file: &str, text: &str, expired: Expired, today: NaiveDate) -> Result<Self, Box<Problem>> {
        let problem = |span, message: String, remedy: &str| Box::new(Problem::new(file, text, span, message, remedy));
        let list: File = toml::from_str(text).map_err(|error: toml::de::Error| {
            let message = error.message().trim().replace('\n', "; ");
            let remedy =
                "an entry has `scenario`, `reason`, `link`, `until = 2026-12-31`, and may have `stack` and `board`";
            problem(error.span().unwrap_or(0..0), message, remedy)
        })?;
        let mut entries = Vec::new();
        for entry in list.quarantine {
            // The first line of the entry is enough to point at.
            let start = entry.span().start;
            let span = start..start;
            let entry = entry.into_inner();
            let Ok(until) = entry.until.to_string().parse::<NaiveDate>() else {
                let message = format!("`until` of {} is no day", entry.scenario);
                return Err(problem(span, message, "write a date without a time: `until = 2026-12-31`"));
            };
            if entry.reason.trim().is_empty() || !entry.link.starts_with("http") {
                let message = format!("the quarantine of {} has no reason or no link", entry.scenario);
                return Err(problem(span, message, "say why, and where that is discussed (`https://…`)"));
            }
            if until < today && expired == Expired::Refused {
                let message = format!("the quarantine of {} ended on {until}: {}", entry.scenario, entry.reason);
                let remedy = "see with `--quarantine-verify` whether it is still needed, then remove the entry, or renew \
                              it with its reason";
                return Err(problem(span, message, remedy));
            }
            entries.push(entry);
        }
        Ok(Self { entries })
    }

    /// Whether the ending of this scenario, on this stack and board, does not count.
    pub fn of(&self, scenario: &str, stack: &str, board: &str) -> Option<model::Quarantine> {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.scenario == scenario && fits(&entry.stack, stack) && fits(&entry.board, board))?;
        Some(model::Quarantine {
            reason: entry.reason.clone(),
            link: entry.link.clone(),
            until: entry.until.to_string(),
        })
    }

    /// Whether any entry is about this scenario on this stack, whatever the board.
    pub fn mentions(&self, scenario: &str, stack: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.scenario == scenario && entry.stack.as_deref().is_none_or(|wanted| wanted == stack))
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
        assert_eq!(list.of("mqtt/keep", "any", "window"), None);
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

    #[test]
    fn an_entry_without_reason_link_or_day_is_refused_with_its_line() {
        for (was, is, words) in [
            ("reason = \"the cable is loose\"", "reason = \" \"", "no reason"),
            ("https://example.org/1", "later", "no link"),
            ("until = 2026-12-31\n", "", "missing field `until`"),
            ("until = 2026-12-31", "until = 2026-12-31T00:00:00Z", "is no day"),
            ("board", "bord", "unknown field"),
        ] {
            let problem = parse(&LIST.replacen(was, is, 1), "2026-01-01").expect_err(is);
            assert!(problem.to_string().contains(words), "{problem}");
        }
    }
}
