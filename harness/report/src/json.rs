//! The JSON report: written, and read back from anybody.

use std::fmt;

use crate::model::{Run, SCHEMA, Totals};

/// More rows than that is no report of ours: every scenario on every stack and a hundred boards are fewer.
pub const ROWS_MAX: usize = 1_000_000;

/// Why a file is no report.
#[derive(Debug)]
pub enum Unreadable {
    /// No JSON, or JSON that does not fit the schema; says where.
    Malformed(serde_json::Error),
    /// It does not say which version of the schema it is.
    NoSchema,
    /// Another version of the schema.
    OtherSchema(u64),
    /// What it says contradicts itself.
    Contradiction(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "this is no report: {error}"),
            Self::NoSchema => {
                f.write_str("no `schema` in it: this is no report of `cargo xtask hil --report json=FILE`")
            }
            Self::OtherSchema(version) => write!(
                f,
                "this report has version {version} of the schema, and this bench reads {SCHEMA}: render it with the \
                 bench that wrote it, or run again"
            ),
            Self::Contradiction(what) => write!(f, "this report contradicts itself: {what}"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// The report as JSON.
///
/// # Errors
///
/// Never for a run that was made or read by this crate.
pub fn write(run: &Run) -> Result<String, serde_json::Error> {
    serde_json::to_string(run).map(|text| text + "\n")
}

/// Reads a report, whoever wrote it. Its totals are counted again.
///
/// # Errors
///
/// If it is none, or of another version.
pub fn read(text: &str) -> Result<Run, Unreadable> {
    /// What every version has in common.
    #[derive(serde::Deserialize)]
    struct Version {
        schema: Option<u64>,
    }
    let version: Version = serde_json::from_str(text).map_err(Unreadable::Malformed)?;
    match version.schema {
        Some(version) if version == u64::from(SCHEMA) => {}
        Some(version) => return Err(Unreadable::OtherSchema(version)),
        None => return Err(Unreadable::NoSchema),
    }
    let mut run: Run = serde_json::from_str(text).map_err(Unreadable::Malformed)?;
    if run.rows.len() > ROWS_MAX {
        return Err(Unreadable::Contradiction(format!("{} rows", run.rows.len())));
    }
    if let Some(row) = run.rows.iter().find(|row| row.ending.is_some() == row.not_run.is_some()) {
        let why = match row.ending {
            Some(_) => "both was and was not run",
            None => "has an ending that nobody knows, or neither an ending nor `not_run`",
        };
        return Err(Unreadable::Contradiction(format!("{} on {} {why}", row.scenario, row.stack)));
    }
    run.clean();
    run.totals = Totals::of(&run.rows);
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NotRun, Part, Row};
    use outcome::{Demand, Ending};

    fn run() -> Run {
        let mut good = Row::new("a/b", "stack", Demand::Refuse);
        good.ending = Some(Ending::Otherwise("it \"differs\" <b>".into()));
        let mut missing = Row::new("a/c", "stack", Demand::Either);
        missing.not_run = Some(NotRun { why: "interrupted".into() });
        Run::new(vec![Part { seed: "5eed".into(), ..Part::default() }], vec![good, missing])
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = write(&run()).expect("it can be written");
        assert_eq!(read(&text).expect("a report"), run());
        assert!(text.contains("\"ending\":\"otherwise\""), "{text}");
        assert_eq!((run().totals.otherwise, run().totals.not_run), (1, 1));
    }

    #[test]
    fn totals_are_counted_and_not_believed() {
        let text = write(&run()).expect("it can be written").replace("\"otherwise\":1", "\"otherwise\":77");
        assert_eq!(read(&text).expect("a report").totals.otherwise, 1);
    }

    #[test]
    fn hostile_reports_are_refused_in_a_sentence() {
        let deep = format!("{{\"schema\":1,\"x\":{}", "[".repeat(100_000));
        let long = format!("{{\"schema\":1,\"parts\":[],\"rows\":{}", "[{},".repeat(10));
        let text = write(&run()).expect("it can be written");
        let unknown = text.replace("\"otherwise\",", "\"excellent\",");
        let both = text.replace("\"not_run\":{", "\"ending\":\"silent\",\"not_run\":{");
        let negative = text.replace("\"wall_ms\":0", "\"wall_ms\":-1");
        for (text, words) in [
            ("", "no report"),
            ("{}", "no `schema`"),
            ("[1]", "no report"),
            ("{\"schema\": 99}", "version 99"),
            ("{\"schema\": -1}", "no report"),
            (deep.as_str(), "no report"),
            (long.as_str(), "no report"),
            (unknown.as_str(), "nobody knows"),
            (both.as_str(), "both was and was not run"),
            (negative.as_str(), "no report"),
        ] {
            let why = read(text).expect_err("no report").to_string();
            assert!(why.contains(words), "{why}");
        }
    }
}
