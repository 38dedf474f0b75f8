//! What a verdict and its packets become; and files that are whole or not there.

use super::*;

#[test]
fn a_report_is_whole_or_what_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("deep/er/out.json");
    write_whole(&file, "one").expect("folders are made");
    write_whole(&file, "two").expect("it is replaced");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "two");
    let beside = fs::read_dir(file.parent().expect("a folder")).expect("a folder").count();
    assert_eq!(beside, 1, "nothing unfinished is left");
    // A folder stands where the file should.
    let why = write_whole(&folder.path().join("deep/er"), "three").expect_err("no file");
    assert!(!why.to_string().is_empty());
}

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
    assert!(why.contains("blocked") && why.contains("missing.json"), "{why}");
    assert_eq!(read(&good).expect("a report").rows.len(), 0);
}
