//! A scenario on a stack, on one board: run, judged and told. A sweep is many of them, told as one.

use std::fmt::Write as _;
use std::sync::Arc;

use board::{Board, Boots, Emulated, Target};
use outcome::Conformity;
use scenario::{Scenario, Step};

use crate::bench;
use crate::judge::{self, Judged};
use crate::stack::Stack;
use crate::verdict::{Account, How};

/// What came of it.
#[derive(Debug)]
pub struct Trial {
    /// The account and the transcript.
    pub judged: Judged,
    /// The packets: a pcapng file. Of a sweep, those of its last run.
    pub pcapng: Vec<u8>,
}

/// Runs `scenario` on `stack`, on an emulated chip of its own that need not boot if one of `boots` did; all randomness
/// comes from `seed`.
///
/// # Errors
///
/// If the bench cannot do its part.
pub fn on_emulator(scenario: &Scenario, stack: &Stack, seed: u64, boots: &Arc<Boots>) -> Result<Trial, String> {
    let board = Emulated::of(stack.chip(), seed).map_err(|fault| fault.to_string())?;
    let mut board = board.booting_from(Arc::clone(boots));
    on(&mut board, scenario, stack, seed)
}

/// Runs `scenario` on `stack`, on `board`; all randomness of the world comes from `seed`.
///
/// # Errors
///
/// If the bench cannot do its part.
pub fn on(board: &mut dyn Board, scenario: &Scenario, stack: &Stack, seed: u64) -> Result<Trial, String> {
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
    once: &mut dyn FnMut(&Scenario) -> Result<Trial, String>,
) -> Result<Trial, String> {
    let steps = scenario.steps();
    if steps.is_empty() {
        return once(scenario);
    }
    let mut done = Vec::with_capacity(steps.len());
    let mut pcapng = Vec::new();
    for step in steps {
        let trial = once(&step.scenario)?;
        // What cannot be done at one step cannot be done at any.
        if trial.judged.unsupported.is_some() {
            return Ok(trial);
        }
        pcapng = trial.pcapng;
        done.push((step, trial.judged));
    }
    let head = judge::head(scenario, stack, target, seed);
    staircase(&head, done).map(|judged| Trial { judged, pcapng }).ok_or_else(|| "a sweep without a step".to_owned())
}

fn once(board: &mut dyn Board, scenario: &Scenario, stack: &Stack, seed: u64) -> Result<Trial, String> {
    let evidence = bench::run(scenario, stack, board, seed).map_err(|fault| fault.to_string())?;
    let judged = judge::judge(scenario, stack, &board.target(), seed, &evidence)?;
    Ok(Trial { judged, pcapng: evidence.pcapng })
}

/// Tells the runs of a sweep as one: a line for each, equal neighbours together.
fn staircase(head: &str, done: Vec<(Step, Judged)>) -> Option<Judged> {
    let connected = done.iter().filter(|(_, judged)| judged.account.how == How::Connected).count();
    let worst = done.iter().map(|(_, judged)| judged.account.conformity).max_by_key(|one| gravity(*one))?;
    let mut lines: Vec<(&str, u32, u32, String)> = Vec::new();
    for (step, judged) in &done {
        let words = line(&judged.account);
        match lines.last_mut() {
            Some((_, _, last, before)) if *before == words => *last = step.value,
            _ => lines.push((step.what, step.value, step.value, words)),
        }
    }
    let labels: Vec<String> = lines
        .iter()
        .map(|(what, first, last, _)| {
            let value = if first == last { first.to_string() } else { format!("{first} to {last}") };
            what.replace("{}", &value)
        })
        .collect();
    let width = labels.iter().map(String::len).max().unwrap_or(0);
    let mut transcript = format!("{head}\n");
    for (label, (_, _, _, words)) in labels.iter().zip(&lines) {
        let _ = writeln!(transcript, "{label:width$}  {words}");
    }
    let total = done.len();
    let incidents = done.iter().flat_map(|(_, judged)| judged.incidents.clone()).collect();
    let (_, last) = done.into_iter().next_back()?;
    let account = Account {
        conformity: worst,
        summary: Some(format!("{connected} of {total} runs connect")),
        device_words: String::new(),
        platform_words: None,
        cause: None,
        fault: None,
        heap_peak_bytes: None,
        ..last.account
    };
    let _ = write!(transcript, "\nending     {account}");
    Some(Judged { account, transcript, incidents, silent: false, unsupported: None })
}

/// What became of one run, in a line.
fn line(account: &Account) -> String {
    let mut line = account.phrase();
    let words = [Some(&account.device_words), account.platform_words.as_ref(), account.cause.as_ref()];
    for words in words.into_iter().flatten().filter(|words| !words.is_empty()) {
        let _ = write!(line, " · {words}");
    }
    match account.conformity {
        Conformity::Conforms | Conformity::Allowed | Conformity::RefusesWhatItMustAccept => line,
        conformity => format!("{line} — {conformity}"),
    }
}

const fn gravity(conformity: Conformity) -> u8 {
    match conformity {
        Conformity::AcceptsWhatItMustRefuse => 8,
        Conformity::Breaks => 7,
        Conformity::SucceedsWhereItMustFail => 6,
        Conformity::RefusesWhatItMustAccept => 5,
        // One step that says nothing makes the whole say less.
        Conformity::NeverMet => 4,
        Conformity::Undecided => 3,
        Conformity::Conforms => 2,
        Conformity::NotOffered => 1,
        Conformity::Allowed => 0,
    }
}
