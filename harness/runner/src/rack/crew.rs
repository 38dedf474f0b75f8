//! The boards of a run, side by side: each its own thread and queue, the work shared among all of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use outcome::Ending;
use pki::Authority;
use report::model::{self, Attempt, Finding, FindingKind};

use crate::authority;
use crate::hil::{Bench, Compared, Pair};
use crate::rack::bay::{self, Bay, Failure, Setting};
use crate::rack::health;
use crate::rack::map::Entry;
use crate::rack::quarantine::Quarantine;
use crate::rack::queue::{Next, Queue};
use crate::stack::Applicability;
use crate::verdict::Verdict;

/// How often one board is tried again with a scenario over which the bench failed.
const RETRIES_MAX: u32 = 2;
/// How often to look for Ctrl-C and at the clock: neither wakes anybody.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The boards of a run, and what they are told.
pub struct Crew {
    /// The boards.
    pub entries: Vec<Entry>,
    /// What each needs to know.
    pub setting: Setting,
    /// Whether each is checked before the run.
    pub checks_health: bool,
    /// Nothing new begins after so long.
    pub limit: Option<Duration>,
    /// What does not count.
    pub quarantine: Quarantine,
    /// The authorities that the boards' firmware trusts, where they are not the bench's own, by the boards' names.
    pub authorities: BTreeMap<String, Authority>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was run, in the order of the pairs.
    pub results: Vec<(Verdict, Duration)>,
    /// The boards, with what was done to them.
    pub boards: Vec<model::Board>,
    /// Why what was not run was not run: by the pair's index.
    pub missed: BTreeMap<usize, String>,
    /// Whether the time was over before the work.
    pub is_out_of_time: bool,
}

/// A task in the queue.
struct Task<'a> {
    /// Its place among the pairs.
    index: usize,
    pair: &'a Pair<'a>,
    attempts: Mutex<Vec<Attempt>>,
}

/// What the threads share.
struct Shared<'a> {
    crew: &'a Crew,
    bench: &'a Bench,
    tasks: Vec<Task<'a>>,
    queue: Mutex<Queue>,
    changed: Condvar,
    interrupted: &'a AtomicBool,
    until: Option<Instant>,
}

type Report = (usize, Verdict, Duration);

impl Crew {
    /// Runs `pairs`; `finished` is called on this thread as each one ends.
    pub(crate) fn run(
        &self,
        bench: &Bench,
        pairs: &[Pair<'_>],
        interrupted: &AtomicBool,
        finished: &mut dyn FnMut(&(Verdict, Duration)),
    ) -> Outcome {
        let mut slots: Vec<Option<(Verdict, Duration)>> = pairs.iter().map(|_| None).collect();
        let mut file = |(index, verdict, took): Report, slots: &mut Vec<Option<(Verdict, Duration)>>| {
            let result = (verdict, took);
            finished(&result);
            if let Some(slot) = slots.get_mut(index) {
                *slot = Some(result);
            }
        };
        let (excused, tasks): (Vec<_>, Vec<_>) =
            pairs.iter().enumerate().partition(|(_, pair)| bench.applicability(pair) != Applicability::Applies);
        for (index, pair) in excused {
            file((index, bench.one(pair), Duration::ZERO), &mut slots);
        }
        let tasks: Vec<Task<'_>> =
            tasks.into_iter().map(|(index, pair)| Task { index, pair, attempts: Mutex::default() }).collect();
        let images = tasks.iter().map(|task| task.pair.stack.image().name.clone()).collect();
        let shared = Shared {
            crew: self,
            bench,
            tasks,
            queue: Mutex::new(Queue::new(images)),
            changed: Condvar::new(),
            interrupted,
            until: self.limit.map(|limit| Instant::now() + limit),
        };
        let mut outcome = Outcome::default();
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            let shared = &shared;
            let men: Vec<_> = self
                .entries
                .iter()
                .map(|entry| {
                    let send = send.clone();
                    (entry, scope.spawn(move || shared.man(entry, &send)))
                })
                .collect();
            drop(send);
            for report in receive {
                file(report, &mut slots);
            }
            for (entry, man) in men {
                outcome.boards.push(man.join().unwrap_or_else(|_| model::Board {
                    out_of_order: Some("the bench panicked over it".into()),
                    ..told(entry)
                }));
            }
        });
        let why = shared.why_left(&outcome.boards);
        let queue = shared.queue();
        for task in queue.left().filter_map(|index| shared.tasks.get(index)) {
            let can = self.entries.iter().any(|entry| bay::can(entry, task.pair.scenario));
            let lacks = "no board of this run has what it needs: a modem at a second serial port (`modem` in its file)";
            outcome.missed.insert(task.index, if can { why.clone() } else { lacks.to_owned() });
        }
        outcome.is_out_of_time = shared.is_out_of_time() && !outcome.missed.is_empty();
        outcome.results = slots.into_iter().flatten().collect();
        outcome
    }
}

/// The board of `entry` as the report has it.
fn told(entry: &Entry) -> model::Board {
    let serial = entry.facts.serial.as_ref().map_or_else(String::new, |serial| format!(", {}", serial.display()));
    model::Board {
        name: entry.name.clone(),
        kind: entry.facts.chip.name.to_owned(),
        target: "hardware".into(),
        identity: format!("probe {}{serial}", entry.facts.probe),
        ..model::Board::default()
    }
}

impl Shared<'_> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_out_of_time(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Why something was never begun, or begun and not finished.
    fn why_left(&self, boards: &[model::Board]) -> String {
        if self.interrupted.load(Ordering::Relaxed) {
            return "the run was interrupted before its turn".into();
        }
        if let (true, Some(limit)) = (self.is_out_of_time(), self.crew.limit) {
            return format!("the {} minutes of this run were over before its turn", limit.as_secs() / 60);
        }
        let out: Vec<String> = boards
            .iter()
            .filter_map(|board| Some(format!("{}: {}", board.name, board.out_of_order.as_ref()?)))
            .collect();
        format!("no board was left to run it: {}", out.join("; "))
    }

    /// One board's whole run.
    fn man(&self, entry: &Entry, send: &Sender<Report>) -> model::Board {
        let mut board = told(entry);
        let mut bay = match Bay::take(entry, &self.crew.setting) {
            Ok(bay) => bay,
            Err(why) => return model::Board { out_of_order: Some(why), ..board },
        };
        // What it is at: should the bench panic over it, nobody may wait for it for ever.
        let current = Cell::new(None);
        let served = catch_unwind(AssertUnwindSafe(|| self.serve(&mut bay, send, &current)));
        board.out_of_order = match served {
            Ok(result) => result.err(),
            Err(_) => {
                let why = "the bench panicked over it".to_owned();
                if let Some(index) = current.take() {
                    self.hand_back(index, send, Ok(why.clone()));
                }
                Some(why)
            }
        };
        board.log = bay.log().to_vec();
        board
    }

    /// Works until nothing is left; the error is why the board has left the run.
    fn serve(&self, bay: &mut Bay, send: &Sender<Report>, current: &Cell<Option<usize>>) -> Result<(), String> {
        let mut image: Option<String> = None;
        while let Some(index) = self.next(bay, image.as_deref()) {
            current.set(Some(index));
            let Some(task) = self.tasks.get(index) else { break };
            if image.is_none()
                && self.crew.checks_health
                && let Err(why) = health::check(bay, task.pair.stack, self.bench.seed())
            {
                // Nothing of the task was tried: it goes to another board without a mark.
                self.hand_back(index, send, Err(why.clone()));
                return Err(why);
            }
            image = Some(task.pair.stack.image().name.clone());
            let began = Instant::now();
            // A panic fails one scenario, and not its neighbours.
            let done = catch_unwind(AssertUnwindSafe(|| self.one(bay, task)));
            let panicked =
                || Ok(Verdict::bench_failed(task.pair.scenario, &task.pair.stack.name, "the bench panicked"));
            match done.unwrap_or_else(|_| panicked()) {
                Ok(verdict) => {
                    let _ = send.send((task.index, self.marked(verdict, bay.name(), task), began.elapsed()));
                    self.queue().finish(index);
                }
                Err(why) => {
                    self.hand_back(index, send, Ok(why.clone()));
                    return Err(why);
                }
            }
            current.set(None);
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The next task for this board; waits while another board may yet give one back.
    fn next(&self, bay: &Bay, image: Option<&str>) -> Option<usize> {
        let mut queue = self.queue();
        loop {
            if self.interrupted.load(Ordering::Relaxed) || self.is_out_of_time() {
                queue.close();
            }
            let can = |index: usize| self.tasks.get(index).is_some_and(|task| bay.can(task.pair.scenario));
            match queue.take(image, can) {
                Next::Task(index) => return Some(index),
                Next::Over => return None,
                Next::Wait => {
                    let waited = self.changed.wait_timeout(queue, LOOK_EVERY);
                    queue = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// The board is out; the task goes to another one, or has failed if it has taken two boards with it.
    fn hand_back(&self, index: usize, send: &Sender<Report>, why: Result<String, String>) {
        let (Some(task), mut queue) = (self.tasks.get(index), self.queue()) else { return };
        let again = match &why {
            Ok(_) => queue.give_back(index),
            Err(_) => queue.put_back(index),
        };
        if !again {
            let (Ok(why) | Err(why)) = why;
            let why = format!("two boards were wedged over it; the second: {why}");
            let verdict = Verdict::bench_failed(task.pair.scenario, &task.pair.stack.name, why);
            let _ = send.send((task.index, self.marked(verdict, "", task), Duration::ZERO));
        }
        drop(queue);
        self.changed.notify_all();
    }

    /// Puts down what the rack adds to a verdict.
    fn marked(&self, mut verdict: Verdict, board: &str, task: &Task<'_>) -> Verdict {
        verdict.rack.board = board.to_owned();
        verdict.rack.quarantine = self.crew.quarantine.of(&verdict.scenario, &verdict.stack, board);
        self.bench.denial().judge(&mut verdict);
        let mut attempts = task.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        // One try needs no list.
        if attempts.len() > 1 {
            verdict.rack.attempts = std::mem::take(&mut attempts);
        }
        verdict
    }

    /// One task on one board; the error is why the board is wedged.
    fn one(&self, bay: &mut Bay, task: &Task<'_>) -> Result<Verdict, String> {
        let Pair { scenario, stack } = task.pair;
        let authority = self.crew.authorities.get(bay.name());
        // In a network of its own the scenario is moved there first, and then minted under the authority.
        let changed = authority
            .filter(|_| bay.lan().is_none())
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
        let note = |attempt| task.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
        let mut first: Option<Verdict> = None;
        for tried in 0_u32.. {
            let began = Instant::now();
            let (compared, result) = if bay.lan().is_some() {
                (Compared::Ending, bay.run_in_its_network(scenario, stack, self.bench.seed(), authority))
            } else {
                let compared = if authority.is_some() { Compared::Ending } else { Compared::Whole };
                (compared, bay.with(stack.image(), |board| self.bench.meet(pair, board)))
            };
            let failure = match result {
                Ok(Err(missing)) => return Ok(Verdict::not_applicable(scenario, &stack.name, missing)),
                Ok(Ok(trial)) => {
                    let verdict = self.bench.file(pair, trial, compared).unwrap_or_else(failed);
                    note(attempt(bay.name(), &verdict, began.elapsed()));
                    match first.take() {
                        // What is not as expected is looked at twice: is it so every time?
                        None if is_odd(&verdict) && !self.interrupted.load(Ordering::Relaxed) => {
                            first = Some(verdict);
                            continue;
                        }
                        None => return Ok(verdict),
                        Some(first) => return Ok(self.told_together(&first, verdict, compared)),
                    }
                }
                Err(failure) => failure,
            };
            let (why, wedged) = match failure {
                Failure::Bench(why) => return Ok(first.unwrap_or_else(|| failed(why))),
                Failure::Passing(why) => (why, None),
                Failure::Wedged(why) => (why.clone(), Some(why)),
            };
            note(attempt(bay.name(), &failed(why.clone()), began.elapsed()));
            if let Some(why) = wedged {
                return Err(why);
            }
            if tried >= RETRIES_MAX {
                return Ok(first.unwrap_or_else(|| failed(why)));
            }
        }
        Ok(failed("tried for ever".into()))
    }

    /// Two tries of one thing: the second stands for both if they agree, and is flaky if they do not.
    fn told_together(&self, first: &Verdict, second: Verdict, compared: Compared) -> Verdict {
        if self.bench.is_the_same(first, &second, compared) {
            return second;
        }
        let words = |verdict: &Verdict| match &verdict.account {
            Some(account) => format!("{} ({})", account.phrase(), verdict.ending),
            None => verdict.ending.to_string(),
        };
        let why = format!("flaky: first {}, then {}", words(first), words(&second));
        // The one that is not as expected is the one to look at.
        let mut told = if is_odd(&second) { second } else { first.clone() };
        told.ending = Ending::Otherwise(why);
        told.rack.flaky = true;
        told
    }
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
