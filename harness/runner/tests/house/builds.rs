//! What is compiled once, and used by `cargo xtask` and by `cargo test --workspace`.

use std::collections::BTreeSet;
use std::process::Command;

use super::{assert_none, root};

/// Cargo compiles a crate once for each set of features. Tests of one of our crates may want a feature of a library that
/// nobody else wants: without more, the README's second command would compile that library again, and all that uses it,
/// which for the smallest ones is nearly everything.
#[test]
fn tests_want_no_other_features_than_the_programs() {
    let (programs, tests) = (features(&["--edges", "normal,build"]), features(&[]));
    assert!(programs.len() > 100, "cargo tells of {} packages only", programs.len());
    let complaints: Vec<String> = programs
        .difference(&tests)
        .map(|package| format!("{package}: tests want more features of it; name them in harness/runner/Cargo.toml"))
        .collect();
    assert_none(&complaints);
}

/// Each package of the workspace's graph, with its features.
fn features(options: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--prefix", "none", "--no-dedupe", "--format", "{p} with {f}"])
        .args(options)
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
