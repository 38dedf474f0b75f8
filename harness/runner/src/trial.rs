//! A scenario on a stack, on one board: run, judged and told. A sweep is many of them, told as one.

use std::sync::Arc;

use blame::Error;
use board::{Board, Boots, Emulated, Target};
use judge::{Judged, sweep};
use scenario::Scenario;

use crate::bench;
use crate::stack::Stack;

/// What came of it.
#[derive(Debug)]
pub struct Trial {
    /// The account and the transcript.
    pub judged: Judged,
    /// The packets: a pcapng file. Of a sweep, those of its last run.
    pub pcapng: Vec<u8>,
}

/// What a try comes to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and never kept")]
pub enum Tried {
    /// It was run.
    Run(Trial),
    /// It says nothing about the device here, for this reason: a program that it needs is not installed, say.
    NotApplicable(String),
}

/// Runs `scenario` on `stack`, on an emulated chip of its own that need not boot if one of `boots` did; all randomness
/// comes from `seed`.
///
/// # Errors
///
/// If the bench cannot do its part.
pub fn on_emulator(scenario: &Scenario, stack: &Stack, seed: u64, boots: &Arc<Boots>) -> blame::Result<Trial> {
    let board = Emulated::of(stack.chip(), seed).map_err(Error::bench)?;
    let mut board = board.booting_from(Arc::clone(boots));
    on(&mut board, scenario, stack, seed)
}

/// Runs `scenario` on `stack`, on `board`; all randomness of the world comes from `seed`.
///
/// # Errors
///
/// If the bench cannot do its part.
pub fn on(board: &mut dyn Board, scenario: &Scenario, stack: &Stack, seed: u64) -> blame::Result<Trial> {
    let target = board.target();
    of_steps(scenario, stack, &target, seed, &mut |scenario| once(board, scenario, stack, seed))
}

/// Runs `scenario` by `once`: one time, or one for each step of its sweep.
///
/// # Errors
///
/// Those of `once`.
pub fn of_steps(
    scenario: &Scenario,
    stack: &Stack,
    target: &Target,
    seed: u64,
    once: &mut dyn FnMut(&Scenario) -> blame::Result<Trial>,
) -> blame::Result<Trial> {
    let steps = scenario.steps();
    if steps.is_empty() {
        return once(scenario);
    }
    let mut done = Vec::with_capacity(steps.len());
    let mut pcapng = Vec::new();
    for step in steps {
        let trial = once(&step.scenario)?;
        // What cannot be done at one step cannot be done at any.
        if trial.judged.not_applicable().is_some() {
            return Ok(trial);
        }
        pcapng = trial.pcapng;
        done.push((step, trial.judged));
    }
    sweep::together(scenario, &stack.setting(target, seed), done)
        .map(|judged| Trial { judged, pcapng })
        .ok_or_else(|| Error::bench("a sweep without a step"))
}

fn once(board: &mut dyn Board, scenario: &Scenario, stack: &Stack, seed: u64) -> blame::Result<Trial> {
    let (scenario, stack) = stack.meets(scenario).map_err(Error::author)?;
    let (scenario, stack) = (&*scenario, &*stack);
    let evidence = bench::run(scenario, stack, board, seed).map_err(Error::bench)?;
    let mut judged = judge::judge(scenario, &stack.setting(&board.target(), seed), &evidence).map_err(Error::bench)?;
    if let Some(why) = stack.unattended().and_then(|unattended| unattended.is_about_trust(&judged)) {
        judged.out_of_reach = Some(why);
    }
    Ok(Trial { judged, pcapng: evidence.pcapng })
}

#[cfg(test)]
mod tests;
