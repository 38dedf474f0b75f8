//! What a firmware's log lines mean, if it does not speak to the bench otherwise.
//!
//! A firmware that was not made for this bench says no hello and takes no orders: it does what it was built to do, and
//! prints. Its packets need no cooperation; what it says of an outcome is found in its lines by the rules `[[log]]`.

use std::fmt;

use control::{Failure, Report};
use outcome::{AlertDescription, FailureClass, Stage};
use regex_lite::{Captures, Regex, RegexBuilder};
use scenario::Problem;
use serde::Deserialize;

/// A line is read so far, in bytes: nobody says anything of interest behind that.
pub const LINE_BYTES_MAX: usize = 1_024;
/// The most that the program of one expression takes, in bytes.
pub const PROGRAM_BYTES_MAX: usize = 256 << 10;
/// So many rules there may be: each is kept compiled, for each run at the same time.
pub const RULES_MAX: usize = 200;

/// A rule `[[log]]`: what a line means. The first that fits counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRule {
    /// A regular expression (of the crate `regex-lite`) that is looked for in a line. Its groups `code`, `name` and
    /// `alert`, if it has them, are the error's number, decimal or hexadecimal, the error's name, and the number of the
    /// fatal alert that the device got from its peer.
    pub line: toml::Spanned<String>,
    /// What such a line means: a stage is entered, the attempt failed and the run is over, all is done, or the device waits for
    /// somebody to type.
    pub means: Meaning,
    /// The stage that is entered, or in which it failed; absent: the one that was entered last.
    #[serde(default)]
    pub stage: Option<Stage>,
    /// What the error is called, if the line does not say so itself.
    #[serde(default)]
    pub name: Option<String>,
    /// What kind of failure such a line tells of; absent: `other`, of which the wire alone decides who is to blame.
    #[serde(default)]
    pub class: Option<FailureClass>,
    /// What is typed after a prompt, as it stands: `"root\r"`. On the port where the prompt came from.
    #[serde(default)]
    pub types: Option<String>,
}

/// What a line of a log means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A stage is entered.
    Stage,
    /// The attempt failed, and the run is over.
    Failed,
    /// The device did all that it was to do.
    Done,
    /// The device waits for somebody to type: `types`. The line need not have ended.
    Prompt,
}

/// Reads a device's log.
#[derive(Clone, Debug)]
pub struct LogReader {
    rules: Vec<(Regex, LogRule)>,
    stage: Stage,
}

impl LogReader {
    /// A reader by rules that were checked.
    pub fn new(rules: &[LogRule]) -> Self {
        let compiled = |rule: &LogRule| Some((compile(rule.line.get_ref()).ok()?, rule.clone()));
        Self { rules: rules.iter().filter_map(compiled).collect(), stage: Stage::Boot }
    }

    /// Whether there is nothing that it understands.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What a line says, as the firmware of this bench would have reported it. `at_ms` is since the reset.
    pub fn read(&mut self, line: &str, at_ms: u32) -> Vec<Report> {
        let Some((groups, rule)) = self.find(line) else { return Vec::new() };
        let stage = rule.stage.unwrap_or(self.stage);
        let reports = match rule.means {
            Meaning::Stage => vec![Report::Stage { stage, at_ms }],
            Meaning::Failed => vec![Report::Failed(failure(&groups, rule, stage, at_ms)), done(false, at_ms)],
            Meaning::Done => vec![done(true, at_ms)],
            Meaning::Prompt => Vec::new(),
        };
        self.stage = stage;
        reports
    }

    /// What is typed after a line, or the beginning of one, if it is a prompt.
    pub fn answer(&self, line: &str) -> Option<&str> {
        self.find(line).and_then(|(_, rule)| rule.types.as_deref())
    }

    /// The first rule that fits.
    fn find<'l>(&self, line: &'l str) -> Option<(Captures<'l>, &LogRule)> {
        let line = line.get(..line.floor_char_boundary(LINE_BYTES_MAX)).unwrap_or_default();
        self.rules.iter().find_map(|(regex, rule)| Some((regex.captures(line)?, rule)))
    }
}

fn failure(groups: &Captures<'_>, rule: &LogRule, stage: Stage, at_ms: u32) -> Failure {
    let group = |name: &str| groups.name(name).map(|found| found.as_str());
    Failure {
        stage,
        class: rule.class.unwrap_or_default(),
        alert_received: group("alert")
            .and_then(number)
            .and_then(|alert| u8::try_from(alert).ok())
            .map(AlertDescription),
        code: group("code").and_then(number).unwrap_or(0),
        name: rule.name.as_deref().or(group("name")).unwrap_or("LOG_LINE").to_owned(),
        verify_flags: 0,
        verify_flag_names: Vec::new(),
        failed_allocation_bytes: None,
        at_ms,
    }
}

fn done(complete: bool, at_ms: u32) -> Report {
    Report::Done { complete, heap_peak_bytes: 0, heap_failures: 0, heap_held_bytes: 0, at_ms }
}

/// A number as logs have it: `-9984`, `-0x2700`, `0x8017`.
fn number(text: &str) -> Option<i32> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16).ok()?,
        None => digits.parse().ok()?,
    };
    i32::try_from(sign * value).ok()
}

fn compile(expression: &str) -> Result<Regex, impl fmt::Display> {
    RegexBuilder::new(expression).size_limit(PROGRAM_BYTES_MAX).build()
}

/// Whether every rule can be used.
///
/// # Errors
///
/// With the line of the first that cannot.
pub(super) fn check(rules: &[LogRule], file: &str, text: &str) -> Result<(), Problem> {
    if let Some(rule) = rules.get(RULES_MAX) {
        let message = format!("more than {RULES_MAX} rules for log lines");
        let remedy = "leave out what means nothing to the bench, or join expressions with `|`";
        return Err(Problem::new(file, text, rule.line.span(), message, remedy));
    }
    for rule in rules {
        let wrong = |message: String, remedy: &str| Problem::new(file, text, rule.line.span(), message, remedy);
        let regex = match compile(rule.line.get_ref()) {
            Ok(regex) => regex,
            Err(error) => {
                let remedy = "write a regular expression of the crate `regex-lite`, best between single quotes";
                return Err(wrong(format!("this is no regular expression: {error}"), remedy));
            }
        };
        if regex.is_match("") {
            return Err(wrong("this fits every line".into(), "write some words that only such a line has"));
        }
        if rule.means == Meaning::Stage && rule.stage.is_none() {
            return Err(wrong("which stage is entered?".into(), "add `stage = \"hello\"`, say"));
        }
        if rule.class.is_some() && rule.means != Meaning::Failed {
            return Err(wrong(
                "no failure, and yet a class of failures".into(),
                "write `means = \"failed\"`, or no `class`",
            ));
        }
        if (rule.means == Meaning::Prompt) != rule.types.is_some() {
            let remedy = "write `means = \"prompt\"` and `types = \"root\\r\"`, say, or neither";
            return Err(wrong("a prompt and what is typed after it belong together".into(), remedy));
        }
    }
    let ends = rules.iter().any(|rule| matches!(rule.means, Meaning::Failed | Meaning::Done));
    match rules.first() {
        Some(first) if !ends => {
            let message = "no line ends a run: every scenario would last until its limit";
            let remedy = "add rules with `means = \"failed\"` and `means = \"done\"`";
            Err(Problem::new(file, text, first.line.span(), message, remedy))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    const RULES: &str = r#"
stack = "mine"
[[log]]
line = 'resolving \S+'
means = "stage"
stage = "resolve"
[[log]]
line = 'esp-tls: .* returned (?<code>-0x[0-9a-f]+) \((?<name>\w+)\)'
means = "failed"
stage = "certificate"
[[log]]
line = 'gave up: (?<code>-?\d+)'
means = "failed"
name = "GAVE_UP"
[[log]]
line = 'published'
means = "done"
"#;

    fn reader() -> LogReader {
        LogReader::new(&Dialect::parse("mine.toml", RULES).unwrap_or_else(|problem| panic!("{problem}")).log)
    }

    fn failed(line: &str) -> Failure {
        let mut reader = reader();
        reader.read("I (9) resolving broker.test", 9);
        match reader.read(line, 10).as_slice() {
            [Report::Failed(failure), Report::Done { complete: false, .. }] => failure.clone(),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn lines_become_what_firmware_of_the_bench_would_report() {
        let failure = failed("E (300) esp-tls: mbedtls_ssl_handshake returned -0x2700 (X509_CERT_VERIFY_FAILED)");
        assert_eq!((failure.code, failure.name.as_str()), (-0x2700, "X509_CERT_VERIFY_FAILED"));
        assert_eq!(failure.stage, Stage::Certificate);
        // The name is the rule's, and the stage is the last that was entered.
        let failure = failed("gave up: -5");
        assert_eq!((failure.code, failure.name.as_str(), failure.stage), (-5, "GAVE_UP", Stage::Resolve));
        assert!(matches!(reader().read("published 21.5", 1)[..], [Report::Done { complete: true, .. }]));
        assert!(reader().read("nothing of interest", 1).is_empty());
    }

    #[test]
    fn whatever_a_device_prints_is_read_in_bounds() {
        for line in ["gave up: 99999999999999999999", "gave up: -2147483649", "gave up: -0"] {
            assert_eq!(failed(line).code, 0, "{line}");
        }
        let long = format!("{}published", "ä".repeat(10_000));
        assert!(reader().read(&long, 1).is_empty(), "what is too far behind is not read");
    }

    #[test]
    fn more_rules_than_are_kept_in_memory_are_refused() {
        let rules =
            |number: usize| format!("stack = 'x'\n{}", "[[log]]\nline = 'x{40}{40}'\nmeans = 'done'\n".repeat(number));
        assert!(Dialect::parse("mine.toml", &rules(RULES_MAX)).is_ok());
        let problem = Dialect::parse("mine.toml", &rules(RULES_MAX + 1)).expect_err("one more").to_string();
        assert!(problem.contains("more than 200 rules"), "{problem}");
    }

    #[test]
    fn rules_that_cannot_be_used_are_refused_with_their_line() {
        let rule = |text: &str| Dialect::parse("mine.toml", &format!("stack = 'x'\n[[log]]\n{text}\n"));
        for (text, words) in [
            ("line = '('\nmeans = 'done'", "no regular expression"),
            ("line = 'a*'\nmeans = 'done'", "fits every line"),
            ("line = 'x'\nmeans = 'stage'", "which stage"),
            ("line = 'x'\nmeans = 'stage'\nstage = 'hello'", "no line ends a run"),
            ("line = '(x{1000}){1000}'\nmeans = 'done'", "no regular expression"),
            ("line = 'x'\nmeans = 'nothing'", "unknown variant"),
            ("line = 'x'\nmeans = 'prompt'", "belong together"),
            ("line = 'x'\nmeans = 'done'\ntypes = 'y'", "belong together"),
            ("line = 'x'\nmeans = 'prompt'\ntypes = 'y'", "no line ends a run"),
        ] {
            let problem = rule(text).expect_err(text).to_string();
            assert!(problem.contains(words) && problem.contains("mine.toml:"), "{text}: {problem}");
        }
    }
}
