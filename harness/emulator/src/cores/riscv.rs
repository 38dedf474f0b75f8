//! The hart: RV32IMC with Zicsr and Zifencei, machine and user mode, PMP and debug triggers, as the ESP32-C3 has it.
//!
//! [`Hart::run`] executes until a deadline or until something happens that its owner must see ([`Stop`]). What is not
//! direct memory is asked of the owner's [`Bus`]. One instruction takes one cycle; a wait for an interrupt takes
//! none, the owner moves time on.
//!
//! Results do not depend on how a run is cut into calls of [`Hart::run`].
//!
//! It does not know which chip it is in: interrupt controllers, timers and vendor CSRs are the bus's.

mod bus;
mod compressed;
mod csr;
mod debug_mode;
mod decode;
mod disassembly;
mod execute;
mod front_end;
mod hart;
mod instruction;
mod pages;
mod pmp;
mod state;
mod trap;
mod trigger;
mod unwind;

pub use crate::machine::access::{AccessKind, Width};
pub use bus::{Bus, BusFault};
pub use csr::number as csr_number;
pub use decode::{Decoded, decode};
pub use disassembly::disassemble;
pub use hart::{Hart, Stop};
pub use instruction::{AluOperation, BranchCondition, CsrOperation, Instruction, LoadKind};
pub use state::HartState;
pub use trap::{Cause, Exception, Privilege};
pub(crate) use unwind::Stack;
