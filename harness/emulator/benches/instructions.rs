//! Instructions a second, on SHA-256, bignum multiplication and byte fills, and how that compares with QEMU.
//!
//! `cargo bench -p emulator --bench instructions`. Where `qemu-system-riscv32` is installed, both run the whole kernel
//! in turns, and the ratio of the best times is printed.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

mod kernel;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use emulator::Tier;
use emulator::riscv::Stop;
use kernel::{Kernel, elf_path};

/// A slice of the kernel that does some of everything.
const INSTRUCTIONS: u64 = 200_000_000;
const QEMU_TURNS: u32 = 5;
/// What `kernel.rs` computes when its functions are compiled for the host.
const CHECKSUM: u32 = 0x7488_c394;
const A0: u8 = 10;

fn main() {
    if !host_code::install() {
        println!("there is no back end for this host: what is called host code is threaded code");
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("instructions");
    group.sample_size(10).throughput(Throughput::Elements(INSTRUCTIONS));
    for (name, tier) in
        [("host code", Tier::HostCode), ("threaded code", Tier::ThreadedCode), ("plain interpreter", Tier::Interpreter)]
    {
        // The plain interpreter is two orders of magnitude slower: a tenth of the work.
        let instructions = if tier == Tier::Interpreter { INSTRUCTIONS / 10 } else { INSTRUCTIONS };
        group.throughput(Throughput::Elements(instructions));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    let mut kernel = Kernel::load();
                    kernel.hart.execute_by(tier);
                    kernel
                },
                |mut kernel| {
                    assert_eq!(kernel.hart.run(&mut kernel.memory, &mut kernel.exit, instructions), Stop::Deadline);
                    kernel.hart.pc()
                },
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    criterion.final_summary();
    compare_with_qemu();
}

fn compare_with_qemu() {
    if Command::new("qemu-system-riscv32").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("qemu-system-riscv32 is not installed: no ratio");
        return;
    }
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    let mut instructions = 0;
    for _ in 0..QEMU_TURNS {
        let start = Instant::now();
        let mut kernel = Kernel::load();
        assert_eq!(kernel.hart.run(&mut kernel.memory, &mut kernel.exit, u64::MAX), Stop::Requested);
        ours = ours.min(start.elapsed());
        assert_eq!(kernel.hart.register(A0), CHECKSUM);
        instructions = kernel.hart.instructions_retired();

        let start = Instant::now();
        let status = Command::new("qemu-system-riscv32")
            .args(["-M", "virt", "-bios", "none", "-display", "none", "-serial", "none", "-monitor", "none"])
            .args(["-icount", "shift=0"])
            .arg("-kernel")
            .arg(elf_path())
            .status()
            .expect("qemu starts");
        assert!(status.success(), "the kernel ends with a pass");
        theirs = theirs.min(start.elapsed());
    }
    let rate = |took: Duration| instructions as f64 / took.as_secs_f64() / 1e9;
    println!(
        "whole kernel, {instructions} instructions, best of {QEMU_TURNS}: {:.2} thousand million a second here, {:.2} in \
         qemu -icount shift=0; ratio {:.2}",
        rate(ours),
        rate(theirs),
        rate(ours) / rate(theirs)
    );
}
