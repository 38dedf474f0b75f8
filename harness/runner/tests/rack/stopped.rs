//! Time that the bench loses, or its own virtual board: blamed on nobody's device, and the scenario run again.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use outcome::Ending;

use crate::stand::{Board, Stand};

/// Shorter than that: what a machine that is short of processors gives a bench now and then.
const STARVED_FOR: Duration = Duration::from_millis(1_900);
/// Longer than a bench or a virtual board may be late (2 s), and longer than the device waits for its broker (3 s).
const STOPPED_FOR: Duration = Duration::from_secs(5);

/// A device that needs half a second of its broker's answers, and gives up after three without one.
const SCENARIO: &str = r#"title = "The broker takes half a second over each answer"
limit_s = 30

[specification]
demands = "connect"
rule = "RFC 9293 §3.8"
quote = "x"

[device]
handshake_timeout_ms = 3_000
reply_timeout_ms = 3_000

[device.mqtt]
acts = [{ idle = { ms = 1_500 } }]

[broker.mqtt]
on_connect = { delay_ms = 500 }
"#;

fn begun(stand: &Stand) -> Child {
    let folder = stand.path("scenarios/mine");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("slow.toml"), SCENARIO).unwrap();
    let mut command = stand.hil(&["--no-health-check"]);
    command.arg("--scenarios").arg(stand.path("scenarios")).arg("--captures").arg(stand.path("captures"));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Comes back once the device has said more than a thousand bytes in this run: its hello, which the bench's answers led to.
fn until_it_speaks(board: &Board<'_>) {
    let said_bytes = || {
        let state = board.ask("state");
        let said = state.rsplit_once("said=").and_then(|(_, bytes)| bytes.trim().parse().ok());
        said.filter(|_| state.contains("loaded=true held=false")).unwrap_or(0)
    };
    while said_bytes() < 1_000 {
        std::thread::yield_now();
    }
}

fn stop_for_a_while(process: u32) {
    stop_for(process, STOPPED_FOR);
}

fn stop_for(process: u32, time: Duration) {
    let signal = |name: &str| {
        let told = Command::new("kill").args([name, &process.to_string()]).status().unwrap();
        assert!(told.success(), "{name}");
    };
    signal("-STOP");
    // Nothing but time is waited for: it is what the process is to lose.
    std::thread::sleep(time);
    signal("-CONT");
}

/// The first attempt is the bench's failure, for this reason; the last is the device's doing.
fn is_repeated(stand: &Stand, why: &str) {
    let row = stand.report().rows.remove(0);
    assert_eq!(row.ending, Some(Ending::New), "{:#?}", row.attempts);
    assert!(row.attempts.len() >= 2 && !row.flaky, "{:#?}", row.attempts);
    let (last, before) = row.attempts.split_last().unwrap();
    assert!(!last.bench_failed && before.iter().all(|attempt| attempt.bench_failed), "{:#?}", row.attempts);
    assert!(before[0].outcome.contains(why), "{:#?}", row.attempts);
}

#[test]
fn a_bench_that_is_stopped_blames_itself_and_runs_the_scenario_again() {
    let stand = Stand::new();
    let board = stand.board("door", "");
    let mut bench = begun(&stand);
    until_it_speaks(&board);
    stop_for_a_while(bench.id());
    assert_eq!(bench.wait().unwrap().code(), Some(0));
    is_repeated(&stand, "the bench itself was ");
}

#[test]
fn a_bench_that_is_starved_again_and_again_blames_itself_too() {
    let stand = Stand::new();
    let board = stand.board("door", "");
    let mut bench = begun(&stand);
    until_it_speaks(&board);
    for _ in 0..2 {
        stop_for(bench.id(), STARVED_FOR);
        // It has its processor for so long.
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(bench.wait().unwrap().code(), Some(0));
    is_repeated(&stand, "the bench itself was ");
}

#[test]
fn a_virtual_board_that_is_stopped_is_no_device_that_gave_up() {
    let stand = Stand::new();
    let board = stand.board("door", "");
    let mut bench = begun(&stand);
    until_it_speaks(&board);
    stop_for_a_while(board.id());
    assert_eq!(bench.wait().unwrap().code(), Some(0));
    is_repeated(&stand, "");
}
