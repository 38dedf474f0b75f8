//! A board of another host, as far as the bench can tell: a real coordinator and a real exporter of labgrid on loopback,
//! with the pseudo-terminal of a virtual board as their resource.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use runner::controls::tools::is_required;
use runner::exit;
use runner::labgrid;

use crate::stand::{self, RUNNER, Stand, ends_with, words};

/// Whether labgrid and what its exporter needs are there; CI says that they have to be.
fn is_here() -> bool {
    let environment = stand::root().join(labgrid::ENVIRONMENT);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let has_ser2net =
        std::env::split_paths(&folders).chain(["/usr/sbin".into()]).any(|folder| folder.join("ser2net").is_file());
    let is_here = labgrid::program(&environment, "labgrid-client").exists() && has_ser2net;
    let is_required = is_required("labgrid");
    assert!(
        is_here || !is_required,
        "labgrid is required here: `cargo xtask labgrid install`, `apt-get install ser2net`"
    );
    if !is_here {
        println!("skipped: no labgrid here (`cargo xtask labgrid install`), or no ser2net");
    }
    is_here
}

/// A process of labgrid. Dropped, it ends.
struct Process(Child);

impl Process {
    /// Starts a program of labgrid, and waits until it has said so on standard error.
    fn start(folder: &Path, name: &str, arguments: &[&str]) -> (Self, Lines) {
        let mut child = program(name)
            .current_dir(folder)
            .args(arguments)
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("labgrid starts");
        let lines = Lines { name: name.to_owned(), said: BufReader::new(child.stderr.take().expect("its output")) };
        (Self(child), lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked, not killed: an exporter takes its ser2net with it.
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

/// What a process says.
struct Lines {
    name: String,
    said: BufReader<std::process::ChildStderr>,
}

impl Lines {
    /// Reads up to a line that holds `words`.
    fn until(&mut self, words: &str) {
        let mut all = String::new();
        loop {
            let from = all.len();
            let count = self.said.read_line(&mut all).expect("text");
            assert!(count > 0, "{} ended without `{words}`:\n{all}", self.name);
            if all[from..].contains(words) {
                return;
            }
        }
    }

    /// Reads whatever comes, so that nobody has to wait for it.
    fn drain(mut self) {
        thread::spawn(move || std::io::copy(&mut self.said, &mut std::io::sink()));
    }
}

fn program(name: &str) -> Command {
    let mut command = Command::new(labgrid::program(&stand::root().join(labgrid::ENVIRONMENT), name));
    // Fork support of gRPC warns on standard error where a fork is all that happens.
    command.env("GRPC_VERBOSITY", "ERROR");
    command
}

/// Coordinator and exporter, and the place `left` with the serial port of the board `left`.
struct Lab {
    address: String,
    serial: PathBuf,
    exported: Lines,
    _processes: [Process; 2],
}

impl Lab {
    fn of(stand: &Stand) -> Self {
        // Nobody else takes a port that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let address = free.to_string();
        let folder = stand.path("lab");
        fs::create_dir_all(&folder).expect("a folder");
        let (coordinator, mut said) = Process::start(&folder, "labgrid-coordinator", &["-l", &address]);
        said.until("Coordinator ready");
        // labgrid's exporter takes ports in /dev alone: the terminal, and not the link to it.
        let terminal = fs::canonicalize(stand.path("left/serial")).expect("a terminal");
        let resources =
            format!("desk:\n  serial:\n    cls: RawSerialPort\n    port: {}\n    speed: 115200\n", terminal.display());
        fs::write(folder.join("exporter.yaml"), resources).expect("a file");
        let arguments = ["-c", &address, "-n", "rack", "--hostname", "127.0.0.1", "exporter.yaml"];
        let (exporter, exported) = Process::start(&folder, "labgrid-exporter", &arguments);
        said.until("set_resource desk serial");
        said.drain();
        let lab = Self { address, serial: stand.path("left.serial"), exported, _processes: [coordinator, exporter] };
        lab.client(&["create"]);
        lab.client(&["add-match", "rack/desk/NetworkSerialPort"]);
        lab
    }

    /// What labgrid's own client says about the place.
    fn client(&self, words: &[&str]) -> String {
        let output = program("labgrid-client")
            .args(["-x", &self.address, "-p", "left"])
            .args(words)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{words:?}: {}", stand::words(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `cargo xtask labgrid hold`.
    fn hold(&self) -> Command {
        let mut command = Command::new(RUNNER);
        command.args(["labgrid", "hold", "--place", "left", "--coordinator", &self.address]);
        command.arg("--serial").arg(&self.serial).env("SHAKEDOWN_ROOT", stand::root()).env("GRPC_VERBOSITY", "ERROR");
        command
    }
}

#[test]
fn a_board_is_reached_through_labgrid() {
    if !is_here() {
        return;
    }
    let stand = Stand::new();
    let _board = stand.board("left", "");
    let lab = Lab::of(&stand);
    // The same board, its serial port as labgrid hands it over.
    let file = stand.path("map/left.toml");
    let text = fs::read_to_string(&file).expect("the board's file");
    let own = format!("serial = {:?}", stand.path("left/serial"));
    assert!(text.contains(&own), "{text}");
    fs::write(&file, text.replace(&own, &format!("serial = {:?}", lab.serial))).expect("a file");

    let hil = stand.hil(&["--no-health-check", "identity/san_dns_dialled_by_name"]);
    let mut held = lab.hold();
    held.arg("--").arg(hil.get_program()).args(hil.get_args());
    held.envs(hil.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = held.output().expect("the runner starts");
    ends_with(&output, exit::AS_EXPECTED, "On the board left");
    assert!(stand.report().rows.iter().all(|row| row.not_run.is_none()), "{}", words(&output));
    // It was let go, and has taken its name with it.
    assert!(lab.client(&["show"]).contains("acquired: None"), "still held");
    assert!(lab.serial.symlink_metadata().is_err());
}

#[test]
fn a_place_is_held_by_one_and_let_go() {
    if !is_here() {
        return;
    }
    let stand = Stand::new();
    let _board = stand.board("left", "");
    let mut lab = Lab::of(&stand);
    lab.client(&["acquire"]);
    let output = lab.hold().args(["--", "true"]).output().expect("the runner starts");
    ends_with(&output, exit::BENCH_FAILED, "already acquired");
    lab.client(&["release"]);
    // The exporter opens a place's port when it is acquired, and closes it when it is released.
    lab.exported.until("stopped ser2net");
    // A command's exit code is the holder's.
    let output = lab.hold().args(["--", "sh", "-c", "exit 7"]).output().expect("the runner starts");
    assert_eq!(output.status.code(), Some(7), "{}", words(&output));
    assert!(lab.client(&["show"]).contains("acquired: None"), "still held");
    lab.exported.until("stopped ser2net");

    // Nor does a holder that is killed keep it.
    let mut holder = lab.hold().stderr(Stdio::piped()).spawn().expect("the runner starts");
    let mut said = BufReader::new(holder.stderr.take().expect("its output"));
    let mut line = String::new();
    said.read_line(&mut line).expect("text");
    assert!(line.starts_with("holding left"), "{line}");
    assert!(lab.serial.exists());
    holder.kill().expect("it lives");
    holder.wait().expect("it has ended");
    lab.exported.until("stopped ser2net");
    // Let go for good: it can be had again.
    let output = lab.hold().args(["--", "true"]).output().expect("the runner starts");
    ends_with(&output, exit::AS_EXPECTED, "holding left");
}
