//! Runs it all: on the boards of a rack or on emulated chips side by side, then the controls. What is finished goes into the
//! journal and onto the screen at once.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use blame::Error;
use indicatif::{ProgressBar, ProgressStyle};
use report::model::Run;

use super::Refusal;
use super::filing::Bench;
use super::select::Work;
use super::site::Site;
use super::tell::{ReportContext, missed};
use crate::cli::Hil;
use crate::journal::{self, Journal};
use crate::reports;
use crate::verdict::Verdict;
use crate::{controls, exit, on_boards, suite};

/// What came of it.
pub(super) struct Done {
    /// In the order of the work, with the wall time that each took.
    pub(super) results: Vec<(Verdict, Duration)>,
    pub(super) on_rack: on_boards::Outcome,
    pub(super) started: SystemTime,
    pub(super) took: Duration,
    pub(super) jobs: usize,
    pub(super) interrupted: bool,
    /// The first thing that went wrong with telling of it meanwhile.
    pub(super) fault: Option<Error>,
}

/// Runs `work`.
///
/// # Errors
///
/// If the journal cannot be begun.
pub(super) fn run(
    root: &std::path::Path,
    arguments: &Hil,
    interrupted: &AtomicBool,
    site: &Site,
    work: &Work<'_>,
    bench: &Bench,
    context: &ReportContext<'_>,
) -> Result<Done, Refusal> {
    let jobs = jobs(arguments, site);
    let (began, started) = (Instant::now(), SystemTime::now());
    let mut screen = Screen::new(work, journal(arguments, site, work, bench, context, started, jobs)?, context);
    let mut finished = |result: &(Verdict, Duration)| screen.put_down(result);
    let on_rack = site.boards.as_ref().map(|boards| boards.run(bench, &work.pairs, interrupted, &mut finished));
    let mut on_rack = on_rack.unwrap_or_default();
    let mut results = match &site.boards {
        Some(_) => std::mem::take(&mut on_rack.results),
        None => suite::run(
            &work.pairs,
            jobs,
            interrupted,
            &|pair| timed(|| bench.one(pair)),
            &|pair, panic| (Verdict::bench_failed(pair.scenario, &pair.stack.name, panicked(panic)), Duration::ZERO),
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
    let control = |run: &controls::ControlRun<'_>| {
        let mut verdict = run.hold(&setting);
        bench.denial.judge(&mut verdict);
        verdict
    };
    results.extend(suite::run(
        &work.controls,
        jobs,
        interrupted,
        &|run| timed(|| control(run)),
        &|run, panic| (Verdict::bench_failed(run.scenario, &run.stack(), panicked(panic)), Duration::ZERO),
        &mut finished,
    ));
    screen.progress.finish_and_clear();
    Ok(Done {
        results,
        on_rack,
        started,
        took: began.elapsed(),
        jobs,
        interrupted: interrupted.load(Ordering::SeqCst),
        fault: screen.fault(),
    })
}

fn timed(one: impl FnOnce() -> Verdict) -> (Verdict, Duration) {
    let began = Instant::now();
    (one(), began.elapsed())
}

fn panicked(message: &str) -> String {
    format!("the bench panicked: {message}")
}

/// How many run side by side. On real boards, each board is a job.
fn jobs(arguments: &Hil, site: &Site) -> usize {
    let boards = site.boards.as_ref().map(|boards| boards.pool.entries.len());
    let jobs = boards.or(arguments.jobs.map(usize::from));
    jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
}

/// The journal, if one is kept: boards are lost more often than chips, and their time is dearer.
fn journal(
    arguments: &Hil,
    site: &Site,
    work: &Work<'_>,
    bench: &Bench,
    context: &ReportContext<'_>,
    started: SystemTime,
    jobs: usize,
) -> Result<Option<Journal>, Refusal> {
    let of_boards = || site.boards.is_some().then(|| bench.artefacts.join("journal.jsonl"));
    let Some(file) = arguments.journal.clone().or_else(of_boards) else { return Ok(None) };
    let nothing = missed(&work.names(), &[], journal::KILLED);
    let part = reports::part(&context.invocation(arguments, started, jobs));
    let run = Run::new(vec![part], reports::rows(&[], &nothing, &context.sources));
    Ok(Some(Journal::begin(&file, &run).map_err(|error| Error::file(&file, error))?))
}

/// What is told while it is run.
struct Screen<'a> {
    progress: ProgressBar,
    selected: usize,
    journal: Option<Journal>,
    journal_fault: Option<io::Error>,
    panic_message: Option<String>,
    context: &'a ReportContext<'a>,
}

impl<'a> Screen<'a> {
    fn new(work: &Work<'_>, journal: Option<Journal>, context: &'a ReportContext<'a>) -> Self {
        let selected = work.len();
        Self { progress: progress(selected), selected, journal, journal_fault: None, panic_message: None, context }
    }

    /// Whatever becomes of this: what was run is reported.
    fn put_down(&mut self, result: &(Verdict, Duration)) {
        if let Err(panic) = blame::panics::caught(|| self.tell(result)) {
            self.panic_message = Some(panic.0);
        }
    }

    fn tell(&mut self, result: &(Verdict, Duration)) {
        // First: what is said on the screen is on disk.
        if let Some(journal) = &mut self.journal {
            for row in reports::rows(std::slice::from_ref(result), &[], &self.context.sources) {
                self.journal_fault = journal.row(&row).err().or(self.journal_fault.take());
            }
        }
        let (verdict, _) = result;
        let name = format!("{} on {}", verdict.scenario, verdict.stack);
        if self.progress.is_hidden() && !io::stderr().is_terminal() {
            let (number, selected) = (self.progress.position() + 1, self.selected);
            terminal::errln!("{number:>4}/{selected} {name} … {}", verdict.told());
        }
        self.progress.inc(1);
        self.progress.set_message(name);
    }

    fn fault(self) -> Option<Error> {
        let journalled =
            self.journal_fault.map(|error| Error::bench(format!("the journal cannot be written: {error}")));
        let unharmed =
            self.panic_message.map(|message| Error::bench(format!("the bench failed: it panicked: {message}")));
        journalled.or(unharmed)
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
    .map_err(Error::bench)?;
    Ok(interrupted)
}

pub(crate) fn progress(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}
