//! The LX106 against what it promises, and against an independent implementation.

mod core;
mod disassembly;
mod gdb;
#[path = "../support/gdb_wire.rs"]
mod gdb_wire;
#[path = "../support/lx106_program.rs"]
mod lx106_program;
mod program;
mod qemu;
#[path = "../riscv/random.rs"]
#[allow(dead_code, reason = "it makes RISC-V's instructions too")]
mod random;
