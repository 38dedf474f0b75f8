//! The LX106 against what it promises, and against an independent implementation.

mod core;
mod disassembly;
mod program;
mod qemu;
#[path = "../riscv/random.rs"]
#[allow(dead_code, reason = "it makes RISC-V's instructions too")]
mod random;
