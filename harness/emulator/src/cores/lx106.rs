//! The LX106: Tensilica's Xtensa core as the ESP8266 has it (call0 ABI, density option, 16- and 32-bit multiplication,
//! NSA; exceptions, one level of interrupts, an NMI; no windows, no loops, no coprocessors).
//!
//! [`Lx106::run`] executes until a deadline or until something happens that its owner must see ([`Stop`]). What is not
//! direct memory is asked of the owner's [`Bus`]. One instruction takes one cycle; a wait for an interrupt takes none,
//! the owner moves time on. Results do not depend on how a run is cut into calls of [`Lx106::run`].
//!
//! A plain interpreter is the definition; what is executed often takes the fast path that all cores share, for which there is
//! a front end here. What both know of encodings stands in one table ([`decode`]), which the disassembler reads too.
//!
//! Sources: Cadence, *Xtensa Instruction Set Architecture Reference Manual* (options, registers, encodings); which options
//! the core has, by what the assembler of GCC's `lx106` configuration takes, and by comparison with QEMU's `lx106`.
//!
//! Not modelled: the debug registers IBREAK, DBREAK and ICOUNT hold what is written to them, and nothing comes of it; the
//! region protection's TLB instructions do nothing, as firmware leaves all regions as they are out of reset.
//!
//! It does not know which chip it is in: interrupt lines are the bus's.

mod bus;
mod core;
mod decode;
mod disassembly;
mod exception;
mod execute;
mod front_end;
mod instruction;
mod interrupts;
mod pages;
mod special;
mod state;
mod unwind;

pub use self::core::{Lx106, Stop};
pub use bus::{Bus, BusFault, InterruptLines};
pub use decode::decode;
pub use disassembly::disassemble;
pub use exception::{Cause, Exception, Vector};
pub use instruction::{Format, Instruction, Opcode};
pub use special::number as special_register;
pub use state::CoreState;
pub(crate) use unwind::callers;
