//! The history of a repository, and a scratch worktree of it.

use blame::Error;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash, in full.
    pub hash: String,
    /// Its first line.
    pub subject: String,
}

impl Commit {
    /// The beginning of its hash.
    pub fn short(&self) -> &str {
        self.hash.get(..10).unwrap_or(&self.hash)
    }
}

/// The commits after `good` up to `bad`, each one's first parent before it.
///
/// # Errors
///
/// If one of the two is no commit, or if `bad` does not come after `good`.
pub fn between(repository: &Path, good: &str, bad: &str) -> blame::Result<(Commit, Vec<Commit>)> {
    let (good, bad) = (commit(repository, good)?, commit(repository, bad)?);
    let range = format!("{}..{}", good.hash, bad.hash);
    let is_ancestor = git(repository, &["merge-base", "--is-ancestor", &good.hash, &bad.hash]).is_ok();
    if !is_ancestor || good == bad {
        return Err(Error::usage(format!(
            "{} does not come after {}: --bad is the later of the two",
            bad.short(),
            good.short()
        )));
    }
    let listed = git(repository, &["log", "--first-parent", "--reverse", "--format=%H %s", &range])?;
    let commits: Vec<Commit> = listed.lines().map(parse).collect();
    Ok((good, commits))
}

fn commit(repository: &Path, revision: &str) -> blame::Result<Commit> {
    let peeled = format!("{revision}^{{commit}}");
    let hash = git(repository, &["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled])
        .map_err(|_| Error::usage(format!("`{revision}` is no commit of {}", repository.display())))?;
    git(repository, &["log", "-1", "--format=%H %s", hash.trim()]).map(|line| parse(line.trim_end()))
}

fn parse(line: &str) -> Commit {
    let (hash, subject) = line.split_once(' ').unwrap_or((line, ""));
    Commit { hash: hash.to_owned(), subject: subject.to_owned() }
}

/// A worktree of its own, which is gone when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    repository: PathBuf,
    folder: PathBuf,
}

impl Scratch {
    /// A worktree at `folder`, which must not be there yet.
    ///
    /// # Errors
    ///
    /// What git says.
    pub fn new(repository: &Path, folder: PathBuf) -> blame::Result<Self> {
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, error))?;
        }
        let scratch = Self { repository: repository.to_owned(), folder };
        git(repository, &["worktree", "add", "--detach", "--no-checkout", &scratch.folder.to_string_lossy(), "HEAD"])?;
        Ok(scratch)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes it this commit. What a build left, and git does not know, stays: the next build is the quicker.
    ///
    /// # Errors
    ///
    /// What git says.
    pub fn check_out(&self, commit: &Commit) -> blame::Result<()> {
        git(&self.folder, &["checkout", "--detach", "--force", "--quiet", &commit.hash]).map(|_| ())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Twice `--force`: also if a checkout was interrupted and left its lock.
        let folder = self.folder.to_string_lossy().into_owned();
        if git(&self.repository, &["worktree", "remove", "--force", "--force", &folder]).is_err() {
            let _ = std::fs::remove_dir_all(&self.folder);
            let _ = git(&self.repository, &["worktree", "prune"]);
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) -> blame::Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        // A hook's environment would point to another repository.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .map_err(|error| Error::bench(format!("git does not start: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(Error::bench(format!("git {}: {}", arguments.first().unwrap_or(&""), words.trim())))
}
