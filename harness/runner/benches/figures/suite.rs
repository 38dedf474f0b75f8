//! A part of the suite by one job, as a run of `hil` has it: scenario by scenario, on chips that go on from a kept boot.

use std::sync::Arc;
use std::time::Instant;

use board::{Boots, Emulated, Tier};
use runner::stack::Applicability;
use runner::trial;
use scenario::library;
use snapshot::{Agreement, Place};

use crate::measured::Measured;
use crate::offspring::{Task, numbers};
use crate::{SEED, root, stack};

const FOLDERS: [&str; 2] = ["identity/", "validity/"];

pub fn measure(measured: &mut Measured) {
    for (executor, _) in measured.tiers(false) {
        for job_s in numbers(Task::Suite, executor) {
            measured.put(&format!("suite_job_{}_s", executor.name()), job_s);
        }
    }
}

/// Seconds that one job takes, in a process that has translated nothing. Every run is as it was reviewed.
pub fn job_s(tier: Tier) -> f64 {
    let stack = stack("esp32c3_mbedtls");
    let mut scenarios = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    scenarios.retain(|scenario| {
        FOLDERS.iter().any(|folder| scenario.name.starts_with(folder))
            && stack.applicability(scenario) == Applicability::Applies
            // A real broker takes the wall's time.
            && scenario.broker.real.is_none()
    });
    assert!(scenarios.len() > 40, "{} scenarios are no part of the suite", scenarios.len());
    let boots = Boots::new();
    let began = Instant::now();
    for scenario in &scenarios {
        let board = Emulated::of(stack.chip(), SEED).expect("it is emulated");
        let mut board = board.executed_by(tier).booting_from(Arc::clone(&boots));
        let trial = trial::on(&mut board, scenario, &stack, SEED).unwrap_or_else(|why| panic!("{why}"));
        if trial.judged.not_applicable().is_none() {
            let place = Place::new(&root().join("captures"), &scenario.name, &stack.name);
            let agreement = place.compare(&trial.judged.transcript).expect("the snapshot can be read");
            assert_eq!(agreement, Agreement::Same, "{}", scenario.name);
        }
    }
    began.elapsed().as_secs_f64()
}
