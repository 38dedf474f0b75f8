//! The hart against what it promises, against itself, and against independent implementations.

mod disassembly;
mod fast_path;
mod firmware;
mod hart;
mod host_code;
#[path = "../../benches/kernel/mod.rs"]
mod kernel;
mod machine;
mod oracle;
mod protection;
mod qemu;
mod random;
mod shared_traces;
#[path = "../support/tiers.rs"]
mod tiers;
