//! What a snapshot of a chip costs: its size, and the time that it takes to make one, to go back to one, and to write and
//! read it, for a chip that the released image has brought up.
//!
//! `cargo bench -p emulator --bench snapshot`.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

use std::hint::black_box;

use clock::Instant;
use criterion::{Criterion, criterion_group, criterion_main};
use emulator::esp32c3::{Config, Esp32c3, Pause, SerialPort};
use emulator::snapshot::Snapshot;

const IMAGE: &[u8] = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");
/// Long after the firmware's first word.
const BOOTED: Instant = Instant::from_millis(400);

fn booted() -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed: 0x5eed, ..Config::default() });
    chip.load_elf(IMAGE).expect("the released image is for this chip");
    while matches!(chip.run_until(BOOTED), Pause::SerialOutput | Pause::Event) {
        let _ = (chip.take_events(), chip.take_serial_output(SerialPort::UsbSerialJtag));
    }
    chip
}

fn snapshots(criterion: &mut Criterion) {
    let mut chip = booted();
    let kept = chip.snapshot();
    let bytes = kept.to_bytes();
    println!(
        "a snapshot of a booted chip: {} KiB in memory, {} KiB as bytes; the chip itself has {} KiB",
        kept.size_bytes() / 1024,
        bytes.len() / 1024,
        chip.memory_bytes() / 1024
    );
    let mut group = criterion.benchmark_group("snapshot");
    group.bench_function("boot instead", |bencher| bencher.iter(|| black_box(booted().now())));
    group.bench_function("make", |bencher| bencher.iter(|| black_box(chip.snapshot())));
    group.bench_function("restore", |bencher| bencher.iter(|| chip.restore(&kept)));
    group.bench_function("to bytes", |bencher| bencher.iter(|| black_box(kept.to_bytes())));
    group.bench_function("from bytes", |bencher| bencher.iter(|| black_box(Snapshot::from_bytes(&bytes))));
    group.finish();
}

criterion_group!(benches, snapshots);
criterion_main!(benches);
