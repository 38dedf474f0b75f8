//! `cargo xtask hil`: scenarios on a board.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use board::{Board, Emulated, Image};
use indicatif::{ProgressBar, ProgressStyle};
use outcome::Ending;
use scenario::Scenario;

use crate::cli::Hil;
use crate::exit::{self, Exit};
use crate::hardware;
use crate::judge;
use crate::library::{self, Unusable};
use crate::released::Firmware;
use crate::snapshot::{Agreement, Place};
use crate::verdict::Verdict;
use crate::{bench, report, suite, summary};

/// Why nothing was run.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub exit: Exit,
    /// What to tell the person.
    pub words: String,
}

impl Refusal {
    fn new(exit: Exit, words: impl ToString) -> Self {
        Self { exit, words: words.to_string() }
    }
}

/// Where everything of one invocation lies, and what is run.
pub struct Bench {
    firmware: Firmware,
    image: Image,
    captures: PathBuf,
    artefacts: PathBuf,
    seed: u64,
    accept: bool,
}

/// Runs the command.
///
/// # Errors
///
/// If nothing could be run at all; what becomes of single scenarios is in the table and in the exit code.
pub fn run(root: &Path, arguments: &Hil) -> Result<Exit, Refusal> {
    let scenarios_folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
    let scenarios = library::read(&scenarios_folder)
        .and_then(|scenarios| library::select(scenarios, &arguments.patterns))
        .map_err(|unusable| match &unusable {
            Unusable::NoMatch(..) => Refusal::new(exit::NOTHING_SELECTED, unusable),
            Unusable::Wrong(_) | Unusable::Unreadable(..) => Refusal::new(exit::USAGE, unusable),
        })?;
    if scenarios.is_empty() {
        let words = format!("{} holds no scenario", scenarios_folder.display());
        return Err(Refusal::new(exit::NOTHING_SELECTED, words));
    }
    if arguments.list {
        say(&list(&scenarios));
        return Ok(exit::AS_EXPECTED);
    }
    let first_line = hardware::choose(root, arguments.on)
        .map_err(|why| Refusal::new(exit::BENCH_FAILED, format!("the bench failed: {why}")))?;
    let firmware = Firmware::find(root, arguments.image.as_deref()).map_err(|why| Refusal::new(exit::USAGE, why))?;
    say(&format!("{first_line}, firmware {firmware}, seed {:x}\n", arguments.seed));
    let bench = Bench {
        image: firmware.image(),
        firmware,
        captures: arguments.captures.clone().unwrap_or_else(|| root.join("captures")),
        artefacts: arguments.artefacts.clone().unwrap_or_else(|| root.join("target/shakedown")),
        seed: arguments.seed,
        accept: arguments.accept,
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        // The first Ctrl-C lets what is running finish and reports it; the second is meant.
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(exit::INTERRUPTED.code.into());
        }
        eprintln!("interrupted: finishing what is running (again to stop at once)");
    })
    .map_err(|error| Refusal::new(exit::BENCH_FAILED, error))?;
    let jobs = arguments.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let progress = progress(scenarios.len());
    let verdicts = suite::run(&scenarios, jobs, &interrupted, &|scenario| bench.one(scenario), &mut |verdict| {
        if progress.is_hidden() && !io::stderr().is_terminal() {
            eprintln!("{:>3}/{} {} … {}", progress.position() + 1, scenarios.len(), verdict.scenario, verdict.ending);
        }
        progress.inc(1);
        progress.set_message(verdict.scenario.clone());
    });
    progress.finish_and_clear();
    if arguments.show {
        for verdict in &verdicts {
            say(&format!("\n{}\n", verdict.transcript));
        }
    }
    say(&format!("\n{}", summary::render(&verdicts, scenarios.len())));
    for wanted in &arguments.report {
        report::write(wanted, &verdicts, &first_line)
            .map_err(|error| Refusal::new(exit::BENCH_FAILED, format!("{}: {error}", wanted.file.display())))?;
    }
    Ok(sum(&verdicts, interrupted.load(Ordering::SeqCst)))
}

/// Prints to standard output, coloured only on a terminal. A reader who went away (`| head`) is no fault.
fn say(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}

fn list(scenarios: &[Scenario]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        let marks: Vec<&str> = scenario.catalogue.iter().chain(&scenario.documents).map(String::as_str).collect();
        let _ = writeln!(text, "{:width$}  {}  [{}]", scenario.name, scenario.title, marks.join(" "));
    }
    text
}

fn progress(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

fn sum(verdicts: &[Verdict], interrupted: bool) -> Exit {
    if interrupted {
        exit::INTERRUPTED
    } else if verdicts.iter().any(|verdict| matches!(verdict.ending, Ending::BenchFailed(_))) {
        exit::BENCH_FAILED
    } else if verdicts.iter().any(|verdict| matches!(verdict.ending, Ending::Otherwise(_) | Ending::Silent)) {
        exit::OTHERWISE
    } else {
        exit::AS_EXPECTED
    }
}

impl Bench {
    /// Runs one scenario on an emulated chip of its own, judges it and files the evidence.
    fn one(&self, scenario: &Scenario) -> Verdict {
        match self.try_one(scenario) {
            Ok(verdict) => verdict,
            Err(why) => Verdict::bench_failed(scenario, why),
        }
    }

    fn try_one(&self, scenario: &Scenario) -> Result<Verdict, String> {
        let mut board = Emulated::new(self.seed);
        let evidence = bench::run(scenario, &self.image, &mut board, self.seed).map_err(|fault| fault.to_string())?;
        let judged = judge::judge(scenario, &self.firmware, &board.target(), self.seed, &evidence)?;
        let failed = |error: io::Error| format!("the evidence cannot be filed: {error}");
        let artefact = Place::new(&self.artefacts, &scenario.name, &self.firmware.name);
        fs::create_dir_all(artefact.folder()).map_err(failed)?;
        fs::write(artefact.capture(), &evidence.pcapng).map_err(failed)?;
        fs::write(artefact.capture().with_extension("txt"), &judged.transcript).map_err(failed)?;
        let place = Place::new(&self.captures, &scenario.name, &self.firmware.name);
        if self.accept {
            place.accept(&judged.transcript, &evidence.pcapng).map_err(failed)?;
        }
        let agreement = place.compare(&judged.transcript).map_err(failed)?;
        let ending = match &agreement {
            Agreement::Same | Agreement::SameButForTimes => Ending::AsExpected,
            _ if judged.silent => Ending::Silent,
            Agreement::None => Ending::Otherwise("there is no reviewed snapshot yet".into()),
            Agreement::Differs(_) => Ending::Otherwise("what happened is not what the reviewed snapshot says".into()),
        };
        match ending {
            Ending::AsExpected => place.settle().map_err(failed)?,
            _ => place.propose(&judged.transcript).map_err(failed)?,
        }
        Ok(Verdict {
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            ending,
            account: Some(judged.account),
            transcript: judged.transcript,
            difference: match agreement {
                Agreement::Differs(difference) => difference,
                _ => String::new(),
            },
            incidents: judged.incidents,
        })
    }
}
