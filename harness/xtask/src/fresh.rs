//! Whether a program is still what cargo would build, so that cargo need not be asked.
//!
//! To look at each unit of the graph takes cargo longer than most commands of ours take. So after a build a *record* is
//! kept: where the program is, and a digest of what is no file. The program is fresh if the record says the same of today,
//! and no file has changed since: the program's sources and what build scripts watch (cargo lists both beside the program,
//! as dep-info), manifests, `Cargo.lock` and cargo's settings. Whatever is missing or in doubt, cargo is asked.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files of a folder that say how something in it is built.
const SETTINGS: [&str; 5] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml", "rust-toolchain"];

/// How the names of variables begin that reach cargo, rustc or a build script. `cargo run` sets some of its own for `xtask`,
/// which say nothing of a build.
const VARIABLES: [&str; 11] =
    ["AR", "CARGO", "CC", "CFLAGS", "HOST_", "MAKE", "OPENSSL_", "PERL", "PKG_CONFIG", "RUST", "TARGET_"];
const VARIABLES_OF_CARGO_RUN: [&str; 4] = ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_", "RUST_RECURSION_COUNT"];

/// What a build is asked for besides its sources.
pub struct Wish<'a> {
    /// The workspace's folder.
    pub root: &'a Path,
    /// The program of cargo.
    pub cargo: &'a OsStr,
    /// Features, as `--features` takes them.
    pub features: &'a [&'a str],
    /// The environment.
    pub variables: Vec<(String, String)>,
}

impl Wish<'_> {
    /// A digest of everything that is no file whose time could be compared. Secrets may be among the variables: they are in
    /// no file after this.
    fn digest(&self, program: &Path) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (self.root, self.cargo, self.features).hash(&mut hasher);
        let mut variables: Vec<_> = self.variables.iter().filter(|(name, _)| reaches_a_build(name)).collect();
        variables.sort();
        variables.hash(&mut hasher);
        // A toolchain is replaced in its place, and so is a program that somebody else has cargo build.
        for file in [Path::new(self.cargo), program] {
            let metadata = file.metadata().ok()?;
            (metadata.len(), metadata.modified().ok()?).hash(&mut hasher);
        }
        Some(hasher.finish())
    }
}

fn reaches_a_build(name: &str) -> bool {
    VARIABLES.iter().any(|start| name.starts_with(start))
        && !VARIABLES_OF_CARGO_RUN.iter().any(|start| name.starts_with(start))
        || name.contains("_CFLAGS")
}

/// The program of which `record` tells, if it is what cargo would build.
pub fn program(record: &Path, wish: &Wish) -> Option<PathBuf> {
    let began = record.metadata().ok()?.modified().ok()?;
    let text = fs::read_to_string(record).ok()?;
    let (digest, program) = text.trim_end().split_once(' ')?;
    let program = PathBuf::from(program);
    if digest != format!("{:016x}", wish.digest(&program)?) {
        return None;
    }
    let sources = sources(&fs::read_to_string(program.with_extension("d")).ok()?)?;
    let folders: BTreeSet<&Path> =
        sources.iter().map(PathBuf::as_path).chain([wish.root]).flat_map(Path::ancestors).collect();
    let of_folders = folders.iter().flat_map(|folder| SETTINGS.map(|name| folder.join(name)));
    let of_the_user = wish.variables.iter().filter(|(name, _)| name == "CARGO_HOME").map(|(_, home)| home);
    let settings = of_folders.chain(of_the_user.map(|home| Path::new(home).join("config.toml")));
    let are_old = sources.iter().all(|source| is_older(source, began))
        && settings.into_iter().all(|file| !file.exists() || is_older(&file, began));
    are_old.then_some(program)
}

/// Keeps a record of a program that cargo has built for this wish, from `began` on.
///
/// # Errors
///
/// If it cannot be written; cargo is asked again then.
pub fn remember(record: &Path, wish: &Wish, program: &Path, began: SystemTime) -> io::Result<()> {
    let Some((digest, name)) = wish.digest(program).zip(program.to_str()) else { return Ok(()) };
    if let Some(folder) = record.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(record)?;
    writeln!(file, "{digest:016x} {name}")?;
    // What changed while cargo was building may not be in the program.
    file.set_modified(began)
}

/// The files of a dep-info file: the words behind the colon, in which a backslash makes a space part of a word.
fn sources(dep_info: &str) -> Option<HashSet<PathBuf>> {
    let (_, words) = dep_info.lines().next()?.split_once(": ")?;
    let words = words.replace("\\ ", "\0");
    Some(words.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace('\0', " ").into()).collect())
}

/// Whether a file, or all that is in a folder, was as it is before `began`.
fn is_older(path: &Path, began: SystemTime) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    if !metadata.modified().is_ok_and(|modified| modified < began) {
        return false;
    }
    if !metadata.is_dir() {
        return true;
    }
    let Ok(entries) = fs::read_dir(path) else { return false };
    entries.into_iter().all(|entry| entry.is_ok_and(|entry| is_older(&entry.path(), began)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A workspace whose program has been built and recorded.
    struct Built {
        folder: tempfile::TempDir,
        variables: Vec<(String, String)>,
    }

    impl Built {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let built = Self { folder, variables: vec![("RUSTFLAGS".into(), "-O".into())] };
            for name in
                ["Cargo.toml", "cargo", "one/Cargo.toml", "one/src/a source.rs", "watched/x/y.toml", "out/program"]
            {
                built.write(name);
            }
            let (source, watched) = (built.at("one/src/a source.rs"), built.at("watched"));
            let source = source.to_str().unwrap().replace(' ', "\\ ");
            let dep_info = format!("{}: {source} {}\n", built.at("out/program").display(), watched.display());
            fs::write(built.at("out/program.d"), dep_info).unwrap();
            let began = SystemTime::now() + Duration::from_secs(10);
            remember(&built.at("record"), &built.wish(&built.at("cargo"), &[]), &built.at("out/program"), began)
                .unwrap();
            built
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str) {
            let path = self.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }

        /// As if the file had been written after the build.
        fn change(&self, name: &str) {
            self.write(name);
            let later = SystemTime::now() + Duration::from_secs(20);
            File::options().write(true).open(self.at(name)).unwrap().set_modified(later).unwrap();
        }

        fn wish<'a>(&'a self, cargo: &'a Path, features: &'a [&'a str]) -> Wish<'a> {
            let variables = self.variables.clone();
            Wish { root: self.folder.path(), cargo: cargo.as_os_str(), features, variables }
        }

        fn is_fresh(&self) -> bool {
            let found = program(&self.at("record"), &self.wish(&self.at("cargo"), &[]));
            assert!(found.is_none() || found == Some(self.at("out/program")));
            found.is_some()
        }
    }

    #[test]
    fn what_has_not_changed_is_fresh_and_what_has_is_not() {
        assert!(Built::new().is_fresh());
        let changed = [
            "one/src/a source.rs",
            "one/Cargo.toml",
            "Cargo.toml",
            "Cargo.lock",
            "watched/x/y.toml",
            "watched/new.toml",
        ];
        for name in changed.into_iter().chain([".cargo/config.toml", "cargo", "out/program"]) {
            let built = Built::new();
            built.change(name);
            assert!(!built.is_fresh(), "{name}");
        }
        for name in ["one/src/a source.rs", "watched/x/y.toml", "out/program", "out/program.d", "record"] {
            let built = Built::new();
            fs::remove_file(built.at(name)).unwrap();
            // That a watched file is gone is seen by its folder's time.
            if name.starts_with("watched") {
                let later = SystemTime::now() + Duration::from_secs(20);
                File::open(built.at("watched/x")).unwrap().set_modified(later).unwrap();
            }
            assert!(!built.is_fresh(), "{name} is gone");
        }
    }

    #[test]
    fn another_wish_is_not_fresh() {
        let mut built = Built::new();
        let cargo = built.at("cargo");
        assert!(program(&built.at("record"), &built.wish(&cargo, &["compiled"])).is_none());
        built.variables.push(("CARGO_PKG_NAME".into(), "xtask".into()));
        built.variables.push(("HOME".into(), "/root".into()));
        assert!(built.is_fresh(), "neither reaches a build");
        built.variables[0].1 = "-g".into();
        assert!(!built.is_fresh());
    }
}
