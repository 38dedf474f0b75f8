//! Many runs side by side, each on a board of its own, so that neither their order nor their number matters.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does every task on up to `jobs` threads. `finished` is called on this thread as each one ends, in whatever order;
/// the result is in the order of `tasks`, and lacks those that were not begun when `interrupted` was set. `panicked`
/// makes a result of the words of a panic.
pub fn run<T: Sync, R: Send>(
    tasks: &[T],
    jobs: usize,
    interrupted: &AtomicBool,
    one: &(dyn Fn(&T) -> R + Sync),
    panicked: &(dyn Fn(&T, &str) -> R + Sync),
    finished: &mut dyn FnMut(&R),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let results: Vec<Option<R>> = thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, tasks.len().max(1)) {
            let send = send.clone();
            let next = &next;
            scope.spawn(move || {
                while !interrupted.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else { break };
                    // A panic is a fault of the bench, and must not take the other tasks with it.
                    let result = blame::panics::caught(|| one(task)).unwrap_or_else(|panic| panicked(task, &panic.0));
                    if send.send((index, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut results: Vec<Option<R>> = tasks.iter().map(|_| None).collect();
        for (index, result) in receive {
            finished(&result);
            if let Some(slot) = results.get_mut(index) {
                *slot = Some(result);
            }
        }
        results
    });
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_its_words_and_the_others_still_run() {
        let results = run(
            &["a", "b", "c"],
            2,
            &AtomicBool::new(false),
            &|task| {
                assert!(*task != "b", "on purpose");
                format!("{task} ran")
            },
            &|task, words| format!("{task}: {words}"),
            &mut |_| {},
        );
        assert_eq!(results, ["a ran", "b: on purpose", "c ran"]);
    }

    #[test]
    fn after_an_interruption_nothing_new_begins() {
        let interrupted = AtomicBool::new(false);
        let one = |_: &u8| interrupted.store(true, Ordering::Relaxed);
        let results = run(&[1, 2, 3], 1, &interrupted, &one, &|_, _| (), &mut |()| {});
        assert_eq!(results.len(), 1);
    }
}
