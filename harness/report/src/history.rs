//! Runs held against earlier ones: what changed, and how a row fared before.

use std::collections::BTreeMap;

use crate::model::{Row, Run};
use crate::weight::{self, Weight};

/// What a row is known by in every run: scenario, stack and board.
pub type Key<'a> = (&'a str, &'a str, &'a str);

/// The key of a row.
pub fn key(row: &Row) -> Key<'_> {
    (&row.scenario, &row.stack, &row.board)
}

/// A row of this run whose outcome is another than in the run before.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The row then.
    pub before: &'a Row,
    /// The row now.
    pub now: &'a Row,
}

/// What happened in words that do not change with the weather: not the times.
pub fn outcome(row: &Row) -> String {
    let ending = row.ending.as_ref().map_or_else(|| "not run".to_owned(), ToString::to_string);
    match &row.happening {
        Some(happening) => format!("{}: {}, {}", ending, happening.phrase, happening.conformity),
        None => match row.reason() {
            Some(why) => format!("{ending}: {why}"),
            None => ending,
        },
    }
}

/// The rows whose outcomes changed since `before`, in the order of `now`. A row that only one of the runs has, or that
/// one of them did not get to, is no change.
pub fn changes<'a>(before: &'a Run, now: &'a Run) -> Vec<Change<'a>> {
    let known: BTreeMap<Key<'_>, &Row> = before.rows.iter().map(|row| (key(row), row)).collect();
    now.rows
        .iter()
        .filter(|row| row.ending.is_some())
        .filter_map(|row| Some(Change { before: known.get(&key(row)).copied()?, now: row }))
        .filter(|change| change.before.ending.is_some() && outcome(change.before) != outcome(change.now))
        .collect()
}

/// How one row fared in one of the earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// When that run began.
    pub started: String,
    /// How much it mattered; `None` if that run had no such row.
    pub weight: Option<Weight>,
    /// In a word.
    pub word: &'static str,
    /// In a sentence.
    pub outcome: String,
}

/// Earlier runs, oldest first.
#[derive(Debug)]
pub struct History<'a> {
    runs: Vec<(&'a str, BTreeMap<Key<'a>, &'a Row>)>,
}

impl<'a> History<'a> {
    /// Of these runs, in whatever order.
    pub fn new(runs: &'a [Run]) -> Self {
        let mut runs: Vec<_> =
            runs.iter().map(|run| (started(run), run.rows.iter().map(|row| (key(row), row)).collect())).collect();
        runs.sort_by_key(|(started, _)| *started);
        Self { runs }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How a row fared, oldest first.
    pub fn of(&self, row: &Row) -> Vec<Past> {
        let past = |(started, rows): &(&str, BTreeMap<Key<'_>, &Row>)| {
            let then = rows.get(&key(row));
            Past {
                started: (*started).to_owned(),
                weight: then.map(|row| Weight::of(row)),
                word: then.map_or("", |row| weight::word(row)),
                outcome: then.map_or_else(|| "not in that run".to_owned(), |row| outcome(row)),
            }
        };
        self.runs.iter().map(past).collect()
    }
}

/// When a run began: its earliest part.
pub fn started(run: &Run) -> &str {
    run.parts.iter().map(|part| part.started.as_str()).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use outcome::Ending;

    #[test]
    fn what_changed_is_told_and_nothing_else() {
        let before = fixture::run();
        let mut now = before.clone();
        assert!(changes(&before, &now).is_empty());
        now.rows[2].ending = Some(Ending::AsExpected);
        // Times are no outcomes, and what was not run before has not changed.
        now.rows[1].happening.as_mut().expect("it ran").took_ms += 1;
        now.rows[5].ending = Some(Ending::AsExpected);
        let changed: Vec<&str> = changes(&before, &now).iter().map(|change| change.now.scenario.as_str()).collect();
        assert_eq!(changed, ["trust/unknown"]);
    }

    #[test]
    fn the_past_is_told_oldest_first() {
        let (mut old, mut older) = (fixture::run(), fixture::run());
        old.parts[0].started = "2026-11-20T00:00:00Z".into();
        older.parts[0].started = "2026-11-19T00:00:00Z".into();
        older.rows[2].ending = Some(Ending::AsExpected);
        older.rows.truncate(3);
        let runs = [old, older];
        let history = History::new(&runs);
        let weights: Vec<_> = history.of(&runs[0].rows[2]).into_iter().map(|past| past.weight).collect();
        assert_eq!(weights, [Some(Weight::Good), Some(Weight::Otherwise)]);
        assert_eq!(history.of(&runs[0].rows[4])[0].weight, None);
    }
}
