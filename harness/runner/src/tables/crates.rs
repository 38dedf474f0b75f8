//! Our crates, as cargo knows them: so that the architecture page and the manifests cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use blame::Error;
use serde::Deserialize;

use super::{Unrenderable, entries, markdown};

/// One of our crates.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What it is for, in its own words.
    pub description: Option<String>,
    /// Its licence, as an SPDX expression.
    pub licence: Option<String>,
    /// Its folder.
    pub folder: PathBuf,
    /// The files that its targets begin with: `lib.rs`, `main.rs`.
    pub roots: Vec<PathBuf>,
    /// Our crates that it cannot be built without.
    pub knows: BTreeSet<String>,
    /// Our crates that only its tests and benchmarks use.
    pub tests_also_know: BTreeSet<String>,
}

/// Asks cargo for all of our crates: those of the workspace at `root`, and those of every workspace of its own in
/// `firmware-under-test/` and its `tls/`. In the order of their names. Needs no registry.
///
/// # Errors
///
/// If cargo does not start, or does not understand a manifest.
pub fn survey(root: &Path) -> Result<Vec<Member>, Unrenderable> {
    let mut members = BTreeMap::new();
    let mut manifests = vec![root.join("Cargo.toml")];
    for folder in ["firmware-under-test", "firmware-under-test/tls"] {
        manifests.extend(entries(&root.join(folder))?.iter().map(|folder| folder.join("Cargo.toml")));
    }
    for manifest in manifests.iter().filter(|manifest| manifest.is_file()) {
        for package in metadata(manifest)?.packages {
            members.insert(package.name.clone(), package.into_member());
        }
    }
    Ok(members.into_values().collect())
}

/// Who may know whom, row by row: a crate knows only crates of the rows above its own.
pub(super) fn table(root: &Path) -> Result<String, Unrenderable> {
    let members = survey(root)?;
    let rows = rows(&members).map_err(|why| Unrenderable::new("the crates", why))?;
    let mut sorted: Vec<(usize, &Member)> = members.iter().map(|member| (rows[member.name.as_str()], member)).collect();
    sorted.sort_by_key(|(row, member)| (*row, member.name.as_str()));
    let cells: Vec<Vec<String>> = sorted
        .iter()
        .map(|(row, member)| {
            vec![
                row.to_string(),
                format!("[`{}`]({})", member.name, folder_from_page(root, &member.folder)),
                member.description.clone().unwrap_or_default(),
                list(&member.knows),
                list(&member.tests_also_know),
            ]
        })
        .collect();
    Ok(markdown(&["row", "crate", "job", "knows", "its tests know too"], &cells))
}

/// As a link on a page in `harness/` has it.
fn folder_from_page(root: &Path, folder: &Path) -> String {
    let folder = folder.strip_prefix(root).unwrap_or(folder);
    match folder.strip_prefix("harness") {
        Ok(ours) => ours.display().to_string(),
        Err(_) => format!("../{}", folder.display()),
    }
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The row of each crate: 0 if it knows nobody, else one more than the lowest that it knows.
fn rows(members: &[Member]) -> blame::Result<BTreeMap<&str, usize>> {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    while rows.len() < members.len() {
        let settled = rows.len();
        for member in members {
            let known: Option<Vec<usize>> = member.knows.iter().map(|name| rows.get(name.as_str()).copied()).collect();
            if let (Some(known), false) = (known, rows.contains_key(member.name.as_str())) {
                rows.insert(&member.name, known.into_iter().max().map_or(0, |lowest| lowest + 1));
            }
        }
        if rows.len() == settled {
            let rest: Vec<&str> =
                members.iter().map(|member| member.name.as_str()).filter(|name| !rows.contains_key(name)).collect();
            return Err(Error::bench(format!("{} know each other, or a crate outside of the house", rest.join(", "))));
        }
    }
    Ok(rows)
}

/// What `cargo metadata` says, as far as we care.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    description: Option<String>,
    license: Option<String>,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `null` for what the crate itself needs, `dev` and `build` for the others.
    kind: Option<String>,
    /// Only crates in this repository have one.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Package {
    fn into_member(self) -> Member {
        let ours = |tests: bool| {
            let wanted = move |dependency: &&Dependency| (dependency.kind.as_deref() == Some("dev")) == tests;
            let ours = self.dependencies.iter().filter(|dependency| dependency.path.is_some());
            ours.filter(wanted).map(|dependency| dependency.name.clone()).collect::<BTreeSet<_>>()
        };
        let knows = ours(false);
        let tests_also_know = ours(true).difference(&knows).cloned().collect();
        let shipped = |target: &&Target| target.kind.iter().any(|kind| kind == "lib" || kind == "bin");
        Member {
            roots: self.targets.iter().filter(shipped).map(|target| target.src_path.clone()).collect(),
            folder: self.manifest_path.parent().map(Path::to_path_buf).unwrap_or_default(),
            name: self.name,
            description: self.description,
            licence: self.license,
            knows,
            tests_also_know,
        }
    }
}

fn metadata(manifest: &Path) -> Result<Metadata, Unrenderable> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(manifest)
        .output()
        .map_err(|error| Unrenderable::new("cargo metadata", error))?;
    if !output.status.success() {
        return Err(Unrenderable::new("cargo metadata", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Unrenderable::new("cargo metadata", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, knows: &[&str]) -> Member {
        Member {
            name: name.into(),
            description: None,
            licence: None,
            folder: PathBuf::new(),
            roots: Vec::new(),
            knows: knows.iter().map(|name| (*name).to_owned()).collect(),
            tests_also_know: BTreeSet::new(),
        }
    }

    #[test]
    fn a_crate_stands_below_all_that_it_knows() {
        let members = [member("attic", &[]), member("cellar", &["attic", "hall"]), member("hall", &["attic"])];
        let rows = rows(&members).unwrap();
        assert_eq!((rows["attic"], rows["hall"], rows["cellar"]), (0, 1, 2));
    }

    #[test]
    fn a_circle_is_named() {
        let error = rows(&[member("a", &["b"]), member("b", &["a"]), member("c", &[])]).unwrap_err();
        assert!(error.message.starts_with("a, b know each other"), "{error}");
    }
}
