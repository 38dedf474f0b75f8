//! The LX106 against what it promises, and against an independent implementation.

mod core;
mod disassembly;
mod fast_path;
mod firmware;
mod gdb;
#[path = "../support/gdb_wire.rs"]
mod gdb_wire;
mod lock_step;
#[path = "../support/lx106_program.rs"]
mod lx106_program;
mod machine;
mod program;
mod qemu;
#[path = "../riscv/random.rs"]
#[allow(dead_code, reason = "it makes RISC-V's instructions too")]
mod random;
mod shared_traces;
#[path = "../support/tiers.rs"]
mod tiers;
