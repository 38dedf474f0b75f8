//! Handshakes of whole firmware with a good broker: from a kept boot to the verdict.

use std::sync::Arc;

use board::{Boots, Emulated, Tier};
use report::model::How;
use runner::figures::of_name;
use runner::stack::Stack;
use runner::trial;
use scenario::Scenario;

use crate::measured::{Measured, ms, shortest};
use crate::{SEED, scenario, stack};

const TURNS: u32 = 5;

/// The figure, the stack, and a scenario in which nothing is wrong.
const HANDSHAKES: [(&str, &str, &str); 7] = [
    ("p256_handshake", "esp32c3_mbedtls", "versions/tls13_only"),
    ("rsa2048_handshake", "esp32c3_mbedtls", "certificate/rsa2048_chain"),
    ("bearssl_p256_handshake", "esp32c3_bearssl", "versions/tls12_only"),
    ("bearssl_rsa2048_handshake", "esp32c3_bearssl", "certificate/rsa2048_chain"),
    ("esp8266_p256_handshake", "esp8266_bearssl", "versions/tls12_only"),
    ("esp8266_rsa2048_handshake", "esp8266_bearssl", "certificate/rsa2048_chain"),
    ("micropython_handshake", "micropython_1_23", "identity/san_dns_dialled_by_name"),
];

pub fn measure(measured: &mut Measured) {
    for (subject, stack_name, scenario_name) in HANDSHAKES {
        let (stack, scenario) = (stack(stack_name), scenario(scenario_name));
        let boots = Boots::new();
        for (executor, tier) in measured.tiers(true) {
            let figure = format!("{subject}_{}_ms", executor.name());
            if of_name(&figure).is_none() {
                continue;
            }
            // The first turn keeps the boot and translates; the plain interpreter, which takes seconds, has one alone.
            let turns = if tier == Tier::Interpreter { 1 } else { TURNS };
            let took = shortest(turns, || drop(connected(&scenario, &stack, tier, Some(&boots))));
            measured.put(&figure, ms(took));
        }
    }
}

/// The chip after it has connected, as it must.
pub fn connected(scenario: &Scenario, stack: &Stack, tier: Tier, boots: Option<&Arc<Boots>>) -> Emulated {
    let board = Emulated::of(stack.chip(), SEED).expect("it is emulated").executed_by(tier);
    let mut board = match boots {
        Some(boots) => board.booting_from(Arc::clone(boots)),
        None => board,
    };
    let trial = trial::on(&mut board, scenario, stack, SEED).unwrap_or_else(|why| panic!("{why}"));
    let account = &trial.judged.account;
    assert!(account.how == How::Connected && account.conformity.is_good(), "{}", trial.judged.transcript);
    board
}
