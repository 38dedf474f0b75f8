//! What translating costs: the first verdict of a process, in which nothing is translated yet, beside the next one; and
//! the whole command `hil` for one scenario.

use std::process::Command;
use std::time::Instant;

use board::Tier;

use crate::handshakes::connected;
use crate::measured::{Measured, ms, shortest};
use crate::offspring::{Task, numbers};
use crate::{root, scenario, stack};

const TURNS: u32 = 5;
const SCENARIO: &str = "identity/san_dns_dialled_by_name";
const STACK: &str = "esp32c3_mbedtls";

pub fn measure(measured: &mut Measured) {
    for (executor, _) in measured.tiers(false) {
        let mut shortest = [f64::MAX; 2];
        for _ in 0..TURNS {
            let took = numbers(Task::Verdicts, executor);
            assert_eq!(took.len(), 2, "the first and the next");
            shortest = [shortest[0].min(took[0]), shortest[1].min(took[1])];
        }
        measured.put(&format!("first_verdict_{}_ms", executor.name()), shortest[0]);
        measured.put(&format!("next_verdict_{}_ms", executor.name()), shortest[1]);
    }
    measured.put("start_to_first_verdict_threaded_ms", ms(shortest(TURNS, hil)));
}

/// In this process: the first one, and the shortest of some that follow.
pub fn first_and_next_ms(tier: Tier) -> [f64; 2] {
    let (stack, scenario) = (stack(STACK), scenario(SCENARIO));
    let began = Instant::now();
    drop(connected(&scenario, &stack, tier, None));
    let first = began.elapsed();
    let next = shortest(TURNS, || drop(connected(&scenario, &stack, tier, None)));
    [ms(first), ms(next)]
}

/// The command, which compares the transcript with the reviewed one and ends with 0 if it is the same.
fn hil() {
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .args(["hil", "--stack", STACK, "--on", "emulator", SCENARIO])
        .env("SHAKEDOWN_ROOT", root())
        .output()
        .expect("the runner starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
