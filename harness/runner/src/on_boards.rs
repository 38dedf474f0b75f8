//! Scenarios on the boards of a rack: what [`rack::pool`] is given to do, and what a run on silicon adds to a verdict.

pub mod choose;
pub mod health;
pub mod options;
pub mod own_network;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use outcome::Ending;
use pki::Authority;
use rack::map::Entry;
use rack::pool::{self, Pool, Wedged, Work};
use rack::quarantine::Quarantine;
use rack::slot::{Failure, Slot};
use report::model::{Attempt, Finding, FindingKind};
use scenario::Scenario;

use crate::authority;
use crate::hil::{Bench, Compared, Pair};
use crate::stack::Applicability;
use crate::trial::{self, Tried};
use crate::verdict::Verdict;

/// How often one board is tried again with a scenario over which the bench failed.
const RETRIES_MAX: u32 = 2;
/// Why a scenario with a modem is run on none of the boards.
const NO_MODEM: &str = "no board of this run has what it needs: a modem at a second serial port (`modem` in its file)";

/// The boards of a run, and what counts on them.
pub struct Boards {
    /// The boards.
    pub pool: Pool,
    /// Whether each is checked before the run.
    pub checks_health: bool,
    /// What does not count.
    pub quarantine: Quarantine,
    /// The authorities that the boards' firmware trusts, where they are not the bench's own, by the boards' names.
    pub authorities: BTreeMap<String, Authority>,
}

/// What came of them.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was run, in the order of the pairs.
    pub results: Vec<(Verdict, Duration)>,
    /// The boards, and why what was not run was not run, by the pair's index.
    pub rack: pool::Outcome,
}

impl Boards {
    /// Runs `pairs`; `finished` is called on this thread as each one ends.
    pub(crate) fn run(
        &self,
        bench: &Bench,
        pairs: &[Pair<'_>],
        interrupted: &AtomicBool,
        finished: &mut dyn FnMut(&(Verdict, Duration)),
    ) -> Outcome {
        let mut results: Vec<Option<(Verdict, Duration)>> = pairs.iter().map(|_| None).collect();
        let mut file = |index: usize, result: (Verdict, Duration)| {
            finished(&result);
            if let Some(place) = results.get_mut(index) {
                *place = Some(result);
            }
        };
        let (excused, applicable): (Vec<_>, Vec<_>) =
            pairs.iter().enumerate().partition(|(_, pair)| bench.applicability(pair) != Applicability::Applies);
        for (index, pair) in excused {
            file(index, (bench.one(pair), Duration::ZERO));
        }
        let (places, pairs): (Vec<usize>, Vec<&Pair<'_>>) = applicable.into_iter().unzip();
        let attempts = pairs.iter().map(|_| Mutex::default()).collect();
        let tasks = Tasks { boards: self, bench, pairs, attempts, interrupted };
        let mut rack = self.pool.run(&tasks, interrupted, &mut |task, verdict, took| {
            if let Some(index) = places.get(task) {
                file(*index, (verdict, took));
            }
        });
        let missed = std::mem::take(&mut rack.missed).into_iter();
        rack.missed = missed.filter_map(|(task, why)| Some((*places.get(task)?, why))).collect();
        Outcome { results: results.into_iter().flatten().collect(), rack }
    }
}

/// The scenarios of a run, as a pool of boards works through them.
struct Tasks<'a> {
    boards: &'a Boards,
    bench: &'a Bench,
    pairs: Vec<&'a Pair<'a>>,
    /// Every try of each task.
    attempts: Vec<Mutex<Vec<Attempt>>>,
    interrupted: &'a AtomicBool,
}

impl Work for Tasks<'_> {
    type Done = Verdict;

    fn images(&self) -> Vec<String> {
        self.pairs.iter().map(|pair| pair.stack.image().name.clone()).collect()
    }

    fn lacks(&self, entry: &Entry, task: usize) -> Option<&'static str> {
        let needs_modem = self.pairs.get(task).is_some_and(|pair| pair.scenario.device.has_modem());
        let has_modem = entry.facts.is_emulated() || entry.facts.modem.is_some();
        (needs_modem && !has_modem).then_some(NO_MODEM)
    }

    fn check(&self, slot: &mut Slot, task: usize) -> blame::Result<()> {
        match self.pairs.get(task).filter(|_| self.boards.checks_health) {
            Some(pair) => health::check(slot, pair.stack, self.bench.seed()),
            None => Ok(()),
        }
    }

    fn run(&self, slot: &mut Slot, task: usize) -> Result<Verdict, Wedged> {
        let verdict = self.one(slot, task)?;
        Ok(self.marked(verdict, slot.name(), task))
    }

    fn failed(&self, task: usize, board: &str, why: &str) -> Verdict {
        let pair = self.pairs[task];
        self.marked(Verdict::bench_failed(pair.scenario, &pair.stack.name, why), board, task)
    }
}

impl Tasks<'_> {
    fn attempts(&self, task: usize) -> std::sync::MutexGuard<'_, Vec<Attempt>> {
        self.attempts[task].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts down what the rack adds to a verdict.
    fn marked(&self, mut verdict: Verdict, board: &str, task: usize) -> Verdict {
        verdict.rack.board = board.to_owned();
        verdict.rack.quarantine = self.boards.quarantine.of(&verdict.scenario, &verdict.stack, board);
        self.bench.denial().judge(&mut verdict);
        let mut attempts = self.attempts(task);
        // One try needs no list.
        if attempts.len() > 1 {
            verdict.rack.attempts = std::mem::take(&mut attempts);
        }
        verdict
    }

    /// One task on one board.
    fn one(&self, slot: &mut Slot, task: usize) -> Result<Verdict, Wedged> {
        let Pair { scenario, stack } = self.pairs[task];
        let authority = self.boards.authorities.get(slot.name());
        // In a network of its own the scenario is moved there first, and then minted under the authority.
        let changed = authority
            .filter(|_| slot.lan().is_none())
            .map(|authority| authority::under(authority, scenario, self.bench.seed()))
            .transpose();
        let changed = match changed {
            Ok(changed) => changed,
            Err(why) => {
                let why = format!("{}: {why}", authority::NOT_APPLICABLE);
                return Ok(Verdict::not_applicable(scenario, &stack.name, why));
            }
        };
        let scenario = changed.as_ref().unwrap_or(scenario);
        let pair = &Pair { scenario, stack };
        let failed = |why: String| Verdict::bench_failed(scenario, &stack.name, why);
        let note = |attempt| self.attempts(task).push(attempt);
        let mut first: Option<Verdict> = None;
        for tried in 0_u32.. {
            let began = Instant::now();
            let (compared, result) = if slot.lan().is_some() {
                (Compared::Ending, own_network::run(slot, scenario, stack, self.bench.seed(), authority))
            } else {
                let compared = if authority.is_some() { Compared::Ending } else { Compared::Whole };
                (compared, slot.with(stack.image(), |board| self.bench.run(pair, board)))
            };
            let failure = match result {
                Ok(Tried::NotApplicable(missing)) => {
                    return Ok(Verdict::not_applicable(scenario, &stack.name, missing));
                }
                Ok(Tried::Run(trial)) => {
                    let verdict = self.bench.file(pair, trial, compared).unwrap_or_else(|error| failed(error.message));
                    note(attempt(slot.name(), &verdict, began.elapsed()));
                    match first.take() {
                        // What is not as expected is looked at twice: is it so every time?
                        None if is_odd(&verdict) && !self.interrupted.load(Ordering::Relaxed) => {
                            first = Some(verdict);
                            continue;
                        }
                        None => return Ok(verdict),
                        Some(first) => return Ok(self.of_both(&first, verdict, compared)),
                    }
                }
                Err(failure) => failure,
            };
            let (why, wedged) = match failure {
                Failure::Bench(why) => return Ok(first.unwrap_or_else(|| failed(why))),
                Failure::Passing(why) => (why, None),
                Failure::Wedged(why) => (why.clone(), Some(Wedged(why))),
            };
            note(attempt(slot.name(), &failed(why.clone()), began.elapsed()));
            if let Some(wedged) = wedged {
                return Err(wedged);
            }
            if tried >= RETRIES_MAX {
                return Ok(first.unwrap_or_else(|| failed(why)));
            }
        }
        Ok(failed("tried for ever".into()))
    }

    /// Two tries of one thing: the second stands for both if they agree, and is flaky if they do not.
    fn of_both(&self, first: &Verdict, second: Verdict, compared: Compared) -> Verdict {
        if self.bench.is_the_same(first, &second, compared) {
            return second;
        }
        let words = |verdict: &Verdict| match &verdict.account {
            Some(account) => format!("{} ({})", account.phrase(), verdict.ending),
            None => verdict.ending.to_string(),
        };
        let why = format!("flaky: first {}, then {}", words(first), words(&second));
        // The one that is not as expected is the one to look at.
        let mut both = if is_odd(&second) { second } else { first.clone() };
        both.ending = Ending::Otherwise(why);
        both.rack.flaky = true;
        both
    }
}

/// Runs one scenario on a board, and nothing else: no snapshot, no retry.
///
/// # Errors
///
/// If it has no outcome; recovery has been tried by then.
pub fn run_one(
    slot: &mut Slot,
    scenario: &Scenario,
    stack: &crate::stack::Stack,
    seed: u64,
) -> Result<trial::Trial, Failure> {
    if slot.lan().is_some() {
        return match own_network::run(slot, scenario, stack, seed, None)? {
            Tried::Run(trial) => Ok(trial),
            Tried::NotApplicable(why) => Err(Failure::Bench(why)),
        };
    }
    slot.with(stack.image(), |board| trial::on(board, scenario, stack, seed))
}

fn is_odd(verdict: &Verdict) -> bool {
    let is_right = verdict.account.as_ref().is_none_or(|account| account.conformity.is_good());
    match verdict.ending {
        Ending::Otherwise(_) | Ending::Silent => true,
        // With nothing to hold it against, the specification says what is odd.
        Ending::New => !is_right,
        Ending::AsExpected | Ending::NotApplicable(_) | Ending::BenchFailed(_) => false,
    }
}

fn attempt(board: &str, verdict: &Verdict, took: Duration) -> Attempt {
    let outcome = match &verdict.ending {
        Ending::BenchFailed(why) => format!("the bench failed: {why}"),
        ending => verdict
            .account
            .as_ref()
            .map_or_else(|| ending.to_string(), |account| format!("{}, {ending}", account.phrase())),
    };
    Attempt {
        board: board.to_owned(),
        outcome,
        bench_failed: matches!(verdict.ending, Ending::BenchFailed(_)),
        transcript: verdict.transcript.clone(),
        wall_ms: millis(took),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The finding that a board does otherwise than the emulator.
pub fn differs_from_emulator(difference: &str) -> Finding {
    Finding { kind: FindingKind::DiffersFromEmulator, words: difference.to_owned() }
}
