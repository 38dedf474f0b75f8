//! The packets below `captures/`, and the transcripts that people have reviewed: each file tells the lines of the snapshot
//! that lies beside it.

use std::fs;
use std::path::Path;

use capture::{Style, read, render};

/// The lines of a transcript without what belongs to a run and not to its packets: times, which a snapshot rounds, and
/// marks in the margin.
fn said(table: &str) -> Vec<String> {
    let lines = table.lines().skip_while(|line| line.trim_start() != "ms  who      said").skip(1);
    let of_packets = |line: &&str| {
        line.is_empty()
            || line.starts_with([' ', '('])
            || line.starts_with(|first: char| first.is_ascii_digit())
            || line.starts_with("connection ")
    };
    let line = |line: &str| {
        let unmarked = line.split("  ← ").next().unwrap_or_default();
        unmarked.trim_start().trim_start_matches(|first: char| first.is_ascii_digit()).trim().to_owned()
    };
    lines.take_while(of_packets).map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn packets_tell_what_the_snapshot_beside_them_tells() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let found = host::find(&captures, "pcapng").expect("the folder of captures can be read");
    let style = Style { folds: true, ..Style::BENCH };
    let mut compared = 0;
    let mut complaints = Vec::new();
    for file in found {
        let snapshot = fs::read_to_string(file.with_extension("snap")).expect("a snapshot beside the packets");
        // A sweep has a line for each of its runs, and the packets of one.
        if snapshot.contains("\nwithout allocation ") {
            continue;
        }
        let transcript = read(&fs::read(&file).expect("packets"), "").expect("a capture");
        let (told, reviewed) = (said(&render(&transcript, &style)), said(&snapshot));
        if told != reviewed {
            let at = told.iter().zip(&reviewed).position(|(told, reviewed)| told != reviewed);
            let at = at.unwrap_or(told.len().min(reviewed.len()));
            complaints.push(format!(
                "{}:\n  packets   {:?}\n  snapshot  {:?}",
                file.display(),
                told.get(at),
                reviewed.get(at)
            ));
        }
        compared += 1;
    }
    assert!(complaints.is_empty(), "{} of {compared}:\n{}", complaints.len(), complaints.join("\n"));
    assert!(compared > 300, "only {compared} were compared");
}
