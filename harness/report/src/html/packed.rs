//! Details of many rows, compressed: scenario by scenario, so that stacks that do the same cost next to nothing.

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, html};

use super::{anchor, anchor_of, detail, grid};
use crate::history::History;
use crate::model::{Row, Run};
use crate::weight::Weight;

/// A block of data for each scenario: gzip, in Base64, of a JSON object of HTML by row.
pub fn packed(run: &Run, past: &History<'_>) -> Markup {
    html! {
        @for (scenario, rows) in grid::by_scenario(run) {
            script type="text/plain" data-of=(anchor(&[scenario])) { (block(&rows, past)) }
        }
    }
}

fn block(rows: &[&Row], past: &History<'_>) -> String {
    pack(rows.iter().map(|row| {
        // What stands in the page already is not told twice.
        let why = (!Weight::of(row).is_notable()).then(|| detail::why(row));
        (anchor_of(row), html! { @if let Some(why) = why { (why) } (detail::evidence(row, past)) })
    }))
}

/// Fragments by their places, compressed.
pub fn pack(fragments: impl Iterator<Item = (String, Markup)>) -> String {
    let fragments: BTreeMap<String, String> =
        fragments.map(|(place, fragment)| (place, fragment.into_string())).collect();
    // Neither can fail: strings are JSON, and memory takes every byte.
    let json = serde_json::to_vec(&fragments).unwrap_or_default();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let packed = gzip.write_all(&json).and_then(|()| gzip.finish()).unwrap_or_default();
    STANDARD.encode(packed)
}
