//! Which commit changed what an image does?
//!
//! Images are built in a scratch worktree, commit by commit as bisection asks for them, and are judged by whoever asks.
//! What does not build is gone round. The worktree is gone afterwards, Ctrl-C or not.

mod repository;
mod search;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use blame::{Blame, Error};
use host::process::{self, GroupGuard};

use crate::Image;
use repository::{Commit, Scratch};
use search::{Found, Judgement};

/// Where an image comes from at each commit.
#[derive(Clone, Debug)]
pub enum Source {
    /// It is the released image of this repository that has the stack of this name.
    Released(String),
    /// It is built.
    Built {
        /// A command line for `sh`, run at the top of each commit.
        command: String,
        /// Where that leaves the image, below the top.
        image: PathBuf,
        /// Words and profiles of that image.
        dialect: Option<PathBuf>,
    },
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// What is judged, by name: a scenario.
    pub subject: String,
    /// The repository.
    pub repository: PathBuf,
    /// A revision at which the outcome is as it should be.
    pub good: String,
    /// A later one at which it is not.
    pub bad: String,
    /// Where images come from.
    pub source: Source,
    /// A folder that is not there yet, for the scratch worktree.
    pub scratch: PathBuf,
}

/// An image as a commit has it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The top of the commit's files.
    pub top: PathBuf,
    /// The ELF file.
    pub elf: PathBuf,
    /// Its words and profiles.
    pub dialect: Option<PathBuf>,
}

/// Judges the image of a commit: what it does, as far as that is compared.
///
/// # Errors
///
/// Why that cannot be said; the commit is gone round.
pub type Judge<'a, O> = dyn Fn(&Candidate) -> blame::Result<O> + 'a;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One commit.
    First,
    /// Several, of which all but the last do not build.
    OneOfSeveral,
}

/// Why it came to no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C. The scratch worktree is gone.
    Interrupted,
    /// What is wrong, and whose fault it is.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What happens at a commit.
enum At<O> {
    Outcome(O),
    /// It cannot be judged, for this reason.
    Unknown(String),
}

/// Looks for the commit. `interrupted` is set by Ctrl-C, and `say` tells how far it is.
///
/// # Errors
///
/// If there is nothing to look for, or nothing to look with.
pub fn run<O: PartialEq + fmt::Display>(
    search: &Search,
    interrupted: &AtomicBool,
    judge: &Judge<'_, O>,
    say: &dyn Fn(&str),
) -> Result<Outcome, Stop> {
    let (good, commits) = repository::between(&search.repository, &search.good, &search.bad)?;
    let scratch = Scratch::new(&search.repository, search.scratch.clone())?;
    Bisection { search, scratch, interrupted, judge, say }.find(&good, &commits)
}

struct Bisection<'a, O> {
    search: &'a Search,
    scratch: Scratch,
    interrupted: &'a AtomicBool,
    judge: &'a Judge<'a, O>,
    say: &'a dyn Fn(&str),
}

impl<O: PartialEq + fmt::Display> Bisection<'_, O> {
    fn find(&self, good: &Commit, commits: &[Commit]) -> Result<Outcome, Stop> {
        let bad = commits.last().ok_or_else(|| Error::usage("there is no commit between the two"))?;
        let was = self.known(good)?;
        (self.say)(&format!("good   {} {}: {was}\n", good.short(), good.subject));
        let is = self.known(bad)?;
        (self.say)(&format!("bad    {} {}: {is}\n", bad.short(), bad.subject));
        if was == is {
            let words = format!("{} ends the same at both: there is nothing to look for", self.search.subject);
            return Err(Error::usage(words).into());
        }
        let found = search::search(commits.len(), &mut |index| match commits.get(index) {
            Some(commit) => self.judged(commit, &was),
            None => Ok(Judgement::Unknown),
        })?;
        Ok(self.tell(&found, commits, &was, &is))
    }

    /// What happens at a commit at which that has to be known.
    fn known(&self, commit: &Commit) -> Result<O, Stop> {
        match self.at(commit)? {
            At::Outcome(outcome) => Ok(outcome),
            At::Unknown(why) => Err(Error::usage(format!("{} cannot be judged: {why}", commit.short())).into()),
        }
    }

    fn judged(&self, commit: &Commit, was: &O) -> Result<Judgement, Stop> {
        let (judgement, mark, words) = match self.at(commit)? {
            At::Outcome(outcome) if outcome == *was => (Judgement::Good, "good", outcome.to_string()),
            At::Outcome(outcome) => (Judgement::Bad, "bad", outcome.to_string()),
            At::Unknown(why) => (Judgement::Unknown, "skip", why),
        };
        (self.say)(&format!("{mark:<6} {} {}: {words}\n", commit.short(), commit.subject));
        Ok(judgement)
    }

    fn tell(&self, found: &Found, commits: &[Commit], was: &O, is: &O) -> Outcome {
        let name = |index: &usize| {
            commits.get(*index).map_or_else(String::new, |commit| format!("{} {}", commit.hash, commit.subject))
        };
        let subject = &self.search.subject;
        match found {
            Found::First(index) => {
                (self.say)(&format!("\n{subject} changed in\n  {}\n  was  {was}\n  is   {is}\n", name(index)));
                Outcome::First
            }
            Found::OneOf(indices) => {
                let names: Vec<String> = indices.iter().map(name).collect();
                let words = names.join("\n  ");
                (self.say)(&format!(
                    "\n{subject} changed in one of these, of which all but the last do not build\n  {words}\n"
                ));
                Outcome::OneOfSeveral
            }
        }
    }

    /// What happens at a commit.
    fn at(&self, commit: &Commit) -> Result<At<O>, Stop> {
        self.check()?;
        self.scratch.check_out(commit)?;
        let outcome = self.candidate().and_then(|candidate| {
            // A build that was killed says nothing about its commit.
            match self.check() {
                Ok(()) => (self.judge)(&candidate),
                Err(_) => Err(Error::bench("interrupted")),
            }
        });
        self.check()?;
        match outcome {
            Ok(outcome) => Ok(At::Outcome(outcome)),
            // The command line is wrong at every commit.
            Err(error) if error.blame == Blame::Usage => Err(error.into()),
            Err(error) => Ok(At::Unknown(error.message)),
        }
    }

    fn check(&self) -> Result<(), Stop> {
        if self.interrupted.load(Ordering::SeqCst) { Err(Stop::Interrupted) } else { Ok(()) }
    }

    /// The image of the commit that is checked out.
    fn candidate(&self) -> blame::Result<Candidate> {
        let top = self.scratch.folder();
        let (elf, dialect) = match &self.search.source {
            Source::Built { command, image, dialect } => {
                // What the commit before left must not be taken for this one's.
                let elf = top.join(image);
                let _ = std::fs::remove_file(&elf);
                self.build(Command::new("sh").args(["-c", command]).current_dir(top))?;
                (elf, dialect.clone())
            }
            Source::Released(stack) => self.released(top, stack)?,
        };
        Ok(Candidate { top: top.to_owned(), elf, dialect })
    }

    /// The image of this repository that has the stack: as it was released, if its sources are still the same.
    fn released(&self, top: &Path, wanted: &str) -> blame::Result<(PathBuf, Option<PathBuf>)> {
        let has_it = |image: &Image| {
            let text = host::text(&image.dialect(), &host::limit::DIALECT).unwrap_or_default();
            image.name == wanted || text.contains(&format!("[profiles.{wanted}]"))
        };
        let image = Image::sources(top)?.into_iter().find(has_it);
        let image = image.ok_or_else(|| Error::author(format!("no image has the stack `{wanted}` at this commit")))?;
        if crate::check(&image).is_err() {
            let bench = std::env::current_exe().map_err(Error::bench)?;
            let mut command = Command::new(bench);
            self.build(command.args(["firmware", "build", &image.name]).env("SHAKEDOWN_ROOT", top))?;
        }
        Ok((image.elf(), Some(image.dialect())))
    }

    /// Builds; what the build says goes to standard error.
    fn build(&self, command: &mut Command) -> blame::Result<()> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(std::io::stderr())
            .spawn()
            .map_err(|error| Error::bench(format!("the build does not start: {error}")))?;
        let guard = GroupGuard::new(child.id());
        // Ctrl-C may have come between the last look and the guard.
        if self.interrupted.load(Ordering::SeqCst) {
            process::kill_all();
        }
        let status = child.wait().map_err(Error::bench)?;
        guard.release();
        if status.success() { Ok(()) } else { Err(Error::author(format!("it does not build ({status})"))) }
    }
}
