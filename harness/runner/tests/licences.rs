//! What we link to may be passed on: every dependency's licence asks for no more than a notice, or to publish changes
//! of its own files.
//!
//! Judged is what this machine would build for itself, tests and benchmarks included. What is linked into firmware
//! images has its notices beside the images.

use std::env;
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences that ask for a notice, for nothing, or (MPL) to publish changes of the licensed files themselves: the list of
/// `deny.toml`.
static ALLOWED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let text = include_str!("../../../deny.toml");
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("deny.toml: {error}"));
    let list = table["licenses"]["allow"].as_array().expect("a list");
    list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
});

/// Crates that are used all the same, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

fn metadata() -> Metadata {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let version = Command::new(&cargo).arg("-vV").output().expect("cargo starts");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo -vV names its host");
    // Without a platform, cargo would want to download what only other systems need.
    let output = Command::new(&cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo's JSON")
}

/// Whether the SPDX expression can be satisfied with [`ALLOWED`] licences. A `WITH` only ever adds to the rights that
/// its licence gives, so it is not looked at.
fn allowed(licence: &str) -> bool {
    let permits =
        |wanted: &LicenseReq| wanted.license.id().is_some_and(|id| ALLOWED.iter().any(|name| name == id.name));
    // Old manifests write `MIT/Apache-2.0`.
    Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| expression.evaluate(permits))
}

#[test]
fn every_dependency_may_be_passed_on() {
    let metadata = metadata();
    let used = |package: &&Package| metadata.resolve.nodes.iter().any(|node| node.id == package.id);
    let excepted = |package: &Package| EXCEPTIONS.iter().any(|(name, _)| *name == package.name);
    let packages: Vec<&Package> = metadata.packages.iter().filter(used).collect();
    assert!(packages.len() > 50, "cargo resolved only {} packages", packages.len());
    let complaints: Vec<String> = packages
        .into_iter()
        .filter(|package| !excepted(package) && !package.license.as_deref().is_some_and(allowed))
        .map(|package| {
            format!("{} {}: {}", package.name, package.version, package.license.as_deref().unwrap_or("no licence"))
        })
        .collect();
    assert!(complaints.is_empty(), "not on the list of licences:\n{}", complaints.join("\n"));
}

#[test]
fn expressions_are_judged_as_a_whole() {
    assert!(allowed("MIT OR GPL-3.0-only"));
    assert!(allowed("MIT/Apache-2.0"));
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(allowed("Apache-2.0 WITH LLVM-exception"));
    assert!(!allowed("MIT AND GPL-3.0-only"));
    assert!(!allowed("LGPL-2.1-or-later"));
    assert!(!allowed("whatever you like"));
}
