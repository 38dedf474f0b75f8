//! Processes of their own, for what a process can do once: this program again, which does one thing and prints numbers.

use std::process::Command;

use board::Tier;
use runner::figures::Executor;

use crate::measured::tier;
use crate::{memory, suite, verdicts};

/// Tells the process that it is one of these.
const OPTION: &str = "--offspring";

/// What is done in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Verdicts,
    Suite,
    Memory,
}

const TASKS: [(&str, Task); 3] = [("verdicts", Task::Verdicts), ("suite", Task::Suite), ("memory", Task::Memory)];

/// What this process is asked to do, if it is one of these.
pub fn asked(arguments: &[String]) -> Option<(Task, Tier)> {
    let [option, task, executor] = arguments else { return None };
    let (_, task) = TASKS.iter().find(|(name, _)| name == task)?;
    let executor = Executor::ALL.into_iter().find(|known| known.name() == executor)?;
    (option == OPTION).then_some((*task, tier(executor)?))
}

/// Does it, and prints the numbers that come of it.
pub fn answer(task: Task, tier: Tier) {
    assert!(tier != Tier::HostCode || host_code::install(), "there is no back end");
    let numbers = match task {
        Task::Verdicts => verdicts::first_and_next_ms(tier).to_vec(),
        Task::Suite => vec![suite::job_s(tier)],
        Task::Memory => vec![memory::one_more_chip_kib(tier)],
    };
    for number in numbers {
        println!("{number}");
    }
}

/// The numbers that such a process prints.
pub fn numbers(task: Task, executor: Executor) -> Vec<f64> {
    let (name, _) = TASKS.iter().find(|(_, known)| *known == task).expect("all have names");
    let program = std::env::current_exe().expect("this program is somewhere");
    let output = Command::new(program).args([OPTION, name, executor.name()]).output().expect("it starts again");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.parse().unwrap_or_else(|why| panic!("{line}: {why}"))).collect()
}
