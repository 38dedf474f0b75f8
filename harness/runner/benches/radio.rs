//! What a wireless network costs: from power-on to an address, and whole scenarios, by a chip that does all of it and by one
//! that goes on from where another has joined.
//!
//! `cargo bench -p runner --bench radio`, once `cargo xtask firmware build esp32c3_wifi` has made the image.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use board::{Board, Boots, Emulated, Fault, Heard, Image, Instant, PortId, RadioFrame, Target};
use criterion::{Criterion, criterion_group, criterion_main};
use runner::bench;
use runner::stack::{self, Stack};
use scenario::{Scenario, library};

const SEED: u64 = 0x5eed;

/// A board that breaks off where scenarios begin to differ: it has joined, been lent an address, and been told its plan.
struct UntilJoined {
    board: Emulated,
    has_joined: bool,
}

impl Board for UntilJoined {
    fn target(&self) -> Target {
        self.board.target()
    }

    fn flash(&mut self, image: &Image) -> Result<(), Fault> {
        self.board.flash(image)
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.board.reset()
    }

    fn listen(&mut self, deadline: Instant) -> Result<Heard, Fault> {
        if self.has_joined { Err(Fault::Bench("joined".to_owned())) } else { self.board.listen(deadline) }
    }

    fn send(&mut self, port: PortId, bytes: &[u8]) -> Result<(), Fault> {
        self.board.send(port, bytes)
    }

    fn milestone(&mut self) {
        self.board.milestone();
        self.has_joined = true;
    }

    fn send_air(&mut self, frame: RadioFrame) -> Result<(), Fault> {
        self.board.send_air(frame)
    }
}

fn joining(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let stacks = stack::known(&root).unwrap_or_else(|why| panic!("{why}"));
    let stack = stacks.into_iter().find(|stack| stack.name == "esp32c3_wifi").expect("it is known");
    if let Some(command) = stack.is_missing() {
        println!("not run: {command}");
        return;
    }
    let scenarios = library::read(&root.join("scenarios")).expect("our own scenarios are good");
    let scenario = scenarios.iter().find(|one| one.name == "versions/tls13_only").expect("it is ours");
    let boots = Boots::new();
    let chip = |boots: Option<&Arc<Boots>>| {
        let board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
        match boots {
            Some(boots) => board.booting_from(Arc::clone(boots)),
            None => board,
        }
    };
    let join = |boots: Option<&Arc<Boots>>| {
        let mut board = UntilJoined { board: chip(boots), has_joined: false };
        let broken_off = bench::run(scenario, &stack, &mut board, SEED);
        assert!(broken_off.is_err() && board.has_joined, "it never joined");
        board.board.instructions_executed()
    };
    // Whoever comes first keeps it for the others.
    println!("joining: {} instructions, then {}", join(Some(&boots)), join(Some(&boots)));
    let mut group = criterion.benchmark_group("radio");
    group.sample_size(10);
    group.bench_function("power-on to an address", |bencher| bencher.iter(|| black_box(join(None))));
    group.bench_function("the same, kept", |bencher| bencher.iter(|| black_box(join(Some(&boots)))));
    let whole = |boots| black_box(one(scenario, &stack, chip(boots)));
    group.bench_function("a scenario", |bencher| bencher.iter(|| whole(None)));
    group.bench_function("a scenario, joined before", |bencher| bencher.iter(|| whole(Some(&boots))));
    group.finish();
}

fn one(scenario: &Scenario, stack: &Stack, mut board: Emulated) -> u64 {
    bench::run(scenario, stack, &mut board, SEED).expect("the bench does its part").ended_at.as_millis()
}

criterion_group!(benches, joining);
criterion_main!(benches);
