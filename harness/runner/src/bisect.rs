//! `cargo xtask bisect`: which commit changed the outcome of a scenario?
//!
//! Images are built in a scratch worktree, commit by commit as bisection asks for them, and meet the scenario as it is
//! today. What does not build is gone round. The worktree is gone afterwards, Ctrl-C or not.

mod repository;
mod search;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use board::Boots;
use clap::Args;
use outcome::Conformity;
use scenario::Scenario;

use crate::chips::BoardOption;
use crate::exit::{self, Exit};
use crate::hil;
use crate::library;
use crate::stack::{self, Stack};
use crate::trial;
use host::process::{self, Leash};
use repository::{Commit, Scratch};
use search::{Found, Judgement};

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

/// Why it came to no result.
#[derive(Debug)]
enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// What is wrong, and whose fault it is.
    Failed(Exit, String),
}

impl Stop {
    fn usage(words: impl Into<String>) -> Self {
        Self::Failed(exit::USAGE, words.into())
    }

    fn bench(words: impl Into<String>) -> Self {
        Self::Failed(exit::BENCH_FAILED, words.into())
    }
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
        Ok(exit) => Ok(exit),
        Err(Stop::Interrupted) => Err((exit::INTERRUPTED, "interrupted: the scratch worktree is gone".into())),
        Err(Stop::Failed(exit, words)) => Err((exit, words)),
    }
}

fn try_run(root: &Path, arguments: &Bisect) -> Result<Exit, Stop> {
    let scenario = scenario(root, &arguments.scenario).map_err(Stop::usage)?;
    let repository = arguments.repository.clone().unwrap_or_else(|| root.to_owned());
    let (good, commits) = repository::between(&repository, &arguments.good, &arguments.bad).map_err(Stop::usage)?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        // Whatever is being built ends now, and this process goes on to clean up.
        flag.store(true, Ordering::SeqCst);
        process::kill_all();
    })
    .map_err(|error| Stop::bench(error.to_string()))?;
    let folder = root.join("target/shakedown/bisect").join(std::process::id().to_string());
    let scratch = Scratch::new(&repository, folder).map_err(Stop::bench)?;
    let bisection = Bisection { arguments, scenario, scratch, interrupted };
    bisection.find(&good, &commits)
}

struct Bisection<'a> {
    arguments: &'a Bisect,
    scenario: Scenario,
    scratch: Scratch,
    interrupted: Arc<AtomicBool>,
}

impl Bisection<'_> {
    fn find(&self, good: &Commit, commits: &[Commit]) -> Result<Exit, Stop> {
        let bad = commits.last().ok_or_else(|| Stop::usage("there is no commit between the two"))?;
        let known = |commit: &Commit| match self.outcome(commit)? {
            Ok(outcome) => Ok(outcome),
            Err(why) => Err(Stop::usage(format!("{} cannot be judged: {why}", commit.short()))),
        };
        let was = known(good)?;
        hil::say(&format!("good   {} {}: {was}\n", good.short(), good.subject));
        let is = known(bad)?;
        hil::say(&format!("bad    {} {}: {is}\n", bad.short(), bad.subject));
        if was == is {
            let words = format!("{} ends the same at both: there is nothing to look for", self.scenario.name);
            return Err(Stop::usage(words));
        }
        let found = search::search(commits.len(), &mut |index| {
            let Some(commit) = commits.get(index) else { return Ok(Judgement::Unknown) };
            let (judgement, words) = match self.outcome(commit)? {
                Ok(outcome) if outcome == was => (Judgement::Good, outcome.to_string()),
                Ok(outcome) => (Judgement::Bad, outcome.to_string()),
                Err(why) => (Judgement::Unknown, why),
            };
            let mark = match judgement {
                Judgement::Good => "good",
                Judgement::Bad => "bad",
                Judgement::Unknown => "skip",
            };
            hil::say(&format!("{mark:<6} {} {}: {words}\n", commit.short(), commit.subject));
            Ok(judgement)
        })?;
        let name = |index: &usize| {
            commits.get(*index).map_or_else(String::new, |commit| format!("{} {}", commit.hash, commit.subject))
        };
        match found {
            Found::First(index) => {
                hil::say(&format!("\n{} changed in\n  {}\n", self.scenario.name, name(&index)));
                hil::say(&format!("  was  {was}\n  is   {is}\n"));
                Ok(exit::AS_EXPECTED)
            }
            Found::OneOf(indices) => {
                let names: Vec<String> = indices.iter().map(name).collect();
                let words = names.join("\n  ");
                hil::say(&format!(
                    "\n{} changed in one of these, of which all but the last do not build\n  {words}\n",
                    self.scenario.name
                ));
                Ok(exit::OTHERWISE)
            }
        }
    }

    /// What happens at a commit; the inner error is why that cannot be said.
    fn outcome(&self, commit: &Commit) -> Result<Result<Outcome, String>, Stop> {
        self.check()?;
        self.scratch.check_out(commit).map_err(Stop::bench)?;
        let stack = match self.stack() {
            Ok(stack) => stack,
            Err(why) => {
                // A build that was killed says nothing about its commit.
                self.check()?;
                return Ok(Err(why));
            }
        };
        let trial = trial::on_emulator(&self.scenario, &stack, self.arguments.seed, &Boots::new());
        self.check()?;
        Ok(trial.map(|trial| {
            let account = trial.judged.account;
            Outcome { phrase: account.phrase(), conformity: account.conformity, device_words: account.device_words }
        }))
    }

    fn check(&self) -> Result<(), Stop> {
        if self.interrupted.load(Ordering::SeqCst) { Err(Stop::Interrupted) } else { Ok(()) }
    }

    /// The stack of the commit that is checked out.
    fn stack(&self) -> Result<Stack, String> {
        let top = self.scratch.folder();
        let (elf, dialect) = match (&self.arguments.image, &self.arguments.build) {
            (Some(image), Some(build)) => {
                // What the commit before left must not be taken for this one's.
                let elf = top.join(image);
                let _ = std::fs::remove_file(&elf);
                self.build(Command::new("sh").args(["-c", build]).current_dir(top))?;
                (elf, self.arguments.dialect.clone())
            }
            _ => self.released(top)?,
        };
        let chip = self.arguments.board.chip()?;
        let stacks = stack::own(top, &elf, dialect.as_deref(), chip)?;
        match &self.arguments.stack {
            Some(name) => stack::select(stacks, std::slice::from_ref(name), chip)?.into_iter().next(),
            None => stacks.into_iter().next(),
        }
        .ok_or_else(|| "there is no such stack".to_owned())
    }

    /// The image of this repository that has the stack: as it was released, if its sources are still the same.
    fn released(&self, top: &Path) -> Result<(PathBuf, Option<PathBuf>), String> {
        let wanted = self.arguments.stack.clone().unwrap_or_default();
        let has_it = |image: &firmware::Image| {
            let text = std::fs::read_to_string(image.dialect()).unwrap_or_default();
            image.name == wanted || text.contains(&format!("[profiles.{wanted}]"))
        };
        let image = firmware::Image::sources(top)?.into_iter().find(has_it);
        let image = image.ok_or_else(|| format!("no image has the stack `{wanted}` at this commit"))?;
        if firmware::check(&image).is_err() {
            let bench = std::env::current_exe().map_err(|error| error.to_string())?;
            let mut command = Command::new(bench);
            self.build(command.args(["firmware", "build", &image.name]).env("SHAKEDOWN_ROOT", top))?;
        }
        Ok((image.elf(), Some(image.dialect())))
    }

    /// Builds; what the build says goes to standard error.
    fn build(&self, command: &mut Command) -> Result<(), String> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .spawn()
            .map_err(|error| format!("the build does not start: {error}"))?;
        let leash = Leash::new(child.id());
        // Ctrl-C may have come between the last look and the leash.
        if self.interrupted.load(Ordering::SeqCst) {
            process::kill_all();
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        leash.release();
        if status.success() { Ok(()) } else { Err(format!("it does not build ({status})")) }
    }
}

/// The one scenario that is meant.
fn scenario(root: &Path, pattern: &str) -> Result<Scenario, String> {
    library::read(&root.join("scenarios"))
        .and_then(|scenarios| library::one(scenarios, pattern))
        .map_err(|error| error.to_string())
}
