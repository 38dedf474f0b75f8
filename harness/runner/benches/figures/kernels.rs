//! The cores: SHA-256, bignum multiplication and byte fills on a hart and on an LX106, and the hart against QEMU.
//!
//! QEMU and the tiers run the whole kernel in turns, so that whatever a machine does meanwhile it does to all of them.

#[path = "../../../emulator/benches/kernel/mod.rs"]
mod hart;
#[path = "../../../emulator/benches/kernel/lx106.rs"]
mod lx106;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use emulator::Tier;
use emulator::riscv::Stop;
use runner::figures::Executor;

use crate::measured::Measured;

const TURNS: u32 = 3;
/// What `kernel.rs` computes when its functions are compiled for the host.
const CHECKSUM: u32 = 0x7488_c394;
const A0: u8 = 10;
/// The plain interpreter does a slice, which has some of everything: all of it would take a minute.
const SLICE_INSTRUCTIONS: u64 = 20_000_000;

pub fn measure(measured: &mut Measured) {
    let mut hart = Best::default();
    let mut lx106 = Best::default();
    let has_qemu = Command::new(machine_of_qemu()).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_qemu {
        println!("{} is not installed: no ratio", machine_of_qemu());
    }
    let mut instructions = 0;
    for _ in 0..TURNS {
        for (executor, tier) in measured.tiers(true) {
            let (executed, took) = on_a_hart(tier);
            hart.note(executor, executed as f64 / took.as_secs_f64());
            instructions = instructions.max(executed);
            let (executed, took) = on_an_lx106(tier);
            lx106.note(executor, executed as f64 / took.as_secs_f64());
        }
        if has_qemu {
            hart.note(Executor::Qemu, instructions as f64 / in_qemu().as_secs_f64());
        }
    }
    for (subject, best) in [("riscv", &hart), ("lx106", &lx106)] {
        for (executor, rate) in &best.0 {
            measured.put(&format!("{subject}_kernel_{}_million_instructions_per_s", executor.name()), rate / 1e6);
        }
    }
    if let Some(theirs) = hart.of(Executor::Qemu) {
        for (executor, _) in measured.tiers(true) {
            let ours = hart.of(executor).expect("it was measured above");
            measured.put(&format!("riscv_kernel_to_qemu_{}_ratio", executor.name()), ours / theirs);
        }
    }
}

/// The best rate of each, in instructions a second.
#[derive(Default)]
struct Best(Vec<(Executor, f64)>);

impl Best {
    fn note(&mut self, executor: Executor, rate: f64) {
        match self.0.iter_mut().find(|(known, _)| *known == executor) {
            Some((_, best)) => *best = best.max(rate),
            None => self.0.push((executor, rate)),
        }
    }

    fn of(&self, executor: Executor) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == executor).map(|(_, rate)| *rate)
    }
}

/// Instructions, and how long they took.
fn on_a_hart(tier: Tier) -> (u64, Duration) {
    let began = Instant::now();
    let mut kernel = hart::Kernel::load();
    kernel.hart.execute_by(tier);
    let is_whole = tier != Tier::Interpreter;
    let instructions_max = if is_whole { u64::MAX } else { SLICE_INSTRUCTIONS };
    let stop = kernel.hart.run(&mut kernel.memory, &mut kernel.exit, instructions_max);
    let took = began.elapsed();
    assert_eq!(stop, if is_whole { Stop::Requested } else { Stop::Deadline });
    assert!(!is_whole || kernel.hart.register(A0) == CHECKSUM, "{tier:?} computed {:#x}", kernel.hart.register(A0));
    (kernel.hart.instructions_retired(), took)
}

fn on_an_lx106(tier: Tier) -> (u64, Duration) {
    let began = Instant::now();
    let mut kernel = lx106::Kernel::load();
    kernel.core.execute_by(tier);
    let is_whole = tier != Tier::Interpreter;
    let instructions_max = if is_whole { u64::MAX } else { SLICE_INSTRUCTIONS };
    kernel.core.run(&mut kernel.memory, &mut kernel.exit, instructions_max);
    let took = began.elapsed();
    assert_eq!(kernel.exit.checksum, is_whole.then_some(CHECKSUM), "{tier:?}");
    (kernel.core.instructions_retired(), took)
}

/// The program that runs the hart's kernel on a machine of QEMU's.
pub fn machine_of_qemu() -> &'static str {
    "qemu-system-riscv32"
}

/// How long QEMU takes for the whole kernel, its start included, as ours is.
fn in_qemu() -> Duration {
    let began = Instant::now();
    let status = Command::new(machine_of_qemu())
        .args(["-M", "virt", "-bios", "none", "-display", "none", "-serial", "none", "-monitor", "none"])
        .args(["-icount", "shift=0"])
        .arg("-kernel")
        .arg(hart::elf_path())
        .status()
        .expect("qemu starts");
    let took = began.elapsed();
    assert!(status.success(), "the kernel ends with a pass");
    took
}
