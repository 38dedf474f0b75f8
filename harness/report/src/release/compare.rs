//! Row by row: what changed from one image to the other.

use std::collections::BTreeMap;

use super::{Change, ImageChange, Moved, Release, Was, hello, security};
use crate::history::{self, Key};
use crate::model::{Row, Run, SCHEMA, Wire};

/// A handshake's time has changed if it did by so much,
const HANDSHAKE_MS_MIN: u64 = 10;
/// and the heap's peak if it did by so much: less is the weather of other random numbers.
const HEAP_BYTES_MIN: u64 = 1_024;
/// And by one part of so many.
const PART: u64 = 20;

/// Holds two runs against each other. Rows are the same if scenario, stack and board are called the same.
pub fn compare(old: Run, new: Run) -> Release {
    let before: BTreeMap<Key<'_>, &Row> = old.rows.iter().map(|row| (history::key(row), row)).collect();
    let pairs: Vec<(&Row, &Row)> =
        new.rows.iter().filter_map(|row| Some((*before.get(&history::key(row))?, row))).collect();
    // What one of the runs did not get to, or the bench failed at, says nothing about a release.
    let is_known = |row: &Row| !matches!(row.ending, None | Some(outcome::Ending::BenchFailed(_)));
    let pairs: Vec<(&Row, &Row)> = pairs.into_iter().filter(|(was, is)| is_known(was) && is_known(is)).collect();
    let changes: Vec<Change> =
        pairs.iter().map(|(was, is)| change(was, is)).filter(|change| !change.is_nothing()).collect();
    let first = |run: &Run| run.parts.first().and_then(|part| part.images.first()).cloned().unwrap_or_default();
    let image = ImageChange::between(&first(&old), &first(&new));
    let compared = pairs.len();
    Release { schema: SCHEMA, changes, image, compared, old, new }
}

/// Gives the rows of two runs with one image each the same names: the image as it is, is called after its file, and two
/// files have two names.
pub fn align(old: &mut Run, new: &mut Run) {
    let image = |run: &Run| match run.parts.iter().flat_map(|part| &part.images).collect::<Vec<_>>().as_slice() {
        [one] => Some(one.name.clone()),
        _ => None,
    };
    let (Some(was), Some(is)) = (image(old), image(new)) else { return };
    if was == is {
        return;
    }
    let both = format!("{was} → {is}");
    for (run, name) in [(old, was), (new, is)] {
        for row in run.rows.iter_mut().filter(|row| row.stack == name) {
            row.stack.clone_from(&both);
        }
    }
}

fn change(was: &Row, is: &Row) -> Change {
    // Where one of them was not asked, there is nothing to compare but that.
    let have_run = was.happening.is_some() && is.happening.is_some();
    let none = Wire::default();
    let wires = match (&was.wire, &is.wire) {
        (Some(was), Some(is)) if have_run => (was, is),
        _ => (&none, &none),
    };
    let (security_worse, security_better) = if have_run { security::judge(was, is) } else { Default::default() };
    let heap = |row: &Row| row.happening.as_ref().and_then(|happening| happening.heap_peak_bytes).map(u64::from);
    Change {
        scenario: is.scenario.clone(),
        stack: is.stack.clone(),
        security_worse,
        security_better,
        outcome: changed(happened(was), happened(is)),
        hello: match (&wires.0.hello, &wires.1.hello) {
            (Some(was), Some(is)) => hello::changes(was, is),
            _ => Vec::new(),
        },
        agreed: changed(agreed(wires.0), agreed(wires.1)),
        alerts: changed(alerts(wires.0), alerts(wires.1)),
        handshake_ms: moved(wires.0.handshake_ms, wires.1.handshake_ms, HANDSHAKE_MS_MIN),
        heap_peak_bytes: moved(heap(was), heap(is), HEAP_BYTES_MIN),
    }
}

impl Change {
    fn is_nothing(&self) -> bool {
        let nothing = Self { scenario: self.scenario.clone(), stack: self.stack.clone(), ..Self::default() };
        *self == nothing
    }
}

/// What happened, in words that do not depend on what somebody had reviewed.
fn happened(row: &Row) -> String {
    match &row.happening {
        Some(happening) => format!("{} — {}", happening.phrase, happening.conformity),
        None => row.reason().map_or_else(|| "not applicable".to_owned(), |why| format!("not applicable: {why}")),
    }
}

fn changed(was: String, is: String) -> Option<Was> {
    (was != is).then_some(Was { was, is })
}

/// A number that both have and that changed by more than chance.
fn moved(was: Option<u64>, is: Option<u64>, by_min: u64) -> Option<Moved> {
    let (was, is) = (was?, is?);
    let by = was.abs_diff(is);
    (by >= by_min && by >= was.max(is) / PART).then_some(Moved { was, is })
}

fn agreed(wire: &Wire) -> String {
    let parts = [&wire.version, &wire.cipher_suite, &wire.group];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" · ") }
}

fn alerts(wire: &Wire) -> String {
    let alerts: Vec<String> = wire.alerts.iter().map(|alert| format!("{} {}", alert.by, alert.description)).collect();
    if alerts.is_empty() { "none".to_owned() } else { alerts.join(", ") }
}
