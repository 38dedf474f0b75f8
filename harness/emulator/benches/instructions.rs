//! Instructions a second, on SHA-256, bignum multiplication and byte fills, on a hart and on an LX106; and how the hart
//! compares with QEMU.
//!
//! `cargo bench -p emulator --bench instructions`. Where `qemu-system-riscv32` is installed, both run the whole kernel
//! in turns, and the ratio of the best times is printed.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

mod kernel;
#[path = "kernel/lx106.rs"]
mod lx106;

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
/// The clock that an ESP8266 begins with.
const LX106_HZ: f64 = 80e6;

fn main() {
    if !host_code::install() {
        println!("there is no back end for this host: what is called host code is threaded code");
    }
    let mut criterion = Criterion::default().configure_from_args();
    let load = |tier| {
        let mut kernel = Kernel::load();
        kernel.hart.execute_by(tier);
        kernel
    };
    each_tier(&mut criterion, "instructions", load, |kernel, instructions| {
        assert_eq!(kernel.hart.run(&mut kernel.memory, &mut kernel.exit, instructions), Stop::Deadline);
    });
    let load = |tier| {
        let mut kernel = lx106::Kernel::load();
        kernel.core.execute_by(tier);
        kernel
    };
    each_tier(&mut criterion, "instructions of the LX106", load, |kernel, instructions| {
        let stop = kernel.core.run(&mut kernel.memory, &mut kernel.exit, instructions);
        assert_eq!(stop, emulator::lx106::Stop::Deadline);
    });
    criterion.final_summary();
    the_other_kernel_computes_the_same();
    compare_with_qemu();
}

/// A slice of a kernel by each tier.
fn each_tier<K>(criterion: &mut Criterion, name: &str, load: impl Fn(Tier) -> K, run: impl Fn(&mut K, u64)) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    for (name, tier) in
        [("host code", Tier::HostCode), ("threaded code", Tier::ThreadedCode), ("plain interpreter", Tier::Interpreter)]
    {
        // The plain interpreter is an order of magnitude slower, and on RISC-V two: a tenth of the work.
        let instructions = if tier == Tier::Interpreter { INSTRUCTIONS / 10 } else { INSTRUCTIONS };
        group.throughput(Throughput::Elements(instructions));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || load(tier),
                |mut kernel| run(&mut kernel, instructions),
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn the_other_kernel_computes_the_same() {
    let mut kernel = lx106::Kernel::load();
    let start = Instant::now();
    kernel.core.run(&mut kernel.memory, &mut kernel.exit, u64::MAX);
    let took = start.elapsed().as_secs_f64();
    assert_eq!(kernel.exit.checksum, Some(CHECKSUM));
    let (executed, virtual_s) = (kernel.core.instructions_retired() as f64, kernel.core.cycle() as f64 / LX106_HZ);
    println!(
        "whole kernel on the LX106, {executed} instructions: {:.2} thousand million a second; {:.3} s for a second at 80 MHz",
        executed / took / 1e9,
        took / virtual_s
    );
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
