//! What a chip takes of this machine's memory after a handshake: by what the kernel says is resident, since that leaves
//! nothing out.

use board::Tier;
use runner::figures::Executor;

use crate::handshakes::connected;
use crate::measured::Measured;
use crate::offspring::{Task, numbers};
use crate::{scenario, stack};

/// So many chips after the first one.
const MORE_CHIPS: usize = 8;
/// The plain interpreter takes seconds for each.
const MORE_CHIPS_INTERPRETED: usize = 2;

pub fn measure(measured: &mut Measured) {
    if !cfg!(target_os = "linux") {
        return println!("what is resident is asked of Linux alone");
    }
    let chips: Vec<(Executor, f64)> = measured
        .tiers(true)
        .flat_map(|(executor, _)| numbers(Task::Memory, executor).into_iter().map(move |kib| (executor, kib)))
        .collect();
    let plain_kib = chips.iter().find(|(executor, _)| *executor == Executor::Interpreted).map(|(_, kib)| *kib);
    for (executor, kib) in chips {
        measured.put(&format!("chip_resident_{}_kib", executor.name()), kib);
        if let (Some(plain_kib), true) = (plain_kib, executor != Executor::Interpreted) {
            let more_kib = (kib - plain_kib).max(0.0);
            measured.put(&format!("translations_resident_{}_kib", executor.name()), more_kib);
        }
    }
}

/// What one more chip of this process takes. What all chips share, and what is allocated once, the first one has.
pub fn one_more_chip_kib(tier: Tier) -> f64 {
    let (stack, scenario) = (stack("esp32c3_mbedtls"), scenario("versions/tls13_only"));
    let chip = || connected(&scenario, &stack, tier, None);
    let more = if tier == Tier::Interpreter { MORE_CHIPS_INTERPRETED } else { MORE_CHIPS };
    let mut chips = vec![chip()];
    let before_kib = resident_kib();
    chips.extend((0..more).map(|_| chip()));
    let taken_kib = resident_kib() - before_kib;
    assert!(chips.iter().all(|chip| chip.memory_bytes() > 0), "they are kept until here");
    taken_kib / more as f64
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says so");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is always there");
    resident.trim().trim_end_matches("kB").trim().parse().expect("a number of KiB")
}
