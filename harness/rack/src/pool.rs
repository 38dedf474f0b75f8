//! The boards of a run, side by side: each its own thread, the work shared among all of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use blame::panics::Panicked;
use report::model;

use crate::map::Entry;
use crate::queue::{Next, Queue};
use crate::slot::{Setting, Slot};

/// How often to look for Ctrl-C and at the clock: neither wakes anybody.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The boards of a run.
pub struct Pool {
    /// The boards.
    pub entries: Vec<Entry>,
    /// What each needs to know.
    pub setting: Setting,
    /// Nothing new begins after so long.
    pub limit: Option<Duration>,
}

/// What a pool of boards is given to do: tasks, each known by its index from 0.
pub trait Work: Sync {
    /// What comes of one task.
    type Done: Send;

    /// The name of the image that each task needs. There are as many tasks as names.
    fn images(&self) -> Vec<String>;

    /// Why no board can do the task, if none can: what it needs that `entry` lacks.
    fn lacks(&self, entry: &Entry, task: usize) -> Option<&'static str>;

    /// Whether the board is fit to take part: asked once, before its first task.
    ///
    /// # Errors
    ///
    /// Why it is not.
    fn check(&self, slot: &mut Slot, task: usize) -> blame::Result<()>;

    /// Does one task on one board.
    ///
    /// # Errors
    ///
    /// If the board is wedged over it: it leaves the run, and another one gets the task.
    fn run(&self, slot: &mut Slot, task: usize) -> Result<Self::Done, Wedged>;

    /// What comes of a task over which the bench failed, on the board of this name; empty: on none.
    fn failed(&self, task: usize, board: &str, why: &str) -> Self::Done;
}

/// A board is wedged, for this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wedged(pub String);

/// What came of the boards and of what they did not come to; what they did is reported as it ends.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The boards, with what was done to them.
    pub boards: Vec<model::Board>,
    /// Why what was not run was not run: by the task's index.
    pub missed: BTreeMap<usize, String>,
    /// Whether the time was over before the work.
    pub is_out_of_time: bool,
}

/// What the threads share.
struct Shared<'a, W> {
    pool: &'a Pool,
    work: &'a W,
    queue: Mutex<Queue>,
    changed: Condvar,
    interrupted: &'a AtomicBool,
    until: Option<Instant>,
}

/// A task by its index, what came of it, and how long it took.
type Report<D> = (usize, D, Duration);

/// Why a task goes back into the queue.
enum Back {
    /// It has wedged a board.
    Wedged(String),
    /// Nothing of it was tried.
    Untried(String),
}

impl Pool {
    /// Does `work`; `finished` is called on this thread as each task ends, with its index and how long it took.
    pub fn run<W: Work>(
        &self,
        work: &W,
        interrupted: &AtomicBool,
        finished: &mut dyn FnMut(usize, W::Done, Duration),
    ) -> Outcome {
        let shared = Shared {
            pool: self,
            work,
            queue: Mutex::new(Queue::new(work.images())),
            changed: Condvar::new(),
            interrupted,
            until: self.limit.map(|limit| Instant::now() + limit),
        };
        let mut outcome = Outcome::default();
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            let shared = &shared;
            let workers: Vec<_> = self
                .entries
                .iter()
                .map(|entry| {
                    let send = send.clone();
                    (entry, scope.spawn(move || shared.run_board(entry, &send)))
                })
                .collect();
            drop(send);
            for (index, done, took) in receive {
                finished(index, done, took);
            }
            for (entry, worker) in workers {
                outcome.boards.push(worker.join().unwrap_or_else(|_| model::Board {
                    out_of_order: Some("the bench panicked over it".into()),
                    ..described(entry)
                }));
            }
        });
        let why = shared.why_left(&outcome.boards);
        for task in shared.queue().left() {
            let lacks = self.entries.iter().map(|entry| work.lacks(entry, task)).collect::<Option<Vec<_>>>();
            let lacks = lacks.and_then(|lacks| lacks.first().copied());
            outcome.missed.insert(task, lacks.map_or_else(|| why.clone(), str::to_owned));
        }
        outcome.is_out_of_time = shared.is_out_of_time() && !outcome.missed.is_empty();
        outcome
    }
}

/// The board of `entry` as the report has it.
fn described(entry: &Entry) -> model::Board {
    let serial = entry.facts.serial.as_ref().map_or_else(String::new, |serial| format!(", {}", serial.display()));
    model::Board {
        name: entry.name.clone(),
        kind: entry.facts.chip.name.to_owned(),
        target: "hardware".into(),
        identity: format!("probe {}{serial}", entry.facts.probe),
        ..model::Board::default()
    }
}

impl<W: Work> Shared<'_, W> {
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
        if let (true, Some(limit)) = (self.is_out_of_time(), self.pool.limit) {
            return format!("the {} minutes of this run were over before its turn", limit.as_secs() / 60);
        }
        let out: Vec<String> = boards
            .iter()
            .filter_map(|board| Some(format!("{}: {}", board.name, board.out_of_order.as_ref()?)))
            .collect();
        format!("no board was left to run it: {}", out.join("; "))
    }

    /// One board's whole run.
    fn run_board(&self, entry: &Entry, send: &Sender<Report<W::Done>>) -> model::Board {
        let mut board = described(entry);
        let mut slot = match Slot::take(entry, &self.pool.setting) {
            Ok(slot) => slot,
            Err(error) => return model::Board { out_of_order: Some(error.message), ..board },
        };
        // What it is at: should the bench panic over it, nobody may wait for it for ever.
        let current = Cell::new(None);
        let served = blame::panics::caught(|| self.serve(&mut slot, send, &current));
        board.out_of_order = match served {
            Ok(result) => result.err().map(|Wedged(why)| why),
            Err(message) => {
                let why = format!("the bench panicked over it: {message}");
                if let Some(index) = current.take() {
                    self.hand_back(index, send, Back::Wedged(why.clone()));
                }
                Some(why)
            }
        };
        board.log = slot.log().to_vec();
        board
    }

    /// Works until nothing is left; the error is why the board has left the run.
    fn serve(
        &self,
        slot: &mut Slot,
        send: &Sender<Report<W::Done>>,
        current: &Cell<Option<usize>>,
    ) -> Result<(), Wedged> {
        let images = self.work.images();
        let mut image: Option<&String> = None;
        while let Some(index) = self.next(slot, image.map(String::as_str)) {
            current.set(Some(index));
            if image.is_none()
                && let Err(error) = self.work.check(slot, index)
            {
                // Nothing of the task was tried: it goes to another board without a mark.
                self.hand_back(index, send, Back::Untried(error.message.clone()));
                return Err(Wedged(error.message));
            }
            image = images.get(index);
            let began = Instant::now();
            // A panic fails one task, and not its neighbours.
            let name = slot.name().to_owned();
            let panicked =
                |panic: Panicked| Ok(self.work.failed(index, &name, &format!("the bench panicked: {panic}")));
            match blame::panics::caught(|| self.work.run(slot, index)).unwrap_or_else(panicked) {
                Ok(done) => {
                    let _ = send.send((index, done, began.elapsed()));
                    self.queue().finish(index);
                }
                Err(wedged) => {
                    self.hand_back(index, send, Back::Wedged(wedged.0.clone()));
                    return Err(wedged);
                }
            }
            current.set(None);
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The next task for this board; waits while another board may yet give one back.
    fn next(&self, slot: &Slot, image: Option<&str>) -> Option<usize> {
        let mut queue = self.queue();
        loop {
            if self.interrupted.load(Ordering::Relaxed) || self.is_out_of_time() {
                queue.close();
            }
            match queue.take(image, |index| self.work.lacks(slot.entry(), index).is_none()) {
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
    fn hand_back(&self, index: usize, send: &Sender<Report<W::Done>>, back: Back) {
        let mut queue = self.queue();
        let (again, why) = match back {
            Back::Wedged(why) => (queue.give_back(index), why),
            Back::Untried(why) => (queue.put_back(index), why),
        };
        if !again {
            let why = format!("two boards were wedged over it; the second: {why}");
            let _ = send.send((index, self.work.failed(index, "", &why), Duration::ZERO));
        }
        drop(queue);
        self.changed.notify_all();
    }
}
