//! What a verdict and its packets become.

use super::*;
use std::fs;

#[test]
fn one_report_that_cannot_be_written_does_not_take_the_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (blocked, good) = (folder.path().join("blocked"), folder.path().join("good.json"));
    fs::create_dir(&blocked).expect("a folder");
    let report = |kind, file: &Path| Report { kind, file: file.to_owned() };
    let wanted = Reporting {
        report: vec![report(ReportKind::Junit, &blocked), report(ReportKind::Json, &good)],
        history: vec![folder.path().join("missing.json")],
        embed: Embed::None,
    };
    let why = write_all(&wanted, &Run::new(Vec::new(), Vec::new())).expect_err("two complaints");
    assert!(why.message.contains("blocked") && why.message.contains("missing.json"), "{why}");
    assert_eq!(read(&good).expect("a report").rows.len(), 0);
}
