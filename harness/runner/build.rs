//! Lets cargo see new scenario files: `tests/scenarios.rs` makes a test of each.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../scenarios");
}
