//! A run as data. The JSON report is this and nothing else; its schema, `report/schema/run.json`, is rendered from here.
//!
//! Within one version of the schema, keys may come but none goes or changes its meaning.

mod clean;
mod hello;
mod ladder;
mod part;
mod row;

use serde::{Deserialize, Serialize};

pub use hello::{Alert, Hello, Wire};
pub use ladder::{Ladder, Step};
pub use part::{Board, Host, Image, Interruption, Part, Section, Shard, Stack};
pub use row::{
    Attempt, Capture, Evidence, Explanation, Finding, FindingKind, Happening, How, LogLine, NotRun, Quarantine, Row,
};

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// Everything about a run: of one machine, or of several that were merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// The version of this schema: 1.
    pub schema: u32,
    /// What was started, where and with what: one part for each invocation that is merged in here.
    pub parts: Vec<Part>,
    /// What became of each scenario, on each stack and each board.
    pub rows: Vec<Row>,
    /// The rows, counted.
    pub totals: Totals,
}

/// Rows, counted by what became of them. Each row counts once among the first seven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Totals {
    /// What happened is what the reviewed snapshot says.
    pub as_expected: usize,
    /// Nothing was reviewed yet: the specification alone judges.
    pub new: usize,
    /// What happened differs from the reviewed snapshot.
    pub otherwise: usize,
    /// Nothing happened before the scenario's limit.
    pub silent: usize,
    /// The scenario does not apply.
    pub not_applicable: usize,
    /// The bench itself failed.
    pub bench_failed: usize,
    /// It was to be run and was not.
    pub not_run: usize,
    /// Rows in which the device accepts what it must refuse, whatever their ending.
    pub security_findings: usize,
    /// Those of them that are known and excused.
    pub known_findings: usize,
    /// Rows that fail the run although their endings do not.
    pub denied: usize,
    /// Rows whose outcome changed when it was repeated.
    pub flaky: usize,
    /// Rows in quarantine: they do not fail the run.
    pub quarantined: usize,
    /// The devices' own time, in milliseconds.
    pub device_ms: u64,
}

impl Run {
    /// A run of these parts and rows: counted, in the order of their names, and with no text that a terminal, a browser
    /// or an editor would obey.
    pub fn new(parts: Vec<Part>, rows: Vec<Row>) -> Self {
        let mut run = Self { schema: SCHEMA, parts, rows, totals: Totals::default() };
        run.clean();
        run.rows.sort_by(|a, b| (&a.scenario, &a.stack, &a.board).cmp(&(&b.scenario, &b.stack, &b.board)));
        run.totals = Totals::of(&run.rows);
        run
    }

    /// Shows what would be obeyed ([`terminal::clean`]).
    pub(crate) fn clean(&mut self) {
        clean::run(self);
    }
}

impl Totals {
    /// What became of the rows: each counts once, and the numbers add up to all of them.
    pub fn endings(&self) -> [(usize, &'static str); 7] {
        [
            (self.as_expected, "as expected"),
            (self.new, "new"),
            (self.otherwise, "otherwise"),
            (self.silent, "silent"),
            (self.bench_failed, "the bench failed"),
            (self.not_run, "not run"),
            (self.not_applicable, "not applicable"),
        ]
    }

    /// What some of these rows are besides.
    pub fn among(&self) -> [(usize, &'static str); 5] {
        [
            (self.security_findings, "accepted against the rule"),
            (self.known_findings, "known"),
            (self.denied, "denied"),
            (self.flaky, "flaky"),
            (self.quarantined, "in quarantine"),
        ]
    }

    /// Counts rows.
    pub fn of(rows: &[Row]) -> Self {
        use outcome::Ending;
        let mut totals = Self::default();
        for row in rows {
            *match &row.ending {
                None => &mut totals.not_run,
                Some(Ending::AsExpected) => &mut totals.as_expected,
                Some(Ending::New) => &mut totals.new,
                Some(Ending::Otherwise(_)) => &mut totals.otherwise,
                Some(Ending::Silent) => &mut totals.silent,
                Some(Ending::NotApplicable(_)) => &mut totals.not_applicable,
                Some(Ending::BenchFailed(_)) => &mut totals.bench_failed,
            } += 1;
            totals.security_findings += usize::from(row.is_security_finding());
            totals.known_findings += usize::from(row.known.is_some());
            totals.denied += usize::from(row.denied.is_some());
            totals.flaky += usize::from(row.flaky);
            totals.quarantined += usize::from(row.quarantine.is_some());
            let took_ms = row.happening.as_ref().map_or(0, |happening| happening.took_ms);
            totals.device_ms = totals.device_ms.saturating_add(took_ms);
        }
        totals
    }
}
