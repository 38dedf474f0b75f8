//! Locks, queues, health, quarantine: boards that are well, and people who share them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use outcome::Ending;
use rack::lock::{self, Holder};
use runner::exit;

use crate::stand::{RUNNER, Stand, ends_with, words};

/// Three scenarios that take the wall little time.
const QUICK: [&str; 3] = ["transport/nxdomain", "transport/port_closed", "identity/no_sni_right_certificate"];

#[test]
fn two_boards_share_the_work_and_their_transcripts_are_the_emulators() {
    let stand = Stand::of_emulated(&["door", "window"]);
    ends_with(&stand.hil(&QUICK).output().unwrap(), exit::AS_EXPECTED, "On the boards door, window");
    let report = stand.report();
    assert_eq!(report.totals.as_expected, 3);
    let boards: Vec<&str> = report.rows.iter().map(|row| row.board.as_str()).collect();
    assert!(boards.contains(&"door") && boards.contains(&"window"), "{boards:?}");
    assert!(report.rows.iter().all(|row| row.transcript.contains("target hardware")));
    assert!(report.parts[0].boards.iter().all(|board| board.out_of_order.is_none()));
}

#[test]
fn a_board_that_somebody_holds_is_not_touched_and_who_holds_it_is_told() {
    let stand = Stand::of_emulated(&["door"]);
    let holder = Holder { who: "ann@bench".into(), ..Holder::this("the nightly") };
    let lock = lock::take(&stand.locks(), "emulated-door", &holder, Duration::ZERO).unwrap();
    let output = stand.hil(&QUICK).output().unwrap();
    ends_with(&output, exit::BENCH_FAILED, "held by ann@bench");
    assert!(words(&output).contains("the nightly"), "{}", words(&output));
    let report = stand.report();
    assert_eq!((report.rows.len(), report.totals.not_run), (3, 3), "every row says that it was not run");
    assert!(report.rows[0].not_run.as_ref().unwrap().why.contains("ann@bench"));
    drop(lock);
    ends_with(&stand.hil(&QUICK[..1]).output().unwrap(), exit::AS_EXPECTED, "1 as expected");
}

#[test]
fn of_two_contenders_with_patience_both_have_their_turn() {
    let stand = Stand::of_emulated(&["door"]);
    let other = Stand::of_emulated(&["door"]);
    let first = stand.hil(&QUICK[..1]).args(["--wait", "60"]).spawn().unwrap();
    let second = other.hil(&QUICK[..1]).args(["--wait", "60"]).env("SHAKEDOWN_LOCKS", stand.locks()).output().unwrap();
    ends_with(&second, exit::AS_EXPECTED, "1 as expected");
    let first = first.wait_with_output().unwrap();
    assert!(first.status.success());
}

#[test]
fn what_is_in_quarantine_is_told_and_does_not_count() {
    let stand = Stand::of_emulated(&["door"]);
    // A snapshot that says otherwise than any board will.
    let captures = stand.path("captures/transport");
    fs::create_dir_all(&captures).unwrap();
    fs::write(captures.join("nxdomain.esp32c3_mbedtls.snap"), "something else\n").unwrap();
    let file = stand.path("quarantine.toml");
    let entry = |until: &str| {
        format!(
            "[[quarantine]]\nscenario = \"transport/nxdomain\"\nreason = \"a test\"\nlink = \"https://example.org\"\n\
             until = {until}\n"
        )
    };
    let run = |more: &[&str]| {
        let mut command = stand.hil(&QUICK[..1]);
        command.arg("--captures").arg(stand.path("captures")).arg("--quarantine").arg(&file).args(more);
        command.output().unwrap()
    };
    fs::write(&file, "").unwrap();
    ends_with(&run(&[]), exit::OTHERWISE, "the board differs from the emulator");
    let row = stand.report().rows.remove(0);
    assert!(matches!(row.ending, Some(Ending::Otherwise(_))));
    assert_eq!(row.findings[0].kind, report::model::FindingKind::DiffersFromEmulator);
    assert_eq!(row.attempts.len(), 2, "what is not as expected is looked at twice");
    assert!(!row.flaky, "it was the same both times");
    fs::write(&file, entry("2999-12-31")).unwrap();
    ends_with(&run(&[]), exit::AS_EXPECTED, "1 otherwise");
    assert_eq!(stand.report().totals.quarantined, 1);
    fs::write(&file, entry("2020-01-01")).unwrap();
    ends_with(&run(&[]), exit::USAGE, "ended on 2020-01-01: a test");
    ends_with(&run(&["--quarantine-verify"]), exit::AS_EXPECTED, "1 otherwise");
}

#[test]
fn a_run_that_has_no_time_left_begins_nothing_and_says_so() {
    let stand = Stand::of_emulated(&["door"]);
    let output = stand.hil(&QUICK).args(["--stop-after", "0"]).output().unwrap();
    ends_with(&output, exit::BENCH_FAILED, "3 not run");
    let report = stand.report();
    assert_eq!(report.totals.not_run, 3);
    assert_eq!(report.parts[0].interruption, Some(report::model::Interruption::OutOfTime));
}

#[test]
fn killed_at_any_stage_the_lock_is_free_the_journal_tells_and_the_next_run_works() {
    let stand = Stand::of_emulated(&["door"]);
    let journal = stand.path("artefacts/journal.jsonl");
    for rows_awaited in 0..QUICK.len() {
        let mut child = stand.hil(&QUICK).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
        for _ in 0..rows_awaited {
            progress.next().unwrap().unwrap();
        }
        // SIGKILL: nobody is told, nothing is cleaned up.
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(lock::holder(&stand.locks(), "emulated-door"), None, "a lock dies with its process");
        if rows_awaited > 0 {
            let run = runner::journal::read(&journal).unwrap();
            assert_eq!(run.rows.len(), QUICK.len());
            assert!(run.totals.as_expected >= rows_awaited, "{:?}", run.totals);
            let not_run = run.rows.iter().filter_map(|row| row.not_run.as_ref());
            assert!(not_run.into_iter().all(|one| one.why.contains("killed")));
        }
    }
    ends_with(&stand.hil(&QUICK).output().unwrap(), exit::AS_EXPECTED, "3 as expected");
}

#[test]
fn told_to_end_it_finishes_what_is_running_and_reports_the_rest_as_not_run() {
    let stand = Stand::of_emulated(&["door"]);
    let mut child = stand.hil(&QUICK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
    progress.next().unwrap().unwrap();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    progress.for_each(drop);
    let output = child.wait_with_output().unwrap();
    ends_with(&output, exit::INTERRUPTED, "not run");
    let report = stand.report();
    assert_eq!(report.rows.len(), 3);
    assert!(report.totals.not_run >= 1 && report.totals.as_expected >= 1, "{:?}", report.totals);
    assert_eq!(report.parts[0].interruption, Some(report::model::Interruption::Signal));
}

#[test]
fn the_boards_are_listed_with_health_and_holder_and_a_board_that_nobody_knows_is_a_usage_error() {
    let stand = Stand::of_emulated(&["door"]);
    stand.describe("shed", "chip = \"esp32c3\"\nprobe = \"emulated\"\nalive = false\nbecause = \"rain\"\n");
    stand.describe("window", "chip = \"esp32c3\"\nprobe = \"303a:1001:AA\"\nserial = \"/dev/serial/by-id/no-such\"\n");
    let holder = Holder { who: "ann@bench".into(), ..Holder::this("the nightly") };
    let _lock = lock::take(&stand.locks(), "emulated-door", &holder, Duration::ZERO).unwrap();
    let boards = |more: &[&str]| {
        let mut command = Command::new(RUNNER);
        command.arg("boards").arg("--map").arg(stand.path("map")).args(more).env("SHAKEDOWN_LOCKS", stand.locks());
        command.output().unwrap()
    };
    let output = boards(&[]);
    ends_with(&output, exit::OTHERWISE, "not plugged in: no /dev/serial/by-id/no-such");
    let said = words(&output);
    assert!(said.contains("ann@bench") && said.contains("out of order: rain"), "{said}");
    // A machine with nothing plugged in: nothing is written, and nothing is touched.
    let nothing = stand.path("nothing").display().to_string();
    ends_with(&boards(&["--scan", "--system-root", &nothing]), exit::AS_EXPECTED, "0 board(s) plugged in");
    let output = stand.hil(&QUICK).args(["--only", "dor"]).output().unwrap();
    ends_with(&output, exit::USAGE, "has no board `dor`; it has door, shed, window");
}
