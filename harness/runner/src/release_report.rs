//! `cargo xtask release-report`: two images meet the same brokers; what changed from one to the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use outcome::Ending;
use report::model::{NotRun, Row, Run};
use report::release::{Release, compare};
use scenario::Scenario;

use crate::cli::BoardKind;
use crate::exit::{self, Exit};
use crate::hil::{self, Refusal};
use crate::library::{self, Unusable};
use crate::reports::{self, Embed, Invocation, Missed, Report, ReportKind, Sources};
use crate::snapshot::Place;
use crate::stack::{self, Applicability, Stack};
use crate::suite;
use crate::trial;
use crate::verdict::{OnRack, Verdict};

const EXAMPLES: &str = "\
Examples:
  cargo xtask release-report --image old.elf --image new.elf                 every scenario with both
  cargo xtask release-report --image old.elf --image new.elf trust validity  some of them
  cargo xtask release-report --image old.elf --image new.elf --dialect mine.toml --report html=release.html
  cargo xtask release-report --image a.elf --image a.elf --old-stack nodemcu_2 --new-stack nodemcu_3

Exit codes: 0 no outcome changed, 1 outcomes changed, 2 usage, 3 the bench failed, 4 nothing selected,
5 a security outcome got worse, 130 interrupted";

/// Hold two firmware images against each other.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReleaseReport {
    /// Only scenarios whose names contain one of these
    pub patterns: Vec<String>,
    /// The older image, then the newer one
    #[arg(long, value_name = "FILE.elf", required = true)]
    pub image: Vec<PathBuf>,
    /// The kind of board
    #[arg(long, value_enum, default_value_t = BoardKind::Esp32c3)]
    pub board: BoardKind,
    /// Words and profiles of both images [default: those of the released image of their names]
    #[arg(long, value_name = "FILE.toml")]
    pub dialect: Option<PathBuf>,
    /// The older image as this stack [default: as it is, and as every profile that both have]
    #[arg(long, value_name = "NAME", requires = "new_stack")]
    pub old_stack: Option<String>,
    /// The newer image as this stack
    #[arg(long, value_name = "NAME", requires = "old_stack")]
    pub new_stack: Option<String>,
    /// The seed of all randomness, in hexadecimal
    #[arg(long, value_parser = crate::cli::hexadecimal, default_value = "5eed")]
    pub seed: u64,
    /// How many scenarios run side by side [default: all cores]
    #[arg(long)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// The folder of scenarios [default: scenarios/]
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
    /// Write reports: json=FILE, markdown=FILE, html=FILE, several with commas between
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',', value_parser = reports::report)]
    pub report: Vec<Report>,
    /// Where the packets go [default: target/shakedown/release/]
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
}

/// The older image or the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

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

/// Runs the command.
///
/// # Errors
///
/// If nothing could be run at all.
pub fn run(root: &Path, arguments: &ReleaseReport) -> Result<Exit, Refusal> {
    let [old, new] = arguments.image.as_slice() else {
        return Err(Refusal::new(
            exit::USAGE,
            "two images are held against each other: --image OLD.elf --image NEW.elf",
        ));
    };
    if let Some(junit) = arguments.report.iter().find(|wanted| wanted.kind == ReportKind::Junit) {
        let words = format!("{}: a release is no test suite: write json, markdown or html", junit.file.display());
        return Err(Refusal::new(exit::USAGE, words));
    }
    let folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
    let scenarios = library::read(&folder)
        .and_then(|scenarios| library::select(scenarios, &arguments.patterns))
        .map_err(|unusable| match &unusable {
            Unusable::NoMatch(..) => Refusal::new(exit::NOTHING_SELECTED, unusable),
            Unusable::Wrong(_) | Unusable::Unreadable(..) => Refusal::new(exit::USAGE, unusable),
        })?;
    let pairs = pairs(root, old, new, arguments).map_err(|why| Refusal::new(exit::USAGE, why))?;
    let tasks: Vec<Task<'_>> = scenarios
        .iter()
        .flat_map(|scenario| pairs.iter().map(move |pair| (scenario, pair)))
        .filter(|(scenario, pair)| pair.is_asked(scenario))
        .flat_map(|(scenario, pair)| [Side::Old, Side::New].map(|side| Task { scenario, pair, side }))
        .collect();
    if tasks.is_empty() {
        return Err(Refusal::new(exit::NOTHING_SELECTED, "neither image is asked any of these scenarios"));
    }
    let artefacts = arguments.artefacts.clone().unwrap_or_else(|| root.join("target/shakedown/release"));
    let interrupted = hil::listen_for_interruption()?;
    let jobs = arguments.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let progress = hil::progress(tasks.len());
    let (began, started) = (Instant::now(), SystemTime::now());
    let results = suite::run(
        &tasks,
        jobs,
        &interrupted,
        &|task| {
            let began = Instant::now();
            (task.side, task.run(arguments.seed, &artefacts), began.elapsed())
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
                "{}, on an emulated ESP32-C3",
                pairs.first().map_or(String::new(), |pair| pair.stack(side).firmware.to_string())
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
    let (old, mut new) = (side(Side::Old), side(Side::New));
    hold_against(&old, &mut new);
    let release = compare(old, new);
    hil::say(&report::release::text(&release));
    write(arguments, &release).map_err(|why| Refusal::new(exit::BENCH_FAILED, why))?;
    Ok(sum(&release, interrupted))
}

/// The stacks that are held against each other: those that are named, or both images as they are and as every profile
/// that both have.
fn pairs(root: &Path, old: &Path, new: &Path, arguments: &ReleaseReport) -> Result<Vec<Pair>, String> {
    let dialect = arguments.dialect.as_deref();
    let (old, new) = (stack::own(root, old, dialect)?, stack::own(root, new, dialect)?);
    if let (Some(was), Some(is)) = (&arguments.old_stack, &arguments.new_stack) {
        let pick = |stacks: Vec<Stack>, name: &String| {
            stack::select(stacks, std::slice::from_ref(name)).map(|stacks| stacks.into_iter().next())
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

impl Side {
    const fn folder(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
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

    fn run(&self, seed: u64, artefacts: &Path) -> Verdict {
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
        match trial::on_emulator(scenario, stack, seed) {
            Err(why) => Verdict::bench_failed(scenario, &stack.name, why),
            Ok(trial) => {
                if let Some(why) = &trial.judged.unsupported {
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

/// The older image's doings take the place of reviewed snapshots: what the newer one does otherwise says so.
fn hold_against(old: &Run, new: &mut Run) {
    for row in &mut new.rows {
        let Some(was) = old.rows.iter().find(|was| was.scenario == row.scenario && was.stack == row.stack) else {
            continue;
        };
        if was.ending.is_none() {
            row.ending = None;
            row.not_run = Some(NotRun { why: "the older image was not run".into() });
            continue;
        }
        if was.transcript.is_empty() || row.transcript.is_empty() {
            continue;
        }
        row.difference = crate::snapshot::difference(&was.transcript, &row.transcript, "older image", "newer image");
        let phrase =
            |row: &Row| row.happening.as_ref().map(|happening| (happening.phrase.clone(), happening.conformity));
        if matches!(row.ending, Some(Ending::AsExpected)) && phrase(was) != phrase(row) {
            row.ending = Some(Ending::Otherwise("what happened is not what happened with the older image".into()));
        }
    }
    *new = Run::new(std::mem::take(&mut new.parts), std::mem::take(&mut new.rows));
}

fn write(arguments: &ReleaseReport, release: &Release) -> Result<(), String> {
    for wanted in &arguments.report {
        let text = match wanted.kind {
            ReportKind::Json => serde_json::to_string(release).map_err(|error| error.to_string())?,
            ReportKind::Markdown => report::release::markdown(release),
            ReportKind::Html => report::html::write_release(release),
            ReportKind::Junit => continue,
        };
        reports::write_whole(&wanted.file, &text).map_err(|error| format!("{}: {error}", wanted.file.display()))?;
    }
    Ok(())
}

fn sum(release: &Release, interrupted: bool) -> Exit {
    let has_failed = |run: &Run| run.totals.bench_failed > 0;
    if interrupted {
        exit::INTERRUPTED
    } else if release.is_worse() {
        exit::SECURITY_WORSE
    } else if has_failed(&release.old) || has_failed(&release.new) {
        exit::BENCH_FAILED
    } else if release.has_changed_outcomes() {
        exit::OTHERWISE
    } else {
        exit::AS_EXPECTED
    }
}
