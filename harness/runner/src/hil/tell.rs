//! What is said when it is over: reports, the table, and the exit code.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use blame::Error;
use outcome::Ending;
use report::model::Run;

use super::execute::Done;
use super::filing::Bench;
use super::select::{Selection, Work};
use super::site::Site;
use super::{Refusal, say};
use crate::builds::Builds;
use crate::cli::Hil;
use crate::exit::{self, Exit};
use crate::reports::{self, Invocation, Missed, Sources};
use crate::stack::Stack;
use crate::summary::{self, Effort, View};
use crate::verdict::Verdict;

/// What reports say beside the verdicts.
pub(super) struct ReportContext<'a> {
    /// Where it is run, and what on.
    pub(super) headline: &'a str,
    pub(super) stacks: &'a [Stack],
    pub(super) sources: Sources<'a>,
}

impl<'a> ReportContext<'a> {
    pub(super) fn new(headline: &'a str, arguments: &Hil, selection: &'a Selection, bench: &'a Bench) -> Self {
        let sources =
            Sources { scenarios: &selection.scenarios, artefacts: &bench.artefacts, embed: arguments.reporting.embed };
        Self { headline, stacks: &selection.stacks, sources }
    }

    /// The run, as long as nothing has come of it.
    pub(super) fn invocation(&self, arguments: &Hil, started: SystemTime, jobs: usize) -> Invocation<'a> {
        Invocation {
            headline: self.headline,
            seed: arguments.seed,
            started,
            took: Duration::ZERO,
            jobs,
            stacks: self.stacks,
            boards: Vec::new(),
            shard: arguments.shard,
            interrupted: false,
            is_out_of_time: false,
        }
    }
}

/// Writes reports and what was accepted, prints the table, and gives the exit code.
///
/// # Errors
///
/// If something cannot be written, or could not while it was run.
pub(super) fn tell(
    arguments: &Hil,
    site: &Site,
    work: &Work<'_>,
    bench: &Bench,
    context: &ReportContext<'_>,
    done: Done,
) -> Result<Exit, Refusal> {
    let effort = Effort::new(done.took, done.jobs, &done.results);
    let reported = report(arguments, work, context, &done);
    let Done { results, on_rack, interrupted, fault, .. } = done;
    let has_run = |stack: &Stack| results.iter().any(|(one, _)| one.account.is_some() && one.stack == stack.name);
    let builds = Builds::of(context.stacks.iter().filter(|stack| has_run(stack)), bench.seed);
    let verdicts: Vec<Verdict> = results.into_iter().map(|(verdict, _)| verdict).collect();
    if arguments.show {
        for verdict in verdicts.iter().filter(|verdict| verdict.account.is_some()) {
            say(&format!("\n{}\n", verdict.transcript));
        }
    }
    let controls: BTreeSet<_> = work.controls.iter().map(|run| run.control).collect();
    let view = View {
        selected: work.len(),
        stacks: context.stacks.len() + controls.len(),
        verbose: arguments.verbose,
        on_boards: site.boards.is_some(),
    };
    let idle: String = bench.denial.idle(&verdicts).map(|line| format!("{line}\n")).collect();
    say(&format!("\n{}{idle}{}\n{}", summary::render(&verdicts, &view, &effort), effort, on_rack.told()));
    let written = bench.file_records(&builds).and(reported).and(fault.map_or(Ok(()), Err));
    // Their sentences say by themselves what failed.
    written.map_err(|Error { message, .. }| Refusal::new(exit::BENCH_FAILED, message))?;
    Ok(if on_rack.is_incomplete() && !interrupted { exit::BENCH_FAILED } else { sum(&verdicts, interrupted) })
}

fn report(arguments: &Hil, work: &Work<'_>, context: &ReportContext<'_>, done: &Done) -> blame::Result<()> {
    if arguments.reporting.report.is_empty() {
        return Ok(());
    }
    let mut missed = missed(&work.names(), &done.results, "the run was interrupted before its turn");
    done.on_rack.explain(&work.pairs, &mut missed);
    let invocation = Invocation {
        took: done.took,
        boards: done.on_rack.rack.boards.clone(),
        interrupted: done.interrupted,
        is_out_of_time: done.on_rack.rack.is_out_of_time,
        ..context.invocation(arguments, done.started, done.jobs)
    };
    let run = Run::new(vec![reports::part(&invocation)], reports::rows(&done.results, &missed, &context.sources));
    reports::write_all(&arguments.reporting, &run)
}

/// What was to be run and was not.
pub(super) fn missed(wanted: &[(&str, String)], results: &[(Verdict, Duration)], why: &str) -> Vec<Missed> {
    let ran: BTreeSet<(&str, &str)> =
        results.iter().map(|(verdict, _)| (verdict.scenario.as_str(), verdict.stack.as_str())).collect();
    wanted
        .iter()
        .filter(|(scenario, stack)| !ran.contains(&(*scenario, stack.as_str())))
        .map(|(scenario, stack)| Missed { scenario: (*scenario).to_owned(), stack: stack.clone(), why: why.to_owned() })
        .collect()
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
