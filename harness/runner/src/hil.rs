//! `cargo xtask hil`: scenarios on a board.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use board::Board;
use indicatif::{ProgressBar, ProgressStyle};
use judge::Judged;
use outcome::Ending;
use rack::silicon::Allowances;
use report::model::Run;
use scenario::Scenario;

use crate::authority::Foreign;
use crate::builds::Builds;
use crate::cli::Hil;
use crate::denial::{Denial, Deny};
use crate::exit::{self, Exit};
use crate::flashing::{Flashed, Way};
use crate::journal::{self, Journal};
use crate::mosquitto::{self, Met};
use crate::reports::{self, Invocation, Missed, Sources};
use crate::stack::{self, Applicability, Stack};
use crate::summary::{self, Effort, View};
use crate::trial::{self, Trial};
use crate::verdict::{OnRack, Verdict};
use crate::{controls, on_boards, packets, suite};
use scenario::library::{self, Unusable};
use snapshot::not_applicable::Record;
use snapshot::{self, Agreement, Packets, Place, digits};

/// Why nothing was run.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub exit: Exit,
    /// What to tell the person.
    pub words: String,
}

impl Refusal {
    pub(crate) fn new(exit: Exit, words: impl ToString) -> Self {
        Self { exit, words: words.to_string() }
    }

    /// What is the bench's own fault.
    pub(crate) fn bench_failed(why: impl fmt::Display) -> Self {
        Self::new(exit::BENCH_FAILED, format!("the bench failed: {why}"))
    }
}

impl From<Unusable> for Refusal {
    fn from(unusable: Unusable) -> Self {
        let exit = if matches!(unusable, Unusable::NoMatch(..)) { exit::NOTHING_SELECTED } else { exit::USAGE };
        Self::new(exit, unusable)
    }
}

/// Where everything of one invocation lies, and what is on record.
pub(crate) struct Bench {
    captures: PathBuf,
    artefacts: PathBuf,
    flashed: Flashed,
    seed: u64,
    accept: bool,
    denial: Denial,
    /// What may differ from the reviewed snapshots, which are the emulator's: on silicon alone.
    silicon: Option<Allowances>,
    /// Why scenarios are not applicable under somebody's own authority, by their names.
    foreign: BTreeMap<String, String>,
    /// How much is held against what was reviewed: under another authority names, keys and dates are others.
    compared: Compared,
    /// What each stack says that it cannot do, by the stack's name.
    records: Mutex<BTreeMap<String, Record>>,
    /// The stack whose packets are kept, by the scenario's name.
    kept: BTreeMap<String, String>,
}

/// How much of what happened is held against what was reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The transcript.
    Whole,
    /// How it ended: names, addresses and times are those of the board's own network.
    Ending,
}

/// One scenario on one stack.
pub(crate) struct Pair<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) stack: &'a Stack,
}

/// Runs the command.
///
/// # Errors
///
/// If nothing could be run at all; what becomes of single scenarios is in the table and in the exit code.
pub fn run(root: &Path, arguments: &Hil) -> Result<Exit, Refusal> {
    let scenarios_folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
    let scenarios = library::select(library::read(&scenarios_folder)?, &arguments.patterns)?;
    if scenarios.is_empty() {
        let words = format!("{} holds no scenario", scenarios_folder.display());
        return Err(Refusal::new(exit::NOTHING_SELECTED, words));
    }
    let usage = |why| Refusal::new(exit::USAGE, why);
    let chip = arguments.board.chip().map_err(usage)?;
    let all_stacks = match &arguments.image {
        Some(elf) => stack::own(root, elf, arguments.dialect.as_deref(), chip),
        None => stack::known(root),
    };
    let all_stacks = all_stacks.map_err(usage)?;
    let mut stacks = stack::select(all_stacks.clone(), &arguments.stack, chip).map_err(usage)?;
    if arguments.list {
        say(&list(&scenarios, &stacks));
        return Ok(exit::AS_EXPECTED);
    }
    say(&not_built(&stacks));
    stacks.retain(|stack| stack.is_missing().is_none());
    if stacks.is_empty() {
        return Ok(exit::AS_EXPECTED);
    }
    let authority = arguments.own_authority.read().map_err(|why| Refusal::new(exit::USAGE, why))?;
    if authority.is_some() && arguments.accept && arguments.captures.is_none() {
        let why = "what was reviewed here is under the bench's own authority: `--accept` with `--authority` needs a folder \
                   of its own, `--captures DIR`";
        return Err(Refusal::new(exit::USAGE, why));
    }
    let (crew, board) =
        on_boards::choose::choose(root, arguments, chip, authority.as_ref()).map_err(|(exit, why)| {
            Refusal::new(exit, format!("{}{why}", if exit == exit::USAGE { "" } else { "the bench failed: " }))
        })?;
    // On real boards, each has its own.
    let of_the_run = authority.as_ref().filter(|_| crew.is_none());
    let foreign = Foreign::new(scenarios, of_the_run, arguments.seed);
    say(&foreign.told(of_the_run));
    let Foreign { scenarios, reasons: foreign } = foreign;
    let mut pairs = pairs(&scenarios, &stacks);
    if pairs.is_empty() {
        let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
        let words = format!(
            "none of the stacks is asked any of these scenarios: `scenarios` in the dialect.toml of {} does not name them",
            names.join(", ")
        );
        return Err(Refusal::new(exit::NOTHING_SELECTED, words));
    }
    let is_ours = |scenario: &str, stack: &str| arguments.shard.is_none_or(|shard| shard.holds(scenario, stack));
    pairs.retain(|pair| is_ours(&pair.scenario.name, &pair.stack.name));
    if arguments.rack.quarantine_verify {
        match &crew {
            Some(crew) => crew.keep(&mut pairs),
            None => pairs.clear(),
        }
        if pairs.is_empty() {
            let where_it_counts =
                if crew.is_none() { ": a quarantine is for real boards (`--on hardware`)" } else { "" };
            return Err(Refusal::new(
                exit::NOTHING_SELECTED,
                format!("nothing of this is in quarantine{where_it_counts}"),
            ));
        }
    }
    let denial = Denial::read(root, &arguments.denial).map_err(|why| Refusal::new(exit::USAGE, why))?;
    let interrupted = listen_for_interruption()?;
    let artefacts = arguments.artefacts.clone().unwrap_or_else(|| root.join("target/shakedown"));
    let way = if crew.is_some() { Way::Direct } else { arguments.flash };
    let flashed =
        Flashed::new(way, arguments.cold, &stacks, &artefacts.join("flash")).map_err(Refusal::bench_failed)?;
    let board = if way == Way::Probe { format!("{board}, flashed through probe-rs") } else { board };
    let first_line = first_line(&board, &stacks);
    say(&format!("{first_line}, seed {:x}\n{}", arguments.seed, not_asked(&scenarios, &stacks)));
    let captures = arguments.captures.clone().unwrap_or_else(|| root.join("captures"));
    let unreadable = |why| Refusal::new(exit::BENCH_FAILED, why);
    say(&other_builds(&Builds::of(&stacks, arguments.seed), &captures).map_err(unreadable)?);
    let records = records(&captures, &all_stacks).map_err(unreadable)?;
    let bench = Bench {
        kept: kept(&scenarios, &all_stacks, &records),
        records: Mutex::new(records),
        captures,
        artefacts,
        flashed,
        seed: arguments.seed,
        accept: arguments.accept,
        denial,
        compared: match arguments.captures {
            None if authority.is_some() => Compared::Ending,
            _ => Compared::Whole,
        },
        foreign,
        silicon: crew
            .is_some()
            .then(Allowances::of_this_bench)
            .transpose()
            .map_err(|error| Refusal::new(exit::BENCH_FAILED, error))?,
    };
    // On real boards, each board is a job.
    let jobs = crew.as_ref().map(|crew| crew.pool.entries.len()).or(arguments.jobs.map(usize::from));
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    // Controls are asked along with all stacks, and not if somebody wants to know about some of them.
    let all = arguments.image.is_none() && arguments.stack.is_empty() && crew.is_none() && authority.is_none();
    let mut control_runs = if all { controls::runs(&scenarios) } else { Vec::new() };
    control_runs.retain(|run| is_ours(&run.scenario.name, &run.stack()));
    let selected = pairs.len() + control_runs.len();
    let progress = progress(selected);
    let (began, started) = (Instant::now(), SystemTime::now());
    let sources = Sources { scenarios: &scenarios, artefacts: &bench.artefacts, embed: arguments.reporting.embed };
    let invocation = Invocation {
        headline: &first_line,
        seed: bench.seed,
        started,
        took: Duration::ZERO,
        jobs,
        stacks: &stacks,
        boards: Vec::new(),
        shard: arguments.shard,
        interrupted: false,
        is_out_of_time: false,
    };
    let wanted = pairs.iter().map(|pair| (pair.scenario.name.as_str(), pair.stack.name.clone()));
    let wanted: Vec<(&str, String)> =
        wanted.chain(control_runs.iter().map(|run| (run.scenario.name.as_str(), run.stack()))).collect();
    let mut journal = match journal_file(arguments, &bench, crew.is_some()) {
        Some(file) => {
            let run = Run::new(
                vec![reports::part(&invocation)],
                reports::rows(&[], &missed(&wanted, &[], journal::KILLED), &sources),
            );
            let begun = Journal::begin(&file, &run);
            Some(begun.map_err(|error| Refusal::new(exit::BENCH_FAILED, format!("{}: {error}", file.display())))?)
        }
        None => None,
    };
    let mut journal_fault = None;
    let mut put_down = |result: &(Verdict, Duration)| {
        // First: what is said on the screen is on disk.
        if let Some(journal) = &mut journal {
            for row in reports::rows(std::slice::from_ref(result), &[], &sources) {
                journal_fault = journal.row(&row).err().or(journal_fault.take());
            }
        }
        let (verdict, _) = result;
        let name = format!("{} on {}", verdict.scenario, verdict.stack);
        if progress.is_hidden() && !io::stderr().is_terminal() {
            terminal::errln!("{:>4}/{selected} {name} … {}", progress.position() + 1, verdict.told());
        }
        progress.inc(1);
        progress.set_message(name);
    };
    // Whatever becomes of what is told meanwhile: what was run is reported.
    let mut panic_message = None;
    let mut finished = |result: &(Verdict, Duration)| {
        panic_message = blame::panics::caught(|| put_down(result)).err().or(panic_message.take());
    };
    let on_rack = crew.as_ref().map(|crew| crew.run(&bench, &pairs, &interrupted, &mut finished));
    let mut on_rack = on_rack.unwrap_or_default();
    let mut results = match &crew {
        Some(_) => std::mem::take(&mut on_rack.results),
        None => suite::run(
            &pairs,
            jobs,
            &interrupted,
            &|pair| {
                let began = Instant::now();
                (bench.one(pair), began.elapsed())
            },
            &|pair, panic| {
                let why = format!("the bench panicked: {panic}");
                (Verdict::bench_failed(pair.scenario, &pair.stack.name, why), Duration::ZERO)
            },
            &mut finished,
        ),
    };
    let setting = controls::Setting {
        root: root.to_owned(),
        captures: bench.captures.clone(),
        artefacts: bench.artefacts.clone(),
        seed: bench.seed,
        accept: bench.accept,
    };
    results.extend(suite::run(
        &control_runs,
        jobs,
        &interrupted,
        &|run| {
            let began = Instant::now();
            let mut verdict = run.hold(&setting);
            bench.denial.judge(&mut verdict);
            (verdict, began.elapsed())
        },
        &|run, panic| {
            let why = format!("the bench panicked: {panic}");
            (Verdict::bench_failed(run.scenario, &run.stack(), why), Duration::ZERO)
        },
        &mut finished,
    ));
    progress.finish_and_clear();
    let effort = Effort::new(began.elapsed(), jobs, &results);
    let interrupted = interrupted.load(Ordering::SeqCst);
    let mut missed = missed(&wanted, &results, "the run was interrupted before its turn");
    on_rack.explain(&pairs, &mut missed);
    let reported = if arguments.reporting.report.is_empty() {
        Ok(())
    } else {
        let invocation = Invocation {
            took: began.elapsed(),
            boards: on_rack.rack.boards.clone(),
            interrupted,
            is_out_of_time: on_rack.rack.is_out_of_time,
            ..invocation
        };
        let run = Run::new(vec![reports::part(&invocation)], reports::rows(&results, &missed, &sources));
        reports::write_all(&arguments.reporting, &run)
    };
    let has_run = |stack: &Stack| results.iter().any(|(one, _)| one.account.is_some() && one.stack == stack.name);
    let builds = Builds::of(stacks.iter().filter(|stack| has_run(stack)), bench.seed);
    let verdicts: Vec<Verdict> = results.into_iter().map(|(verdict, _)| verdict).collect();
    if arguments.show {
        for verdict in verdicts.iter().filter(|verdict| verdict.account.is_some()) {
            say(&format!("\n{}\n", verdict.transcript));
        }
    }
    let controls: BTreeSet<_> = control_runs.iter().map(|run| run.control).collect();
    let view =
        View { selected, stacks: stacks.len() + controls.len(), verbose: arguments.verbose, on_boards: crew.is_some() };
    let idle: String = bench.denial.idle(&verdicts).map(|line| format!("{line}\n")).collect();
    say(&format!("\n{}{idle}{}\n{}", summary::render(&verdicts, &view, &effort), effort, on_rack.told()));
    let journalled = journal_fault.map_or(Ok(()), |error| Err(format!("the journal cannot be written: {error}")));
    let unharmed = panic_message.map_or(Ok(()), |message| Err(format!("the bench failed: it panicked: {message}")));
    bench
        .file_records(&builds)
        .and(reported)
        .and(journalled)
        .and(unharmed)
        .map_err(|error| Refusal::new(exit::BENCH_FAILED, error))?;
    Ok(if on_rack.is_incomplete() && !interrupted { exit::BENCH_FAILED } else { sum(&verdicts, interrupted) })
}

/// What was to be run and was not.
fn missed(wanted: &[(&str, String)], results: &[(Verdict, Duration)], why: &str) -> Vec<Missed> {
    let ran: BTreeSet<(&str, &str)> =
        results.iter().map(|(verdict, _)| (verdict.scenario.as_str(), verdict.stack.as_str())).collect();
    wanted
        .iter()
        .filter(|(scenario, stack)| !ran.contains(&(*scenario, stack.as_str())))
        .map(|(scenario, stack)| Missed { scenario: (*scenario).to_owned(), stack: stack.clone(), why: why.to_owned() })
        .collect()
}

/// Where the journal is kept, if one is: boards are lost more often than chips, and their time is dearer.
fn journal_file(arguments: &Hil, bench: &Bench, on_boards: bool) -> Option<PathBuf> {
    arguments.journal.clone().or_else(|| on_boards.then(|| bench.artefacts.join("journal.jsonl")))
}

/// What is run: scenario by scenario, each on every stack that is asked it.
fn pairs<'a>(scenarios: &'a [Scenario], stacks: &'a [Stack]) -> Vec<Pair<'a>> {
    let asked = |pair: &Pair<'_>| pair.stack.applicability(pair.scenario) != Applicability::NotAsked;
    let on_all = |scenario| stacks.iter().map(move |stack| Pair { scenario, stack });
    scenarios.iter().flat_map(on_all).filter(asked).collect()
}

/// The stacks that are not asked everything, in a line; empty if there are none.
fn not_asked(scenarios: &[Scenario], stacks: &[Stack]) -> String {
    let told = stacks.iter().filter_map(|stack| {
        let is_left_out = |scenario: &&Scenario| stack.applicability(scenario) == Applicability::NotAsked;
        let number = scenarios.iter().filter(is_left_out).count();
        (number > 0).then(|| format!("{} {number}", stack.name))
    });
    match told.collect::<Vec<_>>() {
        told if told.is_empty() => String::new(),
        told => format!("not asked, as `scenarios` in their dialect.toml says: {}\n", told.join(", ")),
    }
}

/// The stacks whose images are not there, a line each.
fn not_built(stacks: &[Stack]) -> String {
    let missing = stacks.iter().filter_map(|stack| Some(format!("{}: not run: {}\n", stack.name, stack.is_missing()?)));
    missing.collect()
}

/// What each stack says that it cannot do.
fn records(captures: &Path, stacks: &[Stack]) -> Result<BTreeMap<String, Record>, String> {
    let read = |stack: &Stack| match Record::read(captures, &stack.name) {
        Ok(record) => Ok((stack.name.clone(), record)),
        Err(error) => Err(format!("{}: {error}", captures.display())),
    };
    stacks.iter().map(read).collect()
}

/// The stack whose packets are kept of each scenario.
fn kept(scenarios: &[Scenario], stacks: &[Stack], records: &BTreeMap<String, Record>) -> BTreeMap<String, String> {
    let stack_of = |scenario: &Scenario| {
        let reason = |stack: &Stack| records.get(&stack.name).and_then(|record| record.reason(&scenario.name));
        let stack = packets::stack_of(scenario, stacks, &|stack| reason(stack).is_some())?;
        Some((scenario.name.clone(), stack.name.clone()))
    };
    scenarios.iter().filter_map(stack_of).collect()
}

/// A line for each build that is another one than the reviewed snapshots were recorded with.
fn other_builds(builds: &Builds, captures: &Path) -> Result<String, String> {
    let differences = Builds::read(captures)?.map(|on_record| builds.differences(&on_record)).unwrap_or_default();
    Ok(differences.iter().map(|what| format!("snapshots were recorded with another {what}\n")).collect())
}

/// Where it is run, and what on.
fn first_line(board: &str, stacks: &[Stack]) -> String {
    match stacks {
        [stack] => format!("{board}, firmware {stack}"),
        _ => {
            let images: BTreeSet<String> = stacks.iter().map(|stack| stack.firmware.to_string()).collect();
            let images: Vec<String> = images.into_iter().collect();
            format!("{board}, {} stacks, firmware {}", stacks.len(), images.join(", "))
        }
    }
}

/// A flag that Ctrl-C sets: what is running finishes and is reported.
pub(crate) fn listen_for_interruption() -> Result<Arc<AtomicBool>, Refusal> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        // The first Ctrl-C lets what is running finish and reports it; the second is meant.
        if flag.swap(true, Ordering::SeqCst) {
            host::process::kill_all();
            std::process::exit(exit::INTERRUPTED.code.into());
        }
        terminal::errln!("interrupted: finishing what is running (again to stop at once)");
    })
    .map_err(|error| Refusal::new(exit::BENCH_FAILED, error))?;
    Ok(interrupted)
}

/// Prints to standard output, coloured only on a terminal.
pub(crate) fn say(text: &str) {
    terminal::out!("{text}");
}

fn list(scenarios: &[Scenario], stacks: &[Stack]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        let marks: Vec<&str> = scenario.catalogue.iter().chain(&scenario.documents).map(String::as_str).collect();
        let _ = writeln!(text, "{:width$}  {}  [{}]", scenario.name, scenario.title, marks.join(" "));
    }
    let width = stacks.iter().map(|stack| stack.name.len()).max().unwrap_or(0);
    text.push_str("\nstacks:\n");
    for stack in stacks {
        let asked = scenarios.iter().filter(|scenario| stack.applicability(scenario) == Applicability::Applies);
        let _ = writeln!(text, "{:width$}  {}  [{} of these scenarios]", stack.name, stack.title, asked.count());
    }
    text
}

pub(crate) fn progress(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

fn sum(verdicts: &[Verdict], interrupted: bool) -> Exit {
    // What is in quarantine is told, and does not count.
    let verdicts: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.rack.quarantine.is_none()).collect();
    if interrupted {
        exit::INTERRUPTED
    } else if verdicts.iter().any(|verdict| matches!(verdict.ending, Ending::BenchFailed(_))) {
        exit::BENCH_FAILED
    } else if verdicts.iter().any(|verdict| verdict.fails()) {
        exit::OTHERWISE
    } else {
        exit::AS_EXPECTED
    }
}

impl Bench {
    /// The seed of all randomness.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Runs one scenario on an emulated chip of its own, judges it and files the evidence.
    pub(crate) fn one(&self, pair: &Pair<'_>) -> Verdict {
        let result = match self.applicability(pair) {
            Applicability::Applies => self.try_one(pair),
            Applicability::NotApplicable(why) => self.never_asked(pair).and_then(|()| self.excused(pair, why)),
            Applicability::NotAsked => self.excused(pair, "this stack is not asked".into()),
        };
        let mut verdict = result.unwrap_or_else(|why| Verdict::bench_failed(pair.scenario, &pair.stack.name, why));
        self.denial.judge(&mut verdict);
        verdict
    }

    /// Whether a scenario is run on a stack, under the authority of this run.
    pub(crate) fn applicability(&self, pair: &Pair<'_>) -> Applicability {
        match (pair.stack.applicability(pair.scenario), self.foreign.get(&pair.scenario.name)) {
            (Applicability::Applies, Some(why)) => Applicability::NotApplicable(why.clone()),
            (applicability, _) => applicability,
        }
    }

    /// What fails the run although its ending does not.
    pub(crate) fn denial(&self) -> &Denial {
        &self.denial
    }

    /// What nobody asks the device any more, it has no reason on record for.
    fn never_asked(&self, pair: &Pair<'_>) -> Result<(), String> {
        if self.accept {
            let mut records =
                self.records.lock().map_err(|_| "another run has panicked over the records".to_owned())?;
            if let Some(record) = records.get_mut(&pair.stack.name) {
                record.set(&pair.scenario.name, None);
            }
        }
        Ok(())
    }

    /// The scenario says nothing about the stack, and so leaves nothing behind.
    fn excused(&self, Pair { scenario, stack }: &Pair<'_>, why: String) -> Result<Verdict, String> {
        if self.accept {
            Place::new(&self.captures, &scenario.name, &stack.name).clear().map_err(unfiled)?;
        }
        Ok(Verdict::not_applicable(scenario, &stack.name, why))
    }

    fn try_one(&self, pair: &Pair<'_>) -> Result<Verdict, String> {
        match self.meet(pair, &mut self.flashed.board(pair.stack, self.seed)?)? {
            Ok(trial) => self.file(pair, trial, self.compared),
            Err(missing) => Ok(Verdict::not_applicable(pair.scenario, &pair.stack.name, missing)),
        }
    }

    /// Runs one scenario on `board`; the inner error is what is not installed here.
    pub(crate) fn meet(&self, pair: &Pair<'_>, board: &mut dyn Board) -> Result<Result<Trial, String>, String> {
        if pair.scenario.broker.real.is_some() {
            let artefact = Place::new(&self.artefacts, &pair.scenario.name, &pair.stack.name);
            return self.meet_mosquitto(pair, board, &artefact);
        }
        trial::on(board, pair.scenario, pair.stack, self.seed).map(Ok)
    }

    /// Files the evidence of one run, and compares it with what was reviewed.
    pub(crate) fn file(&self, pair: &Pair<'_>, trial: Trial, compared: Compared) -> Result<Verdict, String> {
        let Pair { scenario, stack } = pair;
        let Trial { judged, pcapng } = trial;
        let artefact = Place::new(&self.artefacts, &scenario.name, &stack.name);
        fs::create_dir_all(artefact.folder()).map_err(unfiled)?;
        fs::write(artefact.capture(), &pcapng).map_err(unfiled)?;
        fs::write(artefact.capture().with_extension("txt"), &judged.transcript).map_err(unfiled)?;
        let (ending, difference) = match self.hear_excuse(pair, judged.unsupported.as_deref())? {
            Excuse::Accepted(why) => return self.excused(pair, why),
            Excuse::Doubtful(why) => (Ending::Otherwise(why), String::new()),
            Excuse::None => match &self.silicon {
                Some(allowances) => self.compare_silicon(pair, &judged, allowances, compared)?,
                None => self.compare(pair, &judged, &pcapng, compared)?,
            },
        };
        let mut on_rack = OnRack::default();
        if self.silicon.is_some() && !difference.is_empty() {
            on_rack.findings.push(on_boards::differs_from_emulator(&difference));
        }
        Ok(Verdict {
            scenario: scenario.name.clone(),
            stack: stack.name.clone(),
            title: scenario.title.clone(),
            ending,
            denied: None,
            known: None,
            account: Some(judged.account),
            transcript: judged.transcript,
            difference,
            incidents: judged.incidents,
            rack: on_rack,
        })
    }

    /// Whether two runs of one scenario on real boards came to the same.
    pub(crate) fn is_the_same(&self, first: &Verdict, second: &Verdict, compared: Compared) -> bool {
        if compared == Compared::Ending {
            return snapshot::ending(&first.transcript) == snapshot::ending(&second.transcript);
        }
        let same = |allowances: &Allowances| allowances.difference(&first.transcript, &second.transcript).is_none();
        self.silicon.as_ref().map_or(first.transcript == second.transcript, same)
    }

    /// Compares what happened on silicon with what was reviewed of the emulator. Nothing is left for review: what
    /// silicon does otherwise is a finding, and no new snapshot of the emulator.
    fn compare_silicon(
        &self,
        pair: &Pair<'_>,
        judged: &Judged,
        allowances: &Allowances,
        compared: Compared,
    ) -> Result<(Ending, String), String> {
        let place = Place::new(&self.captures, &pair.scenario.name, &pair.stack.name);
        let Some(reviewed) = place.reviewed().map_err(unfiled)? else {
            if judged.silent {
                return Ok((Ending::Silent, String::new()));
            }
            return Ok((Ending::New, String::new()));
        };
        let real = pair.scenario.broker.real.map(|_| mosquitto::essence(&pair.stack.name, &judged.account));
        let text = digits::reviewable(real.as_ref().unwrap_or(&judged.transcript));
        let (reviewed, text) = (reviewed.as_str(), text.as_str());
        let difference = match compared {
            Compared::Whole => allowances.difference(reviewed, text),
            Compared::Ending => allowances.difference(snapshot::ending(reviewed), snapshot::ending(text)),
        };
        Ok(match (difference, judged.account.leaked_bytes) {
            (difference, Some(bytes @ 1..)) => {
                (Ending::Otherwise(format!("{bytes} bytes of heap leak")), difference.unwrap_or_default())
            }
            (Some(difference), _) if judged.silent => (Ending::Silent, difference),
            (difference, _) if judged.account.says_nothing().is_some() => {
                let why = judged.account.says_nothing().unwrap_or_default();
                (Ending::Otherwise(why), difference.unwrap_or_default())
            }
            (Some(difference), _) => (Ending::Otherwise("the board differs from the emulator".into()), difference),
            (None, _) => (Ending::AsExpected, String::new()),
        })
    }

    /// Runs the scenario with a real mosquitto; the inner error is why there is none here.
    fn meet_mosquitto(
        &self,
        pair: &Pair<'_>,
        board: &mut dyn Board,
        artefact: &Place,
    ) -> Result<Result<Trial, String>, String> {
        let Pair { scenario, stack } = pair;
        let folder = artefact.capture().with_extension("mosquitto");
        let (evidence, log) = match mosquitto::meet(scenario, stack, board, self.seed, controls::today(), &folder)? {
            Met::Held(evidence, log) => (*evidence, log),
            Met::Missing(missing) if missing.required => return Err(missing.reason),
            Met::Missing(missing) => return Ok(Err(missing.reason)),
        };
        let mut judged = judge::judge(scenario, &stack.setting(&board.target(), self.seed), &evidence)?;
        mosquitto::tell_log(&mut judged.transcript, &log);
        Ok(Ok(Trial { judged, pcapng: evidence.pcapng }))
    }

    /// Compares what happened with what was reviewed, and leaves it for review if it is something else.
    fn compare(
        &self,
        pair: &Pair<'_>,
        judged: &Judged,
        pcapng: &[u8],
        compared: Compared,
    ) -> Result<(Ending, String), String> {
        let place = Place::new(&self.captures, &pair.scenario.name, &pair.stack.name);
        // A run with a real broker is never the same twice: only the class of its outcome is compared.
        let real = pair.scenario.broker.real.map(|_| mosquitto::essence(&pair.stack.name, &judged.account));
        let text = real.as_ref().unwrap_or(&judged.transcript);
        let says_nothing = judged.account.says_nothing();
        // What says nothing about the device is nothing to be accepted.
        if self.accept && says_nothing.is_none() {
            let is_kept = self.kept.get(&pair.scenario.name) == Some(&pair.stack.name);
            let go_with = |kept: &[u8], reviewed: &str| packets::tell(kept, pair.scenario, reviewed).is_ok();
            place.accept(text, is_kept.then_some(Packets { pcapng, go_with: &go_with })).map_err(unfiled)?;
        }
        let agreement = match compared {
            Compared::Whole => place.compare(text).map_err(unfiled)?,
            Compared::Ending => place.compare_ending(text).map_err(unfiled)?,
        };
        let ending = match &agreement {
            _ if judged.silent => Ending::Silent,
            // The specification alone judges that, and so does it of what says nothing.
            Agreement::None => Ending::New,
            _ if says_nothing.is_some() => Ending::Otherwise(says_nothing.unwrap_or_default()),
            Agreement::Same => Ending::AsExpected,
            Agreement::Differs(_) => Ending::Otherwise("what happened is not what the reviewed snapshot says".into()),
        };
        match ending {
            // What happened under another authority is nobody's to review here.
            _ if compared == Compared::Ending => {}
            Ending::AsExpected => place.settle().map_err(unfiled)?,
            _ => place.propose(text).map_err(unfiled)?,
        }
        let difference = match agreement {
            Agreement::Differs(difference) => difference,
            _ => String::new(),
        };
        // However stable: nobody can review a leak away.
        Ok(match judged.account.leaked_bytes {
            Some(bytes @ 1..) => (Ending::Otherwise(format!("{bytes} bytes of heap leak")), difference),
            _ => (ending, difference),
        })
    }

    /// A device that says that it cannot do something is believed if that is on record, and one that has said so does
    /// not do it all the same.
    fn hear_excuse(&self, pair: &Pair<'_>, excuse: Option<&str>) -> Result<Excuse, String> {
        let mut records = self.records.lock().map_err(|_| "another run has panicked over the records".to_owned())?;
        let (scenario, stack) = (&pair.scenario.name, &pair.stack.name);
        let was_answered = Place::new(&self.captures, scenario, stack).reviewed().map_err(unfiled)?.is_some();
        let record = records.get_mut(stack).ok_or_else(|| format!("{stack} has no record"))?;
        if self.accept {
            record.set(scenario, excuse);
        }
        Ok(match (excuse, record.reason(scenario)) {
            (None, None) => Excuse::None,
            (Some(now), Some(on_record)) if now == on_record => Excuse::Accepted(now.to_owned()),
            (Some(now), Some(on_record)) => Excuse::Doubtful(format!(
                "the device says that it cannot do this: {now}; on record is another reason: {on_record}"
            )),
            // Nobody has heard an answer of it that it could dodge.
            (Some(now), None) if !was_answered && !self.denial.denies(Deny::New) => Excuse::Accepted(now.to_owned()),
            (Some(now), None) => Excuse::Doubtful(format!(
                "the device says that it cannot do this: {now}; that is not on record, and `--accept` puts it there"
            )),
            (None, Some(on_record)) => Excuse::Doubtful(format!(
                "on record is that the device cannot do this: {on_record}; it can, and `--accept` takes that note"
            )),
        })
    }

    /// Writes what was accepted beside the snapshots.
    fn file_records(&self, builds: &Builds) -> Result<(), String> {
        if self.accept {
            if !builds.images.is_empty() {
                builds.accept(&self.captures)?;
            }
            let records = self.records.lock().map_err(|_| "a run has panicked over the records".to_owned())?;
            for record in records.values() {
                record.write().map_err(unfiled)?;
            }
        }
        Ok(())
    }
}

/// Whether a device says that it cannot do something.
enum Excuse {
    /// It does not.
    None,
    /// It does, and that is known.
    Accepted(String),
    /// What it says or does is not what is on record.
    Doubtful(String),
}

fn unfiled(error: io::Error) -> String {
    format!("the evidence cannot be filed: {error}")
}
