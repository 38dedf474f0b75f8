//! Reports of several machines as one.

use std::collections::{BTreeMap, BTreeSet};

use crate::history;
use crate::model::{Attempt, Row, Run};

/// What the reports say together, and what is odd about them, in sentences.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The whole.
    pub run: Run,
    /// Whether every share of the work is in.
    pub is_complete: bool,
    /// Shares that nobody handed in, rows that two handed in, images that differ.
    pub remarks: Vec<String>,
}

/// Merges reports. A row that one of them ran counts before one that another did not get to; of a row that several ran,
/// all outcomes are kept, and it is flaky if they differ.
pub fn merge(runs: Vec<Run>) -> Merged {
    let mut parts = Vec::new();
    let mut rows: BTreeMap<(String, String, String), Row> = BTreeMap::new();
    let mut twice = 0;
    for run in runs {
        parts.extend(run.parts);
        for row in run.rows {
            let key = (row.scenario.clone(), row.stack.clone(), row.board.clone());
            let whole = match rows.remove(&key) {
                None => row,
                Some(first) if first.ending.is_none() => row,
                Some(first) if row.ending.is_none() => first,
                Some(first) => {
                    twice += 1;
                    both(first, row)
                }
            };
            rows.insert(key, whole);
        }
    }
    let run = Run::new(parts, rows.into_values().collect());
    let mut remarks = missing_shares(&run);
    let is_complete = remarks.is_empty();
    remarks.extend(differing_images(&run));
    if twice > 0 {
        remarks.push(format!("{twice} rows are in more than one of the reports: all their outcomes are kept"));
    }
    Merged { run, is_complete, remarks }
}

/// A row that was run twice: the first, with the second as another attempt.
fn both(mut first: Row, second: Row) -> Row {
    let differ = history::outcome(&first) != history::outcome(&second);
    if first.attempts.is_empty() {
        first.attempts.push(attempt(&first));
    }
    first.attempts.push(attempt(&second));
    first.attempts.extend(second.attempts);
    first.flaky |= second.flaky || differ;
    first
}

fn attempt(row: &Row) -> Attempt {
    Attempt {
        board: row.board.clone(),
        outcome: history::outcome(row),
        bench_failed: matches!(row.ending, Some(outcome::Ending::BenchFailed(_))),
        transcript: row.transcript.clone(),
        wall_ms: row.wall_ms,
    }
}

/// Shares of the work that none of the parts is.
fn missing_shares(run: &Run) -> Vec<String> {
    let mut shares: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for shard in run.parts.iter().filter_map(|part| part.shard) {
        shares.entry(shard.of).or_default().insert(shard.index);
    }
    let missing = |(of, found): (&u32, &BTreeSet<u32>)| {
        // Whoever claims to be one of a million is not asked for all the others.
        let missing: Vec<String> =
            (1..=(*of).min(1_000)).filter(|index| !found.contains(index)).map(|index| index.to_string()).collect();
        (!missing.is_empty()).then(|| format!("of {of} shares these are missing: {}", missing.join(", ")))
    };
    shares.iter().filter_map(missing).collect()
}

/// Images of one name that are not the same: the rows cannot be compared.
fn differing_images(run: &Run) -> Vec<String> {
    let mut images: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for image in run.parts.iter().flat_map(|part| &part.images) {
        images.entry(&image.name).or_default().insert(&image.sha256);
    }
    let differs = images.into_iter().filter(|(_, hashes)| hashes.len() > 1);
    differs.map(|(name, hashes)| format!("{} different images are called `{name}`", hashes.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::model::{Image, Part, Shard};
    use outcome::Ending;

    #[test]
    fn shares_make_the_whole_in_whatever_order() {
        let whole = merge(vec![fixture::run()]).run;
        let share = |index: usize| {
            let rows = fixture::run().rows.into_iter().skip(index).step_by(3).collect();
            let shard = Some(Shard { index: index as u32 + 1, of: 3 });
            Run::new(vec![Part { shard, ..Part::default() }], rows)
        };
        let merged = merge(vec![share(2), share(0), share(1)]);
        assert_eq!((merged.run.rows, merged.run.totals), (whole.rows, whole.totals));
        assert!(merged.remarks.is_empty(), "{:?}", merged.remarks);
        let merged = merge(vec![share(0), share(2)]);
        assert!(!merged.is_complete);
        assert_eq!(merged.remarks, ["of 3 shares these are missing: 2"]);
    }

    #[test]
    fn nothing_that_was_run_is_lost() {
        let (one, mut other) = (fixture::run(), fixture::run());
        let missed = other.rows.iter().position(|row| row.not_run.is_some()).expect("one was not run");
        other.rows[missed].not_run = None;
        other.rows[missed].ending = Some(Ending::AsExpected);
        other.rows[1].ending = Some(Ending::Silent);
        let name = other.rows[1].scenario.clone();
        let merged = merge(vec![one, other]);
        assert_eq!(merged.run.totals.not_run, 0);
        let row = merged.run.rows.iter().find(|row| row.scenario == name).expect("it is kept");
        assert!(row.flaky && row.attempts.len() == 2, "{row:?}");
        assert!(merged.remarks[0].contains("in more than one"), "{:?}", merged.remarks);
    }

    #[test]
    fn images_of_one_name_have_to_be_one() {
        let run = |sha256: &str| {
            let image = Image { name: "a".into(), sha256: sha256.into(), ..Image::default() };
            Run::new(vec![Part { images: vec![image], ..Part::default() }], Vec::new())
        };
        assert!(merge(vec![run("1"), run("1")]).remarks.is_empty());
        assert_eq!(merge(vec![run("1"), run("2")]).remarks, ["2 different images are called `a`"]);
    }
}
