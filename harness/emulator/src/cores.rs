//! CPU cores: one folder an instruction set, and the fast path that they share. A core does not know which chip it is in.

mod fast;
pub mod lx106;
pub mod riscv;
