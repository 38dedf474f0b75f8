//! Reports that somebody broke on purpose: whatever is read is rendered in every way, and nothing panics.

use serde_json::Value;

use crate::markdown::Links;
use crate::model::Run;
use crate::{fixture, html, json, junit, markdown, merge, release};

/// So many broken reports are tried.
const TRIES: u64 = 400;

/// Renders a run in every way there is.
fn render(run: Run) {
    let other = fixture::run();
    html::write(&run, std::slice::from_ref(&other));
    html::write(&other, std::slice::from_ref(&run));
    markdown::write(&run, Some(&other), &Links { base: Some("https://example.org".into()) });
    // XML has no place for some characters; whoever writes it says so or leaves them out.
    let _ = junit::write(&run);
    let merged = merge::merge(vec![run.clone(), other.clone(), run.clone()]).run;
    let (mut old, mut new) = (other, merged);
    release::align(&mut old, &mut new);
    let release = release::compare(old, new);
    release::text(&release);
    release::markdown(&release);
    html::write_release(&release);
}

#[test]
fn bytes_changed_anywhere_are_refused_or_rendered() {
    let text = json::write(&fixture::run()).expect("JSON").into_bytes();
    let (mut chance, mut read) = (1_u64, 0);
    let mut next = move || {
        // Knuth's MMIX: any numbers will do, as long as they are the same every time.
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(chance >> 33).unwrap_or(0)
    };
    for _ in 0..TRIES {
        let mut broken = text.clone();
        for _ in 0..=next() % 3 {
            let at = next() % broken.len();
            match next() % 3 {
                0 => broken[at] = b"0919\"{}[],:-.e\\\x00\xff"[next() % 17],
                1 => drop(broken.drain(at..(at + next() % 20).min(broken.len()))),
                _ => {
                    let piece = broken[at..(at + next() % 40).min(broken.len())].to_vec();
                    broken.splice(at..at, piece);
                }
            }
        }
        if let Ok(run) = json::read(&String::from_utf8_lossy(&broken)) {
            read += 1;
            render(run);
        }
    }
    assert!(read > TRIES / 20, "only {read} were still reports");
}

#[test]
fn numbers_of_any_size_and_lists_of_any_length_are_rendered() {
    let text = json::write(&fixture::run()).expect("JSON");
    for number in [0, 1, u64::from(u32::MAX), u64::MAX] {
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        set(&mut value, number);
        value["schema"] = 1.into();
        let refused = json::read(&value.to_string()).map(render);
        // What has 8 or 32 bits in the model takes no more; nothing else is wrong with it.
        let words = refused.map_or_else(|why| why.to_string(), |()| String::new());
        assert!(words.is_empty() || words.contains("invalid value: integer"), "{words}");
    }
    let mut run = fixture::run();
    let row = run.rows[1].clone();
    run.rows = (0..2_000)
        .map(|index| {
            let mut row = row.clone();
            row.scenario = format!("{}/{}", "x".repeat(index % 300), index);
            row
        })
        .collect();
    assert_eq!(html::write(&run, &[]).matches("<h3>").count(), 2_000, "they are all there");
}

/// Makes every number the same.
fn set(value: &mut Value, number: u64) {
    match value {
        Value::Number(_) => *value = number.into(),
        Value::Array(values) => values.iter_mut().for_each(|value| set(value, number)),
        Value::Object(members) => members.values_mut().for_each(|value| set(value, number)),
        _ => {}
    }
}
