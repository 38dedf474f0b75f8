//! Many scenarios side by side, each on a board of its own, so that neither their order nor their number matters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use scenario::Scenario;

use crate::verdict::Verdict;

/// Runs every scenario on up to `jobs` threads. `finished` is called on this thread as each one ends, in whatever
/// order; the result is in the order of `scenarios`, and lacks those that were not begun when `interrupted` was set.
pub fn run(
    scenarios: &[Scenario],
    jobs: usize,
    interrupted: &AtomicBool,
    one: &(dyn Fn(&Scenario) -> Verdict + Sync),
    finished: &mut dyn FnMut(&Verdict),
) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let mut verdicts: Vec<Option<Verdict>> = thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, scenarios.len().max(1)) {
            let send = send.clone();
            let next = &next;
            scope.spawn(move || {
                while !interrupted.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(index) else { break };
                    // A panic is a fault of the bench, and must not take the other scenarios with it.
                    let verdict = catch_unwind(AssertUnwindSafe(|| one(scenario))).unwrap_or_else(|panic| {
                        Verdict::bench_failed(scenario, format!("the bench panicked: {}", words(panic.as_ref())))
                    });
                    if send.send((index, verdict)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut verdicts: Vec<Option<Verdict>> = scenarios.iter().map(|_| None).collect();
        for (index, verdict) in receive {
            finished(&verdict);
            verdicts[index] = Some(verdict);
        }
        verdicts
    });
    verdicts.drain(..).flatten().collect()
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenarios() -> Vec<Scenario> {
        let text = "title = \"t\"\n[specification]\ndemands = \"connect\"\nrule = \"RFC 9525 §6\"\nquote = \"q\"\n";
        ["a", "b", "c"].map(|stem| Scenario::parse(&format!("mqtt/{stem}"), "x.toml", text).unwrap()).to_vec()
    }

    #[test]
    fn a_panic_is_the_benchs_failure_and_the_others_still_run() {
        let verdicts = run(
            &scenarios(),
            2,
            &AtomicBool::new(false),
            &|scenario| {
                assert!(scenario.name != "mqtt/b", "on purpose");
                Verdict::bench_failed(scenario, "ran")
            },
            &mut |_| {},
        );
        let names: Vec<&str> = verdicts.iter().map(|verdict| verdict.scenario.as_str()).collect();
        assert_eq!(names, ["mqtt/a", "mqtt/b", "mqtt/c"]);
        assert!(matches!(&verdicts[1].ending, outcome::Ending::BenchFailed(why) if why.contains("on purpose")));
    }

    #[test]
    fn after_an_interruption_nothing_new_begins() {
        let interrupted = AtomicBool::new(false);
        let verdicts = run(
            &scenarios(),
            1,
            &interrupted,
            &|scenario| {
                interrupted.store(true, Ordering::Relaxed);
                Verdict::bench_failed(scenario, "ran")
            },
            &mut |_| {},
        );
        assert_eq!(verdicts.len(), 1);
    }
}
