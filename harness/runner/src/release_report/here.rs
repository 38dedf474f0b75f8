//! Both images on emulated chips in this process.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use board::Boots;
use chip::Chip;
use outcome::Ending;
use report::model::{Row, Run};
use scenario::Scenario;

use super::{ReleaseReport, Side, artefacts};
use crate::exit;
use crate::hil::{self, Refusal};
use crate::reports::{self, Embed, Invocation, Missed, Sources};
use crate::stack::{self, Applicability, Stack};
use crate::suite;
use crate::trial;
use crate::verdict::{OnRack, Verdict};
use scenario::library;
use snapshot::Place;

/// Two stacks that are held against each other.
struct Pair {
    old: Stack,
    new: Stack,
}

/// One scenario with one image.
struct Task<'a> {
    scenario: &'a Scenario,
    pair: &'a Pair,
    side: Side,
}

/// Both runs on emulated chips in this process, and whether they were interrupted.
pub fn run(root: &Path, arguments: &ReleaseReport, old: &Path, new: &Path) -> Result<(Run, Run, bool), Refusal> {
    let folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
    let scenarios = library::select(library::read(&folder)?, &arguments.patterns)?;
    let chip = arguments.board.chip();
    let pairs = pairs(root, old, new, arguments, chip).map_err(|why| Refusal::new(exit::USAGE, why))?;
    let tasks: Vec<Task<'_>> = scenarios
        .iter()
        .flat_map(|scenario| pairs.iter().map(move |pair| (scenario, pair)))
        .filter(|(scenario, pair)| pair.is_asked(scenario))
        .flat_map(|(scenario, pair)| [Side::Old, Side::New].map(|side| Task { scenario, pair, side }))
        .collect();
    if tasks.is_empty() {
        return Err(Refusal::new(exit::NOTHING_SELECTED, "neither image is asked any of these scenarios"));
    }
    let artefacts = artefacts(root, arguments);
    let interrupted = hil::listen_for_interruption()?;
    let jobs = arguments.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let progress = hil::progress(tasks.len());
    let (began, started) = (Instant::now(), SystemTime::now());
    let boots = Boots::new();
    let results = suite::run(
        &tasks,
        jobs,
        &interrupted,
        &|task| {
            let began = Instant::now();
            (task.side, task.run(arguments.seed, &boots, &artefacts), began.elapsed())
        },
        &|task, panic| {
            let why = format!("the bench panicked: {panic}");
            (task.side, Verdict::bench_failed(task.scenario, &task.stack().name, why), Duration::ZERO)
        },
        &mut |(_, verdict, _)| {
            progress.inc(1);
            progress.set_message(format!("{} on {}", verdict.scenario, verdict.stack));
        },
    );
    progress.finish_and_clear();
    let interrupted = interrupted.load(Ordering::SeqCst);
    let side = |side: Side| {
        let ran: Vec<(Verdict, Duration)> =
            results.iter().filter(|(of, ..)| *of == side).map(|(_, verdict, took)| (verdict.clone(), *took)).collect();
        let stacks: Vec<Stack> = pairs.iter().map(|pair| pair.stack(side).clone()).collect();
        let invocation = Invocation {
            headline: &format!(
                "{}, on an emulated {}",
                pairs.first().map_or(String::new(), |pair| pair.stack(side).firmware.to_string()),
                chip.title
            ),
            seed: arguments.seed,
            started,
            took: began.elapsed(),
            jobs,
            stacks: &stacks,
            boards: Vec::new(),
            shard: None,
            interrupted,
            is_out_of_time: false,
        };
        let folder = artefacts.join(side.folder());
        let sources = Sources { scenarios: &scenarios, artefacts: &folder, embed: Embed::None };
        let wanted = tasks.iter().filter(|task| task.side == side);
        let missed = missed(wanted, &ran);
        let rows = reports::rows(&ran, &missed, &sources);
        Run::new(vec![reports::part(&invocation)], rows.into_iter().map(|row| renamed(row, &pairs, side)).collect())
    };
    Ok((side(Side::Old), side(Side::New), interrupted))
}

/// The stacks that are held against each other: those that are named, or both images as they are and as every profile
/// that both have.
fn pairs(
    root: &Path,
    old: &Path,
    new: &Path,
    arguments: &ReleaseReport,
    chip: &'static Chip,
) -> blame::Result<Vec<Pair>> {
    let dialect = arguments.dialect.as_deref();
    let options = arguments.unattended.of_seed(arguments.seed);
    let own = |image| stack::own(root, image, dialect, chip, &options);
    let (old, new) = (own(old)?, own(new)?);
    if let (Some(was), Some(is)) = (&arguments.old_stack, &arguments.new_stack) {
        let pick = |stacks: Vec<Stack>, name: &String| {
            stack::select(stacks, std::slice::from_ref(name), chip).map(|stacks| stacks.into_iter().next())
        };
        let (old, new) = (pick(old, was)?, pick(new, is)?);
        return Ok(old.zip(new).into_iter().map(|(old, new)| Pair { old, new }).collect());
    }
    let mut pairs = Vec::new();
    for one in &old {
        let is_partner = |other: &&Stack| match (one.models(), other.models()) {
            (None, None) => true,
            (Some(_), Some(_)) => one.name == other.name,
            _ => false,
        };
        pairs.extend(new.iter().find(is_partner).map(|other| Pair { old: one.clone(), new: other.clone() }));
    }
    Ok(pairs)
}

impl Pair {
    const fn stack(&self, side: Side) -> &Stack {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    fn is_asked(&self, scenario: &Scenario) -> bool {
        // A profile stands for a product of one document, say: what the other is not asked cannot be compared.
        [&self.old, &self.new].iter().all(|stack| stack.applicability(scenario) != Applicability::NotAsked)
    }

    /// What rows of both sides are called.
    fn name(&self) -> String {
        if self.old.name == self.new.name {
            self.old.name.clone()
        } else {
            format!("{} → {}", self.old.name, self.new.name)
        }
    }
}

impl Task<'_> {
    const fn stack(&self) -> &Stack {
        self.pair.stack(self.side)
    }

    fn run(&self, seed: u64, boots: &Arc<Boots>, artefacts: &Path) -> Verdict {
        let (scenario, stack) = (self.scenario, self.stack());
        let excused = |why: &str| Verdict::not_applicable(scenario, &stack.name, why);
        match stack.applicability(scenario) {
            Applicability::NotApplicable(why) => return excused(&why),
            Applicability::NotAsked => return excused("this stack is not asked"),
            Applicability::Applies => {}
        }
        if scenario.broker.real.is_some() {
            return excused("a run with a real broker is never the same twice");
        }
        match trial::on_emulator(scenario, stack, seed, boots) {
            Err(why) => Verdict::bench_failed(scenario, &stack.name, why),
            Ok(trial) => {
                if let Some(why) = trial.judged.not_applicable() {
                    return excused(why);
                }
                let place = Place::new(&artefacts.join(self.side.folder()), &scenario.name, &stack.name);
                let filed = fs::create_dir_all(place.folder())
                    .and_then(|()| fs::write(place.capture(), &trial.pcapng))
                    .and_then(|()| fs::write(place.capture().with_extension("txt"), &trial.judged.transcript));
                if let Err(error) = filed {
                    return Verdict::bench_failed(
                        scenario,
                        &stack.name,
                        format!("the evidence cannot be filed: {error}"),
                    );
                }
                Verdict {
                    scenario: scenario.name.clone(),
                    stack: stack.name.clone(),
                    title: scenario.title.clone(),
                    // Nothing was reviewed: what the newer image does is held against the older one's doings.
                    ending: if trial.judged.silent { Ending::Silent } else { Ending::AsExpected },
                    denied: None,
                    known: None,
                    account: Some(trial.judged.account),
                    transcript: trial.judged.transcript,
                    difference: String::new(),
                    incidents: trial.judged.incidents,
                    rack: OnRack::default(),
                }
            }
        }
    }
}

fn missed<'a>(wanted: impl Iterator<Item = &'a Task<'a>>, ran: &[(Verdict, Duration)]) -> Vec<Missed> {
    wanted
        .filter(|task| {
            let is_it =
                |verdict: &Verdict| verdict.scenario == task.scenario.name && verdict.stack == task.stack().name;
            !ran.iter().any(|(verdict, _)| is_it(verdict))
        })
        .map(|task| Missed {
            scenario: task.scenario.name.clone(),
            stack: task.stack().name.clone(),
            why: "the run was interrupted before its turn".into(),
        })
        .collect()
}

/// The row under the name that both sides have in common.
fn renamed(mut row: Row, pairs: &[Pair], side: Side) -> Row {
    if let Some(pair) = pairs.iter().find(|pair| pair.stack(side).name == row.stack) {
        row.stack = pair.name();
    }
    row
}
