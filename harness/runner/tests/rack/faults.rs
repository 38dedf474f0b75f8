//! Faults of boards, injected into virtual ones: each is the bench's and none the device's, and each run ends with a report.

use std::fs;
use std::process::Command;

use outcome::Ending;
use runner::exit;

use crate::stand::{Stand, ends_with, root, words};

/// Boards under test are given up on quickly: nobody waits a minute for a probe that was told to hang.
const IMPATIENT: &str = "[limits]\nattach_s = 1\nflash_s = 1\nreset_s = 1\nerase_s = 1\nport_s = 1\n";
const QUICK: &str = "transport/nxdomain";

/// `transport/nxdomain`, given up on after two seconds.
fn impatient(stand: &Stand) -> Command {
    let scenario = fs::read_to_string(root().join("scenarios/transport/nxdomain.toml")).unwrap();
    let folder = stand.path("scenarios/transport");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("nxdomain.toml"), scenario.replacen("title = ", "limit_s = 2\ntitle = ", 1)).unwrap();
    let mut command = stand.hil(&["--no-health-check"]);
    command.arg("--scenarios").arg(stand.path("scenarios"));
    command
}

#[test]
fn an_outcome_that_changes_when_it_is_repeated_is_flaky_and_both_are_told() {
    let stand = Stand::new();
    let board = stand.board("door", IMPATIENT);
    board.ask("fault deaf 1");
    ends_with(&impatient(&stand).output().unwrap(), exit::OTHERWISE, "flaky: first ");
    let row = stand.report().rows.remove(0);
    assert!(row.flaky);
    assert_eq!(row.attempts.len(), 2, "{:?}", row.attempts);
    assert!(row.attempts.iter().all(|attempt| !attempt.bench_failed && !attempt.transcript.is_empty()));
    assert_ne!(row.attempts[0].transcript, row.attempts[1].transcript);
}

#[test]
fn garbage_while_the_chip_starts_is_no_reason_for_anything() {
    let stand = Stand::new();
    let board = stand.board("door", IMPATIENT);
    board.ask("fault garbage 5000");
    ends_with(&stand.hil(&[QUICK]).output().unwrap(), exit::AS_EXPECTED, "1 as expected");
}

#[test]
fn a_probe_that_hangs_is_killed_and_the_ladder_climbed_to_what_helps() {
    let stand = Stand::new();
    let board = stand.board("door", IMPATIENT);
    board.ask("fault probe hangs power");
    let output = stand.hil(&[QUICK]).output().unwrap();
    ends_with(&output, exit::AS_EXPECTED, "1 as expected");
    let report = stand.report();
    let log = report.parts[0].boards[0].log.join("\n");
    for rung in ["re-attach: ", "reset: ", "USB reset: ", "erase and reflash: ", "power cycle: answers again"] {
        assert!(log.contains(rung), "no `{rung}` in:\n{log}");
    }
}

#[test]
fn a_wedged_board_leaves_the_run_and_its_twin_does_the_work() {
    let stand = Stand::new();
    let wedged = stand.board("door", IMPATIENT);
    let _twin = stand.board("window", IMPATIENT);
    wedged.ask("fault probe no_chip nothing");
    let output = stand.hil(&[QUICK, "transport/port_closed"]).output().unwrap();
    ends_with(&output, exit::AS_EXPECTED, "2 as expected");
    let report = stand.report();
    assert!(report.rows.iter().all(|row| row.board == "window"), "{}", words(&output));
    let door = report.parts[0].boards.iter().find(|board| board.name == "door").unwrap();
    assert!(door.out_of_order.as_ref().unwrap().contains("no such chip answers"), "{door:?}");
}

#[test]
fn without_a_twin_every_row_says_that_it_was_not_run() {
    let stand = Stand::new();
    let board = stand.board("door", IMPATIENT);
    board.ask("fault probe vanishes nothing");
    let output = stand.hil(&[QUICK]).output().unwrap();
    ends_with(&output, exit::BENCH_FAILED, "1 not run");
    let why = stand.report().rows.remove(0).not_run.unwrap().why;
    assert!(why.contains("door: wedged in the health check") && why.contains("went away"), "{why}");
}

#[test]
fn a_port_that_vanishes_in_mid_run_is_found_again_and_the_scenario_run_again() {
    let stand = Stand::new();
    let board = stand.board("door", IMPATIENT);
    board.ask("fault unplug 900");
    let output = stand.hil(&["identity/no_sni_right_certificate", "--no-health-check"]).output().unwrap();
    ends_with(&output, exit::AS_EXPECTED, "1 as expected");
    let row = stand.report().rows.remove(0);
    assert_eq!(row.attempts.len(), 2);
    assert!(row.attempts[0].bench_failed && row.attempts[0].outcome.contains("went away"), "{:?}", row.attempts[0]);
    assert!(!row.flaky, "the bench failed, and not the device");
}

#[test]
fn a_board_that_does_not_read_is_silent() {
    let stand = Stand::new();
    let board = stand.board("door", IMPATIENT);
    board.ask("fault deaf");
    ends_with(&impatient(&stand).output().unwrap(), exit::OTHERWISE, "silent");
    let report = stand.report();
    assert!(matches!(report.rows[0].ending, Some(Ending::Silent)));
}

#[test]
fn an_image_that_is_none_is_blamed_on_no_board() {
    let stand = Stand::new();
    let _board = stand.board("door", IMPATIENT);
    let image = stand.path("mine.elf");
    fs::write(&image, b"\x7fELF and no more").unwrap();
    let mut command = stand.hil_on_any(&[QUICK, "--no-health-check", "--image"]);
    ends_with(&command.arg(&image).output().unwrap(), exit::USAGE, "mine.elf: it is an ELF file for machine 0");
}
