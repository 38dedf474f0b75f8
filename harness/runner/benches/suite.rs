//! How quick the bench is: boot to first packet, whole scenarios side by side, memory per emulated board.
//!
//! `cargo bench -p runner`. Figures are the machine's; what can be compared between machines is the ratio of two jobs
//! to one, and that of emulated to real time, which is printed beside them.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant as Wall;

use board::{Board as _, Boots, Emulated};
use clock::Instant;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use runner::stack::{self, Stack};
use runner::{bench, suite};
use scenario::Scenario;
use scenario::library;

const SEED: u64 = 0x5eed;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A released image as it is, without a profile.
fn released(name: &str) -> Stack {
    let stacks = stack::released(&root()).unwrap_or_else(|why| panic!("{why}"));
    stacks.into_iter().find(|stack| stack.name == name).expect("it is released")
}

fn stack() -> Stack {
    released("esp32c3_mbedtls")
}

/// From power-on to the first byte on the serial line.
fn boot(criterion: &mut Criterion) {
    let stack = stack();
    let boot = || {
        let mut board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
        board.flash(stack.image()).expect("the released image fits");
        board.reset().expect("an emulated chip can be reset");
        loop {
            let heard = board.listen(Instant::from_millis(10_000)).expect("an emulated chip can be heard");
            if !heard.ports.is_empty() {
                return (heard.at, board);
            }
            assert!(heard.at < Instant::from_millis(10_000), "the image says nothing");
        }
    };
    let (at, board) = boot();
    println!(
        "boot to first byte: {} virtual ms, {} instructions; {} KiB of memory per emulated board",
        at.as_millis(),
        board.instructions_retired(),
        board.memory_bytes() / 1024
    );
    criterion.bench_function("boot to first byte", |bencher| bencher.iter(|| black_box(boot().0)));
}

/// Handshakes of the firmware: emulated instructions per second on real code.
fn handshakes(criterion: &mut Criterion) {
    let scenarios = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    let mut group = criterion.benchmark_group("handshake");
    group.sample_size(10);
    for (label, stack, name) in [
        ("P-256", "esp32c3_mbedtls", "versions/tls13_only"),
        ("RSA-2048", "esp32c3_mbedtls", "certificate/rsa2048_chain"),
        ("P-256 on an ESP8266", "esp8266_bearssl", "versions/tls12_only"),
        ("RSA-2048 on an ESP8266", "esp8266_bearssl", "certificate/rsa2048_chain"),
    ] {
        let stack = released(stack);
        let Some(scenario) = scenarios.iter().find(|scenario| scenario.name == name) else {
            println!("{label}: there is no scenario {name}");
            continue;
        };
        let began = Wall::now();
        let (instructions, millis) = one(scenario, &stack);
        println!("{label}: {} ms of wall time for {millis} virtual ms", began.elapsed().as_millis());
        group.throughput(Throughput::Elements(instructions));
        group.bench_function(label, |bencher| bencher.iter(|| black_box(one(scenario, &stack))));
    }
    group.finish();
}

/// Products over the radio, and a scenario with a handshake for each. NodeMCU's with an RSA key of 2048 bits: with RSA key
/// exchange, and with ECDHE.
const PRODUCTS: [(&str, &str); 4] = [
    ("micropython_1_27", "identity/san_dns_dialled_by_name"),
    ("nodemcu_2_2_0", "memory/heap_of_40_kib_rsa_key_exchange_tls12"),
    ("nodemcu_3_0", "certificate/rsa2048_chain"),
    ("micropython_1_17_esp8266", "versions/rsa_key_exchange_aes_128_cbc"),
];

/// A product over the radio, from its power-on on and from a kept beginning: the wall against the product's own clock.
fn product_handshake(_: &mut Criterion) {
    let stacks = stack::known(&root()).unwrap_or_else(|why| panic!("{why}"));
    let scenarios = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    for (product, name) in PRODUCTS {
        let Some(stack) = stacks.iter().find(|stack| stack.name == product) else { continue };
        if let Some(remedy) = stack.is_missing() {
            println!("{}: not run: {remedy}", stack.title);
            continue;
        }
        match scenarios.iter().find(|scenario| scenario.name == name) {
            Some(scenario) => product_meets(stack, scenario),
            None => println!("{}: its scenario {name} is gone", stack.title),
        }
    }
}

fn product_meets(stack: &Stack, scenario: &Scenario) {
    let boots = Boots::new();
    for about in ["from power-on", "from a kept beginning", "again"] {
        let mut board = Emulated::of(stack.chip(), SEED).expect("it is emulated").booting_from(Arc::clone(&boots));
        let began = Wall::now();
        let evidence = bench::run(scenario, stack, &mut board, SEED).expect("the bench does its part");
        let (wall, own) = (began.elapsed().as_secs_f64(), evidence.ended_at.as_millis() as f64 / 1e3);
        let millions = board.instructions_retired() as f64 / 1e6;
        println!(
            "{}, {}, {about}: {wall:.2} s of wall time for {own:.2} s of its own; {millions:.0} million instructions",
            stack.title, scenario.name
        );
    }
}

fn one(scenario: &Scenario, stack: &Stack) -> (u64, u64) {
    let mut board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
    let evidence = bench::run(scenario, stack, &mut board, SEED).expect("the bench does its part");
    (board.instructions_retired(), evidence.ended_at.as_millis())
}

/// All scenarios, one after the other and two side by side: once each, as that is long enough to be measured.
fn scenarios(_: &mut Criterion) {
    let stack = stack();
    let scenarios = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    let run = |jobs: usize| {
        let run_one = |scenario: &Scenario| Some(one(scenario, &stack));
        let panicked = |_: &Scenario, _: &str| None;
        suite::run(&scenarios, jobs, &AtomicBool::new(false), &run_one, &panicked, &mut |_| {}).len()
    };
    let started = Wall::now();
    run(1);
    let alone = started.elapsed();
    let started = Wall::now();
    run(2);
    let together = started.elapsed();
    println!(
        "{} scenarios: {:.1} a second with 1 job, {:.1} with 2 (ratio {:.2})",
        scenarios.len(),
        scenarios.len() as f64 / alone.as_secs_f64(),
        scenarios.len() as f64 / together.as_secs_f64(),
        alone.as_secs_f64() / together.as_secs_f64()
    );
}

criterion_group!(benches, boot, handshakes, product_handshake, scenarios);
criterion_main!(benches);
