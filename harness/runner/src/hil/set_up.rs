//! What a run needs before its first scenario: firmware ready to be put on boards, and what is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use blame::Error;
use rack::silicon::Allowances;
use scenario::Scenario;
use snapshot::not_applicable::Record;

use super::filing::{Bench, Compared};
use super::select::Selection;
use super::site::Site;
use super::{Refusal, say};
use crate::builds::Builds;
use crate::cli::Hil;
use crate::denial::Denial;
use crate::flashing::{Flashed, Way};
use crate::packets;
use crate::stack::Stack;

impl Bench {
    /// Reads what is on record and says what the run is about; gives the first line of that, for reports.
    ///
    /// # Errors
    ///
    /// If something cannot be read, or the chips cannot be flashed.
    pub(super) fn set_up(
        root: &Path,
        arguments: &Hil,
        selection: &Selection,
        site: &Site,
    ) -> Result<(Self, String), Refusal> {
        let denial = Denial::read(root, &arguments.denial)?;
        let artefacts = arguments.artefacts.clone().unwrap_or_else(|| root.join("target/shakedown"));
        let way = if site.boards.is_some() { Way::Direct } else { arguments.flash };
        let flashed = Flashed::new(
            way,
            arguments.cold,
            arguments.execution.tier()?,
            &selection.stacks,
            &artefacts.join("flash"),
        )?;
        let how = if way == Way::Probe { ", flashed through probe-rs" } else { "" };
        let headline = headline(&format!("{}{how}", site.words), &selection.stacks);
        let trust = trust(&selection.stacks);
        say(&format!("{headline}, seed {:x}\n{trust}{}", arguments.seed, selection.not_asked()));
        let captures = arguments.captures.clone().unwrap_or_else(|| root.join("captures"));
        say(&other_builds(&Builds::of(&selection.stacks, arguments.seed), &captures)?);
        let records = records(&captures, &selection.all_stacks)?;
        let silicon = site.boards.is_some().then(Allowances::of_this_bench).transpose().map_err(Error::bench)?;
        let bench = Self {
            kept: kept(&selection.scenarios, &selection.all_stacks, &records),
            records: Mutex::new(records),
            captures,
            artefacts,
            flashed,
            seed: arguments.seed,
            accept: arguments.accept,
            denial,
            compared: match arguments.captures {
                None if site.authority.is_some() => Compared::Ending,
                _ => Compared::Whole,
            },
            foreign: site.foreign.clone(),
            silicon,
        };
        Ok((bench, headline))
    }
}

/// What each stack says that it cannot do.
fn records(captures: &Path, stacks: &[Stack]) -> blame::Result<BTreeMap<String, Record>> {
    let read = |stack: &Stack| match Record::read(captures, &stack.name) {
        Ok(record) => Ok((stack.name.clone(), record)),
        Err(error) => Err(Error::bench(format!("{}: {error}", captures.display()))),
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
fn other_builds(builds: &Builds, captures: &Path) -> blame::Result<String> {
    let differences = Builds::read(captures)?.map(|on_record| builds.differences(&on_record)).unwrap_or_default();
    Ok(differences.iter().map(|what| format!("snapshots were recorded with another {what}\n")).collect())
}

/// How products came to trust the bench's authority, a line each; nothing of our own firmware, which is told.
fn trust(stacks: &[Stack]) -> String {
    let told = |stack: &Stack| Some(format!("{}: {}\n", stack.name, stack.trust()?));
    stacks.iter().filter_map(told).collect()
}

/// Where it is run, and what on.
fn headline(board: &str, stacks: &[Stack]) -> String {
    match stacks {
        [stack] => format!("{board}, firmware {stack}"),
        _ => {
            let images: BTreeSet<String> = stacks.iter().map(|stack| stack.firmware.to_string()).collect();
            let images: Vec<String> = images.into_iter().collect();
            format!("{board}, {} stacks, firmware {}", stacks.len(), images.join(", "))
        }
    }
}
