//! Whose work is linked into an image, and under which terms: the text that has to go with the binary.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use blame::Error;
use serde::Deserialize;

use crate::build::{Cargo, above};

/// The texts of short licences, for packages that name one and carry no copy.
const STANDARD: &[(&str, &str)] = &[("ISC", ISC), ("MIT", MIT)];

const MIT: &str = "\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.";

const ISC: &str = "\
Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.";

/// What `cargo metadata` says of an image's workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    id: String,
    name: String,
    pub(super) version: String,
    license: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
    repository: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
    #[serde(default)]
    metadata: Option<Settings>,
    targets: Vec<Target>,
}

/// `[package.metadata]` as an image's packages use it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Settings {
    #[serde(default)]
    shakedown: OurSettings,
}

/// `[package.metadata.shakedown]`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OurSettings {
    /// The chip that the image is for.
    #[serde(default = "chip::by_name::first", with = "chip::by_name")]
    pub(super) chip: &'static chip::Chip,
    /// Packages whose versions make the image what it is.
    #[serde(default)]
    pub(super) stack: Vec<String>,
    /// Packages whose C sources a build script compiles, though cargo does not build them.
    #[serde(default)]
    compiles: Vec<String>,
    /// Works whose sources a build script compiles and that are no package of any registry.
    #[serde(default)]
    foreign: Vec<Foreign>,
}

impl Default for OurSettings {
    fn default() -> Self {
        Self { chip: chip::by_name::first(), stack: Vec::new(), compiles: Vec::new(), foreign: Vec::new() }
    }
}

/// A work that is linked in and that cargo knows nothing of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Foreign {
    name: String,
    version: String,
    /// One of [`STANDARD`], by its name.
    license: String,
    /// The line that stands above the licence's text.
    copyright: String,
    home: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
    root: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Package {
    pub(super) fn settings(&self) -> OurSettings {
        self.metadata.clone().unwrap_or_default().shakedown
    }

    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    fn is_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    }
}

impl Metadata {
    /// Asks cargo about the workspace in `folder`; with a target, about what is built for it only.
    pub(super) fn of(folder: &Path, target: Option<&str>) -> blame::Result<Self> {
        let mut command = Cargo::of(folder).cargo();
        command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(folder);
        if let Some(target) = target {
            command.args(["--filter-platform", target]);
        }
        let output = command.output().map_err(|error| Error::bench(format!("cargo does not start: {error}")))?;
        if !output.status.success() {
            return Err(Error::bench(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr))));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| Error::bench(format!("cargo metadata: {error}")))
    }

    /// The image's own package.
    pub(super) fn root(&self) -> blame::Result<&Package> {
        let root =
            self.resolve.root.as_ref().ok_or_else(|| Error::bench("the image's workspace has no root package"))?;
        self.packages
            .iter()
            .find(|package| &package.id == root)
            .ok_or_else(|| Error::bench(format!("cargo does not know {root}")))
    }

    /// The versions of these packages, and of these works that are none.
    pub(super) fn versions(&self, names: &[String]) -> BTreeMap<String, String> {
        let packages = self.packages.iter().map(|package| (package.name.clone(), package.version.clone()));
        let foreign = self.packages.iter().flat_map(|package| package.settings().foreign);
        let foreign = foreign.map(|work| (work.name, work.version));
        packages.chain(foreign).filter(|(name, _)| names.contains(name)).collect()
    }

    /// The folder in which cargo keeps packages of registries.
    pub(super) fn registry(&self) -> Option<PathBuf> {
        self.packages.iter().find_map(|package| package.source.as_ref().and(above(&package.manifest_path, "registry")))
    }

    /// What is linked in: what the root needs at run time, and so on.
    fn linked(&self) -> blame::Result<Vec<&Package>> {
        let packages: HashMap<&str, &Package> =
            self.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let nodes: HashMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut found = BTreeSet::new();
        let mut todo = vec![self.root()?.id.as_str()];
        while let Some(id) = todo.pop() {
            let Some(package) = packages.get(id).filter(|package| !package.is_macro()) else { continue };
            if found.insert((package.name.as_str(), package.version.as_str(), id)) {
                let at_run_time =
                    |dependency: &&Dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
                let dependencies = nodes.get(id).into_iter().flat_map(|node| node.deps.iter());
                todo.extend(dependencies.filter(at_run_time).map(|dependency| dependency.pkg.as_str()));
            }
        }
        Ok(found.into_iter().filter_map(|(_, _, id)| packages.get(id).copied()).collect())
    }
}

/// The notices of the image in `folder`.
///
/// # Errors
/// If a package says nothing of its terms: then somebody has to look.
pub(super) fn write(root: &Path, image: &str, folder: &Path, metadata: &Metadata) -> blame::Result<String> {
    let linked = metadata.linked()?;
    let compiled: BTreeSet<String> = linked.iter().flat_map(|package| package.settings().compiles).collect();
    let everything = Metadata::of(folder, None)?;
    let compiled = everything.packages.iter().filter(|package| compiled.contains(&package.name));
    let mut text = format!(
        "What is linked into {image}.elf, and under which terms.\n\
         Where a work offers a choice of licences, the one whose text stands here was chosen.\n\
         Rust's own core and alloc: MIT OR Apache-2.0, https://www.rust-lang.org/policies/licenses\n"
    );
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // Whoever offers that licence and brings no text of his own means the text that everybody has.
    let apache = String::from_utf8_lossy(&super::read(&root.join("LICENSE-APACHE"))?).replace('\r', "");
    // Our own packages have their licence at the workspace's root.
    for package in linked.iter().copied().filter(|package| package.source.is_some()).chain(compiled) {
        let title = format!("{} {}", package.name, package.version);
        let terms = package.license.as_deref().ok_or_else(|| Error::bench(format!("{title} names no licence")))?;
        text.push_str(&format!("\n{title}\n    terms: {terms}\n"));
        for (what, value) in
            [("authors", package.authors.join(", ")), ("home", package.repository.clone().unwrap_or_default())]
        {
            if !value.is_empty() {
                text.push_str(&format!("    {what}: {value}\n"));
            }
        }
        let mut found = licence_texts(package.folder())?;
        if found.is_empty() && terms.contains("Apache-2.0") {
            found.push(apache.clone());
        } else if let (true, Some((_, standard))) = (found.is_empty(), STANDARD.iter().find(|(name, _)| terms == *name))
        {
            found.push(format!("Copyright (c) {}\n\n{standard}", package.authors.join(", ")));
        } else if found.is_empty() {
            return Err(Error::bench(format!("{title} carries no licence text: somebody has to look")));
        }
        for licence in found {
            texts.entry(licence).or_default().push(title.clone());
        }
    }
    let foreign: BTreeSet<Foreign> = linked.iter().flat_map(|package| package.settings().foreign).collect();
    for work in foreign {
        let title = format!("{} {}", work.name, work.version);
        let (_, standard) = STANDARD.iter().find(|(name, _)| work.license == *name).ok_or_else(|| {
            Error::bench(format!("{title}: the text of the licence {} has to be added here", work.license))
        })?;
        text.push_str(&format!("\n{title}\n    terms: {}\n    home: {}\n", work.license, work.home));
        texts.entry(format!("{}\n\n{standard}", work.copyright)).or_default().push(title);
    }
    for (licence, packages) in texts {
        text.push_str(&format!("\n{}\n{}\n\n{}\n", "=".repeat(78), packages.join(", "), licence.trim_end()));
    }
    Ok(text)
}

/// The licence texts that lie in a package's folder. Of a choice, MIT's, else Apache's: never the GPL's.
fn licence_texts(folder: &Path) -> blame::Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| Error::file(folder, error))?;
    let mut files: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().to_string_lossy().to_uppercase();
            let is_terms = ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| name.starts_with(start));
            (is_terms && entry.path().is_file()).then_some((name, entry.path()))
        })
        .collect();
    files.sort();
    for choice in ["MIT", "APACHE"] {
        if files.iter().any(|(name, _)| name.contains(choice)) {
            files.retain(|(name, _)| name.contains(choice) || name.starts_with("NOTICE"));
        }
    }
    files.iter().map(|(_, file)| Ok(String::from_utf8_lossy(&super::read(file)?).replace('\r', ""))).collect()
}
