//! Lists of exceptions, each with a reason, a link and a last day: the quarantine and the known findings.
//!
//! ```toml
//! [[known]]
//! scenario = "identity/no_san_cn_is_another_name"
//! stack = "nodemcu_3"
//! reason = "NodeMCU 3 checks no name; the gateway in front of it does"
//! link = "https://example.org/42"
//! until = 2026-12-31
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use blame::Error;
use chrono::{NaiveDate, Utc};
use report::model;
use scenario::Problem;
use serde::Deserialize;

/// One exception.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The scenario.
    pub scenario: String,
    /// On this stack; absent: on all.
    #[serde(default)]
    pub stack: Option<String>,
    /// On this board; absent: on all.
    #[serde(default)]
    pub board: Option<String>,
    /// Why.
    pub reason: String,
    /// Where that is discussed.
    pub link: String,
    /// The last day.
    until: toml::value::Datetime,
    /// The line of the file in which it begins, from 1.
    #[serde(skip)]
    pub line: usize,
}

impl Entry {
    /// The last day on which it counts.
    pub fn until(&self) -> NaiveDate {
        // Checked when it was read.
        self.until.to_string().parse().unwrap_or(NaiveDate::MIN)
    }

    /// Whether it is about this scenario, on this stack and board.
    pub fn is_about(&self, scenario: &str, stack: &str, board: &str) -> bool {
        self.board.as_deref().is_none_or(|wanted| wanted == board) && self.is_about_stack(scenario, stack)
    }

    /// Whether it is about this scenario on this stack, whatever the board.
    pub fn is_about_stack(&self, scenario: &str, stack: &str) -> bool {
        self.scenario == scenario && self.stack.as_deref().is_none_or(|wanted| wanted == stack)
    }

    /// It as reports have it.
    pub fn told(&self) -> model::Quarantine {
        model::Quarantine { reason: self.reason.clone(), link: self.link.clone(), until: self.until.to_string() }
    }
}

/// The text of the list at `file`; nothing if there is no such file.
///
/// # Errors
///
/// If it is there and cannot be read.
pub fn text(file: &Path) -> blame::Result<Option<String>> {
    let unreadable = |error: std::io::Error| Error::authors_file(file, error);
    match host::text(file, &host::limit::MANIFEST) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(unreadable),
    }
}

/// Today, by the clock of this machine (UTC).
pub fn today() -> NaiveDate {
    chrono::DateTime::<Utc>::from(std::time::SystemTime::now()).date_naive()
}

/// The entries of the text of `file`, whose tables are `[[table]]`.
///
/// # Errors
///
/// With line and remedy: no TOML, an unknown key, an entry without a reason, a link or a day.
pub fn parse(file: &str, text: &str, table: &str) -> Result<Vec<Entry>, Box<Problem>> {
    let problem = |span, message: String, remedy: &str| Box::new(Problem::new(file, text, span, message, remedy));
    let remedy = "an entry has `scenario`, `reason`, `link`, `until = 2026-12-31`, and may have `stack` and `board`";
    let list: BTreeMap<String, Vec<toml::Spanned<Entry>>> =
        toml::from_str(text).map_err(|error: toml::de::Error| {
            problem(error.span().unwrap_or(0..0), error.message().trim().replace('\n', "; "), remedy)
        })?;
    if let Some(other) = list.keys().find(|key| *key != table) {
        let at = text.find(other.as_str()).unwrap_or(0);
        return Err(problem(at..at, format!("unknown table `{other}`"), &format!("entries stand under `[[{table}]]`")));
    }
    let mut entries = Vec::new();
    for entry in list.into_values().flatten() {
        // The first line of the entry is enough to point at.
        let start = entry.span().start;
        let span = start..start;
        let mut entry = entry.into_inner();
        entry.line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        if entry.until.to_string().parse::<NaiveDate>().is_err() {
            let message = format!("`until` of {} is no day", entry.scenario);
            return Err(problem(span, message, "write a date without a time: `until = 2026-12-31`"));
        }
        if entry.reason.trim().is_empty() || !entry.link.starts_with("http") {
            let message = format!("the entry of {} has no reason or no link", entry.scenario);
            return Err(problem(span, message, "say why, and where that is discussed (`https://…`)"));
        }
        entries.push(entry);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
# a comment
[[known]]
scenario = \"mqtt/keep_alive\"
board = \"window\"
reason = \"the cable is loose\"
link = \"https://example.org/1\"
until = 2026-12-31
";

    #[test]
    fn an_entry_is_about_its_scenario_its_stack_and_its_board() {
        let entries = parse("known.toml", LIST, "known").expect("a list");
        let [entry] = entries.as_slice() else { panic!("one entry") };
        assert!(entry.is_about("mqtt/keep_alive", "any", "window") && entry.is_about_stack("mqtt/keep_alive", "any"));
        assert!(!entry.is_about("mqtt/keep_alive", "any", "door") && !entry.is_about("mqtt/keep", "any", "window"));
        assert_eq!((entry.line, entry.until().to_string().as_str()), (2, "2026-12-31"));
    }

    #[test]
    fn an_entry_without_reason_link_or_day_is_refused_with_its_line() {
        for (was, is, words) in [
            ("reason = \"the cable is loose\"", "reason = \" \"", "no reason"),
            ("https://example.org/1", "later", "no link"),
            ("until = 2026-12-31\n", "", "missing field `until`"),
            ("until = 2026-12-31", "until = 2026-12-31T00:00:00Z", "is no day"),
            ("board", "bord", "unknown field"),
            ("[[known]]", "[[knwon]]", "unknown table `knwon`"),
        ] {
            let problem = parse("known.toml", &LIST.replacen(was, is, 1), "known").expect_err(is);
            assert!(problem.to_string().contains(words), "{problem}");
            assert!(problem.line >= 2, "{problem}");
        }
    }
}
