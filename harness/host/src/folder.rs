//! A folder for what a run needs on disk and nobody else may see: keys, sockets, configurations.
//!
//! It lies in the system's folder for temporary files and goes when it is dropped. A process that is killed drops nothing,
//! so each folder has a file in it that its process holds locked, and whoever makes the next folder removes those whose
//! lock nobody holds.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How the names of all of them begin, and of nothing else that anybody makes there.
const PREFIX: &str = "shakedown-run-";
/// What is locked.
const LOCK: &str = ".held";
/// A folder without a lock is being made, or was when its process was killed so long ago.
const BEING_MADE: Duration = Duration::from_secs(60);

/// A folder of this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _held: File,
}

impl Folder {
    /// Makes one for this user alone. Its name begins with `what` it is for.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn new(what: &str) -> io::Result<Self> {
        Self::below(&std::env::temp_dir(), what)
    }

    fn below(parent: &Path, what: &str) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        sweep(parent);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{what}-{}-{number}", std::process::id()));
            match make(&path) {
                // Of a process of the same number, which was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    let held = File::create_new(path.join(LOCK))?;
                    held.try_lock()?;
                    return Ok(Self { path, _held: held });
                }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what processes that were killed have left, as far as it is this user's.
fn sweep(parent: &Path) {
    let Ok(listing) = fs::read_dir(parent) else { return };
    for entry in listing.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        // Not through a link, which may lead anywhere.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if !metadata.is_dir() || !is_ours(&metadata) {
            continue;
        }
        let is_left = match crate::open(&path.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(_) => metadata.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > BEING_MADE)),
        };
        if is_left {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Root's may have been given to the ordinary user as whom a program ran.
#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let us = rustix::process::geteuid();
    us.is_root() || metadata.uid() == us.as_raw()
}

#[cfg(not(unix))]
fn is_ours(_: &fs::Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_nobody_elses_and_goes_with_its_process() {
        let parent = tempfile::tempdir().expect("a folder");
        let kept = Folder::below(parent.path(), "test").expect("a folder");
        assert_eq!(fs::metadata(kept.path()).expect("it is there").permissions().mode() & 0o777, 0o700);
        // As a process leaves it that is killed: the lock is gone, the file is not.
        let left = parent.path().join("shakedown-run-test-1-0");
        fs::create_dir_all(left.join("deeper")).expect("a folder");
        fs::write(left.join(LOCK), "").expect("a file");
        // One that is being made, and what is nobody's of ours.
        let (begun, other) = (parent.path().join("shakedown-run-test-2-0"), parent.path().join("shakedown-1-other"));
        let target = parent.path().join("target");
        for folder in [&begun, &other, &target] {
            fs::create_dir(folder).expect("a folder");
        }
        // A pipe in the lock's place: opening it would last until somebody writes to it.
        #[cfg(target_os = "linux")]
        let pipe = begun.join(LOCK);
        #[cfg(target_os = "linux")]
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
        std::os::unix::fs::symlink(&target, parent.path().join("shakedown-run-link")).expect("a link");
        let next = Folder::below(parent.path(), "test").expect("a folder");
        assert!(!left.exists());
        assert!([kept.path(), &begun, &other, &target].iter().all(|folder| folder.exists()));
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }
}
