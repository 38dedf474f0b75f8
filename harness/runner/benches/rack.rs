//! What a rack costs: the bench's own time beside the device's, how close several boards come to several times one, and
//! the way from power-on to the first outcome. On emulated boards, each a process of its own behind a pseudo-terminal.
//!
//! `cargo bench -p runner --bench rack`. It measures wall time once, in a few seconds each; a busy machine shows.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use board::hardware::Limits;
use rack::map::{self, Entry};
use rack::slot::{Setting, Slot};
use runner::stack::{self, Stack};
use scenario::Scenario;
use scenario::library;

const SEED: u64 = 0x5eed;
/// A rack of this size is compared with one board.
const BOARDS: usize = 8;
/// Runs of each scenario on each board.
const RUNS: u32 = 6;
/// One that waits for the network, and one that computes.
const SCENARIOS: [&str; 2] = ["transport/nxdomain", "identity/san_dns_dialled_by_name"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn setting(folder: &Path) -> Setting {
    Setting {
        locks: folder.join("locks"),
        why: "cargo bench".into(),
        patience: Duration::ZERO,
        folder: folder.join("images"),
        program: env!("CARGO_BIN_EXE_runner").into(),
        flasher: None,
        seed: SEED,
        limits: Limits::default(),
    }
}

fn slot(name: &str, setting: &Setting) -> Slot {
    let facts = map::parse("bench.toml", "chip = \"esp32c3\"\nprobe = \"emulated\"\n").expect("a good file");
    let entry = Entry { name: name.to_owned(), file: "bench.toml".into(), facts };
    Slot::take(&entry, setting).unwrap_or_else(|why| panic!("{why}"))
}

/// One run: by the wall, and by the device's own clock, from its reset to its last word.
fn run(slot: &mut Slot, scenario: &Scenario, stack: &Stack) -> (Duration, Duration) {
    let began = Instant::now();
    let trial = runner::on_boards::run_one(slot, scenario, stack, SEED)
        .unwrap_or_else(|failure| panic!("{failure:?}: {:?}", slot.log()));
    (began.elapsed(), Duration::from_millis(trial.judged.account.took_ms))
}

/// The bench's own time for each scenario, on a board that has its image.
fn overhead(setting: &Setting, scenarios: &[Scenario], stack: &Stack) {
    let mut slot = slot("alone", setting);
    for scenario in scenarios {
        run(&mut slot, scenario, stack);
        let mut own: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let (wall, device) = run(&mut slot, scenario, stack);
                wall.saturating_sub(device)
            })
            .collect();
        own.sort();
        let median = own.get(own.len() / 2).copied().unwrap_or_default();
        let worst = own.last().copied().unwrap_or_default();
        println!(
            "{}: {:.0} ms beside the device's own time (median of {RUNS}; at worst {:.0} ms)",
            scenario.name,
            median.as_secs_f64() * 1e3,
            worst.as_secs_f64() * 1e3
        );
    }
}

/// Scenarios a second on so many boards, which begin together.
fn rate(boards: usize, setting: &Setting, scenario: &Scenario, stack: &Stack) -> f64 {
    let mut slots: Vec<Slot> = (0..boards).map(|index| slot(&format!("one_of_{boards}_{index}"), setting)).collect();
    for slot in &mut slots {
        run(slot, scenario, stack);
    }
    let barrier = Barrier::new(boards + 1);
    let took = thread::scope(|scope| {
        for slot in &mut slots {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for _ in 0..RUNS {
                    run(slot, scenario, stack);
                }
            });
        }
        barrier.wait();
        Instant::now()
    })
    .elapsed();
    f64::from(RUNS) * boards as f64 / took.as_secs_f64()
}

/// From the moment at which power comes back to the first outcome, flashing included and not.
fn power_on(setting: &Setting, scenario: &Scenario, stack: &Stack) {
    let mut slot = slot("powered", setting);
    for about in ["with flashing", "again, with flashing"] {
        let began = Instant::now();
        slot.cycle_power(Duration::from_secs(30)).unwrap_or_else(|why| panic!("{why}"));
        let powered = began.elapsed();
        let (_, device) = run(&mut slot, scenario, stack);
        println!(
            "power-on to the end of the first scenario, {about}: {:.0} ms, of which {:.0} ms are the device's",
            (began.elapsed() - powered).as_secs_f64() * 1e3,
            device.as_secs_f64() * 1e3
        );
    }
}

fn main() {
    let folder = std::env::temp_dir().join(format!("shakedown-bench-{}", std::process::id()));
    let setting = setting(&folder);
    let all = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    let named = |name: &str| all.iter().find(|scenario| scenario.name == name).cloned();
    let scenarios: Vec<Scenario> = SCENARIOS.into_iter().filter_map(named).collect();
    let stacks = stack::released(&root()).unwrap_or_else(|why| panic!("{why}"));
    let stack = stacks.into_iter().find(|stack| stack.name == "esp32c3_mbedtls").expect("it is released");
    overhead(&setting, &scenarios, &stack);
    for scenario in &scenarios {
        let (one, many) = (rate(1, &setting, scenario, &stack), rate(BOARDS, &setting, scenario, &stack));
        println!("{}: {one:.2} a second on one board, {many:.2} on {BOARDS}: {:.1} times", scenario.name, many / one);
    }
    for scenario in scenarios.iter().take(1) {
        power_on(&setting, scenario, &stack);
    }
    let _ = std::fs::remove_dir_all(folder);
}
