//! `cargo xtask bisect`: which commit changed the outcome of a scenario?

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blame::Error;
use board::Boots;
use chip::Chip;
use clap::Args;
use firmware::bisect::{self, Candidate, Search, Source, Stop};
use host::process;
use outcome::Conformity;
use scenario::Scenario;

use crate::chips::BoardOption;
use crate::exit::{self, Exit};
use crate::stack::{self, Stack};
use crate::unattended::options::UnattendedOptions;
use crate::{hil, trial};
use scenario::library;

const EXAMPLES: &str = "\
Examples:
  cargo xtask bisect --good v1.2 --bad HEAD validity/expired_leaf --stack esp_idf_5_1
  cargo xtask bisect --good v1.2 --bad main unknown_ca --repository ../my-firmware --build 'make' --image build/fw.elf

Released images are taken from their commits where they belong to the sources beside them, and built otherwise.

Exit codes: 0 found, 1 narrowed down to commits that do not build, 2 usage, 3 the bench failed, 130 interrupted";

/// Find the commit that changed the outcome of a scenario.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Bisect {
    /// The scenario, or a part of its name that fits no other
    pub scenario: String,
    /// A commit at which the outcome is as it should be
    #[arg(long, value_name = "REV")]
    pub good: String,
    /// A later commit at which it is not
    #[arg(long, value_name = "REV")]
    pub bad: String,
    /// The kind of board.
    #[command(flatten)]
    pub board: BoardOption,
    /// The stack: an image of this repository, or a profile of one; of an own image, a profile of its dialect
    #[arg(long, value_name = "NAME", required_unless_present = "image")]
    pub stack: Option<String>,
    /// Another repository
    #[arg(long, value_name = "DIR")]
    pub repository: Option<PathBuf>,
    /// How an image is built there: a command line for `sh`, run at the top of each commit
    #[arg(long, value_name = "COMMAND", requires = "image")]
    pub build: Option<String>,
    /// Where the build leaves the image, below the top of the repository
    #[arg(long, value_name = "FILE.elf", requires = "build")]
    pub image: Option<PathBuf>,
    /// Words and profiles of that image
    #[arg(long, value_name = "FILE.toml", requires = "image")]
    pub dialect: Option<PathBuf>,
    /// The seed of all randomness, in hexadecimal
    #[arg(long, value_parser = crate::cli::hexadecimal, default_value = "5eed")]
    pub seed: u64,
}

/// What happened at a commit, as far as it is compared: times are not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    phrase: String,
    conformity: Conformity,
    device_words: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} — {}", self.phrase, self.conformity)?;
        if self.device_words.is_empty() { Ok(()) } else { write!(f, " · {}", self.device_words) }
    }
}

/// Runs the command.
///
/// # Errors
///
/// Whose fault it is, and what to do.
pub fn run(root: &Path, arguments: &Bisect) -> Result<Exit, (Exit, String)> {
    match try_run(root, arguments) {
        Ok(bisect::Outcome::First) => Ok(exit::AS_EXPECTED),
        Ok(bisect::Outcome::OneOfSeveral) => Ok(exit::OTHERWISE),
        Err(Stop::Interrupted) => Err((exit::INTERRUPTED, "interrupted: the scratch worktree is gone".into())),
        Err(Stop::Failed(error)) => Err((Exit::of(error.blame), error.message)),
    }
}

fn try_run(root: &Path, arguments: &Bisect) -> Result<bisect::Outcome, Stop> {
    let chip = arguments.board.chip();
    let scenario = library::read(&root.join("scenarios"))
        .and_then(|scenarios| library::one(scenarios, &arguments.scenario))
        .map_err(Error::usage)?;
    let search = Search {
        subject: scenario.name.clone(),
        repository: arguments.repository.clone().unwrap_or_else(|| root.to_owned()),
        good: arguments.good.clone(),
        bad: arguments.bad.clone(),
        source: match (&arguments.image, &arguments.build) {
            (Some(image), Some(command)) => {
                Source::Built { command: command.clone(), image: image.clone(), dialect: arguments.dialect.clone() }
            }
            _ => Source::Released(arguments.stack.clone().unwrap_or_default()),
        },
        scratch: root.join("target/shakedown/bisect").join(std::process::id().to_string()),
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        // Whatever is being built ends now, and this process goes on to clean up.
        flag.store(true, Ordering::SeqCst);
        process::kill_all();
    })
    .map_err(Error::bench)?;
    bisect::run(&search, &interrupted, &|candidate| judge(candidate, arguments, chip, &scenario), &hil::say)
}

/// What the scenario comes to with the image of a commit.
fn judge(
    candidate: &Candidate,
    arguments: &Bisect,
    chip: &'static Chip,
    scenario: &Scenario,
) -> blame::Result<Outcome> {
    let stack = stack_of(candidate, arguments, chip)?;
    let trial = trial::on_emulator(scenario, &stack, arguments.seed, &Boots::new())?;
    let account = trial.judged.account;
    Ok(Outcome { phrase: account.phrase(), conformity: account.conformity, device_words: account.device_words })
}

fn stack_of(candidate: &Candidate, arguments: &Bisect, chip: &'static Chip) -> blame::Result<Stack> {
    let stacks =
        stack::own(&candidate.top, &candidate.elf, candidate.dialect.as_deref(), chip, &UnattendedOptions::default())?;
    let wanted = match &arguments.stack {
        Some(name) => stack::select(stacks, std::slice::from_ref(name), chip)?,
        None => stacks,
    };
    wanted.into_iter().next().ok_or_else(|| Error::author("there is no such stack"))
}
