//! The files below a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// No folder is looked into that lies deeper below the first.
pub const DEPTH_MAX: usize = 16;
/// More files than that are no folder of ours.
pub const FILES_MAX: usize = 100_000;

/// Every file below `folder` whose name ends so, in the order of their names. A link to a folder is followed, but not
/// into a folder that lies above it: it would lead there again and again.
///
/// # Errors
///
/// The folder that the disk refuses, or with which there are too many.
pub fn find(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    below(folder, ending, &mut Vec::new(), &mut files)?;
    files.sort();
    Ok(files)
}

fn below(
    folder: &Path,
    ending: &str,
    above: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<(), (PathBuf, io::Error)> {
    let refused = |error| (folder.to_owned(), error);
    let here = folder.canonicalize().map_err(refused)?;
    if above.contains(&here) {
        return Ok(());
    }
    if above.len() == DEPTH_MAX {
        return Err(refused(io::Error::other(format!("more than {DEPTH_MAX} folders in one another"))));
    }
    above.push(here);
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.is_dir() {
            below(&path, ending, above, files)?;
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(refused(io::Error::other(format!("more than {FILES_MAX} files"))));
        }
    }
    above.pop();
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_elsewhere_but_in_no_circle() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let (inner, outer) = (folder.path().join("a/b"), elsewhere.path());
        fs::create_dir_all(&inner).expect("folders");
        for file in [inner.join("one.toml"), inner.join("one.md"), outer.join("two.toml")] {
            fs::write(file, "").expect("a file");
        }
        symlink(outer, folder.path().join("linked")).expect("a link");
        // Each of them would double what is found, at every turn.
        for name in ["again", "once more"] {
            symlink(folder.path(), inner.join(name)).expect("a link");
            symlink("..", inner.join(format!("{name} from above"))).expect("a link");
        }
        let found = find(folder.path(), "toml").expect("it ends");
        assert_eq!(found, [inner.join("one.toml"), folder.path().join("linked/two.toml")]);
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("x/".repeat(DEPTH_MAX + 1))).expect("folders");
        assert!(find(folder.path(), "toml").expect_err("too deep").1.to_string().contains("in one another"));
    }
}
