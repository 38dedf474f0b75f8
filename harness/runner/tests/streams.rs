//! Readers of the standard streams that go away, and disks that are full: no fault of a run, and never its end.
#![cfg(unix)]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use runner::exit;
use tempfile::TempDir;

use support::root;

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.args(arguments).env("SHAKEDOWN_ROOT", root()).stdin(Stdio::null());
    command
}

/// A pipe at whose other end nobody is.
fn nobody() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Where nothing can be written; on Linux alone.
fn full() -> Stdio {
    fs::File::options().write(true).open("/dev/full").map_or_else(|_| nobody(), Stdio::from)
}

#[test]
fn a_run_that_nobody_reads_has_its_report_and_its_exit_code() {
    type Stream = fn() -> Stdio;
    let streams: [[Stream; 2]; 4] = [[Stdio::null, nobody], [Stdio::null, full], [nobody, nobody], [full, Stdio::null]];
    for [stdout, stderr] in streams {
        let folder = TempDir::new().expect("a temporary folder");
        let report = folder.path().join("report.json");
        let status =
            bench(&["hil", "--board", "esp32c3", "--stack", "esp32c3_mbedtls", "identity/san_ip_dialled_by_address"])
                .args(["--verbose", "--show", "--report", &format!("json={}", report.display())])
                .arg("--artefacts")
                .arg(folder.path().join("artefacts"))
                .stdout(stdout())
                .stderr(stderr())
                .status()
                .expect("the bench starts");
        assert_eq!(status.code(), Some(exit::AS_EXPECTED.code.into()));
        let run = report::json::read(&fs::read_to_string(&report).expect("a report")).expect("a whole one");
        assert_eq!(run.totals.as_expected, 1);
    }
}

#[test]
fn every_command_ends_as_if_it_were_read() {
    let capture = "captures/identity/san_ip_dialled_by_address.esp32c3_mbedtls.pcapng";
    let commands: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["no-such-command"],
        &["hil", "--list"],
        &["hil", "no/such/scenario"],
        &["hil", "--on", "hardware", "identity/san_ip_dialled_by_address"],
        &["boards"],
        &["doctor"],
        &["capture", "show", capture],
        &["capture", "show", "no/such/file"],
        &["explain", "-0x3000"],
        &["explain", "--capture", capture],
        &["matrix", "identity"],
        &["report", "schema"],
        &["report", "merge", "no/such/file"],
        &["emulate", "--map"],
        &["emulate", "no/such/file"],
        &["virtual-control", "no/such/socket", "state"],
    ];
    for arguments in commands {
        let read = bench(arguments).current_dir(root()).output().expect("the bench starts");
        let status = bench(arguments).current_dir(root()).stdout(full()).stderr(nobody()).status();
        assert_eq!(status.expect("the bench starts").code(), read.status.code(), "{arguments:?}");
    }
}

#[test]
fn a_chip_ends_with_the_reader_of_its_serial_port() {
    let image = "firmware-under-test/images/esp32c3_mbedtls.elf";
    let status = bench(&["emulate", image]).current_dir(root()).stdout(nobody()).stderr(nobody()).status();
    assert_eq!(status.expect("the bench starts").code(), Some(exit::AS_EXPECTED.code.into()));
}
