//! Files that a stranger handed over, and what ends a bench: nothing outside is touched, nobody runs as root, nobody is left
//! running.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tempfile::TempDir;

use support::{root, words};

/// A broker of this machine, in the device's place an emulated chip.
const WITH_MOSQUITTO: &str = "identity/san_ip_and_dns_real_mosquitto_dialled_by_address";

fn hil(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.args(["hil", "--board", "esp32c3", "--stack", "esp32c3_mbedtls", "--artefacts"]);
    command.arg(folder.path().join("artefacts")).env("SHAKEDOWN_ROOT", root()).env("TMPDIR", folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The processes called `name` whose parent is `parent`.
fn children(parent: u32, name: &str) -> Vec<u32> {
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let all = fs::read_dir("/proc").expect("Linux").flatten().filter_map(number);
    all.filter(|process| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        field("Name:") == Some(name) && field("PPid:") == Some(&parent.to_string())
    })
    .collect()
}

#[test]
fn a_bench_that_is_killed_takes_its_broker_with_it_and_leaves_no_key() {
    if !installed("mosquitto") {
        return;
    }
    let place = folder();
    // Stopped as soon as its broker is seen: the run is over in a moment otherwise.
    let mut bench = hil(&place).arg(WITH_MOSQUITTO).process_group(0).spawn().expect("the bench starts");
    let broker = loop {
        if let Some(broker) = children(bench.id(), "mosquitto").first() {
            break *broker;
        }
        assert!(bench.try_wait().expect("it is ours").is_none(), "it ended before its broker was seen");
        std::thread::yield_now();
    };
    let pid = Pid::from_raw(broker.try_into().expect("a process")).expect("a process");
    let broker_ends = pidfd_open(pid, PidfdFlags::empty()).expect("it lives");
    let status = fs::read_to_string(format!("/proc/{broker}/status")).expect("it lives");
    bench.kill().expect("it is ours");
    bench.wait().expect("it is ours");
    let limit = Timespec::try_from(std::time::Duration::from_secs(20)).expect("a moment");
    let ended = poll(&mut [PollFd::new(&broker_ends, PollFlags::IN)], Some(&limit)).expect("it can be waited for");
    assert_eq!(ended, 1, "the broker lives on");
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("a user");
    assert!(!user.split_whitespace().any(|uid| uid == "0"), "the broker was root's: {user}");
    // What it left is gone when the next run begins.
    let output = hil(&place).arg(WITH_MOSQUITTO).output().expect("the bench starts");
    assert!(output.status.success(), "{}", words(&output));
    let left: Vec<PathBuf> = find(place.path(), &|name| name.starts_with("shakedown-") || name.ends_with(".key"));
    assert_eq!(left, Vec::<PathBuf>::new());
}

fn find(folder: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if is_wanted(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
        if entry.path().is_dir() {
            found.extend(find(&entry.path(), is_wanted));
        }
    }
    found
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.into_iter().any(|folder| folder.join(program).exists())
}

/// A scenario of somebody else's with these lines in it.
fn scenario(place: &TempDir, more: &str) -> PathBuf {
    let scenarios = place.path().join("scenarios");
    fs::create_dir_all(scenarios.join("mine")).expect("a folder");
    let text = format!(
        "title = 'Mine'\nspecification = {{ demands = 'connect', rule = 'RFC 9525 §6', quote = 'q' }}\n{more}\n"
    );
    fs::write(scenarios.join("mine/one.toml"), text).expect("a file");
    scenarios
}

#[test]
fn a_configuration_that_reaches_outside_is_its_authors_fault_and_touches_nothing() {
    let place = folder();
    let outside = place.path().join("outside");
    for line in [
        format!("persistence_file {}", outside.display()),
        format!("global_plugin {}", outside.display()),
        format!("plugin_load x {}", outside.display()),
        "connection elsewhere".to_owned(),
    ] {
        let more = format!("[broker]\nreal = 'mosquitto'\n[mosquitto]\nconf = '''\nlistener 8883\n{line}\n'''");
        let output = hil(&place).arg("--scenarios").arg(scenario(&place, &more)).output().expect("the bench starts");
        assert_eq!(output.status.code(), Some(runner::exit::USAGE.code.into()), "{}", words(&output));
        assert!(words(&output).contains("one.toml:"), "{}", words(&output));
        assert!(!outside.exists());
    }
}

#[test]
fn certificates_beyond_every_limit_are_their_authors_fault() {
    let many: String = (0..70).map(|number| format!("[pki.c{number}]\nissuer = 'root'\n")).collect();
    for more in ["[pki.server]\nfiller_names = 60000".to_owned(), "[pki.server]\nversion = 9".to_owned(), many] {
        let place = folder();
        let output = hil(&place).arg("--scenarios").arg(scenario(&place, &more)).output().expect("the bench starts");
        assert_eq!(output.status.code(), Some(runner::exit::USAGE.code.into()), "{}", words(&output));
    }
}

#[test]
fn a_disk_that_is_full_costs_rows_and_no_journal() {
    let place = folder();
    let journal = place.path().join("journal.jsonl");
    let bench = hil(&place);
    // Files end at 24 KiB; the kernel writes up to there, and says so in an error instead of by a signal.
    let script = "trap '' XFSZ; ulimit -f 48; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script]).arg(bench.get_program()).args(bench.get_args());
    limited.envs(bench.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = limited.arg("--journal").arg(&journal).arg("identity/san").output().expect("sh starts");
    assert_eq!(output.status.code(), Some(runner::exit::BENCH_FAILED.code.into()), "{}", words(&output));
    assert!(words(&output).contains("the journal cannot be written"), "{}", words(&output));
    let run = runner::journal::read(&journal).expect("it can be read");
    assert!(run.totals.not_run > 0 && run.rows.iter().any(|row| row.ending.is_some()), "{:?}", run.totals);
}
