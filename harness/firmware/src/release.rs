//! Two runs, one with each of two images: what the newer one does otherwise.
//!
//! The older image's doings take the place of reviewed snapshots. What changed, and whether security got worse, is
//! `report::release`'s to say.

use outcome::Ending;
use report::model::{NotRun, Row, Run};
use report::release::{Release, compare};

/// Holds the run of a newer image against that of an older one.
pub fn hold_against(mut old: Run, mut new: Run) -> Release {
    // What was not as reviewed, where nothing was.
    for row in old.rows.iter_mut().chain(&mut new.rows) {
        if matches!(row.ending, Some(Ending::Otherwise(_) | Ending::New)) {
            row.ending = Some(Ending::AsExpected);
        }
    }
    for row in &mut new.rows {
        if let Some(was) = old.rows.iter().find(|was| was.scenario == row.scenario && was.stack == row.stack) {
            hold_row_against(was, row);
        }
    }
    let counted_anew = |run: &mut Run| Run::new(std::mem::take(&mut run.parts), std::mem::take(&mut run.rows));
    compare(counted_anew(&mut old), counted_anew(&mut new))
}

fn hold_row_against(was: &Row, row: &mut Row) {
    if was.ending.is_none() {
        row.ending = None;
        row.not_run = Some(NotRun { why: "the older image was not run".into() });
        return;
    }
    if was.transcript.is_empty() || row.transcript.is_empty() {
        return;
    }
    row.difference = snapshot::difference(&was.transcript, &row.transcript, "older image", "newer image");
    let phrase = |row: &Row| row.happening.as_ref().map(|happening| (happening.phrase.clone(), happening.conformity));
    if matches!(row.ending, Some(Ending::AsExpected)) && phrase(was) != phrase(row) {
        row.ending = Some(Ending::Otherwise("what happened is not what happened with the older image".into()));
    }
}
